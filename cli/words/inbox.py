"""One inbox over all runs in words: a line for each thing that waits, what is known of it, the command to type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cli.words.asking import INDENT
from cli.words.durations import between, counted, since
from cli.words.gates import DIGEST_SHOWN, together
from cli.words.reviews import review_line
from cli.words.table import shortened, table

Json = dict[str, Any]

HEAD = ("WAITS FOR", "PHASE", "RUN", "WORKFLOW", "SINCE", "DUE")


def listing(inbox: Json, *, fits: int | None = None) -> list[str]:
    """All that an inbox holds, cut to `fits` cells but for the commands, and how to decide about the gates in it."""
    items, now = inbox["items"], inbox["now"]
    lines: list[str] = []
    if items:
        groups = batches(items)
        items = [item for group in groups for item in group]
        head, *rows = table([HEAD, *(_row(item, now) for item in items)], fits=fits)
        lines.append(head)
        told = iter(rows)
        for group in groups:
            for item in group:
                lines += [next(told), *(f"{INDENT}{line}" for line in _about(item, fits)), f"{INDENT}{item['command']}"]
            lines += [f"{INDENT}{line.strip()}" for line in together([item["gate"] for item in group], group[0]["run"])]
    else:
        lines.append(f"Nothing waits for you ({inbox['actor']}).")
    hidden = inbox["for_others"] - sum(item["mine"] is False for item in items)
    if hidden:
        verb = "waits" if hidden == 1 else "wait"
        lines.append(f"{counted(hidden, 'gate')} {verb} for others: phaseloom inbox --all")
    if any(item["kind"] == "gate" and item["mine"] for item in items):
        lines.append("Decide about the gates, one after the other, with: phaseloom inbox decide")
    return lines


def batches(items: Sequence[Json]) -> list[list[Json]]:
    """The items, with the gates of one batch that wait for the same person together, in plan order."""
    groups: dict[object, list[Json]] = {}
    for number, item in enumerate(items):
        batch = item["gate"].get("batch") if item["gate"] is not None else None
        key = number if batch is None else (item["run"], batch, item["mine"])
        groups.setdefault(key, []).append(item)
    return [sorted(group, key=lambda item: item["phase"] or 0) for group in groups.values()]


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
            said = [review_line(told)[2:].partition("\n")[0] for told in gate.get("reviews") or ()]
            return [f"asked: {who}; {gate['approvals']} of {gate['need']} approved{evidence}", *said]
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
