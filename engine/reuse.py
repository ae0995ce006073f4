"""Which results of another run still hold in a new one, and beginning with them.

A phase is unaffected if its part of the plan is the same, all that it reads is the same by content, and the phases from
which that comes are unaffected too. One with a part in the shared context is done anew.
What a person says a phase has yielded is taken as it is.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from engine import jumps
from engine.coding import encode
from engine.effects import CountWorkers
from engine.plan import PhasePlan, Plan
from engine.values import artifacts

if TYPE_CHECKING:
    from engine.engine import Engine
    from engine.phase_state import PhaseState
    from engine.state import State

Json = dict[str, Any]

ASIDE = frozenset(
    {
        *("index", "needs", "after_group", "group", "limits", "jumps", "deferred", "checkpoint", "keep_checkpoints"),
        *("name", "description", "estimate", "timeout", "retry", "on_failure", "max_parallel", "reads", "list_reads"),
    }
)
"""Fields of a phase's plan that do not change what it yields; what it reads is compared by its values."""

SKIPPED = frozenset({"if", "operator", "on_jump"})
"""Why a phase may have been skipped so that it is skipped again."""


class Sources:
    """What phases of one run may read: its inputs, its environment, and outputs by phase id."""

    def __init__(self, plan: Plan, inputs: Json, env: Mapping[str, str], outputs: Mapping[str, Json]) -> None:
        self.plan = plan
        self.inputs = inputs
        self.env = env
        self.outputs = outputs
        self._members: dict[int, list[int]] = {}
        for phase in plan.phases:
            if phase.group is not None:
                self._members.setdefault(phase.group, []).append(phase.index)

    def needed(self, phase: PhasePlan) -> list[str]:
        """The ids of the phases whose outputs the phase's agents are given unasked."""
        before = [need.phase for need in phase.needs]
        if phase.after_group is not None:
            before += self._members.get(phase.after_group, [])
        return [self.plan.phases[index].id for index in before]

    def read(self, phase: PhasePlan) -> list[str]:
        """The ids of all phases that the phase knows anything of."""
        paths = [path.split(".") for path in (*phase.reads, *phase.list_reads)]
        named = [path[1] for path in paths if path[0] == "phases" and len(path) > 1]
        return list(dict.fromkeys([*self.needed(phase), *named]))

    def digest(self, phase: PhasePlan) -> str:
        """The digest of all values that the phase reads, as `sha256:<hex>`."""
        seen: Json = {name: self.outputs.get(name) for name in self.needed(phase)}
        for path in (*phase.reads, *phase.list_reads):
            seen[path] = self._at(path.split("."))
        canonical = json.dumps(seen, sort_keys=True, separators=(",", ":"))
        return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"

    def _at(self, path: list[str]) -> Any:
        match path:
            case ["inputs"]:
                return self.inputs
            case ["inputs", name, *_]:
                return self.inputs.get(name)
            case ["env", name, *_]:
                return self.env.get(name)
            case ["phases", phase, "outputs", name, *_]:
                return (self.outputs.get(phase) or {}).get(name)
            case ["phases", phase, *_]:
                return self.outputs.get(phase)
        return None


def unaffected(
    before: State, plan: Plan, *, inputs: Json, env: Mapping[str, str], edits: Mapping[str, Json]
) -> list[Json]:
    """What a run of `plan` need not do again of what another one had done: phases in an order of their needs.

    `{id, status, outputs, results, digest, reason?, edited?}`. `edits` are new values of outputs, by phase id.
    """
    old = {phase.plan.id: phase for phase in before.planned}
    then = Sources(before.plan, before.inputs, before.env, {name: phase.outputs for name, phase in old.items()})
    outputs: dict[str, Json] = {}
    now = Sources(plan, inputs, env, outputs)
    found: list[Json] = []
    for phase in _in_order(plan, now):
        was = old.get(phase.id)
        if was is None or not _done(was) or _shares(before, was.plan) or phase.context_reads or phase.context_writes:
            continue
        edited = phase.id in edits
        if not edited and not (_same(was.plan, phase) and outputs.keys() >= set(now.read(phase))):
            continue
        digest = now.digest(phase)
        if not edited and digest != then.digest(was.plan):
            continue
        outputs[phase.id] = {**was.outputs, **edits.get(phase.id, {})}
        found.append(_reused(before, was, outputs[phase.id], digest, edited=edited))
    return found


