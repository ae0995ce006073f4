"""What later work gives its effect. It is checked and kept in the plan, and `validate` and start name it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from definitions.schema.scalars import (
    Access,
    Condition,
    Count,
    Duration,
    Exact,
    JsonValue,
    Kept,
    Level,
    Limit,
    Line,
    RelativePath,
    Text,
    Timeout,
    TypeWord,
    Units,
)


def _kind_alone(value: object) -> object:
    return {"type": value} if isinstance(value, str) else value


class Jump(Exact):
    """Where control goes after a phase when the condition holds."""

    if_: Condition = Field(default=True, alias="if")
    go_to: Line
    max_rounds: Count | None = None


class CrossValidation(Kept):
    """Agents that check each other's results."""

    enabled: bool = True
    validation_agents: list[Text] = Field(default_factory=list)
    validation_timeout: Limit | None = None


_CrossValidation = Annotated[
    CrossValidation, BeforeValidator(_kind_alone, json_schema_input_type=str | CrossValidation)
]


class _Synchronization(Kept):
    type: Text | None = None
    barrier_type: Text | None = None
    timeout: Limit | None = None
    success_criteria: Text | None = None
    failure_criteria: Text | None = None
    partial_failure_handling: Text | None = None
    cross_validation: _CrossValidation | None = None


Synchronization = Annotated[
    _Synchronization, BeforeValidator(_kind_alone, json_schema_input_type=str | _Synchronization)
]
"""How members of a group are brought together: a mapping, or the name of a barrier alone."""


class Barrier(Kept):
    """Phases that wait for each other."""

    id: Line | None = None
    phases: list[Text] = Field(default_factory=list)
    synchronization: Synchronization | None = None
    timeout: Limit | None = None


class ResourceRequirements(Kept):
    """What a phase takes from the pools."""

    cpu: Level | None = None
    memory: Level | None = None
    context_access: Access | None = None


class ContextRequirements(Exact):
    """Which context keys a phase reads and writes."""

    read: list[Text] = Field(default_factory=list)
    write: list[Text] = Field(default_factory=list)
    access: Access | None = None


class Compensation(Exact):
    """What undoes a phase when the run is rolled back."""

    run: list[Text] | None = Field(default=None, min_length=1)
    shell: Text | None = None
    timeout: Limit | None = None
    order: int | None = None


class CompensationPolicy(Exact):
    """How compensations of a run are carried out."""

    on_failure: bool = False
    order: Literal["reverse", "declared"] = "reverse"
    on_compensation_failure: Literal["log_and_continue", "fail_fast", "retry_later"] = "log_and_continue"


class Budget(Exact):
    """What a run or a phase may use up."""

    tokens: Count | None = None
    cost: Annotated[float, Field(gt=0)] | None = None
    wall_time: Limit | None = None
    warn_at: Annotated[float, Field(gt=0, le=1)] = 0.8
    on_exceeded: Literal["halt", "ask"] = "halt"


class Checkpoints(Exact):
    """Which checkpoints are made by themselves, and how many of them are kept.

    `after`: every phase, parallel groups as a whole, no phase, or these phases. `keep`: so many, the newest; of a phase
    its own ones, of a definition or a project those of a run.
    """

    after: Literal["phase", "group", "never"] | list[Text] = "phase"
    keep: Count | None = None


def _switch(value: object) -> object:
    return {"enabled": value} if isinstance(value, bool) else value


class _Cache(Kept):
    enabled: bool = True
    lifetime: Duration | Literal["run"] | None = None
    max_size: Text | Units | None = None


Cache = Annotated[_Cache, BeforeValidator(_switch, json_schema_input_type=bool | _Cache)]


class _Workspace(Exact):
    mode: Literal["shared", "isolated"]
    path: RelativePath | None = None


def _workspace(value: object) -> object:
    return {"mode": value} if isinstance(value, str) else value


Workspace = Annotated[_Workspace, BeforeValidator(_workspace, json_schema_input_type=str | _Workspace)]


class _Builders(Exact):
    mode: Literal["worktree", "shared"]
    branch_prefix: Text | None = None
    target: Text | None = None
    resolver: Text | None = None


Builders = Annotated[_Builders, BeforeValidator(_workspace, json_schema_input_type=str | _Builders)]


class AdaptiveScaling(Kept):
    """How launches follow the load of the host."""

    enabled: bool = True
    load_threshold: Annotated[float, Field(gt=0)] | None = None
    min_workers: Count | None = None
    max_workers: Count | None = None
    interval: Limit | None = None


class ContextKey(Exact):
    """One key of the shared context."""

    owner: Line | None = None
    """The role or the phase that it belongs to. Not written: whoever declares to write it."""
    type: TypeWord = "any"
    invariant: Text | None = None
    """An expression over `context` that holds after every write of a key that it names."""
    default: JsonValue = None
    description: Text = ""


def _key_type(value: object) -> object:
    return {} if value is None else {"type": value} if isinstance(value, str) else value


DeclaredKey = Annotated[ContextKey, BeforeValidator(_key_type, json_schema_input_type=TypeWord | ContextKey | None)]
"""A context key, or its type alone."""


class ContextConflicts(Kept):
    """What follows a write that breaks an invariant: a person decides, or the phase runs again, so many times."""

    consistency: Literal["pause", "rerun"] | None = None
    max_reruns: Count | None = None


class _Computational(Kept):
    total_cpu_units: Units | None = None
    total_memory_units: Units | None = None
    concurrent_agent_limit: Count | None = None


class _ContextStore(Kept):
    concurrent_readers: Count | None = None
    concurrent_writers: Count | None = None
    lock_timeout: Limit | None = None


class _TemplateEngine(Kept):
    concurrent_renders: Count | None = None
    timeout: Timeout | None = None


class _ResourcePool(Kept):
    computational: _Computational | None = None
    context_store: _ContextStore | None = None
    template_engine: _TemplateEngine | None = None


class _Sharing(Kept):
    cpu_oversubscription: Annotated[float, Field(ge=1)] | None = None
    memory_strict: bool | None = None
    context_queuing: bool | None = None


class _AllocationStrategy(Kept):
    algorithm: Text | None = None
    priorities: dict[str, Units] = Field(default_factory=dict)
    resource_sharing: _Sharing | None = None


class ResourceManager(Kept):
    """Pools and how they are shared out."""

    resource_pool: _ResourcePool | None = None
    allocation_strategy: _AllocationStrategy | None = None


class ConflictPrevention(Kept):
    """Who owns which context keys."""

    ownership_rules: dict[str, list[Text]] = Field(default_factory=dict)
