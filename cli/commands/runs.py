"""`phaseloom runs`: the runs of this project."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.command import Where, command
from cli.commands.workflow.acting import client_for
from cli.console import Console
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
    from cli.words.runs import listing  # noqa: PLC0415 - not needed for --help

    console = Console(json=where.json)
    client = await client_for(where, console)
    found = [run.to_json() for run in await client.runs(every=every, limit=limit)]
    console.answer({"runs": found}, listing(found, every=every))
    return Exit.OK