def _done(phase: PhaseState) -> bool:
    return phase.status == "completed" or (phase.status == "skipped" and phase.reason in SKIPPED)


def _shares(before: State, phase: PhasePlan) -> bool:
    """Whether the phase reads the shared context, or has changed it: a new run begins with what is declared there."""
    if phase.context_reads or phase.context_writes:
        return True
    return any(entry.phase == phase.index for key in before.context.keys for entry in before.context.history(key))


def _same(before: PhasePlan, now: PhasePlan) -> bool:
    then, after = ({key: value for key, value in encode(plan).items() if key not in ASIDE} for plan in (before, now))
    return bool(then == after)


def _reused(before: State, was: PhaseState, outputs: Json, digest: str, *, edited: bool) -> Json:
    results = was.results
    if was.plan.for_each is not None and (files := artifacts(before, was)):
        results = [{"artifacts": [{"name": name, **of} for name, of in files.items()]}]  # its items are left behind
    reused: Json = {"id": was.plan.id, "status": was.status, "outputs": outputs, "results": results, "digest": digest}
    return reused | ({"reason": was.reason} if was.reason else {}) | ({"edited": True} if edited else {})


def _in_order(plan: Plan, sources: Sources) -> list[PhasePlan]:
    """The phases, each after all those that it reads; those that read each other in a circle are left out."""
    index_of = {phase.id: phase.index for phase in plan.phases}
    readers: dict[int, list[int]] = {}
    open_reads: dict[int, int] = {}
    for phase in plan.phases:
        read = {index_of[name] for name in sources.read(phase) if name in index_of}
        open_reads[phase.index] = len(read)
        for index in read:
            readers.setdefault(index, []).append(phase.index)
    ready = deque(index for index, count in open_reads.items() if not count)
    order: list[PhasePlan] = []
    while ready:
        index = ready.popleft()
        order.append(plan.phases[index])
        for reader in readers.get(index, ()):
            open_reads[reader] -= 1
            if not open_reads[reader]:
                ready.append(reader)
    return order


def start(
    engine: Engine,
    seed: Json,
    at: float,
    *,
    inputs: Json,
    env: dict[str, str],
    run: Json,
    actor: str | None,
    files: Json | None = None,
) -> None:
    """Begin a run with results of another one: `{from, reused}`, as `unaffected` has found them."""
    given = {name: declared.default for name, declared in engine.plan.inputs.items()} | inputs
    engine.record("run_started", at, actor=actor, data={"inputs": given, "env": env, "run": run, **(files or {})})
    reused: Sequence[Json] = seed["reused"]
    for each in reused:
        phase = engine.state.phases[engine.state.index_of[each["id"]]]
        told = {key: value for key, value in each.items() if key != "id" and value not in (None, [])}
        engine.record("phase_settled", at, phase=phase, data={**told, "reused_from": seed["from"]})
    if engine.plan.execution.max_workers == 0:
        engine.effects.append(CountWorkers())
    _go_the_same_way(engine, reused, at)
    engine.advance(at)


def _go_the_same_way(engine: Engine, reused: Sequence[Json], at: float) -> None:
    """Where a result sends control elsewhere, it does so again."""
    for each in reused:
        phase = engine.state.phases[engine.state.index_of[each["id"]]]
        if (
            each["status"] == "completed"
            and (way := jumps.chosen(engine, phase, "completed", phase.outputs)) is not None
        ):
            jumps.begin(engine, phase, phase.plan.jumps[way].to, at, way=way)
            return
