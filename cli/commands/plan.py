"""`phaseloom plan`: what a run of a definition would be like, without running it."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.command import command
from cli.console import Console
from cli.exits import Exit
from cli.reach.inputs import workers_wanted


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "plan")(plan)


def plan(
    definition: Annotated[str, typer.Argument(metavar="ID|FILE", help="A definition: an id, a file, or - for stdin.")],
    *,
    workers: Annotated[
        str | None, typer.Option("--workers", metavar="N|auto", help="How many agents may work at once.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Show every phase of a long plan.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")] = False,
) -> Exit:
    """Show how a definition would run: groups, times, the critical path.

    Times come from the definition's estimates, else from earlier runs in this project. Nothing is started.
    """
    from cli.api.planning import planned_of  # noqa: PLC0415 - not needed for --help
    from cli.reach.place import here  # noqa: PLC0415
    from cli.words.plan import described, shown  # noqa: PLC0415

    told = planned_of(definition, here(), workers=workers_wanted(workers, "--workers"), typed=True)
    if json:
        Console(json=True).data(described(told))
    else:
        Console().lines(shown(told, everything=all_))
    return Exit.OK
