"""The ledger as lines that people read: what goes into `orchestrator.log` and what `run` prints from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from engine.context.folding import writer
from engine.expansion import PhasePlans
from engine.facts import Fact
from engine.plan import PhasePlan
from engine.saved import is_checkpoint

_JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
"""Without them Persian words and many emoji fall apart."""

_UNREADABLE = "\N{REPLACEMENT CHARACTER}"


def line(at: float, level: str, text: str) -> str:
    """One log line: `[2024-02-19T10:00:00Z] [INFO] Workflow wf_abc123 started`.

    It stays one line, and free of what steers a terminal, whatever words people and programs have sent.
    """
    stamp = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"[{stamp}] [{level}] {text if text.isprintable() else _printable(text)}"


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() or c in _JOINERS else " " if c.isspace() else _UNREADABLE for c in text)


def lines(plans: PhasePlans, run: str, facts: list[Fact]) -> Iterator[str]:
    """The log lines of some facts, in order; `plans` has taken in all of them."""
    for fact in facts:
        for level, text in _texts(plans, run, fact):
            yield line(fact.at, level, text)


Texts = list[tuple[str, str]]


def _texts(plans: PhasePlans, run: str, fact: Fact) -> Texts:
    if fact.phase is None:
        return _RUN_TEXTS[fact.kind](run, fact)
    if fact.kind == "jump_begun":
        return [("INFO", f"Phase: {plans[fact.phase].id} - Control goes to {plans[fact.data['to']].id}{_by(fact)}")]
    return _PHASE_TEXTS[fact.kind](plans[fact.phase], fact)


def _invoked(phase: PhasePlan, turn: int) -> Texts:
    return [("INFO", f"Agent: {phase.agents[p].role} - Invoked") for p in (phase.turns[turn] if phase.turns else ())]


def _started(phase: PhasePlan, fact: Fact) -> Texts:
    again = f" (epoch {fact.epoch})" if fact.epoch else ""
    invoked = _invoked(phase, 0) if phase.for_each is None else []
    return [("INFO", f"Phase: {phase.id} - Starting{again}"), *invoked]


def _expanded(phase: PhasePlan, fact: Fact) -> Texts:
    total = len(fact.data["items"])
    new = len(fact.data["new"]) if "new" in fact.data else total
    kept = f", {total - new} of them done already" if new < total else ""
    return [("INFO", f"Phase: {phase.id} - Items: {total}{kept}")]


def _phase_paused(phase: PhasePlan, fact: Fact) -> Texts:
    name = f"Phase: {phase.id} - "
    return [("ERROR", f"{name}Failed: {_message(fact)}"), ("WARN", f"{name}Waiting for a decision")]


def _intervened(phase: PhasePlan, fact: Fact) -> Texts:
    return [("INFO", f"Phase: {phase.id} - Intervention {fact.data['action']}{_by(fact)}{_note(fact)}")]


def _agent_text(role: str, fact: Fact) -> tuple[str, str]:
    if "error" in fact.data:
        return "ERROR", f"Agent: {role} - Failed: {_message(fact)}"
    if fact.data.get("cancelled"):
        return "INFO", f"Agent: {role} - Cancelled"
    return "INFO", f"Agent: {role} - Finished"


def _settled(phase: PhasePlan, fact: Fact) -> Texts:
    name = f"Phase: {phase.id} - "
    by = _by(fact)
    status = fact.data["status"]
    if (old := fact.data.get("reused_from")) is not None:
        edited = ", with edited outputs" if fact.data.get("edited") else ""
        return [("INFO", f"{name}Reused from {old}{edited}")]
    if status == "completed":
        checkpoint = [("INFO", f"Checkpoint saved: {phase.id}")] if is_checkpoint(phase, fact) else []
        seconds = fact.data.get("seconds")
        took = f" ({round(seconds)}s)" if seconds is not None else ""
        return [("INFO", f"{name}Completed{took}"), *checkpoint]
    if status == "failed":
        return [("ERROR", f"{name}Failed: {_message(fact)}")]
    if status == "skipped":
        why = {
            "if": "its condition is false",
            "needs": "a phase it needs did not complete",
            "operator": fact.note or "",
            "on_jump": "it runs only when control is sent to it",
            "jump": "control went past it",
        }
        return [("INFO", f"{name}Skipped{by}: {why.get(fact.data.get('reason', ''), '')}")]
    return [("WARN", f"{name}Cancelled{by}")]


def _gate(phase: PhasePlan, fact: Fact) -> str:
    return f"Gate: {phase.id}/{fact.data['name']} - "


def _gate_checked(phase: PhasePlan, fact: Fact) -> Texts:
    data = fact.data
    if not data["total"]:
        return []
    skipped = f", {data['skipped']} skipped" if data["skipped"] else ""
    text = f"{_gate(phase, fact)}{data['passed']} of {data['total']} checks passed{skipped}"
    lines = [("INFO" if data["status"] == "passed" else "ERROR", text)]
    for result in data["results"]:
        if result["status"] in {"failed", "error"}:
            why = f": {result['message']}" if result.get("message") else ""
            lines.append(("ERROR", f"Check: {result['name']} - {result['status'].capitalize()}{why}"))
    return lines


def _gate_decided(phase: PhasePlan, fact: Fact) -> Texts:
    data = fact.data
    instead = f" for {data['for']}" if "for" in data else ""
    comment = f": {data['comment']}" if "comment" in data else ""
    return [("INFO", f"{_gate(phase, fact)}{data['decision']}{_by(fact)}{instead}{comment}")]


def _gate_settled(phase: PhasePlan, fact: Fact) -> Texts:
    data = fact.data
    if data["status"] == "failed":
        return [("ERROR", f"{_gate(phase, fact)}Not passed: {data.get('reason', '')}")]
    return [("INFO", f"{_gate(phase, fact)}{str(data['status']).capitalize()}{_by(fact)}{_note(fact)}")]


def still_waived(waiver: dict[str, Any]) -> str:
    """A waiver that holds where a gate opens."""
    return f"The check {waiver['check']} is waived by {waiver['by']}: {waiver['reason']}"


def _gate_reviewed(phase: PhasePlan, fact: Fact) -> Texts:
    level = "INFO" if fact.data["outcome"] == "approved" else "WARN"
    return [(level, f"{_gate(phase, fact)}Reviewed: {fact.data['reason']}")]


def _consulted(_run: str, fact: Fact) -> Texts:
    gates = ", ".join(gate["name"] for gate in fact.data["gates"])
    return [("INFO", f"Consultation c{fact.data['number']}: {', '.join(fact.data['reviewers'])} review {gates}")]


def _answered(_run: str, fact: Fact) -> Texts:
    name = f"Consultation c{fact.data['number']}: "
    if fact.data.get("cancelled"):
        return [("INFO", f"{name}Reviewers stopped")]
    said = [_said(told) for told in fact.data["verdicts"]]
    if len(set(said)) == 1:  # the same words about several gates are said once
        return [(said[0][0], f"{name}{fact.data['reviewer']} - {said[0][1]}")]
    about = zip(fact.data["verdicts"], said, strict=True)
    return [(level, f"{name}{fact.data['reviewer']} - {told['name']}: {text}") for told, (level, text) in about]


def _said(told: dict[str, Any]) -> tuple[str, str]:
    if "error" in told:
        return "ERROR", f"No verdict: {told['error'].get('message') or told['error'].get('code')}"
    first = str(told["comment"]).strip().partition("\n")[0]
    return "INFO", f"{told['verdict']}: {first}" if first else str(told["verdict"])


def _gate_waived(phase: PhasePlan, fact: Fact) -> Texts:
    what = f"check {fact.data['check']}" if "check" in fact.data else "the whole gate"
    return [("WARN", f"{_gate(phase, fact)}Waived {what}{_by(fact)}{_note(fact)}")]


def _stands(fact: Fact) -> str:
    return "it waits for a decision" if fact.data.get("paused") else "it is still running"


def _context_written(phase: PhasePlan, fact: Fact) -> Texts:
    data = fact.data
    how = " (merged)" if data.get("merged") else f" ({data['decision']}{_by(fact)})" if "decision" in data else ""
    keys = ", ".join(data["writes"])
    return [("INFO", f"Context: version {data['version']} by {writer(fact)} in {phase.id}{how}: {keys}")]


def _context_conflicted(phase: PhasePlan, fact: Fact) -> Texts:
    data = fact.data
    name = f"Context: {data['agent']} in {phase.id} - "
    if data["kind"] == "write_write":
        others = ", ".join(f"{key} (version {version})" for key, version in data["keys"].items())
        return [("WARN", f"{name}Not written, others have changed it since: {others}")]
    return [("WARN", f"{name}Not written, it breaks: {'; '.join(each['message'] for each in data['invariants'])}")]


def _at(phase: PhasePlan, position: int) -> str:
    """Who is at work at a position of a phase: an agent, a gate's checks, or the merge of what it wrote."""
    if position < len(phase.agents):
        return phase.agents[position].role
    return "gate" if position < len(phase.agents) + len(phase.gates) else "merge"


