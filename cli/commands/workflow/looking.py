"""`workflow status`, `workflow why`, `workflow watch`: looking at a run without touching it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.command import Look, command
from cli.commands.workflow.acting import looked_at
from cli.console import Console, is_terminal
from cli.exits import Exit

if TYPE_CHECKING:
    from cli.api import NoWorkerError
    from cli.api.handle import RunHandle

Json = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "status")(status)
    command(app, "why")(why)
    command(app, "watch")(watch)


async def status(
    look: Look,
    phase: Annotated[str | None, typer.Argument(metavar="PHASE", help="Only this phase: index, id or name.")] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Every phase of a large plan too.")] = False,
) -> Exit:
    """Show what has stopped, who is waited for, and the phases."""
    from cli.api import NoWorkerError  # noqa: PLC0415 - not needed for --help
    from cli.words import status as words  # noqa: PLC0415
    from cli.words.bars import canvas  # noqa: PLC0415

    console = Console(json=look.json)
    run = await looked_at(look, console)
    try:
        if phase is not None:
            return await _explain(run, phase, console)
        view = (await run.view(every=every)).to_json()
        view["eta"] = await run.prospect(view)
    except NoWorkerError as error:
        raise await _known_without_worker(run, error) from None
    on = canvas(sys.stdout)
    fits = on.width if is_terminal(sys.stdout) else None
    console.answer(view, words.status(view, complete=every, on=on, fits=fits))
    return Exit.OK


async def _known_without_worker(run: RunHandle, error: NoWorkerError) -> NoWorkerError:
    """The error, with what the server itself knows of the run."""
    from cli.api import NoWorkerError  # noqa: PLC0415 - loaded by then

    known = await run.summary()
    if known is None:
        return error
    waits = f", waiting for {', '.join(known.waiting_for)}" if known.waiting_for else ""
    return NoWorkerError(
        f"{error.message}; the server knows of {run.id}: {known.definition}, {known.status}{waits}",
        hint=error.hint,
    )


async def why(
    phase: Annotated[str, typer.Argument(metavar="PHASE", help="Index, id or name of the phase.")], look: Look
) -> Exit:
    """Say what exactly a phase waits for, or how it ended."""
    console = Console(json=look.json)
    return await _explain(await looked_at(look, console), phase, console)


async def _explain(run: RunHandle, word: str, console: Console) -> Exit:
    from cli.words import reasons  # noqa: PLC0415 - not needed for --help

    found = await run.phase(word)
    details = found.to_json()
    needed = [(await run.phase(need["phase"])).to_json() for need in found.waits_for_phases[: reasons.LISTED]]
    if console.json:
        console.data(details | {"waits_for_phases_details": needed})
    else:
        console.lines(reasons.why(details, needed, (await run.view(limit=0)).to_json()))
    return Exit.OK


async def watch(
    look: Look, *, every: Annotated[bool, typer.Option("--all", help="The whole past too.")] = False
) -> Exit:
    """Follow a run as it happens. Ctrl-C leaves it alone."""
    from cli.attending import Attendance  # noqa: PLC0415 - not needed for --help
    from cli.live import screen  # noqa: PLC0415
    from cli.words import status as words  # noqa: PLC0415
    from cli.words.narration import Narration  # noqa: PLC0415

    console = Console(json=look.json)
    run = await looked_at(look, console)
    view = await run.view(limit=0)
    console.lines([*words.heading(view.to_json()), ""])
    attendance = Attendance(
        follower=run.watch(tell=console.note),
        narration=Narration(await run.plan()),
        screen=screen(quiet=look.json),
        console=console,
        owner=False,
        stays=True,
        recent_only=not every,
    )
    return await attendance.stay()
