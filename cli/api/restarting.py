"""Starting a run anew: what it was started with is read, checked again, and only then the old one is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import DefinitionError, RefusedError

if TYPE_CHECKING:
    from cli.api.handle import RunHandle
    from cli.embedded.connect import Connection
    from cli.reach.launch import Prepared
    from cli.reach.runs import ServerRun
    from engine.plan import Plan

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Restart:
    """A run that can be started anew. `changed`: its definition is another one now than when it was started."""

    run: RunHandle
    ready: Prepared
    changed: bool


async def restart_of(
    run: RunHandle,
    root: Path,
    *,
    as_started: bool = False,
    inputs: Mapping[str, Any] | None = None,
    written: Sequence[str] = (),
) -> Restart:
    """What would be started in place of a run: its definition as it is now, or `as_started` the plan that ran.

    Raises RefusedError for a child run and for a definition that is gone, and what starting a definition raises.
    """
    given = await run.started_with()
    if (parent := (given.get("run") or {}).get("parent")) is not None:
        raise RefusedError(
            f"{run.id} is a part of {parent}",
            hint=f"run its phase again: phaseloom workflow intervene retry --run {parent}, or restart {parent}",
        )
    return await asyncio.to_thread(
        _ready, run, given, root, as_started=as_started, inputs=inputs or {}, written=written
    )


def _ready(
    run: RunHandle, given: Json, root: Path, *, as_started: bool, inputs: Mapping[str, Any], written: Sequence[str]
) -> Restart:
    from cli.reach.inputs import checked, pairs  # noqa: PLC0415 - half a second
    from cli.reach.launch import Prepared, prepare  # noqa: PLC0415
    from cli.reach.reading import read_definition, usable  # noqa: PLC0415
    from engine.plan import Plan  # noqa: PLC0415

    ran = Plan.from_json(given["plan"])
    values, asked = {**(given.get("inputs") or {}), **inputs}, (given.get("run") or {}).get("asked") or {}
    if as_started:
        taken = checked(ran.inputs, values, pairs(written, "--input"))
        return Restart(
            run=run,
            ready=Prepared(plan=ran, inputs=taken, env=given.get("env") or {}, asked=asked),
            changed=False,
        )
    now = usable(read_definition(name_now(ran, root), root))
    ready = prepare(now, given=values, written=written, root=root, **asked)
    return Restart(run=run, ready=ready, changed=now.digest != ran.digest)


def name_now(ran: Plan, root: Path) -> str:
    """Where the definition of a plan is today: in the file that it was read from, else under its id."""
    from definitions import find  # noqa: PLC0415 - loaded by then
    from definitions.loading import id_of  # noqa: PLC0415

    for path in (Path(ran.source), root / ran.source):
        if ran.source and path.is_file() and id_of(path) == ran.id:
            return str(path if path.is_absolute() else path.absolute())
    try:
        return str(find(ran.id, root))
    except DefinitionError as error:
        raise RefusedError(
            f"the definition '{ran.id}' is gone; it was read from '{ran.source}'",
            hint="start the plan that ran: phaseloom workflow restart --as-started",
        ) from error


async def restarted(connection: Connection, restart: Restart, *, actor: str) -> ServerRun:
    """The new run, once the old one has been cancelled and is gone.

    Raises UnreachableError when no worker answers: the old run will be cancelled then, and nothing is started.
    """
    from cli.api.answers import Queued  # noqa: PLC0415 - only here
    from cli.reach.contact import NoWorkerError  # noqa: PLC0415
    from cli.reach.launch import Origin, begin, new_id  # noqa: PLC0415

    old, chosen = restart.run, new_id()
    if await old.is_open():
        try:
            answer = await old.cancel(actor=actor, note=f"restarted as {chosen}")
        except RefusedError:
            if await old.is_open():
                raise
        else:
            if isinstance(answer, Queued):
                raise NoWorkerError(
                    f"no worker answers: {old.id} is cancelled as soon as one does, and nothing was started",
                    hint="phaseloom doctor says whether one runs; restart it then",
                )
    origin = Origin(run=old.id, how="restarted")
    return await begin(connection, restart.ready, actor=actor, chosen=chosen, origin=origin)
