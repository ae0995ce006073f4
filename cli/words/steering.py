"""What an operator reads after pausing, resuming, cancelling, deciding, reporting."""

from __future__ import annotations

from typing import Any

from cli.words.asking import people, way, what
from cli.words.durations import counted, since
from cli.words.parallel import missing_signals, named, started

Json = dict[str, Any]


def reported(answer: Json, view: Json | None) -> list[str]:
    """After a completion signal."""
    lines = [f"Reported: {answer['signal']}"]
    if answer["run"]["status"] == "completed":
        return [*lines, "The workflow is complete."]
    if not answer["missing"]:
        return [*lines, "All completion signals are reported; the run completes with its last phase."]
    counts = (view or {}).get("counts", {})
    if not any(counts.get(status) for status in ("pending", "in_progress", "paused")):
        return [*lines, *missing_signals(answer["missing"])]
    return [*lines, f"Not reported yet: {', '.join(answer['missing'])}"]


def failed(answer: Json, view: Json | None) -> list[str]:
    """After `fail-phase`: what the phase's `on_failure` has made of it."""
    phase = answer["phase"]
    words = {
        "failed": f"{named(phase)} has failed.",
        "paused": f"{named(phase)} has failed and waits for a decision.",
        "running": f"{named(phase)} has failed; its other agents are being stopped.",
    }
    lines = [words.get(phase["status"], f"{named(phase)} is {phase['status']}.")]
    status = answer["run"]["status"]
    if status in {"completed", "failed", "cancelled"}:
        return [*lines, f"The workflow has {_past(status)}."]
    if view is None:
        return lines
    lines += started(answer["started"], [], view)
    if view["pause"] is not None:
        lines += ["", view["pause"]["text"], "See the options with: phaseloom workflow status"]
    return lines


def noted(answer: Json, view: Json | None) -> list[str]:  # noqa: ARG001 - all of these have this form
    """After `report-progress`."""
    return ["Noted; it shows in: phaseloom workflow status"]


def paused(answer: Json, view: Json | None) -> list[str]:  # noqa: ARG001 - all of these have this form
    """After `pause`."""
    going = answer["running"]
    what = f" {counted(going, 'phase')} at work may still end." if going else ""
    return [f"Paused: nothing new starts.{what}", "Go on with: phaseloom workflow resume"]


def resumed(answer: Json, view: Json | None) -> list[str]:
    """After `resume`."""
    return ["Resumed.", *(started(answer["started"], [], view) if view is not None else [])]


def checkpoint(fact: Json | None, view: Json, names: dict[int, str]) -> str:
    """The last checkpoint: the phase that settled last. `fact` is its fact; `names` are phases' names by index."""
    if fact is None:
        return "Last checkpoint: none, no phase has been settled yet"
    from datetime import UTC, datetime  # noqa: PLC0415 - only here

    at = datetime.fromtimestamp(fact["at"], UTC).isoformat()
    name = names.get(fact["phase"], f"phase {fact['phase']}")
    return f"Last checkpoint: {name} ({fact['data']['status']} {since(at, view['now'])})"


def decided(answer: Json, view: Json | None) -> list[str]:
    """After `intervene`."""
    phase = answer["phase"]
    words = {
        "retry": f"{named(phase)} is tried again.",
        "retry_with": f"{named(phase)} is tried again with the edited input.",
        "replace_output": f"{named(phase)} counts as completed with the given output.",
        "retry_gate": f"The gate of {named(phase)} is checked again.",
        "go_to": f"{named(phase)} is done again after the phase that you named.",
        "keep_theirs": f"{named(phase)} goes on; what the others have written to the context stays.",
        "take_mine": f"{named(phase)} goes on; what it wrote is in the context now.",
        "replace_context": f"{named(phase)} goes on; the given values are in the context now.",
        "skip_gate": f"The gate of {named(phase)} is skipped.",
        "skip": f"{named(phase)} is skipped.",
        "cancel": f"{named(phase)} is cancelled.",
    }
    lines = [words.get(answer["action"], f"Done: {answer['action']}.")]
    status = answer["run"]["status"]
    if status in {"completed", "failed", "cancelled"}:
        return [*lines, {"completed": "The workflow is complete."}.get(status, f"The workflow has {_past(status)}.")]
    others = [entry for entry in answer["started"] if entry["index"] != phase["index"]]
    if view is not None and any(entry["phase"] == phase["index"] for entry in people(view)):
        lines += [*what(phase["index"], view), f"Complete it with: {way(phase['index'], view)}"]
    lines += started(others, [], view) if view is not None else []
    if view is not None and view["pause"] is not None:
        lines += ["", view["pause"]["text"], "See the options with: phaseloom workflow status"]
    return lines


def _past(status: str) -> str:
    return "failed" if status == "failed" else "been cancelled"
