"""Going back to a checkpoint: what runs is cancelled and awaited, then the run is where it was, and goes on.

Meanwhile the run takes no message but `cancel`. An agent that does not end within `PATIENCE` is abandoned: its epoch is
over, so nothing that it still reports counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine import deadlines, items, jumps
from engine.diversion import BY_RESTORE
from engine.effects import AbandonAgents, CountWorkers
from engine.facts import Fact
from engine.gates import flow
from engine.gates.consultations import seat
from engine.readylist import ReadyList
from engine.timers import Timers

if TYPE_CHECKING:
    from engine.engine import Engine

Json = dict[str, Any]

PATIENCE = 60.0
"""Seconds that a cancelled agent has to end."""


def begin(engine: Engine, to: int, name: str, at: float, *, actor: str | None = None, note: str | None = None) -> None:
    """Let the run go back to the position `to`, which is called `name`: cancel everything that runs."""
    data: Json = {"to": to, "checkpoint": name, "until": at + engine.patience}
    engine.record("restoring", at, actor=actor, note=note, data=data)
    for index in sorted(engine.state.running):
        phase = engine.state.phases[index]
        if phase.status == "running":
            engine.cancel_agents(phase, BY_RESTORE, at)


def go_on(engine: Engine, at: float) -> None:
    """Carry the restore out that the run waits for, if there is one and nothing runs any more."""
    state = engine.state
    restoring = state.restoring
    if restoring is None:
        return
    if (state.running or state.reviews.open) and at < restoring["until"]:
        engine.wake(restoring["until"])
        return
    for index in sorted(state.running):
        phase = state.phases[index]
        if phase.active:
            engine.record("agent_abandoned", at, phase=phase, data={"positions": sorted(phase.active)})
            engine.effects.append(AbandonAgents(phase=index, epoch=phase.epoch))
    for desk, consultation in state.reviews.open.items():
        roles = [consultation.review.reviewers[position].role for position in sorted(consultation.active)]
        engine.record("reviewers_abandoned", at, data={"number": consultation.number, "reviewers": roles})
        engine.effects.append(AbandonAgents(phase=seat(desk), epoch=consultation.number))
    to = restoring["to"]
    data: Json = {"to": to, "checkpoint": restoring["checkpoint"], "epochs": _epochs(engine, to)}
    engine.record("restored", at, actor=restoring["by"], data=data)
    resume(engine, to, at)


def seed(engine: Engine, seeded: Json, at: float, *, run: Json, actor: str | None) -> None:
    """Let a run that has no facts yet go on where another one was: `{facts, from, checkpoint}`, all of its facts."""
    for encoded in seeded["facts"]:
        fact = Fact.from_json(encoded)
        engine.state.apply(fact)
    state, to = engine.state, len(engine.ledger)
    epochs = {str(index): state.phases[index].epoch + 1 for index in sorted(state.running)}
    data: Json = {"run": run, "from": seeded["from"], "checkpoint": seeded["checkpoint"], "to": to, "epochs": epochs}
    engine.record("run_seeded", at, actor=actor, data=data)
    resume(engine, to, at)


def _epochs(engine: Engine, to: int) -> dict[str, int]:
    """The new epochs of all phases that have changed since the fact with this number."""
    changed: set[int] = set()
    for fact in engine.ledger[to:]:
        if fact.phase is not None:
            changed.add(fact.phase)
        changed.update(fact.data.get("reset", ()))
        if fact.kind == "restored":
            changed.update(int(index) for index in fact.data["epochs"])
    return {str(index): engine.state.phases[index].epoch + 1 for index in sorted(changed)}


def resume(engine: Engine, to: int, at: float) -> None:
    """Derive what is no fact after the state has become that at `to`; `advance` has to follow."""
    state = engine.state
    engine.ready = ReadyList(engine.plan, state.max_workers)
    engine.timers = Timers()
    engine.reports.clear()
    engine.next_start_at = 0.0
    for index in sorted(state.expanding):
        items.take_places(engine, state.phases[index])
    for index in sorted(state.running):
        if state.phases[index].gate is not None:
            engine.ready.stand_in(index)
        engine.ready.hold(index)
    for index in sorted(state.running | state.paused_phases):
        deadlines.watch(engine, state.phases[index])
    _go_the_same_way(engine, engine.ledger[to - 1], at)
    for index in sorted(state.running):
        phase = state.phases[index]
        if index in state.expanding or phase.status != "running":
            continue  # it ends with its items, or has just ended
        if phase.cancelling is not None:
            phase.active.clear()
            engine.cancelled(phase, at)
        elif phase.gate is not None:
            flow.again(engine, phase, at, actor=None, note=None)
    if state.max_workers == 0:
        engine.effects.append(CountWorkers())


def _go_the_same_way(engine: Engine, last: Fact, at: float) -> None:
    """Where the position is right after a completion from which control went elsewhere, it goes there again."""
    if last.kind != "phase_settled" or last.phase is None or last.data["status"] != "completed":
        return
    phase = engine.state.phases[last.phase]
    way = jumps.chosen(engine, phase, "completed", phase.outputs)
    if way is not None:
        jumps.begin(engine, phase, phase.plan.jumps[way].to, at, way=way)
