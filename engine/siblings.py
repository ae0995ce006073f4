"""What an agent at work may know of the others at work: one moment of the run, small whatever the plan's size."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from engine.engine import Engine
from engine.gates.showing import NAME_SHOWN
from engine.moments import cut, iso
from engine.phase_state import PhaseState
from engine.statuses import SHOWN

Json = dict[str, Any]

PHASES = 100
BYTES = 64 * 1024
AGENTS = 20


def siblings(engine: Engine, phase: PhaseState, at: float) -> Json:
    """The phases beside `phase` at the moment `at`, by id: its parallel group first, then all that run.

    With their reports, and the outputs of those that have completed. `version` grows with everything that happens in
    the run. At most `PHASES` phases and about `BYTES` of JSON; `more` counts those that had no room.
    """
    found: Json = {}
    room, more = BYTES, 0
    for other in _beside(engine, phase):
        shown = _shown(engine, other)
        size = len(json.dumps(shown)) + len(other.plan.id) + 6
        if len(found) >= PHASES or size > room:
            more += 1
            continue
        room -= size
        found[other.plan.id] = shown
    return {
        "version": len(engine.ledger) + engine.reports.count,
        "at": iso(at),
        "run": engine.state.run.get("id", ""),
        "phase": phase.plan.id,
        "phases": found,
        "more": more,
    }


def _beside(engine: Engine, phase: PhaseState) -> Iterator[PhaseState]:
    """The phase itself where several agents share it, its group (who is at work first), the others that run."""
    state = engine.state
    index, group = phase.plan.index, phase.plan.group
    members = state.group_of[group] if group is not None else []
    if len(phase.plan.agents) > 1:
        yield phase
    near = sorted(members, key=lambda other: (other not in state.running, other))
    yield from (state.phases[other] for other in near if other != index)
    yield from (state.phases[other] for other in sorted(state.running.difference(members, (index,))))


def _shown(engine: Engine, phase: PhaseState) -> Json:
    plan = phase.plan
    shown: Json = {
        "index": plan.index,
        "name": cut(plan.name, NAME_SHOWN),
        "status": SHOWN[phase.status],
        "epoch": phase.epoch,
        "started_at": iso(phase.started_at),
        "finished_at": iso(phase.finished_at),
        **_report(engine.reports.latest(plan.index)),
    }
    if phase.status == "completed":
        shown["outputs"] = phase.outputs
    if len(plan.agents) > 1:
        shown["agents"] = [_agent(engine, phase, position) for position in range(min(len(plan.agents), AGENTS))]
    return shown


def _agent(engine: Engine, phase: PhaseState, position: int) -> Json:
    """One of several agents of a phase; its outputs once it is done."""
    report = _report(engine.reports.of_agent(phase.plan.index, position))
    outputs = phase.agent_outputs.get(position)
    done: Json = {} if outputs is None or phase.status != "running" else {"outputs": outputs}
    return {"agent": cut(phase.plan.agents[position].role, NAME_SHOWN), "position": position, **report, **done}


def _report(report: Json | None) -> Json:
    if report is None:
        return {}
    return {"progress": report["progress"], "progress_at": iso(report["at"]), "progress_by": report["by"]}
