"""What an operator reads after moving a run on: what has started, what remains, how a parallel group stands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cli.words.asking import COMPLETE_EACH, beside, way, what
from cli.words.durations import counted, since

Json = dict[str, Any]

QUEUES = {
    "worker slot": "a worker slot",
    "step group": "a place in its step group",
    "max_parallel": "an earlier item to end (max_parallel)",
    "rate limit": "the rate limit",
    "resume": "the run to be resumed",
}
"""What a phase that is ready may still wait for, by the view's word for it."""


def named(phase: Json) -> str:
    """A phase with the number by which it can be named."""
    return f"{phase['name']} (index: {phase['index']})"


def started(phases: list[Json], queued: list[Json], view: Json) -> list[str]:
    """What has just started: a parallel group in full, other phases by name, and how each is completed.

    `view` tells which of them wait for a person, and for what the `queued` ones wait.
    """
    lines: list[str] = []
    if not phases and not queued:
        return lines
    people = {row["index"] for row in view["active"] if row.get("waits_for") == "person"}
    manual = [phase for phase in phases if phase["index"] in people]
    is_group = are_group(phases, view)
    if is_group:
        lines.append(f"Started {counted(len(phases), 'parallel phase')}:")
    elif len(phases) == 1:
        lines.append(f"Started {named(phases[0])}.")
    elif phases:
        lines.append(f"Started {counted(len(phases), 'phase')}:")
    if is_group or len(phases) > 1:
        lines.extend(f"- {named(phase)}" for phase in phases)
    lines.extend(waiting_in_queue(queued, view))
    if len(manual) > 1 or (manual and is_group):
        lines.append(COMPLETE_EACH)
    elif manual:
        index = manual[0]["index"]
        lines += [*what(index, view), f"Complete it with: {way(index, view)}"]
    return lines


def are_group(phases: list[Json], view: Json) -> bool:
    """Whether these phases are (what has started of) one parallel group."""
    groups = {phase.get("group") for phase in phases}
    if len(groups) != 1 or None in groups:
        return False
    parallel = view["parallel"]
    return len(phases) > 1 or (parallel["group"] in groups and parallel["progress"]["total"] > 1)


def waiting_in_queue(queued: list[Json], view: Json) -> list[str]:
    """`2 queued (waiting for a worker slot)`, a line per reason."""
    reasons: dict[int, str] = {entry["phase"]: entry["for"] for entry in view["waiting"] if "phase" in entry}
    counts: dict[str, int] = {}
    for phase in queued:
        reason = reasons.get(phase["index"], "worker slot")
        counts[reason] = counts.get(reason, 0) + 1
    return [f"{count} queued (waiting for {QUEUES[reason]})" for reason, count in counts.items() if reason in QUEUES]


def completed(answer: Json, view: Json | None) -> list[str]:
    """What `next` and `complete-phase` have brought about (their answer, and the run right after it)."""
    back = _back(answer)
    if answer["phase"]["status"] == "running" and back is None:
        return [*_goes_on(answer), *beside(answer), *_after(answer, view)]
    if answer["in_group"] and not answer["all_parallel_complete"]:
        first = f"Phase completed. {counted(answer['remaining'], 'parallel phase')} remaining."
        return [first, *beside(answer), *_after(answer, view)]
    first = "All parallel phases complete." if answer["in_group"] else "Phase completed."
    if back is not None:
        again = back["index"] == answer["phase"]["index"]
        first += " It is to be done again." if again else f" Control goes back to {named(back)}, and on from there."
    follows = answer["started"] or answer["queued"]
    if follows and answer["in_group"] and back is None:
        first += f" Continuing to {listed(phase['name'] for phase in follows)}."
    return [first, *beside(answer), *_after(answer, view, said=answer["in_group"] and len(answer["started"]) == 1)]


def _back(answer: Json) -> Json | None:
    """The earlier phase to which control has gone from this one, or this one itself; None where it goes on."""
    mine = answer["phase"]
    if mine["status"] == "completed":
        return None
    return next((phase for phase in answer["started"] if phase["index"] <= mine["index"]), None)


