"""What answers tell of a run beside what was done: what has started, what is ready, who is waited for."""

from __future__ import annotations

from typing import Any

from engine.engine import Engine
from engine.lookup import named

Json = dict[str, Any]


def started_since(engine: Engine, facts: int) -> list[Json]:
    """The phases that started after the ledger had `facts` entries."""
    begun = [f.phase for f in engine.ledger[facts:] if f.kind == "phase_started" and f.phase is not None]
    return named(engine.state, begun)


def queued(engine: Engine) -> list[Json]:
    """The phases that are ready and wait for a worker slot or a place in their step group."""
    return named(engine.state, engine.state.in_order(engine.ready.waiting))


def waiting_for(engine: Engine) -> list[str]:
    """Who or what the run waits for from outside, in words.

    `decision:PHASE`, `gate:PHASE/GATE`, `person:ROLE`, `signal:NAME`.
    """
    state = engine.state
    if state.restoring is not None:
        return []  # nobody can do anything until that is done
    words = [f"decision:{state.plans[i].id}" for i in state.in_order(state.paused_phases | state.held)]
    for index in state.in_order(state.at_gates):
        gate = state.phases[index].gate
        assert gate is not None
        words.append(f"gate:{state.plans[index].id}/{gate.plan.id}")
    words.extend(f"person:{role}" for role in sorted(state.roles_awaited))
    if not (state.running or state.paused_phases or state.held or state.counts["pending"] or state.ended):
        words.extend(f"signal:{signal}" for signal in state.missing_signals)
    return words
