"""A phase's own time: when its people are reminded, and when it is over.

Both count from the start of the phase in its present epoch, by the clock: a paused run does not stop them. Reminders
come every so often while the phase runs or waits for a decision. The deadline counts while it runs, whoever it waits
for. A phase that waits for a decision has failed already; one that is let on at its gate has no deadline any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.gates import flow
from engine.phase_state import PhaseState
from engine.timers import OF_PHASE, Due

if TYPE_CHECKING:
    from engine.engine import Engine

Json = dict[str, Any]

CODE = "deadline"
"""What a phase has failed with whose deadline has passed."""


def watch(engine: Engine, phase: PhaseState) -> None:
    """Have the engine woken when the phase is due, and when somebody is to be reminded of it."""
    if phase.deadline_at is not None:
        engine.timers.add(_moment(phase, "deadline", phase.deadline_at))
    if phase.remind_at is not None:
        engine.timers.add(_moment(phase, "remind", phase.remind_at))


def _moment(phase: PhaseState, what: Any, at: float) -> Due:
    return Due(at=at, phase=phase.plan.index, gate=OF_PHASE, epoch=phase.epoch, round=0, what=what)


def due(engine: Engine, moment: Due, at: float) -> None:
    """A moment has come; it counts if what it is about is still as it was when the moment was set."""
    if moment.gate != OF_PHASE:
        flow.due(engine, moment, at)
        return
    phase = engine.state.phases[moment.phase]
    if phase.epoch != moment.epoch or phase.cancelling is not None:
        return
    if moment.what == "remind" and phase.remind_at == moment.at:
        data: Json = {"paused": True} if phase.status == "paused" else {}
        engine.record("phase_reminded", at, phase=phase, data=data)
        engine.timers.add(_moment(phase, "remind", phase.remind_at))
    elif moment.what == "deadline" and phase.deadline_at == moment.at:
        _passed(engine, phase, at)


def _passed(engine: Engine, phase: PhaseState, at: float) -> None:
    """The phase is late: what works on it is stopped, and it has failed."""
    message = f"it was not done within {in_words(phase.plan.deadline or 0.0)}, its deadline"
    if phase.gate is not None and phase.gate.status == "waiting":
        flow.refused(engine, phase, CODE, message, at)
    elif phase.plan.index in engine.state.expanding:
        engine.cancel_agents(phase, "fail", at, error={"code": CODE, "message": message})
    else:
        engine.fail(phase, {"code": CODE, "message": message}, at)


def in_words(seconds: float) -> str:
    """A length of time in its two largest units: `3d`, `1h 30m`."""
    left, parts = round(seconds), []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m"), (1, "s")):
        number, left = divmod(left, size)
        parts += [f"{number}{unit}"] if number else []
    return " ".join(parts[:2]) or f"{seconds:g}s"
