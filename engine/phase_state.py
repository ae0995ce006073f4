"""One phase of a run as the facts so far tell it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.breaker_step import Circuit
from engine.gates.records import Gate
from engine.plan import PhasePlan
from engine.statuses import PhaseStatus, is_done

Json = dict[str, Any]

CONFLICT = "context_conflict"
"""The code of a phase's error whose writes to the shared context could not be merged."""

SETTLED = frozenset({"completed", "failed", "cancelled", "skipped"})


@dataclass(slots=True)
class PhaseState:
    """One phase of a run. `held`: cancelled with its group and not settled, it waits for a decision.

    `turn_at`: when the agents of the present turn began. Sequences are replaced when they change, never changed.
    """

    plan: PhasePlan
    status: PhaseStatus = "pending"
    epoch: int = 0
    turn: int = 0
    open_needs: int = 0
    bad_needs: int = 0
    active: set[int] = field(default_factory=set)
    persons: tuple[int, ...] = ()
    cancelling: str | None = None
    held: bool = False
    agent_outputs: dict[int, Json] = field(default_factory=dict)
    outputs: Json = field(default_factory=dict)
    error: Json | None = None
    results: list[Json] = field(default_factory=list)
    failures: Sequence[Json] = ()
    edits: Json | None = None
    started_at: float | None = None
    turn_at: float | None = None
    finished_at: float | None = None
    deadline_at: float | None = None
    remind_at: float | None = None
    """When the phase is due, and when its people are reminded next; None once that no longer counts."""
    troubled: bool = False
    """It failed, and has not completed since."""
    recovered: bool = False
    """It completed after a failure, of an earlier epoch or attempt."""
    actor: str | None = None
    reason: str | None = None
    jumped_to: bool = False
    """Control came here by a jump: the phase runs whatever it needs, also one that only runs then."""
    anew: bool = False
    """It was reset by a jump: none of its items counts any more."""
    gates: Sequence[Gate] = ()
    at_gate: int | None = None
    """Which of its gates the phase has come to; None before its agents are done."""
    circuit: Circuit | None = None
    """What its circuit breaker has counted; None where it has none, and after a success."""
    feedback: Sequence[Json] = ()
    """Changes that were asked for: `{by, comment, gate}`, for the agents of the next epochs."""

    review_rounds: dict[int, int] = field(default_factory=dict)
    """How often the reviewers of its gates, by number, have had the phase done again."""
    review_history: Sequence[Json] = ()
    """What reviewers said of it in all epochs: `{gate, epoch, round, reviewer, verdict, comment}`."""
    base: int = 0
    """The version of the shared context that the agents of the present turn read: what it was when the turn began."""
    conflicts: dict[int, Json] = field(default_factory=dict)
    """What agents have written that is not in the shared context yet, by their positions (`engine.context.records`)."""
    merging: int | None = None
    """The position of the agent whose writes are being merged."""
    stale: Json = field(default_factory=dict)
    """Keys that others changed while an agent worked with them: `{key: {read, now}}`, versions."""
    reruns: int = 0
    """How often it began again by itself, because what it wrote was against an invariant."""

    @property
    def gate(self) -> Gate | None:
        """The gate that the phase has come to."""
        return None if self.at_gate is None else self.gates[self.at_gate]

    @property
    def undecided(self) -> bool:
        """Its work is done, and somebody has to decide about what it wrote to the shared context."""
        return bool(self.conflicts) and (self.error or {}).get("code") == CONFLICT

    @property
    def settled(self) -> bool:
        """The phase has ended and what needs it may look at it."""
        return self.status in SETTLED and not self.held

    @property
    def satisfied(self) -> bool:
        """Settled so that dependents may run: completed, or skipped on purpose."""
        return is_done(self.status, self.reason)
