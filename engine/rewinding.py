"""What a jump or a decision about a phase changes in the state of a run: phases are pending again, and needs open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import breaker_step
from engine.context.folding import forget

if TYPE_CHECKING:
    from engine.facts import Fact
    from engine.phase_state import PhaseState
    from engine.state import State


def begun(state: State, fact: Fact) -> None:
    """Control goes elsewhere as soon as nothing runs there; a way of `next` counts its rounds."""
    state.jump = dict(fact.data)
    if (way := fact.data.get("way")) is not None:
        key = (fact.data["from"], way)
        state.rounds[key] = state.rounds.get(key, 0) + 1


def jumped(state: State, fact: Fact) -> None:
    """The target and what lies behind it start anew."""
    state.jump = None
    reset = [state.phases[index] for index in fact.data["reset"]]
    returns = fact.data.get("returns")
    # The phase that is jumped to may read what made control go there; the other one begins with nothing.
    kept = state.phases[returns].outputs if returns is not None else {}
    for phase in reset:
        _reset(state, phase)
    for phase in reset:
        state.needs.count(phase)
    # Who waits for a phase that control was sent to may be what that one needs: it begins again as it began.
    visited = [state.phases[index] for index in fact.data["reset"] if index in state.returning.values()]
    if returns is not None:
        state.phases[returns].outputs = kept
        state.returning[returns] = fact.data["to"]
        state.phases[returns].open_needs += 1
    sent_to = [state.phases[fact.data["to"]], *visited]
    for phase in sent_to:
        phase.jumped_to = True
    state.newly_open += [phase.plan.index for phase in reset if not phase.open_needs or phase in sent_to]


def _reset(state: State, phase: PhaseState) -> None:
    index = phase.plan.index
    state.returning.pop(index, None)
    phase.jumped_to = False
    if phase.status == "pending":
        return
    if phase.settled:
        state.needs.unsettled(phase)
    state.set_status(phase, "pending")
    state.forget_gates(phase)
    state.digests.pop(index, None)
    state.held.discard(index)
    forget(phase)
    phase.reruns = 0
    phase.epoch += 1
    phase.held = False
    phase.anew = True
    phase.outputs, phase.agent_outputs, phase.results = {}, {}, []
    phase.review_rounds, phase.review_history = {}, ()
    phase.error = phase.reason = phase.actor = phase.started_at = phase.finished_at = phase.cancelling = None


def intervened(state: State, fact: Fact) -> None:
    """Somebody has decided about a phase; one that is tried again is pending, in its next epoch."""
    phase = state.phase_of(fact)
    breaker_step.follow(phase, fact)
    if "context" in fact.data:
        phase.conflicts = {}
    if fact.data["action"] not in {"retry", "retry_with"}:
        return
    forget(phase)
    phase.reruns += "rerun" in fact.data
    state.set_status(phase, "pending")
    phase.epoch += 1
    phase.edits = fact.data.get("edits", phase.edits)
    phase.agent_outputs = {}
    phase.results = []
    phase.reason = None
    phase.outputs = {}
    if asked := fact.data.get("feedback"):
        phase.feedback = [*phase.feedback, *(asked if isinstance(asked, list) else [asked])][-10:]
        phase.active = set()
        phase.finished_at = None
    state.forget_gates(phase)
    phase.held = False
    state.held.discard(phase.plan.index)
    state.newly_open.append(phase.plan.index)
