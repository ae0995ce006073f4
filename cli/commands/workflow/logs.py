"""`workflow logs`: what a run and its phases have written."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.command import Look, command
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
    from cli.reach import logfiles  # noqa: PLC0415 - not needed for --help
    from cli.reach.place import here  # noqa: PLC0415
    from cli.reach.selection import run_to_look_at  # noqa: PLC0415

    console = Console(json=look.json)
    root = here()
    run = await run_to_look_at(look, console)
    path = await logfiles.log_of(run, root, phase)
    lines, position = logfiles.last_lines(path, count)
    if follow:
        _print_each(console, lines)
        async for added in logfiles.added_lines(run, root, path, position):
            _print_each(console, added)
        return Exit.OK
    if not position:
        if phase is not None:
            raise await logfiles.no_log(run, phase, path)
        lines = await logfiles.from_journal(run)
        lines = lines[-count:] if count else lines
    _print(console, path, lines)
    return Exit.OK


def _print(console: Console, path: Path, lines: list[str]) -> None:
    console.answer({"log": str(path), "lines": lines}, lines)


def _print_each(console: Console, lines: list[str]) -> None:
    """Print lines of which more will follow; as JSON in an object each."""
    if console.json:
        write(sys.stdout, "".join(json.dumps({"line": line}, ensure_ascii=False) + "\n" for line in lines))
    else:
        console.lines(lines)
