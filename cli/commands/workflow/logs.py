"""`workflow logs`: what a run and its phases have written."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Annotated

import typer

from cli.command import Look, command
from cli.commands.workflow.acting import looked_at
from cli.console import Console, write
from cli.exits import Exit


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "logs")(logs)


async def logs(
    look: Look,
    phase: Annotated[
        str | None, typer.Argument(metavar="PHASE", help="Index, id or name; default: the run's log.")
    ] = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until the run ends.")] = False,
    count: Annotated[int | None, typer.Option("--lines", "-n", min=0, help="Only the last lines.")] = None,
) -> Exit:
    """Print the log of a run, or of one of its phases."""
    console = Console(json=look.json)
    run = await looked_at(look, console)
    if follow:
        async for lines in run.follow_log(phase, lines=count, tell=console.note):
            _print_each(console, lines)
        return Exit.OK
    log = await run.log(phase, lines=count)
    console.answer(log.to_json(), log.lines)
    return Exit.OK


def _print_each(console: Console, lines: Iterable[str]) -> None:
    """Print lines of which more will follow; as JSON in an object each."""
    if console.json:
        write(sys.stdout, "".join(json.dumps({"line": line}, ensure_ascii=False) + "\n" for line in lines))
    else:
        console.lines(lines)
