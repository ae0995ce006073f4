"""`workflow fork`, `workflow compare`: the same work with something changed, and what that has made of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import typer

from cli.command import Act, Where, command
from cli.commands.starting import tell
from cli.commands.workflow.acting import client_for, looked_at
from cli.console import Console
from cli.exits import Exit, UsageError
from cli.reach.inputs import pairs, values

Json = dict[str, Any]

INPUTS = "inputs."


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "fork")(fork)
    command(app, "compare")(compare)


async def fork(
    act: Act,
    named: Annotated[
        str | None,
        typer.Argument(metavar="[RUN]", help="The run to fork; default: the current one.", show_default=False),
    ] = None,
    *,
    at: Annotated[
        str | None, typer.Option("--at", metavar="CHECKPOINT", help="Reuse what it had done then; default: by now.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="inputs.NAME=VALUE", help="Change an input; may be repeated.")
    ] = None,
    output: Annotated[
        list[str] | None,
        typer.Option("--output", "-o", metavar="PHASE.NAME=VALUE", help="Change an output; may be repeated."),
    ] = None,
    definition: Annotated[
        str | None, typer.Option("--definition", metavar="FILE|ID", help="Instead of the plan that ran.")
    ] = None,
) -> Exit:
    """Start a run like another one with something changed; what is unaffected is reused.

    The other run is left alone.
    """
    from cli.api.forking import fork_of  # noqa: PLC0415 - not needed for --help
    from cli.words.forking import forked  # noqa: PLC0415
    from cli.words.starting import started_run  # noqa: PLC0415

    console = Console(json=act.json)
    old = await looked_at(replace(act, run=named or act.run), console)
    client = await client_for(act, console, actor=act.actor)
    ready = await fork_of(
        old, client.root, at=at, written=_inputs(set_ or ()), outputs=_outputs(output or ()), definition=definition
    )
    tell(ready.ready, console)
    new = await client.begin_fork(ready)
    found = await new.first_view()
    view, plan = found.to_json() if found is not None else None, ready.ready.plan
    told: Json = {
        "run": new.id,
        "forked_from": old.id,
        "checkpoint": ready.checkpoint,
        "reused": list(ready.reused),
        "anew": list(ready.anew),
        "definition": plan.id,
        "name": plan.name,
        "status": "running",
        "view": view,
    }
    console.answer(told, [*forked(told), *started_run(new.id, plan.name, view)[1:]])
    return Exit.OK


def _inputs(written: list[str] | tuple[str, ...]) -> dict[str, str]:
    """The inputs that `--set` changes, as texts."""
    found: dict[str, str] = {}
    for name, value in pairs(written, "--set").items():
        if not name.startswith(INPUTS) or not name.removeprefix(INPUTS):
            raise UsageError(f"--set {name!r} is no input", hint="write --set inputs.NAME=VALUE")
        found[name.removeprefix(INPUTS)] = value
    return found


def _outputs(written: list[str] | tuple[str, ...]) -> dict[str, Json]:
    """The outputs that `--output` changes, by phase."""
    found: dict[str, Json] = {}
    for name, value in values(written, "--output").items():
        phase, dot, output = name.rpartition(".")
        if not dot or not phase or not output:
            raise UsageError(f"--output {name!r} names no phase", hint="write --output PHASE.NAME=VALUE")
        found.setdefault(phase, {})[output] = value
    return found


async def compare(
    one: Annotated[str, typer.Argument(metavar="RUN", help="A run, …")],
    other: Annotated[str, typer.Argument(metavar="RUN", help="… and another one.")],
    where: Where,
) -> Exit:
    """Show two runs side by side: statuses, durations, attempts, and outputs that differ."""
    from cli.words.forking import compared  # noqa: PLC0415 - not needed for --help

    console = Console(json=where.json)
    client = await client_for(where, console)
    told = (await client.compare(one, other)).to_json()
    console.answer(told, compared(told))
    return Exit.OK
