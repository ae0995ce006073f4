"""Why something has stopped, in words that somebody at 3 a.m. understands at once."""

from __future__ import annotations

import json
from typing import Any

from engine.phase_state import PhaseState
from engine.statuses import RunStatus

Json = dict[str, Any]


def failure_in_words(phase: PhaseState) -> str:
    """The reason of a phase's failure as a clause: `tests are failing`, `Backend took longer than 5 minutes`."""
    error = phase.error or {}
    name = phase.plan.name
    code = error.get("code")
    if code in {"gate_failed", "gate_rejected", "gate_expired"}:
        said = str(error["message"]).removeprefix(f"{error['gate']}: ")
        return f"{name} did not pass the gate {error['gate']}: {said}"
    if code == "context_conflict":
        return f"what {name} wrote is not in the shared context: {error['message']}"
    if code == "tests_failed" or (code == "exit_code" and "test" in phase.plan.id):
        return "tests are failing"
    message = str(error.get("message") or code or "").strip().rstrip(".")
    return f"{name} has failed ({message})" if message else f"{name} has failed"


def pause_in_words(status: RunStatus, pause: Json | None, undecided: list[PhaseState]) -> str:
    """The sentence that `status` prints for a pause or for phases that need a person while the run goes on."""
    if pause is not None and pause["code"] == "parallel_cancelled":
        return "The workflow has paused because parallel execution was cancelled."
    if pause is not None and pause["code"] == "operator":
        by = f" by {pause['by']}" if pause.get("by") else ""
        note = f": {pause['note']}" if pause.get("note") else ""
        return f"The workflow has been paused{by}{note}."
    if undecided and undecided[0].held:
        reason = f"{undecided[0].plan.name} was cancelled"
    else:
        reason = failure_in_words(undecided[0]) if undecided else "somebody has to decide"
    if status == "paused":
        return f"The workflow has paused because {reason}."
    number = len(undecided)
    return f"{number} phase{'s need' if number != 1 else ' needs'} you because {reason}; the others go on."


def progress_in_words(progress: Any) -> str:
    """A report as a line: a text as it is, an object as `files: 3, last: a.py`, all else as JSON."""
    if isinstance(progress, dict) and progress:
        return ", ".join(f"{' '.join(key.split())}: {_plain(value)}" for key, value in progress.items())
    return _plain(progress)


def _plain(value: Any) -> str:
    return " ".join(value.split()) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
