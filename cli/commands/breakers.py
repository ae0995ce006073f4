"""`phaseloom breakers`: the circuit breakers of tools, across runs."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli.command import Where, command
from cli.commands.workflow.acting import client_for, client_to_read
from cli.console import Console, is_terminal
from cli.exits import Exit

breakers_app = typer.Typer(
    name="breakers", help="Look at the circuit breakers of tools, or close one.", rich_markup_mode=None
)


def register(app: typer.Typer) -> None:
    """Add the group."""
    command(breakers_app, "list")(list_breakers)
    command(breakers_app, "reset")(reset)
    app.add_typer(breakers_app)


async def list_breakers(where: Where) -> Exit:
    """List the circuit breakers of tools: state, failures in a row, since when, and whose attempt is the probe.

    Those that attempts have asked lately. A tool has one where a role says circuit_breaker.
    """
    from cli.words.bars import canvas  # noqa: PLC0415 - not needed for --help
    from cli.words.breakers import listing  # noqa: PLC0415

    console = Console(json=where.json)
    client = await client_to_read(where, console)
    found = [each.to_json() for each in await client.breakers()] if client is not None else []
    fits = canvas(sys.stdout).width if is_terminal(sys.stdout) else None
    console.answer({"breakers": found}, listing(found, fits=fits))
    return Exit.OK


async def reset(
    where: Where,
    *,
    tool: Annotated[str, typer.Argument(metavar="TOOL", help="The tool's name, as breakers list shows it.")],
) -> Exit:
    """Close the circuit of a tool at once: attempts that wait for it go on at their next try."""
    from cli.words.breakers import was_reset  # noqa: PLC0415 - not needed for --help

    console = Console(json=where.json)
    before = (await (await client_for(where, console)).reset_breaker(tool)).to_json()
    console.answer({"before": before}, was_reset(before))
    return Exit.OK
