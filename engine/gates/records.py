"""One gate of a phase as the run's facts tell it: its checks' last results, votes, reminders, due times."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from engine.gates.plans import ApprovalPlan, GatePlan
from engine.moments import next_after

Json = dict[str, Any]

GateStatus = Literal["pending", "checking", "reviewing", "waiting", "passed", "failed", "waived"]

STAND_IN = ApprovalPlan()
"""Who decides where reviewers could not and the gate names no people: anyone, on the evidence."""


@dataclass(slots=True)
class Gate:
    """One gate of one phase in its present epoch.

    `checks` is `{status, passed, failed, skipped, total, results[]}` of the last round; `evidence` the digest that a
    decision has to name; `votes` the last decision of each person that still counts. `reviews` are what the reviewers
    said in this round (`{reviewer, verdict, comment}` or `{reviewer, error}`), `review` what that came to
    (`{outcome, reason}`); `batch` is the number of the consultation that the gate is decided in.
    """

    plan: GatePlan
    status: GateStatus = "pending"
    round: int = 0
    checks: Json | None = None
    tree: str | None = None
    evidence: str | None = None
    opened_at: float | None = None
    waiting_since: float | None = None
    settled_at: float | None = None
    deadline_at: float | None = None
    remind_at: float | None = None
    reminders: int = 0
    escalated: bool = False
    votes: dict[str, Json] = field(default_factory=dict)
    delegates: dict[str, str] = field(default_factory=dict)
    """Who was asked to decide instead of whom: the delegate's name leads to the other."""
    reason: str | None = None
    actor: str | None = None
    reviews: list[Json] = field(default_factory=list)
    review: Json | None = None
    batch: int | None = None

    def opened(self, at: float) -> None:
        """The checks begin, the first time or again: what was decided before no longer counts."""
        if self.checks is not None or self.opened_at is not None:
            self.round += 1
        self.status = "checking"
        self.opened_at = at
        self.evidence = self.tree = None
        self.votes = {}
        self.settled_at = self.waiting_since = self.deadline_at = self.remind_at = None
        self.reminders = 0
        self.escalated = False
        self.reason = self.actor = None
        self.reviews = []
        self.review = self.batch = None

    def checked(self, data: Json, at: float) -> None:
        """The checks have ended; where they passed and people are to decide, these are waited for now."""
        self.checks = {name: data[name] for name in ("status", "passed", "failed", "skipped", "total", "results")}
        self.tree = data.get("tree")
        self.evidence = data.get("evidence")
        if data["status"] == "passed" and self.plan.review is not None:
            self.status = "reviewing"
        elif data["status"] == "passed" and self.plan.approval is not None:
            self.ask(at)

    def reviewed(self, review: Json, at: float) -> None:
        """The reviewers have spoken; people are asked where the gate names some, or where reviewers did not decide."""
        self.review = review
        if review["outcome"] != "changes" and self.approval is not None:
            self.ask(at)

    def ask(self, at: float) -> None:
        """From now on people are waited for. Without a review that approved nothing comes of a deadline."""
        approval = self.approval
        assert approval is not None
        self.status = "waiting"
        self.waiting_since = at
        decided = self.review is None or self.review["outcome"] == "approved"
        self.deadline_at = at + approval.deadline if approval.deadline is not None and decided else None
        self.remind_at = at + approval.remind if approval.remind is not None else None

    @property
    def approval(self) -> ApprovalPlan | None:
        """Who decides, where people do: those the gate names, or anyone where its reviewers came to no decision."""
        undecided = self.review is not None and self.review["outcome"] != "approved"
        return STAND_IN if self.plan.approval is None and undecided else self.plan.approval

    def reminded(self, at: float) -> None:
        """The people have been reminded; the next reminder is due after the same time."""
        assert self.plan.approval is not None
        assert self.plan.approval.remind is not None
        assert self.remind_at is not None
        self.reminders += 1
        self.remind_at = next_after(self.remind_at, self.plan.approval.remind, at)

    def escalate(self, at: float) -> None:
        """Others are asked too, and have as long as the first ones had."""
        assert self.plan.approval is not None
        assert self.plan.approval.deadline is not None
        self.escalated = True
        self.deadline_at = at + self.plan.approval.deadline
        if self.plan.approval.remind is not None:
            self.remind_at = at + self.plan.approval.remind

    @property
    def people(self) -> tuple[str, ...]:
        """Who may decide now, delegates apart; nobody named: anyone."""
        approval = self.approval
        if approval is None:
            return ()
        return (*approval.people, *(approval.escalate_to if self.escalated else ()))

    @property
    def approvals(self) -> int:
        """How many have approved so far."""
        return sum(1 for vote in self.votes.values() if vote["decision"] == "approve")
