"""`workflow timeline`: a run through time, in the terminal or as a page that shows any moment of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.command import Look, command
from cli.commands.workflow.acting import looked_at
from cli.console import Console
from cli.exits import Exit, UsageError

SUFFIXES = (".html", ".htm")


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "timeline")(timeline)


async def timeline(
    look: Look,
    *,
    html: Annotated[bool, typer.Option("--html", help="One page with a slider; it needs nothing else.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where the page goes; default: RUN.html.")
    ] = None,
) -> Exit:
    """Show a run through time: a lane per phase with work, waits and gates."""
    from cli.words.bars import canvas  # noqa: PLC0415 - not needed for --help
    from cli.words.timeline import timeline_lines  # noqa: PLC0415

    if output is not None and not html and output.suffix.lower() not in SUFFIXES:
        raise UsageError(f"a timeline in letters goes to the standard output, not to {output}", hint="add --html")
    console = Console(json=look.json)
    run = await looked_at(look, console)
    shown = await run.timeline()
    if html or output is not None:
        from cli.pictures.timeline import timeline_page  # noqa: PLC0415 - only here
        from cli.reach.writing import write_whole  # noqa: PLC0415

        output = output or Path(f"{run.id}.html")
        write_whole(output, timeline_page(shown))
        console.answer({"run": run.id, "output": str(output)}, [f"Wrote {output}"])
        return Exit.OK
    console.answer(shown, timeline_lines(shown, canvas(sys.stdout)))
    return Exit.OK
