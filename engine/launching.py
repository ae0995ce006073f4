"""Starting what may start: phases whose needs have settled are looked at, wait for their places, and begin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine import breaker_step, deadlines, expressions, items
from engine.context.tasks import activity_of
from engine.effects import RunAgent
from engine.gates import reviewing
from engine.notices import again
from engine.values import gathered, scope

if TYPE_CHECKING:
    from engine.engine import Engine
    from engine.phase_state import PhaseState

Json = dict[str, Any]


def look(engine: Engine, at: float) -> None:
    """Look at every phase whose needs have just settled; while control is about to go elsewhere, at none."""
    state = engine.state
    while state.newly_open and state.jump is None and state.restoring is None:
        _admit(engine, state.phases[state.newly_open.popleft()], at)


def _admit(engine: Engine, phase: PhaseState, at: float) -> None:
    if phase.status != "pending" or engine.ready.waits_for_slot(phase.plan.index):
        return
    if phase.plan.on_jump and not phase.jumped_to:
        engine.settle(phase, "skipped", at, data={"reason": "on_jump"})
        return
    if not phase.jumped_to:
        if phase.open_needs:
            return  # a jump has come in between
        if phase.bad_needs and not phase.plan.always:
            engine.settle(phase, "skipped", at, data={"reason": "needs"})
            return
    if phase.plan.condition is not None and not _condition(engine, phase, phase.plan.condition, at):
        return
    refusal = breaker_step.refusal(phase, at) or items.too_many_files(engine.state, phase.plan)
    if refusal is not None:
        engine.failed(phase, refusal, at)
        return
    engine.queue(phase)


def _condition(engine: Engine, phase: PhaseState, condition: str, at: float) -> bool:
    """Whether the phase's `if` lets it run; where not, it is skipped, or failed if the condition is at fault."""
    try:
        if expressions.condition(condition, scope(engine.state, expressions.references(condition))):
            return True
    except expressions.ExpressionError as error:
        engine.failed(phase, {"code": "expression", "message": f"if: {error}"}, at)
        return False
    engine.settle(phase, "skipped", at, data={"reason": "if"})
    return False


def launch(engine: Engine, at: float) -> bool:
    """Start the next phase or turn that may; False when there is none."""
    if not engine.ready:
        return False
    state = engine.state
    if not engine.launching or state.pause is not None or state.ended or state.jump is not None or state.restoring:
        return False
    if state.stopping is not None and any(state.phases[i].cancelling for i in state.running):
        return False  # what runs after a failure follows the agents that are being stopped
    if state.max_workers == 0:
        return _launch_next(engine, at, workers=False)
    if engine.next_start_at > at and engine.ready.worker_wanted:
        engine.wake(engine.next_start_at)
        return _launch_next(engine, at, workers=False)
    return _launch_next(engine, at, workers=True)


def _launch_next(engine: Engine, at: float, *, workers: bool) -> bool:
    index = engine.ready.take(workers=workers)
    if index is None:
        return False
    if index < 0:
        reviewing.begin(engine, index, at)
        return True
    phase = engine.state.phases[index]
    if phase.status != "running":
        engine.record("phase_started", at, phase=phase, data=breaker_step.start(phase))
        deadlines.watch(engine, phase)
    if phase.plan.for_each is not None and phase.gate is None:
        items.expand(engine, phase, at)
    elif phase.active:
        delay = engine.plan.execution.rate_limit_delay
        engine.next_start_at = at + delay if delay else 0.0
        for position in sorted(phase.active):
            uses, task = activity_of(engine.state, phase, position)
            if position < len(phase.plan.agents):
                task |= again(engine, phase, position, at)
            engine.effects.append(RunAgent(phase=index, epoch=phase.epoch, position=position, uses=uses, task=task))
    elif not phase.persons:
        engine.done(phase, at, gathered(phase, {}))
    return True
