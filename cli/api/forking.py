"""Forking a run: a new one with other inputs, outputs or another definition, which reuses what is unaffected.

And comparing two runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.api.results import PLAIN, Result
from engine.errors import RefusedError

if TYPE_CHECKING:
    from cli.api.handle import RunHandle
    from cli.embedded.connect import Connection
    from cli.reach.launch import Prepared
    from cli.reach.past import Past
    from cli.reach.runs import ServerRun
    from engine.state import State

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Fork:
    """A run that could be started: `reused` are the ids of phases that need not be done again, `anew` all others."""

    run: RunHandle
    checkpoint: str
    ready: Prepared
    seed: Json
    reused: tuple[str, ...]
    anew: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RunComparison(Result):
    """Two runs side by side. Values come in pairs, in the order of `runs`; None where a run has no such phase."""

    runs: tuple[str, ...] = field(default=(), metadata=PLAIN)
    definitions: tuple[str, ...] = field(default=(), metadata=PLAIN)
    statuses: tuple[str, ...] = field(default=(), metadata=PLAIN)
    seconds: tuple[float | None, ...] = field(default=(), metadata=PLAIN)
    phases: tuple[Json, ...] = field(default=(), metadata=PLAIN)
    inputs: tuple[Json, ...] = field(default=(), metadata=PLAIN)


async def fork_of(
    run: RunHandle,
    root: Path,
    *,
    at: int | str | None = None,
    inputs: Mapping[str, Any] | None = None,
    written: Mapping[str, str] | None = None,
    outputs: Mapping[str, Mapping[str, Any]] | None = None,
    definition: str | None = None,
) -> Fork:
    """What a fork of a run at a checkpoint (default: as it is now) would be.

    `inputs` change some of its inputs (`written` ones are texts of the command line), `outputs` what phases have
    yielded, by their ids; `definition` takes the place of the plan that ran. Raises RefusedError for a phase that had
    not completed then, and what starting a definition raises.
    """
    past = await run.past()
    position, name = (len(past.facts), "now") if at is None else past.find(at)
    given = await run.started_with()
    edits = {phase: dict(values) for phase, values in (outputs or {}).items()}
    before = await asyncio.to_thread(past.state_at, position)
    _check(before, edits, name)
    changed = {**(given.get("inputs") or {}), **(inputs or {})}
    if definition is None:
        ready = await asyncio.to_thread(_as_it_ran, past, given, changed, written or {})
    else:
        ready = await asyncio.to_thread(_as_defined, definition, root, given, changed, written or {})
    return await asyncio.to_thread(_fork, run, name, before, ready, edits)


def _fork(run: RunHandle, name: str, before: State, ready: Prepared, edits: dict[str, Json]) -> Fork:
    from engine.reuse import unaffected  # noqa: PLC0415 - only here

    defaults = {name: declared.default for name, declared in ready.plan.inputs.items()}
    reused = unaffected(before, ready.plan, inputs={**defaults, **ready.inputs}, env=ready.env, edits=edits)
    kept = {each["id"] for each in reused}
    return Fork(
        run=run,
        checkpoint=name,
        ready=ready,
        seed={"from": run.id, "checkpoint": name, "reused": reused},
        reused=tuple(each["id"] for each in reused),
        anew=tuple(phase.id for phase in ready.plan.phases if phase.id not in kept),
    )


def _as_it_ran(past: Past, given: Json, inputs: Json, written: Mapping[str, str]) -> Prepared:
    from cli.reach.inputs import checked  # noqa: PLC0415 - half a second
    from cli.reach.launch import Prepared  # noqa: PLC0415

    taken = checked(past.plan.inputs, inputs, written)
    asked = (given.get("run") or {}).get("asked") or {}
    return Prepared(plan=past.plan, inputs=taken, env=given.get("env") or {}, asked=asked)


def _as_defined(name: str, root: Path, given: Json, inputs: Json, written: Mapping[str, str]) -> Prepared:
    from cli.reach.launch import prepare  # noqa: PLC0415 - half a second
    from cli.reach.reading import read_definition, usable  # noqa: PLC0415

    asked = (given.get("run") or {}).get("asked") or {}
    texts = [f"{each}={value}" for each, value in written.items()]
    return prepare(usable(read_definition(name, root)), given=inputs, written=texts, root=root, **asked)


def _check(before: State, edits: Mapping[str, Json], name: str) -> None:
    for phase in edits:
        index = before.index_of.get(phase)
        if index is None or before.phases[index].status != "completed":
            raise RefusedError(
                f"at {name} there is no completed phase '{phase}' whose outputs could be other ones",
                hint="phaseloom workflow checkpoints show lists what was completed",
            )
        _check_names(before, index, edits[phase])


def _check_names(before: State, index: int, edited: Json) -> None:
    """Refuse a name that would change nothing; a phase that has neither yielded nor declared any may be given some."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for a mistake

    plan = before.plans[index]
    known = list(dict.fromkeys([*before.phases[index].outputs, *plan.outputs]))
    for each in edited if known else ():
        if each not in known:
            close = get_close_matches(each, known, n=1)
            meant = f" (did you mean '{close[0]}'?)" if close else ""
            raise RefusedError(
                f"{plan.name} (index: {plan.index}) has no output '{each}'{meant}",
                hint=f"its outputs: {', '.join(known)}",
            )


async def forked(connection: Connection, fork: Fork, *, actor: str) -> ServerRun:
    """The new run, linked with the old one both ways; it becomes the current one."""
    from cli.reach.launch import Origin, begin  # noqa: PLC0415 - only here
    from cli.reach.links import link  # noqa: PLC0415

    origin = Origin(run=fork.run.id, how="forked", checkpoint=fork.checkpoint, seed=fork.seed)
    new = await begin(connection, fork.ready, actor=actor, origin=origin)
    link(connection.project.root, fork.run.id, new.id, how="forked", checkpoint=fork.checkpoint)
    return new


async def comparison(one: RunHandle, other: RunHandle) -> RunComparison:
    """Two runs side by side: outputs, durations, attempts of each phase."""
    from cli.reach.comparing import compared  # noqa: PLC0415 - only here

    return RunComparison.of(compared(await one.past(), await other.past()))
