"""Running a phase once per item: the list is evaluated, each item becomes a phase, and they end as one.

The phase itself takes no worker and no place; it runs until all its items have settled. It completes with the outputs
`{items: [...]}` in the list's order, or fails by its `on_failure` because of those that did not work out. When it is
tried again, what was completed is kept and every other item runs anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.errors import PhaseError
from engine.expansion import Expansion, evaluated
from engine.gates import flow
from engine.plan import Item
from engine.values import OF_ITEM, artifacts, files_named, scope

if TYPE_CHECKING:
    from engine.engine import Engine
    from engine.phase_state import PhaseState
    from engine.plan import PhasePlan
    from engine.state import State

Json = dict[str, Any]

NAMED = 3
"""Items that a failure names; the others are counted."""

FILES_LIMIT = 4096
"""Files of the items of one phase that an agent is handed without naming them one by one."""

CANCELLED = "its phase was cancelled"


def expand(engine: Engine, phase: PhaseState, at: float) -> None:
    """Find the items of a phase that has just started and let them wait for their start."""
    state = engine.state
    try:
        values = evaluated(phase.plan, scope(state, phase.plan.list_reads))
    except PhaseError as error:
        engine.failed(phase, {"code": error.code, "message": error.message, "hint": error.hint}, at)
        return
    data: Json = {"items": values}
    before = state.expansions.get(phase.plan.index)
    if before is not None and not _unwanted(phase):
        data["new"] = [number for number, value in enumerate(values) if not _kept(state, before, number, value)]
    engine.record("phase_expanded", at, phase=phase, data=data)
    take_places(engine, phase)
    _end_if_settled(engine, phase, at)


def _kept(state: State, before: Expansion, number: int, value: Any) -> bool:
    same = number < len(before.values) and before.values[number] == value
    return same and state.phases[before.phases[number]].satisfied


def _unwanted(phase: PhaseState) -> bool:
    """Whether what the items have made no longer counts: control came back, or somebody asked for changes."""
    if phase.anew:
        return True
    return bool(phase.feedback) and phase.feedback[-1]["epoch"] == phase.epoch - 1


def take_places(engine: Engine, phase: PhaseState) -> None:
    """Tell the ready list of the items of a phase."""
    items = list(enumerate(engine.state.expansions[phase.plan.index].phases))
    engine.ready.expand(phase.plan.index, items, phase.plan.max_parallel)


def settled(engine: Engine, item: PhaseState, of: Item, at: float) -> None:
    """An item has settled: so does its phase with the last one, and at once where one failure stops the run."""
    phase = engine.state.phases[of.parent]
    if _end_if_settled(engine, phase, at) or item.status != "failed" or phase.plan.on_failure != "fail_fast":
        return
    if phase.cancelling is None and engine.state.stopping is None:
        engine.cancel_agents(phase, "fail", at, error=_error(engine.state, phase))
        engine.stop("failed", at)


def _end_if_settled(engine: Engine, phase: PhaseState, at: float) -> bool:
    expansion = engine.state.expansions[phase.plan.index]
    if expansion.open:
        return False
    if phase.cancelling is not None:
        engine.cancelled(phase, at)
    elif expansion.bad:
        engine.failed(phase, _error(engine.state, phase), at)
    elif phase.plan.gates:
        flow.reach(engine, phase, at)
    else:
        engine.complete(phase, engine.state.outputs_of_items(phase), at)
    return True


def _error(state: State, phase: PhaseState) -> Json:
    """How many items did not work out, and which ones first."""
    expansion = state.expansions[phase.plan.index]
    bad = [state.phases[expansion.phases[number]] for number in sorted(expansion.bad)]
    first = ", ".join(f"{item.plan.id} ({_what(item)})" for item in bad[:NAMED])
    more = f" and {len(bad) - NAMED} more" if len(bad) > NAMED else ""
    count = f"{len(bad)} of {len(expansion.phases)} items did not complete"
    return {"code": "items", "message": f"{count}: {first}{more}"}


def _what(item: PhaseState) -> str:
    message = str((item.error or {}).get("message") or "").strip().splitlines()
    return message[0][:100] if message and item.status == "failed" else item.status


def too_many_files(state: State, plan: PhasePlan) -> Json | None:
    """Why a phase cannot begin that names all files of all items of another one; None where there are not too many."""
    for phase_id, paths in files_named(plan.reads).items():
        index = state.index_of.get(phase_id)
        if index not in state.expansions or all(OF_ITEM.match(path) for path in paths):
            continue
        count = len(artifacts(state, state.phases[index]))
        if count > FILES_LIMIT:
            message = f"the items of {phase_id} left {count:,} files, and at most {FILES_LIMIT:,} can be handed over"
            return {"code": "files", "message": message, "hint": "leave fewer, or name those that are wanted"}
    return None


def cancel(engine: Engine, phase: PhaseState, at: float) -> None:
    """Cancel what has not settled of a phase that is being cancelled; it ends with the last of its items."""
    reason = CANCELLED if engine.state.stopping is None else "the run was stopped"
    for index in list(engine.state.expansions[phase.plan.index].phases):
        item = engine.state.phases[index]
        if item.status == "running":
            engine.cancel_agents(item, reason, at)
        elif not item.settled:
            engine.settle(item, "cancelled", at, data={"reason": reason})
    if phase.status == "running":
        _end_if_settled(engine, phase, at)
