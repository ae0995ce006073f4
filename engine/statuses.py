"""The statuses of runs and phases, and the only transitions between them that exist.

The tables are the source: the docs' diagrams are drawn from them and the engine refuses everything else.
"""

from __future__ import annotations

from typing import Final, Literal

RunStatus = Literal["pending", "running", "paused", "completed", "failed", "cancelled"]
PhaseStatus = Literal["pending", "running", "paused", "completed", "failed", "cancelled", "skipped"]

RUN_TRANSITIONS: Final[dict[RunStatus, frozenset[RunStatus]]] = {
    "pending": frozenset({"running"}),
    "running": frozenset({"paused", "completed", "failed", "cancelled"}),
    # A paused run that ends goes on first: what runs is awaited.
    "paused": frozenset({"running"}),
    "completed": frozenset(),
    "failed": frozenset(),
    "cancelled": frozenset(),
}

PHASE_TRANSITIONS: Final[dict[PhaseStatus, frozenset[PhaseStatus]]] = {
    # Completed at once: its result is taken over from the run that this one is a fork of.
    "pending": frozenset({"running", "paused", "completed", "failed", "skipped", "cancelled"}),
    # Back to pending: an approver asked for changes.
    "running": frozenset({"pending", "completed", "failed", "paused", "skipped", "cancelled"}),
    # Back to running: its gate is checked again. Paused again: a decision was taken, and another is needed.
    "paused": frozenset({"pending", "running", "paused", "completed", "failed", "skipped", "cancelled"}),
    # Back to pending from an end: control went back to the phase, or to one before it.
    "completed": frozenset({"pending"}),
    "failed": frozenset({"pending"}),
    # Cancelled with its parallel group, a phase waits for a decision: run it again, skip it or give it up.
    "cancelled": frozenset({"pending", "skipped", "cancelled"}),
    "skipped": frozenset({"pending"}),
}

SHOWN: Final[dict[PhaseStatus, str]] = {
    "pending": "pending",
    "running": "in_progress",
    "paused": "paused",
    "completed": "completed",
    "failed": "failed",
    "cancelled": "cancelled",
    "skipped": "skipped",
}
"""How a phase's status is printed."""

ENDED: Final[frozenset[RunStatus]] = frozenset({"completed", "failed", "cancelled"})


def is_done(status: str, reason: str | None) -> bool:
    """Whether a phase with this status is done with: completed, or skipped on purpose, not for want of its needs."""
    return status == "completed" or (status == "skipped" and reason != "needs")


class IllegalTransitionError(AssertionError):
    """Raised when the engine itself tries a transition that does not exist: a bug, never an operator's mistake."""


def check_run(old: RunStatus, new: RunStatus) -> None:
    """Raise `IllegalTransitionError` unless a run may go from `old` to `new`."""
    if new not in RUN_TRANSITIONS[old]:
        raise IllegalTransitionError(f"run: {old} -> {new}")


def check_phase(old: PhaseStatus, new: PhaseStatus) -> None:
    """Raise `IllegalTransitionError` unless a phase may go from `old` to `new`."""
    if new not in PHASE_TRANSITIONS[old]:
        raise IllegalTransitionError(f"phase: {old} -> {new}")
