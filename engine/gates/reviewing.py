"""Reviewers at gates: called when a worker slot is free, each once for all gates that wait, then what they decide.

Nothing here waits for time: what has come to a desk until its reviewers begin is one consultation, what comes while
they are at work is the next one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from engine.effects import AgentCancelled, AgentFailed, AgentFinished, CancelAgents, RunAgent
from engine.gates import flow, verdicts
from engine.gates.asking import review_task
from engine.gates.consultations import Consultation, Member, queued, seat, standing
from engine.gates.records import Gate
from engine.phase_state import PhaseState
from engine.requests import AGENT

if TYPE_CHECKING:
    from engine.engine import Engine

Json = dict[str, Any]

AT_ONCE = 20
"""Gates that one consultation has at most; further ones are in the next."""

ROOM = 256 * 1024
"""Bytes of JSON of the outputs that one consultation may have together, unless a single gate has more."""


def call(engine: Engine) -> bool:
    """Let the reviewers of each desk that gates wait at wait for a worker slot; whether there are new ones."""
    called = False
    reviews = engine.state.reviews
    for desk in list(reviews.queued):
        if desk in reviews.open or engine.ready.waits_for_slot(seat(desk)):
            continue
        if ready := _ready(engine, desk):
            engine.ready.sit(seat(desk), ready[0].plan.index)
            called = True
    return called


def _ready(engine: Engine, desk: int) -> list[PhaseState]:
    return [phase for phase in queued(engine.state, desk) if not _waits_for_others(engine, phase, desk)]


def _waits_for_others(engine: Engine, phase: PhaseState, desk: int) -> bool:
    """Whether the gate wants to come together with members of its parallel group that are still at work.

    Who waits at a gate, or for a decision, is not waited for: it could wait for this one.
    """
    state, group = engine.state, phase.plan.group
    review = phase.gate.plan.review if phase.gate is not None else None
    if review is None or not review.together or group is None:
        return False
    others = (state.phases[index] for index in state.running)
    return any(other.plan.group == group and _comes(engine, other, desk) for other in others)


def _comes(engine: Engine, phase: PhaseState, desk: int) -> bool:
    """Whether a phase is at work and will come to the desk."""
    index = phase.plan.index
    if phase.cancelling is not None or (phase.gate is not None and phase.gate.status != "checking"):
        return False
    if index in engine.state.expanding and not engine.state.expansions[index].counts["running"]:
        return False  # its items wait for a place, perhaps for that of the one that asks
    if engine.ready.waits_for_slot(index) and not engine.ready.holds(index):
        return False  # and so does this one
    ahead = phase.plan.gates[phase.at_gate or 0 :]
    return any(gate.review is not None and engine.state.reviews.known(gate.review) == desk for gate in ahead)


def begin(engine: Engine, place: int, at: float) -> None:
    """A worker slot is there: the reviewers begin, or go on where a fresh history has interrupted them."""
    reviews, desk = engine.state.reviews, -1 - place
    if desk not in reviews.open:
        members = _fitting(_ready(engine, desk))
        if not members:
            engine.ready.leave(place)
            return
        _open(engine, desk, members, at)
    consultation = reviews.open[desk]
    delay = engine.plan.execution.rate_limit_delay
    engine.next_start_at = at + delay if delay else 0.0
    for position in sorted(consultation.active):
        uses, task = consultation.review.reviewers[position].uses, review_task(engine.state, consultation, position)
        engine.effects.append(RunAgent(phase=place, epoch=consultation.number, position=position, uses=uses, task=task))


def _fitting(phases: list[PhaseState]) -> list[PhaseState]:
    room, fitting = ROOM, phases[:0]
    for phase in phases[:AT_ONCE]:
        room -= len(json.dumps(phase.outputs))
        if fitting and room < 0:
            break
        fitting.append(phase)
    return fitting


def _open(engine: Engine, desk: int, phases: list[PhaseState], at: float) -> None:
    gates: list[Json] = []
    roles: list[str] = []
    for phase in phases:
        assert phase.gate is not None
        assert phase.gate.plan.review is not None
        roles = [agent.role for agent in phase.gate.plan.review.reviewers]
        member = {"phase": phase.plan.index, "gate": phase.at_gate, "epoch": phase.epoch, "round": phase.gate.round}
        gates.append({**member, "name": f"{phase.plan.id}/{phase.gate.plan.id}"})
    number = engine.state.reviews.count + 1
    data = {"number": number, "desk": desk, "reviewers": roles, "gates": gates}
    engine.record("consultation_opened", at, data=data)


def ended(engine: Engine, event: AgentFinished | AgentFailed | AgentCancelled, at: float) -> None:
    """A reviewer has answered or could not; late news of an earlier consultation changes nothing."""
    desk = -1 - event.phase
    consultation = engine.state.reviews.open.get(desk)
    if consultation is None or consultation.number != event.epoch or event.position not in consultation.active:
        return
    match event:
        case AgentFinished(result=result):
            names = [_name(engine, member) for member in consultation.members]
            told = verdicts.read(result, names)
        case AgentFailed(error=error):
            told = [{"error": {"code": error.get("code"), "message": error.get("message")}}] * len(consultation.members)
        case AgentCancelled():
            told = [{"error": {"code": "cancelled", "message": "it was stopped"}}] * len(consultation.members)
    gone = consultation.stopping
    data = _gone([event.position]) if gone else _told(engine, consultation, event.position, told)
    _settle(engine, desk, consultation, data, at)


def _name(engine: Engine, member: Member) -> tuple[str, str]:
    plan = engine.state.phases[member.phase].plan
    return plan.id, plan.gates[member.gate].id


def _told(engine: Engine, consultation: Consultation, position: int, said: list[Json]) -> Json:
    """What the fact tells of one reviewer's answer."""
    told = [
        {**member._asdict(), "name": "/".join(_name(engine, member)), **verdict}
        for member, verdict in zip(consultation.members, said, strict=True)
    ]
    return {"positions": [position], "reviewer": consultation.review.reviewers[position].role, "verdicts": told}


