"""What a plan says of gates: checks, reviewers, and people who decide."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from engine.agents import AgentPlan, OutputPlan

Json = dict[str, Any]

GATE = "gate"
"""The executor of a gate's checks."""

OnDeadline = Literal["escalate", "approve", "reject", "fail", "pause"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPlan:
    """One check of a gate: a condition `expr` (no `${}`), or a command: `run`, templates, or `shell`, as it stands.

    `detect` names a kind of check whose command is found out from the files of the project, on the worker.
    `gate` is the gate that declares it; a gate that includes others has their checks first.
    """

    name: str
    gate: str
    expr: str | None = None
    detect: str | None = None
    run: tuple[str, ...] = ()
    shell: str | None = None
    fix: tuple[str, ...] = ()
    timeout: float | None = None
    ok_exit_codes: tuple[int, ...] = (0,)
    env: Json = field(default_factory=dict)
    pass_env: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalPlan:
    """Who decides about a gate: `people` are names (groups are resolved at compile); nobody named: anyone.

    `deadline` and `remind` count in seconds from the moment the gate waits for people. `form_order` is the order of the
    fields as they were written, unless that is the alphabet's: JSON objects on their way through Temporal lose theirs.
    """

    people: tuple[str, ...] = ()
    need: int = 1
    deadline: float | None = None
    remind: float | None = None
    on_deadline: OnDeadline = "pause"
    escalate_to: tuple[str, ...] = ()
    after_escalation: OnDeadline = "pause"
    evidence: Literal["required", "optional"] = "required"
    self_approval: bool = False
    delegation: bool = True
    form: dict[str, OutputPlan] = field(default_factory=dict)
    form_order: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPlan:
    """Which agents review what stands at a gate, and how many of them have to approve (0: all who do not only comment).

    `max_rounds` is how often they may have the phase done again; `together`: the gate waits for the other members of
    its parallel group that are at work. `timeout` is for one reviewer's run, in seconds.
    """

    reviewers: tuple[AgentPlan, ...]
    need: int = 0
    max_rounds: int = 3
    together: bool = False
    prompt: str | None = None
    timeout: float = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePlan:
    """What must hold before control leaves a phase: checks, then a review by agents, then people's approval."""

    id: str
    description: str = ""
    checks: tuple[CheckPlan, ...] = ()
    approval: ApprovalPlan | None = None
    skippable: bool = True
    timeout: float | None = None
    review: ReviewPlan | None = None

    @property
    def needs_host(self) -> bool:
        """Whether something has to be run or read where the workspace is."""
        bound = self.approval is not None and self.approval.evidence == "required"
        return bound or self.review is not None or any(check.expr is None for check in self.checks)