def _people(fact: Fact) -> str:
    return ", ".join(fact.data.get("people", ())) or "anyone"


def _message(fact: Fact) -> str:
    error = fact.data.get("error") or {}
    return str(error.get("message") or error.get("code") or "unknown")


def _by(fact: Fact) -> str:
    return f" by {fact.actor}" if fact.actor else ""


def _note(fact: Fact) -> str:
    return f": {fact.note}" if fact.note else ""


def _paused(run: str, fact: Fact) -> Texts:
    return [("WARN", f"Workflow {run} paused{_by(fact)}{_note(fact)}")]


def _run_settled(run: str, fact: Fact) -> Texts:
    level = {"completed": "INFO", "failed": "ERROR"}.get(fact.data["status"], "WARN")
    return [(level, f"Workflow {run} {fact.data['status']}")]


_PHASE_TEXTS: dict[str, Callable[[PhasePlan, Fact], Texts]] = {
    "phase_started": _started,
    "phase_expanded": _expanded,
    "turn_started": lambda phase, fact: _invoked(phase, fact.data["turn"]),
    "agent_settled": lambda phase, fact: [_agent_text(phase.agents[p].role, fact) for p in fact.data["positions"]],
    "phase_paused": _phase_paused,
    "phase_reminded": lambda phase, fact: [("WARN", f"Phase: {phase.id} - Not done yet: {_stands(fact)}")],
    "phase_cancelling": lambda phase, _fact: [("INFO", f"Phase: {phase.id} - Cancelling")],
    "intervened": _intervened,
    "phase_settled": _settled,
    "context_written": _context_written,
    "context_conflicted": _context_conflicted,
    "context_merging": lambda phase, _fact: [("INFO", f"Context: Merging what {phase.id} wrote")],
    "context_dropped": lambda phase, _fact: [("INFO", f"Context: What {phase.id} wrote is there already")],
    "gate_opened": lambda phase, fact: [
        ("INFO", f"{_gate(phase, fact)}Open{_by(fact)}{_note(fact)}"),
        *(("WARN", f"{_gate(phase, fact)}{still_waived(each)}") for each in fact.data.get("waived", ())),
    ],
    "gate_checked": _gate_checked,
    "gate_decided": _gate_decided,
    "gate_delegated": lambda phase, fact: [
        ("INFO", f"{_gate(phase, fact)}{fact.actor} lets {fact.data['to']} decide{_note(fact)}")
    ],
    "gate_reminded": lambda phase, fact: [("WARN", f"{_gate(phase, fact)}Still waits for {_people(fact)}")],
    "gate_escalated": lambda phase, fact: [("WARN", f"{_gate(phase, fact)}Escalated to {_people(fact)}")],
    "gate_settled": _gate_settled,
    "gate_waived": _gate_waived,
    "agent_abandoned": lambda phase, fact: [
        ("ERROR", f"Agent: {_at(phase, p)} - Abandoned: it does not end") for p in fact.data["positions"]
    ],
    "gate_reviewed": _gate_reviewed,
    "jumped": lambda _phase, _fact: [],  # it has been said when it began
}
_RUN_TEXTS: dict[str, Callable[[str, Fact], Texts]] = {
    "run_started": lambda run, _fact: [("INFO", f"Workflow {run} started")],
    "workers_counted": lambda _run, fact: [("INFO", f"Worker slots: {fact.data['count']}")],
    "consultation_opened": _consulted,
    "consultation_stopping": lambda _run, fact: [("INFO", f"Consultation c{fact.data['number']}: Stopping")],
    "review_settled": _answered,
    "reviewers_abandoned": lambda _run, fact: [
        ("ERROR", f"Consultation c{fact.data['number']}: {role} - Abandoned: it does not end")
        for role in fact.data["reviewers"]
    ],
    "group_cancelled": lambda _run, fact: [("WARN", f"Parallel execution cancelled{_by(fact)}{_note(fact)}")],
    "signal_reported": lambda _run, fact: [("INFO", f"Completion signal reported{_by(fact)}: {fact.data['signal']}")],
    "run_paused": _paused,
    "run_resumed": lambda run, fact: [("INFO", f"Workflow {run} resumed{_by(fact)}")],
    "run_stopping": lambda run, fact: [
        ("WARN", f"Workflow {run} stopping ({fact.data['then']}){_by(fact)}{_note(fact)}")
    ],
    "message_signed": lambda _run, fact: [
        ("INFO", f"Message {fact.data['statement']['message']} signed{_by(fact)} with {fact.data['key']}")
    ],
    "checkpoint_created": lambda _run, fact: [
        ("INFO", f"Checkpoint saved: {fact.data['name']}{_by(fact)}{_note(fact)}")
    ],
    "restoring": lambda run, fact: [
        ("WARN", f"Workflow {run} going back to {fact.data['checkpoint']}{_by(fact)}{_note(fact)}")
    ],
    "restored": lambda run, fact: [("INFO", f"Workflow {run} restored to {fact.data['checkpoint']}")],
    "run_seeded": lambda run, fact: [
        ("INFO", f"Workflow {run} goes on from {fact.data['checkpoint']} of {fact.data['from']}{_by(fact)}")
    ],
    "message_refused": lambda _run, fact: [("WARN", f"Message {fact.data['message']} refused: {fact.data['why']}")],
    "notice_undelivered": lambda _run, fact: [
        ("ERROR", f"Notice not delivered: {fact.data['to']} - {fact.data['text']}: {fact.data['why']}")
    ],
    "run_settled": _run_settled,
}
