"""`workflow start`: start a definition and return; a person, or a worker, takes it from there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.command import command
from cli.commands.starting import ResumeFrom, Starting, Yes, prepared, resumed
from cli.commands.workflow.acting import client_for
from cli.console import Console
from cli.exits import Exit

if TYPE_CHECKING:
    from cli.api.handle import RunHandle
    from engine.plan import Plan

Json = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "start")(start)


async def start(
    definition: Annotated[str, typer.Argument(metavar="ID|FILE", help="A definition: an id, a file, or - for stdin.")],
    options: Starting,
    *,
    resume_from: ResumeFrom = None,
    yes: Yes = False,
) -> Exit:
    """Start a run of a definition; later commands act on it."""
    console = Console(json=options.json)
    if resume_from is not None:
        run, way = await resumed(definition, options, console, resume_from, yes=yes, verb="workflow start")
        return await _begun(run, way.past.plan, console)
    ready = prepared(definition, options, console, verb="workflow start")
    run = await (await client_for(options, console, actor=options.actor)).begin(ready)
    return await _begun(run, ready.plan, console)


async def _begun(run: RunHandle, plan: Plan, console: Console) -> Exit:
    from cli.words.starting import started_run  # noqa: PLC0415 - not needed for --help

    found = await run.first_view()
    view = found.to_json() if found is not None else None
    console.answer(_told(run, plan, view), started_run(run.id, plan.name, view))
    return Exit.OK


def _told(run: RunHandle, plan: Plan, view: Json | None) -> Json:
    return {"run": run.id, "definition": plan.id, "name": plan.name, "status": "running", "view": view}
