"""Gates as an operator sees them: in lists, and with everything that is known of one."""

from __future__ import annotations

from typing import Any

from engine.engine import Engine
from engine.gates.consultations import name_of
from engine.gates.plans import ReviewPlan
from engine.gates.records import Gate
from engine.moments import cut, iso

Json = dict[str, Any]

LISTED = 40
NAME_SHOWN = 80
AGENTS_SHOWN = 6
COMMENT_SHOWN = 200


def gates(engine: Engine) -> list[Json]:
    """The gates that phases stand at now: being checked, waiting for people, or not passed."""
    state = engine.state
    at = sorted(index for index in state.running | state.paused_phases if state.phases[index].gate is not None)
    rows = []
    for phase in (state.phases[index] for index in at[:LISTED]):
        assert phase.gate is not None
        plan = phase.plan
        rows.append(
            {"phase": plan.index, "id": plan.id, "name": cut(plan.name, NAME_SHOWN), **gate_row(phase.gate)}
            | {"worker": phase.actor, "since": iso(phase.gate.waiting_since or phase.gate.opened_at)}
        )
    return rows


def gate_row(gate: Gate) -> Json:
    """A gate, without the results of its checks: who is asked, what was decided, what a decision has to name."""
    approval = gate.approval
    shown: Json = {"gate": gate.plan.id, "gate_status": gate.status, "round": gate.round}
    if gate.checks is not None:
        shown["checks"] = {name: gate.checks[name] for name in ("status", "passed", "failed", "skipped", "total")}
    if gate.batch is not None:
        shown["batch"] = name_of(gate.batch)
    if gate.plan.review is not None:
        shown |= _review(gate, gate.plan.review)
    if approval is not None:
        shown |= {
            "who": [cut(name, NAME_SHOWN) for name in gate.people[:AGENTS_SHOWN]],
            "need": approval.need,
            "approvals": gate.approvals,
            "deadline": iso(gate.deadline_at),
            "escalated": gate.escalated,
            "evidence": gate.evidence,
        }
    return shown


def _review(gate: Gate, review: ReviewPlan) -> Json:
    """What the reviewers said, each with the beginning of the comment, and what it came to."""
    said = [
        {**told, "reviewer": cut(told["reviewer"], NAME_SHOWN), "comment": cut(told["comment"], COMMENT_SHOWN)}
        for told in map(_said, gate.reviews[:AGENTS_SHOWN])
    ]
    names = [cut(agent.role, NAME_SHOWN) for agent in review.reviewers[:AGENTS_SHOWN]]
    return {"reviewers": names, "reviews": said, "review": gate.review}


def _said(told: Json) -> Json:
    return {
        "reviewer": told["reviewer"],
        "verdict": told.get("verdict"),
        "comment": _words(told),
        "at": iso(told["at"]),
    }


def _words(told: Json) -> str:
    """The comment of a reviewer, or why there is none."""
    if "error" in told:
        return str(told["error"].get("message") or told["error"].get("code") or "it failed")
    return str(told["comment"])


def gate_details(gate: Gate) -> Json:
    """All that is known of a gate in its present round."""
    approval = gate.approval
    return gate_row(gate) | {
        "description": gate.plan.description,
        **({"reviews": [_said(told) for told in gate.reviews]} if gate.plan.review is not None else {}),
        "skippable": gate.plan.skippable,
        "results": gate.checks["results"] if gate.checks is not None else [],
        "votes": [{"who": name, **vote, "at": iso(vote["at"])} for name, vote in gate.votes.items()],
        "delegates": gate.delegates,
        "people": list(gate.people),
        "self_approval": approval is not None and approval.self_approval,
        "form": {name: field.type for name, field in approval.form.items()} if approval is not None else {},
        **({"form_order": list(approval.form_order)} if approval is not None and approval.form_order else {}),
        "reminders": gate.reminders,
        "opened_at": iso(gate.opened_at),
        "settled_at": iso(gate.settled_at),
        "reason": gate.reason,
        "by": gate.actor,
    }
