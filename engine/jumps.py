"""Control that goes elsewhere than on: `next` of a phase that has ended, and `go_to` of an operator.

A jump to a phase starts it and everything after it anew: epochs go up, gates are armed again, results that come late
are dropped. What runs there is cancelled and awaited first, and nothing else starts meanwhile. After a phase that only
runs when jumped to (`on_jump`) control returns to the phase that it came from. A jump forward skips what lies between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from engine import expressions
from engine.diversion import BY_JUMP, unwinding
from engine.errors import PhaseError
from engine.phase_state import PhaseState
from engine.plan import JumpPlan
from engine.state import State
from engine.values import scope

if TYPE_CHECKING:
    from engine.engine import Engine

Json = dict[str, Any]


def chosen(engine: Engine, phase: PhaseState, status: str, outputs: Json) -> int | None:
    """Which way of the phase's `next` control goes now that its work has ended so; None: on, as ever.

    Of a phase that has failed a condition without a value does not hold: outputs that it names may be missing.

    Raises:
        PhaseError: a condition has no value.
    """
    if not phase.plan.jumps or phase.plan.item is not None or unwinding(engine.state):
        return None
    for number, jump in enumerate(phase.plan.jumps):
        used = engine.state.rounds.get((phase.plan.index, number), 0)
        if used < jump.max_rounds and _holds(engine.state, phase, jump, status, outputs):
            return number
    return None


def _holds(state: State, phase: PhaseState, jump: JumpPlan, status: str, outputs: Json) -> bool:
    if jump.condition is None:
        return True
    values = scope(state, expressions.references(jump.condition)) | {"outputs": outputs, "status": status}
    values["phases"][phase.plan.id] = {"outputs": outputs, "status": status}
    try:
        return expressions.condition(jump.condition, values)
    except expressions.ExpressionError as error:
        if status == "failed":
            return False
        raise PhaseError(f"next: {error.message}", code="expression", hint=error.hint) from None


def begin(
    engine: Engine, phase: PhaseState, to: int, at: float, *, way: int | None = None, actor: str | None = None
) -> None:
    """Send control from one phase to another; `way` is the number of its rule, None for an operator's wish."""
    state = engine.state
    target = state.phases[to]
    after = downstream(state, phase.plan.index)
    data: Json = {"to": to, "from": phase.plan.index} | ({} if way is None else {"way": way})
    if to in after and not target.plan.on_jump:
        _skip_between(engine, after & upstream(state, to), at)
        reset = {to}
    else:
        reset = {to, *downstream(state, to)}
    if target.plan.on_jump:
        reset |= {phase.plan.index, *after}
        data["returns"] = phase.plan.index
    engine.record("jump_begun", at, phase=phase, actor=actor, data={**data, "reset": sorted(reset)})
    for index in sorted(reset):
        member = state.phases[index]
        if member.status == "running" and member.cancelling is None:
            engine.cancel_agents(member, BY_JUMP, at)
        engine.ready.leave(index)


def go_on(engine: Engine, at: float) -> bool:
    """Carry a jump out once nothing runs any more of what it starts anew; whether it was carried out now."""
    jump = engine.state.jump
    if jump is None or any(consultation.stopping for consultation in engine.state.reviews.open.values()):
        return False
    if any(engine.state.phases[index].status == "running" for index in jump["reset"]):
        return False
    engine.record("jumped", at, phase=engine.state.phases[jump["from"]], data=jump)
    return True


def _skip_between(engine: Engine, between: set[int], at: float) -> None:
    for index in sorted(between):
        phase = engine.state.phases[index]
        if phase.status == "pending":
            engine.settle(phase, "skipped", at, data={"reason": BY_JUMP})


def downstream(state: State, index: int) -> set[int]:
    """Every phase that needs this one, directly or through others."""
    return _reached(index, state.needs.directly_after)


def upstream(state: State, index: int) -> set[int]:
    """Every phase that this one needs, directly or through others."""
    return _reached(index, state.needs.directly_before)


def _reached(start: int, further: Callable[[int], Iterable[int]]) -> set[int]:
    found: set[int] = set()
    todo = [start]
    while todo:
        new = set(further(todo.pop())) - found
        found |= new
        todo += new
    return found
