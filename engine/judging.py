"""What a run has come to when nothing more can start now: it goes on, pauses, or ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.effects import Finish
from engine.state import State
from engine.statuses import RunStatus

if TYPE_CHECKING:
    from engine.engine import Engine

Json = dict[str, Any]


def judge(engine: Engine, at: float) -> None:
    """Settle the run when all is settled; pause it, or let it go on, when that is what it has come to."""
    state = engine.state
    if state.ended or state.jump is not None or state.restoring is not None:
        return
    counts = state.counts
    if not (counts["pending"] or counts["running"] or counts["paused"] or state.held or state.reviews.open):
        _finish(engine, at)
        return
    moving = len(state.running) > len(state.expanding) or bool(engine.ready)
    stuck = bool(state.paused_phases or state.held) and not moving
    if (stuck or state.pause is not None) and state.status == "running":
        engine.record("run_paused", at, data={"auto": True, **_reason(state)})
    elif state.status == "paused" and not stuck and state.pause is None:
        engine.record("run_resumed", at, data={"auto": True})


def _reason(state: State) -> Json:
    if state.pause is not None:
        return {"code": state.pause["code"]}
    return {"code": "needs_intervention", "phases": sorted(state.paused_phases | state.held)}


def _finish(engine: Engine, at: float) -> None:
    counts = engine.state.counts
    status: RunStatus = engine.state.stopping or ("failed" if counts["failed"] or counts["cancelled"] else "completed")
    if status == "completed" and engine.state.missing_signals:
        return
    if engine.state.status == "paused":
        engine.record("run_resumed", at, data={"auto": True})
    engine.record("run_settled", at, data={"status": status})
    engine.effects.append(Finish(status=status))
