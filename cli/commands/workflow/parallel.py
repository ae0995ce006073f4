"""`workflow start-parallel`, `cancel-parallel`, `parallel-status`: a group of parallel phases as a whole."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.command import Act, Look, command
from cli.commands.workflow.acting import act_on, meant, send
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

    return await act_on(act, "start_parallel", {"phase": phase}, group_started)


async def cancel_parallel(
    act: Act,
    phase: Annotated[
        str | None, typer.Argument(metavar="PHASE", help="A member; needed if several groups are open.")
    ] = None,
) -> Exit:
    """Cancel the open parallel phases and pause the run.

    Returns when their agents are gone.
    """
    from cli.reach.waiting import until_gone  # noqa: PLC0415 - not needed for --help
    from cli.words.parallel import cancelled  # noqa: PLC0415
    from cli.words.status import trouble  # noqa: PLC0415

    console = Console(json=act.json)
    run = await meant(act, console)
    answer = await send(run, act, console, "cancel_parallel", {} if phase is None else {"phase": phase})
    if answer is not None:
        view = await until_gone(run, {member["index"] for member in answer["cancelled"]})
        console.answer(answer, [*cancelled(answer), *trouble(view)])
    return Exit.OK


async def parallel_status(look: Look) -> Exit:
    """Show the parallel phases that are open, or were last."""
    from cli.reach.selection import run_to_look_at  # noqa: PLC0415 - not needed for --help
    from cli.words import parallel  # noqa: PLC0415

    console = Console(json=look.json)
    view = await (await run_to_look_at(look, console)).view()
    shown = {"run": view["run"], "workflow": view["definition"], **view["parallel"]}
    console.answer(shown, parallel.parallel_status(view))
    return Exit.OK
