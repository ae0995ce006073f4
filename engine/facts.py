"""The ledger's entries: one fact per thing that happened to a run and matters, with who and when.

A run's state is the fold of its facts (`engine.state`); journal, logs, metrics and checkpoints are projections.
Kinds are promises: recorded ledgers must stay readable.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]

FactKind = Literal[
    "run_started",
    "workers_counted",
    "phase_started",
    "phase_expanded",
    "turn_started",
    "agent_settled",
    "phase_paused",
    "phase_reminded",
    "phase_cancelling",
    "phase_settled",
    "intervened",
    "context_written",
    "context_conflicted",
    "context_merging",
    "context_dropped",
    "gate_opened",
    "gate_checked",
    "gate_decided",
    "gate_delegated",
    "gate_reminded",
    "gate_escalated",
    "gate_settled",
    "gate_waived",
    "gate_reviewed",
    "consultation_opened",
    "consultation_stopping",
    "review_settled",
    "jump_begun",
    "jumped",
    "group_cancelled",
    "signal_reported",
    "run_paused",
    "run_resumed",
    "run_stopping",
    "message_signed",
    "checkpoint_created",
    "restoring",
    "agent_abandoned",
    "reviewers_abandoned",
    "restored",
    "run_seeded",
    "message_refused",
    "notice_undelivered",
    "run_settled",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One entry. `n` counts from 1 without a gap; `at` is seconds since 1970 (UTC); `data` depends on the kind."""

    n: int
    at: float
    kind: FactKind
    phase: int | None = None
    epoch: int | None = None
    actor: str | None = None
    note: str | None = None
    data: Json = field(default_factory=dict)

    def to_json(self) -> Json:
        """The fact as JSON values; what is absent is left out."""
        encoded: Json = {"n": self.n, "at": self.at, "kind": self.kind}
        for name in ("phase", "epoch", "actor", "note"):
            value = getattr(self, name)
            if value is not None:
                encoded[name] = value
        if self.data:
            encoded["data"] = self.data
        return encoded

    @classmethod
    def from_json(cls, encoded: Json) -> Fact:
        """The inverse of `to_json`."""
        return cls(**encoded)


def of_files(told: Json) -> Json:
    """What a result or a message tells of the project's files: `{git?, files?}`."""
    return {name: told[name] for name in ("git", "files") if told.get(name)}
