"""Why a phase is where it is: the exact need it waits for, and what would bring it on."""

from __future__ import annotations

from typing import Any

from cli.words.artifacts import left
from cli.words.asking import way, work
from cli.words.durations import between, due, since
from cli.words.parallel import QUEUES, named
from cli.words.parts import parts
from cli.words.reviews import review_line, reviewing

Json = dict[str, Any]

LISTED = 10

KINDS = {
    "transient": "it may pass by itself",
    "deterministic": "it would come again, as far as anybody can tell",
    "quality": "the work was not good enough",
    "system": "the trouble is with the host or the server",
    "user_input": "somebody has to mend what was given",
}


def why(phase: Json, needed: list[Json], view: Json) -> list[str]:
    """The answer for one phase: `phase` and what it waits for (`needed`) are details, `view` is the run's."""
    lines = [f"{named(phase)} is {phase['status']}."]
    if phase["status"] == "pending":
        return [*lines, *_needs(phase, needed, view)]
    return [*lines, *_standing(phase, view)]


def _needs(phase: Json, needed: list[Json], view: Json) -> list[str]:
    if phase.get("waits_for") in QUEUES:
        return [f"All that it needs is done. It waits for {QUEUES[phase['waits_for']]}."]
    if not phase["waits_for_phases"]:
        return ["All that it needs is done. It starts as soon as the run goes on."]
    lines = ["It waits for:"]
    for row in needed:
        lines.append(f"- {named(row)}: {row['status']}{_of(row, view)}")
        if (command := _command(row, view)) is not None:
            lines.append(f"    {command}")
    more = len(phase["waits_for_phases"]) - len(needed)
    if more > 0:
        lines.append(f"- and {more} more")
    return lines


def _of(row: Json, view: Json) -> str:
    waits = row.get("waits_for")
    if row["status"] == "in_progress":
        who = f", waits for {', '.join(row['agents'])}" if waits == "person" else ""
        return f" (started {since(row['started_at'], view['now'])}{who})"
    if row["status"] == "pending":
        names = ", ".join(need["id"] for need in row.get("waits_for_phases", [])[:5])
        return f" (waits for {QUEUES[waits]})" if waits in QUEUES else f" (itself waits for {names})" if names else ""
    return ""


def _command(row: Json, view: Json) -> str | None:
    if row.get("waits_for") == "person":
        return way(row["index"], view)
    if (gate := _gate(row, view)) is not None:
        return f"phaseloom workflow gate show {gate['gate']}"
    if row.get("waits_for") == "decision":
        return f"phaseloom workflow intervene retry --phase {row['index']}"
    return None


def _gate(phase: Json, view: Json) -> Json | None:
    """The gate that a phase stands at, open or not passed."""
    return next((gate for gate in view["gates"] if gate["phase"] == phase["index"]), None)


def _standing(phase: Json, view: Json) -> list[str]:
    match phase["status"]:
        case "in_progress":
            return _at_work(phase, view)
        case "completed":
            took = between(phase["started_at"], phase["finished_at"])
            after = f", after {took}" if took else ""
            done = f"Completed{_by(phase)} {since(phase['finished_at'], view['now'])}{after}."
            return [done, *left(phase), *_stale(phase.get("context") or {})]
        case "skipped":
            reasons = {
                "if": "Its condition is false.",
                "needs": "A phase it needs did not complete.",
                "on_jump": "It runs only when control is sent to it.",
                "jump": "Control went past it.",
            }
            return [reasons.get(phase.get("reason") or "", f"Skipped{_by(phase)}.")]
        case _:
            return [*_failure(phase, _gate(phase, view)), *_unwritten(phase), *_options(phase)]


