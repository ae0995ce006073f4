"""Gates and approvals as they are written."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from definitions.schema.agents import Outputs, Role
from definitions.schema.scalars import (
    Count,
    EnvText,
    Exact,
    Id,
    Limit,
    Line,
    Name,
    Text,
    beyond,
    found,
    refusal,
    whole,
)
from definitions.yaml_reader import is_beyond


class Check(Exact):
    """One check of a gate: a command, an expression, or what the project itself shows how to check (`detect`)."""

    name: Line
    description: Text = ""
    run: list[Text] | None = Field(default=None, min_length=1)
    shell: Text | None = None
    expr: Text | None = None
    detect: Literal["lint", "format", "types", "tests", "coverage", "security", "build"] | None = None
    """Found out where the worker runs, from the files of a Python or Node project."""
    fix: list[Text] | None = Field(default=None, min_length=1)
    timeout: Limit | None = None
    ok_exit_codes: list[Annotated[int, Field(ge=0, le=255)]] = Field(default_factory=lambda: [0], min_length=1)
    env: dict[Name, EnvText] = Field(default_factory=dict)
    pass_env: list[Name] = Field(default_factory=list)

    @model_validator(mode="after")
    def _one_way_to_check(self) -> Check:
        written = [key for key in ("run", "shell", "expr", "detect") if getattr(self, key) is not None]
        if len(written) > 1:
            raise refusal("PL111", f"'{written[0]}' and '{written[1]}' exclude each other")
        if not written:
            raise refusal("PL105", "a check needs 'run', 'shell', 'expr' or 'detect'")
        if self.expr is not None and self.fix is not None:
            raise refusal("PL111", "'expr' and 'fix' exclude each other", "a command can be fixed, a condition cannot")
        return self


def _approve(value: object) -> int | str:
    if value in ("all", "any"):
        return str(value)
    if is_beyond(value):
        raise refusal("PL110", beyond(value))
    if isinstance(value, bool) or not isinstance(value, int):
        raise refusal("PL106", f"expected all, any or a whole number, found {found(value)}", whole(value))
    if value < 1:
        raise refusal("PL110", f"{found(value)} is too small: at least 1")
    return value


_APPROVE = {"anyOf": [{"enum": ["all", "any"], "type": "string"}, {"minimum": 1, "type": "integer"}]}


class Approval(Exact):
    """Who decides, how many of them, and what happens when they do not."""

    by: list[Text] = Field(default_factory=list)
    """Users (`ana`) and groups (`group:leads`)."""
    need: Count = 1
    deadline: Limit | None = None
    remind: Limit | None = None
    on_deadline: Literal["escalate", "approve", "reject", "fail", "pause"] = "pause"
    escalate_to: list[Text] = Field(default_factory=list)
    after_escalation: Literal["approve", "reject", "fail", "pause"] = "pause"
    """What happens when those it was escalated to do not decide in the same time either."""
    evidence: Literal["required", "optional"] = "required"
    self_approval: bool = False
    delegation: bool = True
    form: Outputs = Field(default_factory=dict)

    @model_validator(mode="after")
    def _can_be_had(self) -> Approval:
        if self.on_deadline == "escalate" and not self.escalate_to:
            raise refusal("PL105", "'on_deadline: escalate' needs 'escalate_to'")
        if self.after_escalation != "pause" and self.on_deadline != "escalate":
            raise refusal("PL111", "'after_escalation' says nothing without 'on_deadline: escalate'")
        if self.on_deadline != "pause" and self.deadline is None:
            raise refusal("PL105", f"'on_deadline: {self.on_deadline}' needs a 'deadline'")
        return self


OF_REVIEWERS = ("approve", "max_rounds", "consult", "review_prompt", "review_timeout")
"""Keys of a gate that are about its reviewers."""


class Gate(Exact):
    """What must hold before control leaves a phase."""

    description: Text = ""
    checks: list[Check] = Field(default_factory=list)
    approval: Approval | None = None
    skippable: bool = True
    includes: list[Id] = Field(default_factory=list)
    """Other gates whose checks count here too."""
    timeout: Limit | None = None
    reviewers: list[Role] = Field(default_factory=list)
    """Agents that review what stands at the gate, after its checks and before people."""
    approve: Annotated[Literal["all", "any"] | int, PlainValidator(_approve), WithJsonSchema(_APPROVE)] = "all"
    """How many reviewers have to approve; `all`: nobody requests changes, and not everybody only comments."""
    max_rounds: Annotated[int, Field(ge=0)] = 3
    """How often reviewers may have the phase done again before a person decides."""
    consult: Literal["at_once", "together"] = "at_once"
    """`together`: with the members of the phase's parallel group that are still at work."""
    review_prompt: Text | None = None
    review_timeout: Limit = 900.0
    """For one reviewer's run."""

    @model_validator(mode="after")
    def _has_something_to_check(self) -> Gate:
        if not self.checks and self.approval is None and not self.includes and not self.reviewers:
            raise refusal("PL105", "a gate needs 'checks', 'reviewers', 'approval' or 'includes'")
        written = [key for key in OF_REVIEWERS if key in self.model_fields_set]
        if written and not self.reviewers:
            raise refusal("PL111", f"'{written[0]}' says nothing without 'reviewers'")
        if isinstance(self.approve, int) and self.approve > len(self.reviewers) > 0:
            raise refusal("PL110", f"{self.approve} reviewers have to approve, and there are {len(self.reviewers)}")
        return self
