"""A run's engine as JSON and back: what continue-as-new hands to the successor's history."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from engine import deadlines, items
from engine.effects import CountWorkers
from engine.engine import Engine
from engine.facts import Fact
from engine.gates import flow, reviewing
from engine.phase_state import PhaseState
from engine.plan import Plan
from engine.reports import Reports

Json = dict[str, Any]

FORMAT = 1


def snapshot(engine: Engine) -> Json:
    """All that a successor needs to go on: the facts, what waits, due times, the last requests' answers."""
    state = engine.state
    return {
        "format": FORMAT,
        "facts": [fact.to_json() for fact in engine.ledger],
        "next_start_at": engine.next_start_at,
        "progress": engine.reports.to_json(),
        "reports": engine.reports.count,
        "answers": engine.answers,
        # Without its place: a phase whose gate is checked again after a pause, and waits for one.
        "unplaced": sorted(i for i in state.running if not engine.ready.holds(i)),
        "admitted": sorted(i for i in engine.ready.waiting if state.phases[i].status == "pending"),
    }


def restore(
    plan: Plan, taken: Json, at: float, *, verify: Callable[[bytes, bytes, bytes], bool] | None = None
) -> Engine:
    """The engine that the snapshot was taken of; agents that ran then are asked for again by its effects."""
    engine = Engine(plan, verify=verify)
    for encoded in taken["facts"]:
        fact = Fact.from_json(encoded)
        engine.state.apply(fact)
    engine.next_start_at = taken["next_start_at"]
    engine.reports = Reports.from_json(taken["progress"], taken.get("reports", 0))
    engine.answers = dict(taken["answers"])
    engine.answer_bytes = sum(len(json.dumps(answer)) for answer in engine.answers.values())
    engine.ready.max_workers = engine.state.max_workers
    _rebuild(engine, at, taken.get("admitted", []), set(taken.get("unplaced", [])))
    return engine


def _rebuild(engine: Engine, at: float, admitted: list[int], unplaced: set[int]) -> None:
    """Derive what is not a fact: who waits in the ready list and who holds a place in it.

    `admitted` phases have passed their condition already; it is not asked again.
    """
    state = engine.state
    for index in sorted(state.expanding):
        items.take_places(engine, state.phases[index])
    for index in admitted:
        engine.queue(state.phases[index])
    for index in sorted(state.running | state.paused_phases):
        deadlines.watch(engine, state.phases[index])
    for index in sorted(state.running):
        phase = state.phases[index]
        if phase.gate is not None:
            engine.ready.stand_in(index)
        if index not in unplaced:
            engine.ready.hold(index)
        if index not in state.expanding:  # such a one goes on, or ends, with its items
            _take_up(engine, phase, at)
    reviewing.take_up(engine, at)
    if state.max_workers == 0:
        engine.effects.append(CountWorkers())
    engine.advance(at)


def _take_up(engine: Engine, phase: PhaseState, at: float) -> None:
    if phase.cancelling is not None:
        phase.active.clear()
        engine.cancelled(phase, at)
    elif phase.active:
        engine.ready.add(phase.plan.index, worker=True)
    elif phase.gate is not None and phase.gate.status == "waiting":
        flow.watch(engine, phase, phase.gate)