def _at_work(phase: Json, view: Json) -> list[str]:
    began = f"It started {since(phase['started_at'], view['now'])}{due(phase, view['now'], 'is ')}"
    told = phase.get("parts") or ()
    match phase.get("waits_for"):
        case "person":
            whose = [part["who"] for part in told if part["state"] == "open"] or phase["agents"]
            waits = f"{began} and waits for {', '.join(whose)}."
            return [waits, *parts(phase, view["now"]), *_report(phase, view), *work(phase, view)]
        case "gate" | None if (gate := _gate(phase, view)) is not None:
            doing = {"waiting": "waits for a decision", "reviewing": reviewing(gate)}
            stands = doing.get(gate["gate_status"], "is being checked")
            said = [review_line(told) for told in gate.get("reviews") or ()]
            return [f"{began}. Its work is done; its gate {gate['gate']} {stands}.", *said, *_look(gate)]
        case "cancellation":
            return [f"{began} and is being stopped: its processes are still ending."]
        case "items":
            return [f"{began} and runs once per item: {items_in_words(phase['items'])}.", *troubled(phase["items"])]
        case reason if reason in QUEUES:
            return [f"{began}; its next agent waits for {QUEUES[reason]}."]
        case _:
            whose = [part["who"] for part in told if part["state"] == "at work"] or phase["agents"]
            at_work = f"{began}; {', '.join(whose)} {'is' if len(whose) == 1 else 'are'} at work."
            told_parts = [*parts(phase, view["now"]), *_report(phase, view)]
            return [at_work, *told_parts, f"See: phaseloom workflow logs {phase['id']}"]


def _look(gate: Json) -> list[str]:
    return [f"See: phaseloom workflow gate show {gate['gate']}"]


def _report(phase: Json, view: Json) -> list[str]:
    """What was last said of its progress."""
    report = phase.get("report")
    if not report:
        return []
    by = f" by {report['by']}" if report.get("by") else ""
    return [f"Reported{by} {since(report['at'], view['now'])}: {phase['progress']}"]


def items_in_words(items: Json) -> str:
    """How the items of a phase stand: `3 of 40 are done, 4 running, 1 paused`."""
    parts = [f"{items[status]} {status}" for status in ("running", "paused", "failed", "cancelled") if items[status]]
    open_ones = items["pending"] + items["running"] + items["paused"]
    return ", ".join([f"{items['total'] - open_ones} of {items['total']} are done", *parts])


def troubled(items: Json) -> list[str]:
    """The first of the items that did not work out, a line each."""
    return [
        f"- {item['id']} {item['status']}{': ' + item['message'].splitlines()[0] if item['message'].strip() else ''}"
        for item in items["troubled"]
    ]


def _by(phase: Json) -> str:
    return f" by {phase['actor']}" if phase.get("actor") else ""


def _failure(phase: Json, gate: Json | None) -> list[str]:
    error = phase.get("error") or {}
    lines: list[str] = []
    if phase.get("reason"):
        lines.append(f"Reason: {phase['reason']}.")
    if error.get("message"):
        lines.append(f"Failed: {str(error['message']).strip()}")
    if error.get("class"):
        lines.append(f"Kind: {error['class'].replace('_', ' ')} ({KINDS.get(error['class'], '')})")
    if error.get("attempts"):
        lines.append(f"Attempts: {error['attempts']}")
    tail = str(error.get("tail") or "").strip().splitlines()[-LISTED:]
    if tail:
        lines += ["Its last words:", *(f"  {line}" for line in tail)]
    if gate is not None:
        lines.append(f"What was found: phaseloom workflow gate show {gate['gate']}")
    elif error:
        lines.append(f"All of its output: phaseloom workflow logs {phase['id']}")
    return [*lines, *_circuit(phase)]


def _circuit(phase: Json) -> list[str]:
    """What a retry means while the phase's circuit breaker is open."""
    circuit = phase.get("circuit")
    if not circuit or circuit["state"] == "closed":
        return []
    counted = f"{circuit['failed']} failed attempts in this run"
    until = str(circuit["until"])[:19].replace("T", " ")
    return [f"Its circuit breaker is open ({counted}), until {until} UTC. A retry is one attempt."]


def _options(phase: Json) -> list[str]:
    options = phase.get("options") or []
    if not options:
        return []
    return [f"Possible now: {', '.join(options)} (phaseloom workflow intervene <option> --phase {phase['index']})"]


def _stale(context: Json) -> list[str]:
    """What has changed in the shared context while the phase worked with it."""
    return [
        f"It worked with the context key {key} of version {versions['read']}; "
        f"others had changed it by then (version {versions['now']})."
        for key, versions in (context.get("stale") or {}).items()
    ]


def _unwritten(phase: Json) -> list[str]:
    """What the phase wrote that is not in the shared context: both values with their writers and hashes."""
    from cli.words.context import waiting  # noqa: PLC0415 - only where somebody has to decide

    return waiting((phase.get("context") or {}).get("waiting") or [])
