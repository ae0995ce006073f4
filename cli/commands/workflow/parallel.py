"""`workflow start-parallel`, `cancel-parallel`, `parallel-status`: a group of parallel phases as a whole."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.command import Act, Look, command
from cli.commands.workflow.acting import about, act_on, answered, looked_at, meant
from cli.commands.workflow.phases import Phase
from cli.console import Console
from cli.exits import Exit


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "start-parallel")(start_parallel)
    command(app, "cancel-parallel")(cancel_parallel)
    command(app, "parallel-status")(parallel_status)


async def start_parallel(phase: Phase, act: Act) -> Exit:
    """Start the parallel phases around PHASE, again if cancelled."""
    from cli.words.parallel import group_started  # noqa: PLC0415 - not needed for --help

    return await act_on(act, lambda run: run.start_parallel(phase, **about(act)), group_started)


async def cancel_parallel(
    act: Act,
    phase: Annotated[
        str | None, typer.Argument(metavar="PHASE", help="A member; needed if several groups are open.")
    ] = None,
) -> Exit:
    """Cancel the open parallel phases and pause the run.

    Returns when their agents are gone.
    """
    from cli.words.parallel import cancelled  # noqa: PLC0415 - not needed for --help
    from cli.words.status import trouble  # noqa: PLC0415

    console = Console(json=act.json)
    run = await meant(act, console)
    answer = await answered(run.cancel_parallel(phase, **about(act)), console)
    if answer is not None:
        told = answer.to_json()
        console.answer(told, [*cancelled(told), *trouble((await run.view(limit=0)).to_json())])
    return Exit.OK


async def parallel_status(look: Look) -> Exit:
    """Show the parallel phases that are open, or were last."""
    from cli.words import parallel  # noqa: PLC0415 - not needed for --help

    console = Console(json=look.json)
    view = await (await looked_at(look, console)).view(limit=0)
    console.answer(view.parallel.to_json(), parallel.parallel_status(view.to_json()))
    return Exit.OK
