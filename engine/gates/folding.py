"""What the facts about gates change in the state of a run: one function per kind of fact, called by `State.apply`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.gates import consultations
from engine.gates.records import Gate

if TYPE_CHECKING:
    from engine.facts import Fact
    from engine.state import State

Json = dict[str, Any]


def _gate(state: State, fact: Fact) -> Gate:
    return state.phase_of(fact).gates[fact.data["gate"]]


def opened(state: State, fact: Fact) -> None:
    """The phase has come to a gate, for the first time or again."""
    phase = state.phase_of(fact)
    if phase.status != "running":
        state.set_status(phase, "running")
        phase.finished_at = None
        phase.error = None
    if not phase.gates:
        state.forget_gates(phase)
    if phase.plan.index in state.expanding:
        state.expanding.discard(phase.plan.index)
        phase.outputs = state.outputs_of_items(phase)
    phase.at_gate = fact.data["gate"]
    phase.outputs = fact.data.get("outputs", phase.outputs)
    gate = _gate(state, fact)
    gate.opened(fact.at)
    phase.active = {len(phase.plan.agents) + fact.data["gate"]} if gate.plan.needs_host else set()
    state.await_persons(phase, ())
    state.at_gates.discard(phase.plan.index)


def checked(state: State, fact: Fact) -> None:
    """Its checks have ended."""
    phase = state.phase_of(fact)
    phase.active = set()
    gate = _gate(state, fact)
    gate.checked(fact.data, fact.at)
    if gate.status == "waiting":
        state.at_gates.add(phase.plan.index)
        state.reviews.gather(gate)
    elif gate.status == "reviewing":
        state.reviews.queue(phase.plan.index, gate)


def decided(state: State, fact: Fact) -> None:
    """Somebody has decided; of one person the last decision counts."""
    kept: Json = {name: fact.data[name] for name in ("decision", "form", "comment") if name in fact.data}
    voter: str = fact.data.get("for") or fact.actor or ""
    gate = _gate(state, fact)
    state.reviews.close(gate)
    gate.votes[voter] = {**kept, "by": fact.actor, "at": fact.at}


def delegated(state: State, fact: Fact) -> None:
    """Somebody else may decide in a person's name."""
    _gate(state, fact).delegates[fact.data["to"]] = fact.data["for"]


def reminded(state: State, fact: Fact) -> None:
    """The people have been reminded."""
    _gate(state, fact).reminded(fact.at)


def escalated(state: State, fact: Fact) -> None:
    """Others are asked too."""
    _gate(state, fact).escalate(fact.at)


def settled(state: State, fact: Fact) -> None:
    """The gate is passed, waived, or does not let the phase on."""
    gate = _gate(state, fact)
    gate.status = fact.data["status"]
    gate.settled_at = fact.at
    gate.reason = fact.data.get("reason")
    gate.actor = fact.actor
    state.reviews.close(gate)
    state.at_gates.discard(state.phase_of(fact).plan.index)


def reviewed(state: State, fact: Fact) -> None:
    """All reviewers of a gate have answered, or could not."""
    phase, number = state.phase_of(fact), fact.data["gate"]
    gate = phase.gates[number]
    gate.reviewed({"outcome": fact.data["outcome"], "reason": fact.data["reason"]}, fact.at)
    if fact.data["outcome"] == "changes":
        phase.review_rounds[number] = phase.review_rounds.get(number, 0) + 1
    elif gate.status == "waiting":
        state.at_gates.add(phase.plan.index)


def consultation_opened(state: State, fact: Fact) -> None:
    """Reviewers have begun with all gates that waited for them."""
    consultations.opened(state, fact)


def review_settled(state: State, fact: Fact) -> None:
    """One reviewer has answered about the gates of a consultation, or could not."""
    consultations.answered(state, fact)


def consultation_stopping(state: State, fact: Fact) -> None:
    """No gate of a consultation waits for it any more: its reviewers are being stopped."""
    state.reviews.open[fact.data["desk"]].stopping = True


def waived(state: State, fact: Fact) -> None:
    """A check, or the whole gate, need not hold."""
    state.waivers[fact.data["name"], fact.data.get("check", "")] = {
        "reason": fact.note,
        "by": fact.actor,
        "at": fact.at,
        "expires": fact.data.get("expires"),
    }
