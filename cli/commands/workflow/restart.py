"""`workflow restart`: cancel a run and start it anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.command import Act, command
from cli.commands.starting import tell
from cli.commands.workflow.acting import client_for, looked_at
from cli.console import Console
from cli.exits import Exit

if TYPE_CHECKING:
    from cli.api.restarting import Restart

Json = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "restart")(restart)


async def restart(
    act: Act,
    *,
    input: Annotated[  # noqa: A002 - the option's name
        list[str] | None, typer.Option("--input", "-i", metavar="NAME=VALUE", help="Change an input; may be repeated.")
    ] = None,
    as_started: Annotated[
        bool, typer.Option("--as-started", help="The plan that ran, not the definition as it is now.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before agents are stopped.")] = False,
) -> Exit:
    """Cancel the run if it is open, and start it anew.

    With the same inputs and the definition as it is now. Nothing is cancelled when that cannot be started. At a
    terminal it asks first when agents are running.
    """
    from cli.api.restarting import restart_of  # noqa: PLC0415 - not needed for --help
    from cli.words.starting import started_run  # noqa: PLC0415

    console = Console(json=act.json)
    run = await looked_at(act, console)
    client = await client_for(act, console, actor=act.actor)
    ready = await restart_of(run, client.root, as_started=as_started, written=input or ())
    tell(ready.ready, console)
    if ready.changed:
        console.note(f"the definition has changed since {run.id} was started (--as-started takes the plan that ran)")
    if not yes:
        await _ask(ready, console)
    open_before = await run.is_open()
    if open_before:
        console.line(f"Cancelling {run.id}: stopping what runs…")
    new = await client.begin_again(ready)
    found = await new.first_view()
    view, plan = found.to_json() if found is not None else None, ready.ready.plan
    told: Json = {
        "run": new.id,
        "restarted_from": run.id,
        "cancelled": open_before,
        "definition": plan.id,
        "name": plan.name,
        "definition_changed": ready.changed,
        "status": "running",
        "view": view,
    }
    console.answer(told, [f"{new.id} takes the place of {run.id}.", *started_run(new.id, plan.name, view)])
    return Exit.OK


async def _ask(ready: Restart, console: Console) -> None:
    """Ask the person at the terminal before agents are stopped; raises RefusedError when that is not wanted."""
    import sys  # noqa: PLC0415 - only where a person may be asked

    from cli.api import NoWorkerError  # noqa: PLC0415
    from cli.words.durations import counted  # noqa: PLC0415
    from engine.errors import RefusedError  # noqa: PLC0415

    if console.json or not sys.stdin.isatty():
        return
    try:
        at_work = (await ready.run.view(limit=0)).slots_used
    except NoWorkerError:
        return  # cancelling says so
    if at_work and not typer.confirm(f"{counted(at_work, 'agent')} at work will be stopped. Restart {ready.run.id}?"):
        raise RefusedError("nothing was restarted", hint="--yes does not ask")
