"""One inbox over all runs in words: a line for each thing that waits, what is known of it, the command to type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cli.words.asking import INDENT
from cli.words.durations import between, counted, since
from cli.words.gates import DIGEST_SHOWN
from cli.words.table import shortened, table

Json = dict[str, Any]

HEAD = ("WAITS FOR", "PHASE", "RUN", "WORKFLOW", "SINCE", "DUE")


def listing(inbox: Json, *, fits: int | None = None) -> list[str]:
    """All that an inbox holds, cut to `fits` cells but for the commands, and how to decide about the gates in it."""
    items, now = inbox["items"], inbox["now"]
    lines: list[str] = []
    if items:
        head, *rows = table([HEAD, *(_row(item, now) for item in items)], fits=fits)
        lines.append(head)
        for item, row in zip(items, rows, strict=True):
            lines += [row, *(f"{INDENT}{line}" for line in _about(item, fits)), f"{INDENT}{item['command']}"]
    else:
        lines.append(f"Nothing waits for you ({inbox['actor']}).")
    hidden = inbox["for_others"] - sum(item["mine"] is False for item in items)
    if hidden:
        verb = "waits" if hidden == 1 else "wait"
        lines.append(f"{counted(hidden, 'gate')} {verb} for others: phaseloom inbox --all")
    if any(item["kind"] == "gate" and item["mine"] for item in items):
        lines.append("Decide about the gates, one after the other, with: phaseloom inbox decide")
    return lines


def _row(item: Json, now: str) -> tuple[str, ...]:
    asked = since(item["since"], now)
    return (_what(item), _phase(item), item["run"], item["definition"], asked, _due(item["deadline"], now))


def _what(item: Json) -> str:
    match item["kind"]:
        case "gate":
            return f"gate {item['what']}" if item["mine"] is not False else f"gate {item['what']} (others)"
        case "person":
            return ", ".join(item["who"])
        case "signal":
            return f"report: {item['what']}"
        case "more":
            return "more than this"
        case other:
            return str(other)


def _phase(item: Json) -> str:
    if item["phase"] is None:
        return item["id"] or ""
    return f"{item['name']} (index: {item['phase']})"


def _due(deadline: str | None, now: str) -> str:
    if deadline is None:
        return ""
    return f"in {between(now, deadline)}" if deadline > now else "now"


def _about(item: Json, fits: int | None) -> list[str]:
    room = None if fits is None else fits - len(INDENT)
    told = [line for line in _told(item) if line]
    return told if room is None else [shortened(line, room) for line in told]


def _told(item: Json) -> list[str]:
    if not item["answered"]:
        return ["no worker answers: this is what the list of runs says"]
    match item["kind"]:
        case "gate":
            gate = item["gate"]
            evidence = f", evidence {gate['evidence'][:DIGEST_SHOWN]}" if gate["evidence"] else ""
            who = ", ".join(item["who"]) or "anyone"
            return [f"asked: {who}; {gate['approvals']} of {gate['need']} approved{evidence}"]
        case "decision":
            return [item["what"], f"actions: {', '.join(item['options'])}"]
        case "person" | "resume":
            return [item["what"]]
        case _:
            return []


def heading(item: Json, number: int, total: int) -> str:
    """Which gate of how many this is, and of which run."""
    return f"[{number}/{total}] Run: {item['run']} ({item['workflow']})"


DONE = {
    "approve": "approved",
    "request_changes": "sent back",
    "reject": "rejected",
    "skip": "left for now",
    "refused": "not decided",
    "gone": "not open any more",
}


def summary(outcomes: Sequence[str], left: int) -> str:
    """How a walk through the gates ended: what was decided, and how many it did not come to."""
    counts = [f"{count} {word}" for name, word in DONE.items() if (count := outcomes.count(name))]
    counts += [f"{left} not looked at"] if left else []
    return f"Gates: {', '.join(counts)}."
