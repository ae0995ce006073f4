"""What a reviewer is given: the gates of its consultation with outputs, evidence, checks and what was said before."""

from __future__ import annotations

import json
from typing import Any

from engine.coding import encode
from engine.gates.consultations import Consultation, Member, name_of
from engine.state import State
from engine.values import scope, task_head

Json = dict[str, Any]

OUTPUTS_SHOWN = 4000
"""Characters of a phase's outputs in the text of the prompt; `$PHASELOOM_INPUT` has all of them."""

APART = 1000
"""Positions of reviewers' attempts begin here, apart from those of the phase's agents."""

INLINE = ("verdicts", "verdict", "comment", "text", "json", "body")
"""Outputs that have to be seen here and not become artifacts."""

HEAD = """\
Review what stands at the gates below. Your verdict is one of these words: APPROVE, REQUEST_CHANGES or COMMENT.
Begin your answer with it, or write the output `verdict` with a `comment`; to say something else of each gate, write the
output `verdicts`: {"PHASE/GATE": {"verdict": …, "comment": …}} with all of them.
"""


def review_task(state: State, consultation: Consultation, position: int) -> Json:
    """The input of the activity of one reviewer: an `AgentTask` with `values.review`, in the name of the first gate."""
    first = state.phases[consultation.members[0].phase]
    review = consultation.review
    agent = review.reviewers[position]
    reads = dict.fromkeys(path for member in consultation.members for path in state.plans[member.phase].reads)
    gates = [_gate(state, member) for member in consultation.members]
    told = {"consultation": name_of(consultation.number), "gates": gates, "text": _text(gates)}
    own = "${review.text}"
    key = f"review:{name_of(consultation.number)}/{agent.role}#{position}"
    return {
        **task_head(state, first, APART * consultation.number + position, key),
        "agent": encode(agent),
        "values": scope(state, tuple(reads)) | {"review": told},
        "prompt": own if review.prompt is None else f"{review.prompt.rstrip()}\n\n{own}",
        "timeout": review.timeout,
        "review": True,
        "inline": list(INLINE),
    }


def _gate(state: State, member: Member) -> Json:
    phase = state.phases[member.phase]
    gate = phase.gates[member.gate]
    return {
        "gate": gate.plan.id,
        "phase": phase.plan.id,
        "name": phase.plan.name,
        "description": gate.plan.description,
        "epoch": phase.epoch,
        "outputs": phase.outputs,
        "evidence": gate.evidence,
        "checks": gate.checks,
        "history": [told for told in phase.review_history if told["epoch"] < phase.epoch or told["round"] < gate.round],
    }


def _text(gates: list[Json]) -> str:
    return "\n".join([HEAD, *(_section(gate) for gate in gates)])


def _section(gate: Json) -> str:
    outputs = json.dumps(gate["outputs"], ensure_ascii=False, indent=1)
    checks = gate["checks"]
    lines = [
        f"## {gate['phase']}/{gate['gate']}: {gate['name']}",
        *([gate["description"]] if gate["description"] else []),
        f"Evidence: {gate['evidence']}",
        *([f"Checks: {checks['passed']} of {checks['total']} passed"] if checks["total"] else []),
        f"Outputs: {outputs if len(outputs) <= OUTPUTS_SHOWN else outputs[:OUTPUTS_SHOWN] + '…'}",
        *(["Said before:"] if gate["history"] else []),
        *(f"- {t['reviewer']}, epoch {t['epoch']}: {t['verdict']} {t['comment']}" for t in gate["history"]),
    ]
    return "\n".join(lines) + "\n"
