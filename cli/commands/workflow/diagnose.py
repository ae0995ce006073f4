"""`workflow diagnose`: everything about one failure in one file, to look at later or to show to somebody."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.command import Look, command
from cli.commands.workflow.acting import looked_at
from cli.console import Console
from cli.exits import Exit


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "diagnose")(diagnose)


async def diagnose(
    look: Look,
    phase: Annotated[
        str | None, typer.Argument(metavar="PHASE", help="Index, id or name; default: the one that has failed.")
    ] = None,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write; default: a name here.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> Exit:
    """Write what is known of a failure to a zip file, secrets hidden.

    Failures, log, facts, gates, plan, versions and what doctor finds. Look through it before you share it.
    """
    console = Console(json=look.json)
    run = await looked_at(look, console)
    made = await run.diagnose(phase, output=output, force=force)
    lines = [
        f"Written: {made.path} ({made.size:,} bytes)",
        *(f"  {each['name']}: {each['about']}" for each in made.files),
    ]
    console.answer(made.to_json(), [*lines, "Secrets that are known are hidden. Look through it before you share it."])
    return Exit.OK
