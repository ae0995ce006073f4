"""The whole of a definition, the configuration of a project, and the JSON schema that editors use for them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema, model_validator

from definitions import durations
from definitions.diagnostics import did_you_mean
from definitions.schema.agents import Agent
from definitions.schema.deferred import (
    AdaptiveScaling,
    Barrier,
    Budget,
    Builders,
    Cache,
    Checkpoints,
    CompensationPolicy,
    ConflictPrevention,
    ContextConflicts,
    DeclaredKey,
    ResourceManager,
    Synchronization,
    Workspace,
)
from definitions.schema.gates import Gate
from definitions.schema.notices import Hooks, ProjectNotices, Targets
from definitions.schema.phases import Phase, RetryRule
from definitions.schema.scalars import (
    NEVER,
    Exact,
    Id,
    JsonValue,
    Kept,
    Line,
    Name,
    OnFailureWord,
    Text,
    TypeWord,
    beyond,
    found,
    is_expression,
    refusal,
    whole,
)
from definitions.schema.signing import Signing
from definitions.schema.upkeep import Address, Logs, Server
from definitions.storage import problem_of
from definitions.yaml_reader import is_beyond

MAX_WORKERS = 1000
"""The most activities that one run may have open at a Temporal server."""

DEFERRED = (
    "barriers", "synchronization", "resource_manager", "barrier_synchronization",
    "caching_system", "performance_monitoring", "parallel_configuration",
    "budget", "caches", "builders", "workspace", "compensation", "prefetch",
)  # fmt: skip
"""The keys of a definition that are kept and not in effect yet."""

IN_PART = {"context_conflicts": ("consistency", "max_reruns"), "conflict_prevention": ("ownership_rules",)}
"""Blocks of which only these keys are in effect; whatever else stands in them is kept."""


def _boolean(value: object) -> bool | str:
    if isinstance(value, bool):
        return value
    if is_expression(value):
        return str(value)
    words = {"yes": "true", "on": "true", "no": "false", "off": "false"}
    hint = f"write {words[value.lower()]}" if isinstance(value, str) and value.lower() in words else ""
    raise refusal("PL102", f"expected true, false or an expression, found {found(value)}", hint)


def _workers(value: object) -> int | str:
    if value == "auto" or is_expression(value):
        return str(value)
    if is_beyond(value):
        raise refusal("PL110", beyond(value), f"1 to {MAX_WORKERS}, or auto")
    if isinstance(value, bool) or not isinstance(value, int):
        message = f"expected a whole number, 'auto' or an expression, found {found(value)}"
        raise refusal("PL102", message, whole(value))
    if not 1 <= value <= MAX_WORKERS:
        raise refusal("PL110", f"{value} workers can do nothing" if value < 1 else f"at most {MAX_WORKERS} workers")
    return value


def _seconds(value: object) -> float | str:
    if is_expression(value):
        return str(value)
    try:
        return durations.seconds(value)
    except durations.DurationError as error:
        code = "PL110" if "negative" in str(error) else "PL104"
        raise (refusal("PL110", str(error)) if code == "PL110" else refusal("PL104", str(error))) from None


def _limit(value: object) -> float | str:
    if value == NEVER:
        return NEVER
    length = _seconds(value)
    if length == 0:
        raise refusal("PL110", "a limit of 0 seconds ends everything before it begins")
    return length


def _word(value: object) -> str:
    if value in ("pause", "isolate", "fail_fast") or is_expression(value):
        return str(value)
    hint = did_you_mean(value, ("pause", "isolate", "fail_fast")) if isinstance(value, str) else ""
    raise refusal("PL106", f"expected pause, isolate, fail_fast or an expression, found {found(value)}", hint)


boolean, workers, delay, limit, word = _boolean, _workers, _seconds, _limit, _word
"""The validators of the `execution` block: compile uses them again for what an expression yielded."""

_DURATION = {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string"}]}
_BOOLEAN = {"anyOf": [{"type": "boolean"}, {"type": "string", "pattern": r"\$\{"}]}
_WORKERS = {"anyOf": [{"type": "integer", "minimum": 1, "maximum": MAX_WORKERS}, {"type": "string"}]}


def _switch(value: object) -> object:
    return {"enabled": value} if isinstance(value, bool) else value


class Execution(Exact):
    """How runs are carried out. Every value may be an expression over `env`; it is resolved once, at start."""

    parallel: Annotated[bool | str, PlainValidator(_boolean), WithJsonSchema(_BOOLEAN)] = True
    max_workers: Annotated[int | str, PlainValidator(_workers), WithJsonSchema(_WORKERS)] = 3
    timeout_per_step: Annotated[float | str, PlainValidator(_limit), WithJsonSchema(_DURATION)] = 300.0
    rate_limit_delay: Annotated[float | str, PlainValidator(_seconds), WithJsonSchema(_DURATION)] = 0.0
    on_failure: Annotated[OnFailureWord | str, PlainValidator(_word), WithJsonSchema({"type": "string"})] = "pause"
    retry: RetryRule | None = None
    adaptive_scaling: (
        Annotated[AdaptiveScaling, BeforeValidator(_switch, json_schema_input_type=bool | AdaptiveScaling)] | None
    ) = None


class Input(Exact):
    """One input of a run. Required unless it has a default or says otherwise."""

    type: TypeWord = "any"
    default: JsonValue = None
    required: bool | None = None
    description: Text = ""


def _input(value: object) -> object:
    if value is None:
        return {}
    return {"type": value} if isinstance(value, str) else value


class StepGroup(Exact):
    """Phases of which only so many run at once."""

    id: Id
    steps: list[Line] | None = Field(default=None, min_length=1)
    phases: list[Line] | None = Field(default=None, min_length=1)
    execute: Literal["parallel", "sequential"] = "parallel"
    max_workers: Annotated[int, Field(ge=1, le=MAX_WORKERS)] | None = None
    description: Text = ""

    @model_validator(mode="after")
    def _makes_sense(self) -> StepGroup:
        if (self.steps is None) == (self.phases is None):
            raise refusal("PL105" if self.steps is None else "PL111", "a group names its members once, under 'steps'")
        if self.execute == "sequential" and (self.max_workers or 1) > 1:
            raise refusal("PL111", f"'execute: sequential' and 'max_workers: {self.max_workers}' exclude each other")
        return self

    @property
    def members(self) -> tuple[str, list[str]]:
        """The key that names the members, and the members."""
        return ("steps", self.steps) if self.steps is not None else ("phases", self.phases or [])


def _version(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise refusal("PL102", f"expected a version, found {found(value)}")
    return str(value)


def _written(value: object) -> object:
    if value is None:
        raise refusal("PL102", "expected a list of phases, found nothing")
    return value


_Listed = Annotated[list[Phase], Field(min_length=1)]
Phases = Annotated[_Listed | None, BeforeValidator(_written, json_schema_input_type=_Listed)]


class Definition(Exact):
    """A definition: phases in order, who does them, how they are carried out."""

    schema_: str | None = Field(default=None, alias="$schema")
    id: Id | None = None
    """Default: the file's name."""
    name: Line | None = None
    description: Text = ""
    version: Annotated[str, PlainValidator(_version), WithJsonSchema({"type": ["string", "number"]})] = "1"
    inputs: dict[Name, Annotated[Input, BeforeValidator(_input, json_schema_input_type=TypeWord | Input | None)]] = (
        Field(default_factory=dict)
    )
    agents: dict[Line, Agent] = Field(default_factory=dict)
    execution: Execution = Execution()
    phases: Phases = None
    steps: Phases = None
    step_groups: list[StepGroup] = Field(default_factory=list)
    completion_signals: list[Line] = Field(default_factory=list)
    metadata: dict[str, JsonValue] = Field(default_factory=dict)

    gates: dict[Id, Gate] = Field(default_factory=dict)
    barriers: list[Barrier] = Field(default_factory=list)
    synchronization: Synchronization | None = None
    resource_manager: ResourceManager | None = None
    barrier_synchronization: Kept | None = None
    context_conflicts: ContextConflicts | None = None
    caching_system: Kept | None = None
    performance_monitoring: Kept | None = None
    conflict_prevention: ConflictPrevention | None = None
    parallel_configuration: Kept | None = None
    context: dict[Name, DeclaredKey] = Field(default_factory=dict)
    hooks: Hooks | None = None
    budget: Budget | None = None
    checkpoints: Checkpoints | None = None
    caches: dict[str, Cache] = Field(default_factory=dict)
    builders: Builders | None = None
    workspace: Workspace | None = None
    notifications: Targets | None = None
    """Who is told of what; an empty list: nobody, whatever the project says."""
    compensation: CompensationPolicy | None = None
    prefetch: bool | None = None
    groups: dict[str, list[Line]] = Field(default_factory=dict)
    """Groups of people, for approvals; they win over those of the project."""

    @model_validator(mode="after")
    def _has_phases_once(self) -> Definition:
        if self.phases is not None and self.steps is not None:
            raise refusal("PL111", "'phases' and 'steps' are the same: keep one of them")
        if self.phases is None and self.steps is None:
            raise refusal("PL105", "'phases' is missing")
        return self

    @property
    def phase_key(self) -> str:
        """The key that the file uses for its phases."""
        return "steps" if self.steps is not None else "phases"

    @property
    def ordered(self) -> list[Phase]:
        """The phases in the order of the file."""
        return (self.steps if self.steps is not None else self.phases) or []


