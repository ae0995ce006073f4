"""`phaseloom runs`: the runs of this project."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli.command import Where, command
from cli.commands.workflow.acting import client_to_read
from cli.console import Console, is_terminal
from cli.exits import Exit


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "runs")(runs)


async def runs(
    where: Where,
    *,
    every: Annotated[bool, typer.Option("--all", help="Ended runs too.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many, the newest first.")] = 100,
) -> Exit:
    """List the runs of this project."""
    from cli.words.bars import canvas  # noqa: PLC0415 - not needed for --help
    from cli.words.runs import listing  # noqa: PLC0415

    console = Console(json=where.json)
    client = await client_to_read(where, console)
    found = [run.to_json() for run in await client.runs(every=every, limit=limit)] if client is not None else []
    fits = canvas(sys.stdout).width if is_terminal(sys.stdout) else None
    console.answer({"runs": found}, listing(found, every=every, fits=fits))
    return Exit.OK
