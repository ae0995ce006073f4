"""`workflow start`: start a definition and return; a person, or a worker, takes it from there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.command import command
from cli.commands.starting import Starting, prepared
from cli.console import Console
from cli.exits import Exit

if TYPE_CHECKING:
    from cli.api.handle import RunHandle
    from cli.api.views import View
    from engine.plan import Plan

Json = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "start")(start)


async def start(
    definition: Annotated[str, typer.Argument(metavar="ID|FILE", help="A definition: an id, or a file.")],
    options: Starting,
) -> Exit:
    """Start a run of a definition; later commands act on it."""
    from cli.api.client import Client  # noqa: PLC0415 - not needed for --help
    from cli.reach.contact import connected  # noqa: PLC0415
    from cli.words.starting import started_run  # noqa: PLC0415

    console = Console(json=options.json)
    _, ready = prepared(definition, options, console, verb="workflow start")
    connection = await connected(options, console)
    run = await Client(connection, actor=options.actor, address=options.address, profile=options.profile).begin(ready)
    found = await _first_view(run)
    view = found.to_json() if found is not None else None
    console.answer(_told(run, ready.plan, view), started_run(run.id, ready.plan.name, view))
    return Exit.OK


async def _first_view(run: RunHandle) -> View | None:
    """The run once its first phases have started; None when no worker answers yet."""
    from cli.reach.contact import NoWorkerError  # noqa: PLC0415 - loaded by then

    try:
        return await run.view()
    except NoWorkerError:
        return None


def _told(run: RunHandle, plan: Plan, view: Json | None) -> Json:
    return {"run": run.id, "definition": plan.id, "name": plan.name, "status": "running", "view": view}
