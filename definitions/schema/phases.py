"""One phase (a step is the same thing) and what stands in it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from definitions.schema.agents import Outputs, Role
from definitions.schema.deferred import (
    Budget,
    Builders,
    Cache,
    Checkpoints,
    Compensation,
    ContextRequirements,
    CrossValidation,
    Jump,
    ResourceRequirements,
    Synchronization,
    Workspace,
)
from definitions.schema.gates import Approval
from definitions.schema.notices import Hooks
from definitions.schema.scalars import (
    Access,
    Condition,
    Duration,
    Estimate,
    Exact,
    Id,
    JsonValue,
    Limit,
    Line,
    OnFailureWord,
    Pattern,
    Text,
    Timeout,
    found,
    refusal,
)
from engine.expansion import ITEMS_LIMIT, problem_of

DEFERRED = (
    "synchronization",
    "resource_requirements", "resource_isolation", "execution_mode", "context_sharing", "cross_validation",
    "compensation", "budget", "cache", "workspace", "builders", "priority",
)  # fmt: skip
"""The keys of a phase that are kept and not in effect yet."""


class Need(Exact):
    """One dependency. Only `data` waits; `context` is used if it is there, `validation` is checked afterwards."""

    phase: Line
    kind: Literal["data", "context", "validation"] = "data"


def _need(value: object) -> object:
    if isinstance(value, str):
        return {"phase": value}
    if not isinstance(value, dict):
        hint = f"quote it: '{value}'" if isinstance(value, int | float) and not isinstance(value, bool) else ""
        raise refusal("PL102", f"expected the id of a phase, found {found(value)}", hint)
    return value


def _needs(value: object) -> object:
    return [value] if isinstance(value, str | int | float) else value


Needs = Annotated[
    list[Annotated[Need, BeforeValidator(_need, json_schema_input_type=str | Need)]],
    BeforeValidator(_needs, json_schema_input_type=str | list[str | Need]),
]
"""What a phase waits for; one id may stand without a list."""


def _written_needs(value: object) -> object:
    if value is None:
        hint = "write [] for a phase that waits for nothing, or leave the key out"
        raise refusal("PL102", "nothing stands after 'depends_on'", hint)
    return value


def _for_each(value: object) -> object:
    if isinstance(value, list):
        if (problem := problem_of(value)) is not None:
            raise refusal("PL110", problem, "put what is large into files, and give their names")
        return value
    if isinstance(value, str) and "${" in value:
        return value
    raise refusal("PL102", "'for_each' takes a list, or an expression that yields one")


ForEach = Annotated[
    JsonValue, BeforeValidator(_for_each), WithJsonSchema({"anyOf": [{"type": "array"}, {"type": "string"}]})
]


class Retry(Exact):
    """How often and after what pause a failed attempt is repeated: `min(initial * factor ** n, maximum)` ± `jitter`."""

    on: list[Literal["transient", "deterministic", "quality", "system"]] | None = Field(default=None, min_length=1)
    """The classes of failures that are repeated. Not written: all but those that an attempt can only repeat."""
    max_attempts: Annotated[int, Field(ge=1, le=100)] = 3
    initial: Duration = 5.0
    factor: Annotated[float, Field(ge=1, le=100)] = 2.0
    maximum: Duration = 120.0
    jitter: Annotated[float, Field(ge=0, le=1)] = 0.2


def _retry(value: object) -> object:
    return {"max_attempts": value} if isinstance(value, int | float | str) else value


RetryRule = Annotated[Retry, BeforeValidator(_retry, json_schema_input_type=int | Retry)]
"""A retry rule, or the number of attempts alone."""


class CircuitBreaker(Exact):
    """When a phase is no longer started in a run, over all its epochs, and how long that lasts."""

    max_attempts: Annotated[int, Field(ge=1, le=1000)] = 5
    """Failed attempts since it last completed."""
    max_error_repeats: Annotated[int, Field(ge=1, le=1000)] = 3
    """The same error in a row."""
    cooldown: Duration = 60.0
    """After it one attempt may show whether the phase works again."""


class Phase(Exact):
    """One phase: who works on it, what it waits for, how it is carried out."""

    id: Id | None = None
    """Default: the slug of the name."""
    name: Line | None = None
    """Default: the id."""
    description: Text = ""
    agents: list[Annotated[Line, WithJsonSchema({"type": "string"})]] | None = None
    """Roles. No role and no tool: a person."""
    agents_mode: Literal["in_turn", "parallel"] = "in_turn"
    parallel: bool = False
    """Adjacent parallel phases are one group: they start together."""
    depends_on: Annotated[Needs | None, BeforeValidator(_written_needs, json_schema_input_type=Needs)] = None
    """Not written: the phase comes after the group before it. An empty list: it waits for nothing."""
    prompt: Text | None = None
    if_: Condition | None = Field(default=None, alias="if")
    always: bool = False
    """Runs after failures too."""
    on_failure: OnFailureWord | None = None
    timeout: Timeout | None = None
    retry: RetryRule | None = None
    outputs: Outputs = Field(default_factory=dict)
    inputs: list[Text] = Field(default_factory=list)
    """Outputs of earlier phases or roles that this phase reads: `analyst.target_users`."""
    estimated_duration: Estimate | None = None
    estimate: Estimate | None = None
    for_each: ForEach | None = None
    """The phase runs once per item of this list; `item` and `item_index` are what each of them sees."""
    max_parallel: Annotated[int, Field(ge=1, le=ITEMS_LIMIT)] | None = None
    """So many items run at once, as far as there are workers. Not written: no further limit."""
    tool: Role | None = None
    """`sh` runs the tasks, `aider` is given them; another word is a role."""
    tasks: list[Text] = Field(default_factory=list)
    acceptance_tests: list[Text] = Field(default_factory=list)
    files_scope: list[Pattern] = Field(default_factory=list)
    files_create: list[Pattern] = Field(default_factory=list)
    metadata: dict[str, JsonValue] = Field(default_factory=dict)

    on_jump: bool = False
    next: list[Jump] = Field(default_factory=list)
    gates: list[Line] = Field(default_factory=list)
    approval: Approval | None = None
    deadline: Limit | None = None
    """Counted from its start, whoever works on it; a phase that is late has failed."""
    remind: Limit | None = None
    """So often somebody is reminded while it runs, or waits for a decision."""
    synchronization: Synchronization | None = None
    circuit_breaker: CircuitBreaker | None = None
    resource_requirements: ResourceRequirements | None = None
    resource_isolation: bool | None = None
    execution_mode: Text | None = None
    context: ContextRequirements | None = None
    context_requirements: ContextRequirements | None = None
    context_access: Access | None = None
    context_sharing: Text | None = None
    cross_validation: CrossValidation | Text | None = None
    compensation: Compensation | None = None
    budget: Budget | None = None
    hooks: Hooks | None = None
    checkpoints: Checkpoints | None = None
    cache: Cache | None = None
    workspace: Workspace | None = None
    builders: Builders | None = None
    priority: Annotated[float, Field(ge=0, le=1000)] | None = None
    independent: bool = False

    @model_validator(mode="after")
    def _makes_sense(self) -> Phase:
        if self.name is None and self.id is None:
            raise refusal("PL105", "a phase needs a 'name' or an 'id'")
        if self.agents and self.tool is not None:
            raise refusal("PL111", "'agents' and 'tool' exclude each other", "a tool is the one agent of its step")
        if self.estimate is not None and self.estimated_duration is not None:
            raise refusal("PL111", "'estimate' and 'estimated_duration' are the same: keep one of them")
        if self.max_parallel is not None and self.for_each is None:
            raise refusal(
                "PL111",
                "'max_parallel' is about the items of 'for_each', and there is none",
                "phases together are limited by execution.max_workers, or a step group",
            )
        return self

    @property
    def reads(self) -> tuple[tuple[str, int, str], ...]:
        """What `inputs` and the context keys name as `producer.output`: (key of the phase, position, text)."""
        named = [("inputs", position, text) for position, text in enumerate(self.inputs)]
        for key, context in (("context", self.context), ("context_requirements", self.context_requirements)):
            if context is not None:
                named += [(key, position, text) for position, text in enumerate(context.read) if "." in text]
        return tuple(named)