def _store(value: object) -> str:
    if not isinstance(value, str):
        raise refusal("PL102", f"expected the URL of a store, found {found(value)}")
    if (problem := problem_of(value)) is not None:
        raise refusal("PL106", *problem)
    return value


class Artifacts(Exact):
    """Where what agents make is kept."""

    store: Annotated[str, PlainValidator(_store), WithJsonSchema({"type": "string", "format": "uri"})] | None = None
    """`s3://bucket/folder`, `gs://…`, `az://…` or `file:///…`; by default `.phaseloom/artifacts`."""


class ProjectFile(Exact):
    """`phaseloom.yaml`: what holds for every definition of a project, unless it or a phase says otherwise."""

    schema_: str | None = Field(default=None, alias="$schema")
    name: Line | None = None
    execution: Execution = Execution()
    agents: dict[Line, Agent] = Field(default_factory=dict)
    """Bindings of roles: they win over those of a definition."""
    catalogs: list[Text] = Field(default_factory=list)
    """Further directories with definitions, relative to the project."""
    users: list[Line] = Field(default_factory=list)
    """The people of the project: with any, nobody else decides about gates."""
    groups: dict[str, list[Line]] = Field(default_factory=dict)
    """Groups of people who decide about gates: `group:leads` in an approval."""
    signing: Signing = Signing()
    """The public keys of people: with any, decisions have to be signed."""
    artifacts: Artifacts | None = None
    server: Server = Server()
    logs: Logs = Logs()
    metrics: Address | None = None
    """Where its worker tells Prometheus its metrics."""
    checkpoints: Checkpoints | None = None
    budget: Budget | None = None
    notifications: ProjectNotices | None = None
    metadata: dict[str, JsonValue] = Field(default_factory=dict)


PROJECT_DEFERRED = ("budget",)
"""The keys of a project file that are kept and not in effect yet."""


def json_schema(kind: Literal["definition", "project"] = "definition") -> dict[str, Any]:
    """The JSON schema of the native format, for editors."""
    model = Definition if kind == "definition" else ProjectFile
    schema = model.model_json_schema(by_alias=True)
    title = "Phaseloom definition" if kind == "definition" else "Phaseloom project"
    schema["patternProperties"] = {"^x-": {}}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": title}
