"""What is read after starting a run: its id, what is in progress, and the next command to type."""

from __future__ import annotations

from typing import Any

from cli.words.asking import COMPLETE_EACH, way, what
from cli.words.parallel import are_group, named, started, waiting_in_queue

Json = dict[str, Any]

LISTED = 10


def started_run(run: str, name: str, view: Json | None) -> list[str]:
    """The lines; `view` is None when no worker has answered yet."""
    lines = [f"Started {run}: {name}"]
    if view is None:
        return [*lines, "No worker answers yet: the run begins as soon as one does.", "See: phaseloom doctor"]
    if view["ended_at"] is not None:
        return [*lines, f"It has {view['status']} already. See: phaseloom workflow status"]
    active = view["active"]
    if are_group(active, view):
        return [*lines, *started(active, _queued(view), view), *_follow(view)]
    lines += [f"In progress: {named(row)} [{', '.join(row['agents'])}]" for row in active[:LISTED]]
    if len(active) > LISTED:
        lines.append(f"… and {len(active) - LISTED} more")
    lines += waiting_in_queue(_queued(view), view)
    people = [row for row in active if row.get("waits_for") == "person"]
    if len(people) == 1:
        lines += [*what(people[0]["index"], view), f"Complete it with: {way(people[0]['index'], view)}"]
    elif people:
        lines.append(COMPLETE_EACH)
    return [*lines, *_follow(view)]


def _queued(view: Json) -> list[Json]:
    return [
        {**entry, "index": entry["phase"]}
        for entry in view["waiting"]
        if entry["for"] not in {"person", "decision", "signal"}
    ]


def _follow(view: Json) -> list[str]:
    """Agents are at work: how to look on."""
    at_work = any(row.get("waits_for") not in {"person", "items"} for row in view["active"])
    return ["Follow it with: phaseloom workflow watch"] if at_work else []