def _gone(positions: Iterable[int]) -> Json:
    """What the fact tells of reviewers that were stopped."""
    return {"positions": sorted(positions), "cancelled": True}


def _settle(engine: Engine, desk: int, consultation: Consultation, told: Json, at: float) -> None:
    """Write down what came of some reviewers; with the last answer the gates are decided."""
    engine.record("review_settled", at, data={"number": consultation.number, "desk": desk, **told})
    if consultation.active:
        return
    engine.ready.leave(seat(desk))
    for member in consultation.members:
        if (found := standing(engine.state, member)) is not None:
            _conclude(engine, *found, at)


def _conclude(engine: Engine, phase: PhaseState, gate: Gate, at: float) -> None:
    review = gate.plan.review
    assert review is not None
    assert phase.at_gate is not None
    outcome, reason = verdicts.outcome(gate.reviews, review)
    if outcome == "changes" and phase.review_rounds.get(phase.at_gate, 0) >= review.max_rounds:
        outcome, reason = "rounds", f"{reason} again, after {review.max_rounds} rounds"
    data = {"gate": phase.at_gate, "name": gate.plan.id, "batch": gate.batch, "outcome": outcome, "reason": reason}
    engine.record("gate_reviewed", at, phase=phase, data=data)
    if outcome == "changes":
        flow.changes_by_reviewers(engine, phase, _feedback(gate), at)
    elif gate.status == "waiting":
        flow.watch(engine, phase, gate)
    else:
        flow.passed(engine, phase, at)


def _feedback(gate: Gate) -> list[Json]:
    """What the next attempt is told: changes first, then comments."""
    words = (verdicts.REQUEST_CHANGES, verdicts.COMMENT)
    said = [told for word in words for told in gate.reviews if told.get("verdict") == word]
    return [
        {"by": f"{AGENT}{r['reviewer']}", "verdict": r["verdict"], "comment": r["comment"], "gate": gate.plan.id}
        for r in said
    ]


def void(engine: Engine, at: float) -> bool:
    """Stop reviewers whose gates have all gone elsewhere; whether a desk is free at once, as none had begun."""
    freed = False
    for desk, consultation in list(engine.state.reviews.open.items()):
        if consultation.stopping or any(standing(engine.state, member) for member in consultation.members):
            continue
        engine.record("consultation_stopping", at, data={"number": consultation.number, "desk": desk})
        if engine.ready.waits_for_slot(seat(desk)):
            _settle(engine, desk, consultation, _gone(consultation.active), at)
            freed = True
        else:
            engine.effects.append(CancelAgents(phase=seat(desk), epoch=consultation.number))
    return freed


def take_up(engine: Engine, at: float) -> None:
    """After a fresh history: reviewers that were at work are called again, those that were being stopped are gone."""
    for desk, consultation in list(engine.state.reviews.open.items()):
        if consultation.stopping:
            _settle(engine, desk, consultation, _gone(consultation.active), at)
        else:
            engine.ready.sit(seat(desk), consultation.members[0].phase)
