"""What a run looks like: the view and what is in it.

Times are ISO 8601 in UTC, as the command line prints them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cli.api.results import PLAIN, Result, one, several

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Progress(Result):
    """How many of the phases are done: completed, or skipped on purpose. `percent` is None where it is about a group.

    What failed, was cancelled or skipped because of that, is none of them. Of a group only what completed is.
    """

    completed: int
    total: int
    percent: int | None = None


@dataclass(frozen=True, kw_only=True)
class PhaseRow(Result):
    """One phase in a list. `waits_for` says in a word what keeps it from going on; None while it works.

    Of a phase that runs once per item `items` has the counts; of such an item `item` is `{of, number, value}`.
    """

    index: int
    id: str
    name: str
    status: str
    epoch: int
    agents: tuple[str, ...] = field(default=(), metadata=PLAIN)
    group: int | None = None
    started_at: str | None = None
    finished_at: str | None = None
    waits_for: str | None = None
    progress: str | None = None
    deadline: str | None = None
    error: Json | None = None
    items: Json | None = None
    item: Json | None = None


@dataclass(frozen=True, kw_only=True)
class ParallelStatus(Result):
    """The parallel group that is open, or was last. `active` is false when none is open."""

    run: str
    workflow: str
    active: bool
    group: int | None = None
    phases: tuple[PhaseRow, ...] = field(default=(), metadata=several(PhaseRow))
    progress: Progress = field(metadata=one(Progress))


@dataclass(frozen=True, kw_only=True)
class Signal(Result):
    """A completion signal; `reported_at` is None while it is missing."""

    name: str
    reported_at: str | None = None
    by: str | None = None


@dataclass(frozen=True, kw_only=True)
class Option(Result):
    """One of the numbered decisions that are possible."""

    number: int
    action: str
    text: str
    phase: int | None = None


@dataclass(frozen=True, kw_only=True)
class Pause(Result):
    """Why a run has stopped, in words, and what can be decided."""

    code: str
    text: str
    by: str | None = None
    phases: tuple[int, ...] = field(default=(), metadata=PLAIN)
    options: tuple[Option, ...] = field(default=(), metadata=several(Option))


@dataclass(frozen=True, kw_only=True)
class GateRow(Result):
    """A gate that a phase stands at: `phase`, `id` and `name` are the phase's, `gate` is the gate's own id.

    Gates of one `batch` are decided together or singly. `reviews` are `{reviewer, verdict, comment}`, without a verdict
    where a reviewer could not be asked; `review` is what they came to: `{outcome, reason}`.
    """

    phase: int
    id: str
    name: str
    gate: str
    gate_status: str
    round: int = 0
    checks: Json | None = None
    who: tuple[str, ...] = field(default=(), metadata=PLAIN)
    need: int = 0
    approvals: int = 0
    deadline: str | None = None
    escalated: bool = False
    evidence: str | None = None
    worker: str | None = None
    since: str | None = None
    batch: str | None = None
    reviewers: tuple[str, ...] = field(default=(), metadata=PLAIN)
    reviews: tuple[Json, ...] = field(default=(), metadata=PLAIN)
    review: Json | None = None


@dataclass(frozen=True, kw_only=True)
class View(Result):
    """A run at the moment `now`. `phases` is a page of them unless all were asked for; `counts` counts every one."""

    run: str
    definition: str
    name: str
    status: str
    now: str
    started_at: str | None = None
    ended_at: str | None = None
    pause: Pause | None = field(default=None, metadata=one(Pause))
    counts: dict[str, int] = field(default_factory=dict)
    progress: Progress = field(metadata=one(Progress))
    active: tuple[PhaseRow, ...] = field(default=(), metadata=several(PhaseRow))
    waiting: tuple[Json, ...] = field(default=(), metadata=PLAIN)
    gates: tuple[GateRow, ...] = field(default=(), metadata=several(GateRow))
    phases: tuple[PhaseRow, ...] = field(default=(), metadata=several(PhaseRow))
    signals: tuple[Signal, ...] = field(default=(), metadata=several(Signal))
    facts: int = 0
    context_version: int = 0
    slots_used: int = 0
    restarted_from: str | None = None
    restored_from: str | None = None
    forked_from: str | None = None
    restoring: Json | None = None
    followed_by: tuple[Json, ...] = field(default=(), metadata=PLAIN)

    @property
    def parallel(self) -> ParallelStatus:
        """The parallel group that is open, or was last."""
        return ParallelStatus.of({"run": self.run, "workflow": self.definition, **self.raw["parallel"]})

    def phase(self, word: int | str) -> PhaseRow:
        """The phase with this id or index; raises KeyError when it is not on this page."""
        for row in self.phases:
            if word in (row.id, row.index):
                return row
        raise KeyError(word)
