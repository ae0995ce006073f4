"""A run told as it happens, where phases stand at gates."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cli.words.durations import counted
from cli.words.gates import SYMBOLS

if TYPE_CHECKING:
    from engine.facts import Fact
    from engine.plan import PhasePlan


def _opened(phase: PhasePlan, fact: Fact) -> list[str]:
    checks = phase.gates[fact.data["gate"]].checks
    running = [f"  ⟳ {_gate(phase, fact)}: {counted(len(checks), 'check')} running..."] if checks else []
    held = (f"{each['check']} is waived by {each['by']}: {each['reason']}" for each in fact.data.get("waived", ()))
    return [*running, *(f"    ↷ {words}" for words in held)]


def _checked(phase: PhasePlan, fact: Fact) -> list[str]:
    data, gate = fact.data, phase.gates[fact.data["gate"]]
    mark, lines = ("✓" if data["status"] == "passed" else "✗"), []
    if data["total"]:
        skipped = f", {data['skipped']} skipped" if data["skipped"] else ""
        lines.append(f"  {mark} {_gate(phase, fact)}: {data['passed']} of {data['total']} checks passed{skipped}")
    for result in data["results"]:
        if result["status"] in {"failed", "error"}:
            why = f": {result['message']}" if result.get("message") else ""
            lines.append(f"    {SYMBOLS[result['status']]} {result['name']} - {result['status']}{why}")
    if data["status"] == "passed" and gate.approval is not None and gate.review is None:
        who = ", ".join(gate.approval.people) or "anyone"
        lines.append(f"    waits for {who} to decide: phaseloom workflow gate show {gate.id}")
    return lines


def _decided(phase: PhasePlan, fact: Fact) -> list[str]:
    instead = f" for {fact.data['for']}" if "for" in fact.data else ""
    comment = f": {fact.data['comment']}" if fact.data.get("comment") else ""
    decision = str(fact.data["decision"]).replace("_", " ")
    return [f"  → {_gate(phase, fact)}: {decision}{_by(fact)}{instead}{comment}"]


def _delegated(phase: PhasePlan, fact: Fact) -> list[str]:
    return [f"  → {_gate(phase, fact)}: {fact.data['to']} may decide for {fact.data['for']}"]


def _reminded(phase: PhasePlan, fact: Fact) -> list[str]:
    who = ", ".join(fact.data["people"]) or "anyone"
    return [f"  ! {_gate(phase, fact)} still waits for {who}: phaseloom workflow gate show {fact.data['name']}"]


def _escalated(phase: PhasePlan, fact: Fact) -> list[str]:
    who = ", ".join(fact.data["people"])
    return [f"  ! {_gate(phase, fact)}: nobody decided in time; {who} may decide too"]


def _settled(phase: PhasePlan, fact: Fact) -> list[str]:
    """That people let the phase through; what checks, waivers and decisions say has been told."""
    asked = phase.gates[fact.data["gate"]].approval is not None
    return [f"  ✓ {_gate(phase, fact)}: passed"] if asked and fact.data["status"] == "passed" else []


def _reviewed(phase: PhasePlan, fact: Fact) -> list[str]:
    gate, data = phase.gates[fact.data["gate"]], fact.data
    mark = "✓" if data["outcome"] == "approved" else "!"
    lines = [f"  {mark} {_gate(phase, fact)}: {data['reason']}"]
    if data["outcome"] != "changes" and (gate.approval is not None or data["outcome"] != "approved"):
        who = ", ".join(gate.approval.people if gate.approval is not None else ()) or "anyone"
        lines.append(f"    waits for {who} to decide: phaseloom workflow gate show {gate.id}")
    return lines


def consulted(fact: Fact) -> list[str]:
    """Reviewers have begun with some gates."""
    gates = ", ".join(gate["name"] for gate in fact.data["gates"])
    return [f"  ⟳ c{fact.data['number']}: {', '.join(fact.data['reviewers'])} review {gates}..."]


def answered(fact: Fact) -> list[str]:
    """A reviewer has answered, or could not; the same words about several gates are said once."""
    if fact.data.get("cancelled"):
        return []
    said = [_said(told) for told in fact.data["verdicts"]]
    if len(set(said)) == 1:
        return [f"    {fact.data['reviewer']}: {said[0]}"]
    about = zip(fact.data["verdicts"], said, strict=True)
    return [f"    {fact.data['reviewer']} about {told['name']}: {words}" for told, words in about]


def _said(told: dict[str, Any]) -> str:
    error = told.get("error")
    why = str(error.get("message") or error.get("code")) if error else str(told["comment"])
    first = why.strip().partition("\n")[0]
    return f"{'no verdict' if error else told['verdict']}{': ' + first if first else ''}"


def _waived(phase: PhasePlan, fact: Fact) -> list[str]:
    what = f"the check {fact.data['check']} is waived" if "check" in fact.data else "waived"
    return [f"  ↷ {_gate(phase, fact)}: {what}{_by(fact)}{f': {fact.note}' if fact.note else ''}"]


def _gate(phase: PhasePlan, fact: Fact) -> str:
    return f"[{phase.id}] Gate {fact.data['name']}"


def _by(fact: Fact) -> str:
    return f" by {fact.actor}" if fact.actor else ""


GATES: dict[str, Callable[[PhasePlan, Fact], list[str]]] = {
    "gate_opened": _opened,
    "gate_checked": _checked,
    "gate_decided": _decided,
    "gate_delegated": _delegated,
    "gate_reminded": _reminded,
    "gate_escalated": _escalated,
    "gate_settled": _settled,
    "gate_waived": _waived,
    "gate_reviewed": _reviewed,
}
"""What each fact about a gate adds."""
