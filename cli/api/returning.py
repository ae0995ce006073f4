"""Going back to a checkpoint: in place where the run is open, and as a new run where it has ended.

What differs from then is found before anything starts; a new run begins with the facts of the old one up to there.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.api.contents import Comparison, Difference, NotCompared
from engine.errors import RefusedError

if TYPE_CHECKING:
    from cli.api.client import Client
    from cli.api.handle import RunHandle
    from cli.embedded.connect import Connection
    from cli.reach.past import Past
    from cli.reach.runs import ServerRun
    from cli.reach.verifying import Watch

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Return:
    """A place to go back to: position `number` of a run's ledger, called `checkpoint`, and what differs from then."""

    run: RunHandle
    past: Past
    checkpoint: str
    number: int
    differences: tuple[Difference, ...]
    in_place: bool
    not_compared: tuple[NotCompared, ...] = ()
    phase: int | str | None = None


async def return_of(
    run: RunHandle,
    root: Path,
    checkpoint: int | str | None = None,
    *,
    phase: int | str | None = None,
    watch: Watch | None = None,
) -> Return:
    """The way back of a run to a checkpoint (default: the newest), or to right before the start of a `phase`.

    `watch` looks on while artifacts are read, as `cli.reach.verifying` has it. Raises RefusedError when there is no
    such place, and for a child run that has ended.
    """
    from cli.reach.verifying import compared  # noqa: PLC0415 - only here

    past = await run.past()
    number, name = past.find(checkpoint, start_of=phase)
    in_place = await run.is_open()
    parent = past.now.run.get("parent")
    if parent is not None and not in_place:
        raise RefusedError(f"{run.id} is a part of {parent}", hint=f"restore {parent} instead")
    looking_on = {} if watch is None else {"watch": watch}
    found = Comparison.of(await compared(root, past, number, **looking_on))
    return Return(
        run=run,
        past=past,
        checkpoint=name,
        number=number,
        differences=found.differences,
        not_compared=found.not_compared,
        in_place=in_place,
        phase=phase,
    )


async def last_run_of(client: Client, definition: str) -> RunHandle | None:
    """The run of a definition, given by id or file, that was started last; child runs do not count."""
    from cli.reach.reading import read_definition  # noqa: PLC0415 - half a second

    identifier = (await asyncio.to_thread(read_definition, definition, client.root)).id
    for each in await client.runs(every=True, limit=1000):
        if each.definition == identifier and "." not in each.run:
            return await client.run(each.run)
    return None


async def resumption_of(run: RunHandle, root: Path, place: str, *, watch: Watch | None = None) -> Return:
    """The way back to a place that is a word of every run, the start of a phase, or a checkpoint, looked for so."""
    from engine.checkpoints import WORDS  # noqa: PLC0415 - only here

    if place in WORDS or place not in {phase.id for phase in (await run.plan()).phases}:
        return await return_of(run, root, place, watch=watch)
    return await return_of(run, root, phase=place, watch=watch)


async def go_back(way: Return, *, actor: str, note: str | None = None) -> None:
    """Let the open run go back; returns when what ran has ended.

    Raises UnreachableError when no worker answers: it goes back as soon as one does.
    """
    from cli.api.answers import Queued  # noqa: PLC0415 - only here
    from cli.reach.contact import NoWorkerError  # noqa: PLC0415
    from engine.checkpoints import BEGINNING  # noqa: PLC0415

    # A checkpoint by its number: a newer one of its name may have come since this one was looked at.
    place = BEGINNING if way.checkpoint == BEGINNING else way.number
    answer = await way.run.restore(place if way.phase is None else None, phase=way.phase, actor=actor, note=note)
    if isinstance(answer, Queued):
        raise NoWorkerError(
            f"no worker answers: {way.run.id} goes back as soon as one does",
            hint="phaseloom doctor says whether one runs",
        )


async def follow_up(connection: Connection, way: Return, *, actor: str) -> ServerRun:
    """A new run that goes on where the ended one was, linked with it both ways; it becomes the current one."""
    from cli.reach.launch import Origin, Prepared, begin  # noqa: PLC0415 - only here
    from cli.reach.links import link  # noqa: PLC0415

    given = await way.run.started_with()
    ready = Prepared(
        plan=way.past.plan,
        inputs=given.get("inputs") or {},
        env=given.get("env") or {},
        asked=(given.get("run") or {}).get("asked") or {},
    )
    facts = [fact.to_json() for fact in way.past.facts[: way.number]]
    seed = {"facts": facts, "from": way.run.id, "checkpoint": way.checkpoint}
    origin = Origin(run=way.run.id, how="restored", checkpoint=way.checkpoint, seed=seed)
    new = await begin(connection, ready, actor=actor, origin=origin)
    link(connection.project.root, way.run.id, new.id, how="restored", checkpoint=way.checkpoint)
    return new


async def return_to_export(path: Path, root: Path, *, watch: Watch | None = None) -> Return:
    """The way back to an exported checkpoint, wherever its run is.

    Raises RefusedError when the file is no such export.
    """
    run, position, name = await asyncio.to_thread(_exported, path, root)
    return replace(await return_of(run, root, position, watch=watch), checkpoint=name)


def _exported(path: Path, root: Path) -> tuple[RunHandle, int, str]:
    from cli.api.handle import RunHandle  # noqa: PLC0415 - it needs us
    from cli.reach.ended import EXPORTED, EndedRun  # noqa: PLC0415 - only here

    try:
        content = json.loads(path.read_bytes())
        ledger = content["ledger"]
        run = EndedRun(str(content["run"]), ledger, closed=EXPORTED)
        return RunHandle(run, root), len(ledger["facts"]), str(content["checkpoint"])
    except (OSError, ValueError, KeyError, TypeError, AssertionError) as error:
        raise RefusedError(
            f"'{path}' is no exported checkpoint", hint="write one with: phaseloom workflow checkpoints export"
        ) from error