def _goes_on(answer: Json) -> list[str]:
    """A phase of which one part is done: whose parts are still open, and who works on them; or it is at its gate."""
    phase = answer["phase"]
    if (gate := answer.get("gate")) is not None:
        stands = {"waiting": "waits for a decision", "checking": "is being checked"}.get(gate["status"], gate["status"])
        return [
            f"Recorded. {named(phase)} is done once its gate is passed: {gate['id']} {stands}.",
            f"See: phaseloom workflow gate show {gate['id']}",
        ]
    still_open = [part["who"] for part in answer.get("parts", ()) if part["state"] == "open"]
    if still_open:
        return [f"Recorded. {named(phase)} waits for {listed(still_open)}."]
    working = any(part["state"] == "at work" for part in answer.get("parts", ()))
    if not working or all(part["state"] != "done" for part in answer["parts"]):
        return [f"Recorded. {named(phase)} goes on with its next agent."]
    return [
        f"Recorded. {named(phase)} goes on: {answer['work']}.",
        f"Look on with: phaseloom workflow watch; its output: phaseloom workflow logs {phase['id']}",
    ]


def _after(answer: Json, view: Json | None, *, said: bool = False) -> list[str]:
    status = answer["run"]["status"]
    if status != "running" or view is None:
        return {
            "completed": ["The workflow is complete."],
            "failed": ["The workflow has failed."],
            "paused": ["The run is paused; see: phaseloom workflow status"],
        }.get(status, [])
    lines = started(answer["started"], answer["queued"], view)
    if said:
        lines = lines[1:]  # the sentence before has named it
    counts = view["counts"]
    if answer["missing_signals"] and not (counts["pending"] or counts["in_progress"] or counts["paused"]):
        lines = missing_signals(answer["missing_signals"])
    return lines


def missing_signals(names: list[str]) -> list[str]:
    """How to bring a run to its end whose phases are all done."""
    lines = ["All phases are done. The run is complete once these are reported:"]
    lines.extend(f"- {name}" for name in names)
    lines.append(f'Report each with: phaseloom workflow signal "{names[0]}"')
    return lines


def listed(names: Iterable[str]) -> str:
    """Names for a sentence: `A`, `A and B`, `A, B and C`."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def parallel_status(view: Json) -> list[str]:
    """The parallel group that is open, or the last one that was."""
    parallel = view["parallel"]
    progress = parallel["progress"]
    percent = progress["completed"] * 100 // progress["total"] if progress["total"] else 0
    return [
        f"Parallel Execution Active: {'Yes' if parallel['active'] else 'No'}",
        f"Workflow: {view['definition']}",
        "Phases:",
        *(f"- {row['name']}: {_standing(row, view['now'])}" for row in parallel["phases"]),
        f"Progress: {progress['completed']}/{progress['total']} ({percent}%)",
    ]


def _standing(row: Json, now: str) -> str:
    """`in_progress (started 2h ago)`, `completed (finished 30m ago)`, `pending (waiting for a worker slot)`."""
    status, waits = row["status"], row.get("waits_for")
    if status == "in_progress":
        return f"{status} (started {since(row['started_at'], now)})"
    if waits == "decision":
        return f"{status} (needs a decision)"
    if row["finished_at"] is not None:
        return f"{status} (finished {since(row['finished_at'], now)})"
    return f"{status} (waiting for {QUEUES[waits]})" if waits in QUEUES else str(status)


def cancelled(answer: Json) -> list[str]:
    """What `cancel-parallel` has done."""
    members = answer["cancelled"]
    return [f"Cancelled {counted(len(members), 'parallel phase')}:", *(f"- {named(phase)}" for phase in members)]


def group_started(answer: Json, view: Json | None) -> list[str]:
    """What `start-parallel` has done; a group that runs already is only listed."""
    if answer["started"]:
        return started(answer["started"], answer["queued"], view) if view is not None else []
    members = answer["parallel_phases"]
    if waiting := sum(phase["status"] == "pending" for phase in members):
        return [*(f"- {named(phase)}" for phase in members), f"{waiting} queued (waiting for a worker slot)"]
    return [f"Running already, {counted(len(members), 'parallel phase')}:", *(f"- {named(phase)}" for phase in members)]
