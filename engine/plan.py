"""The plan: what a definition compiles to, and all that the engine and the workflow know of it.

A plan is immutable, holds no expression that still needs the environment, and travels to Temporal as the JSON of
`Plan.to_json` (fields at their default are left out, so 10,000 phases stay small). Durations are seconds.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, TypeVar, cast, get_args, get_origin, get_type_hints

Json = dict[str, Any]

OnFailure = Literal["pause", "isolate", "fail_fast"]
AgentsMode = Literal["in_turn", "parallel"]
NeedKind = Literal["data", "context", "validation"]
CheckpointAfter = Literal["phase", "group", "never"]
OutputType = Literal["any", "string", "integer", "number", "boolean", "list", "object"]

MANUAL = "manual"
"""The value of `AgentPlan.uses` for work that a person, or anything else that reports by message, does."""


TESTS = "acceptance-tests"
"""The role of the agent that compile appends, always last, where no single command could run the acceptance tests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often an attempt is repeated and how long to wait between attempts.

    The pause before attempt n+1 is `min(initial * factor ** (n - 1), maximum)`, spread by ±`jitter` (a share).
    With `every_failure` false what is repeated depends on a failure's class (`engine.failing`); an explicit `retry:` in
    the definition repeats every failure that is not final by nature, or those of the classes in `on`.
    """

    max_attempts: int = 3
    initial: float = 5.0
    factor: float = 2.0
    maximum: float = 120.0
    jitter: float = 0.2
    every_failure: bool = False
    on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StepBreaker:
    """When a phase is no longer started in a run: after so many failed attempts, or the same error in a row.

    `cooldown` seconds later one attempt may show whether it works again.
    """

    max_attempts: int = 5
    max_error_repeats: int = 3
    cooldown: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolBreaker:
    """When a tool is left alone in all runs: after `threshold` failures in a row, for `recovery` seconds."""

    tool: str
    threshold: int = 5
    recovery: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputPlan:
    """One declared output: its type, and for a command the expression (no `${}`) that yields it.

    `optional`: where nothing yields it, it is `default`.
    """

    type: OutputType = "any"
    value: str | None = None
    default: Any = None
    optional: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentPlan:
    """Who does a part of a phase. `uses` names the executor; `config` is the executor's own, validated at compile."""

    role: str
    uses: str = MANUAL
    config: Json = field(default_factory=dict)
    outputs: dict[str, OutputPlan] = field(default_factory=dict)
    breaker: ToolBreaker | None = None


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

    `deadline` and `remind` count in seconds from the moment the gate waits for people.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class HookPlan:
    """A command that runs on the worker when something happens: `run`, templates, or `shell`, as it stands."""

    run: tuple[str, ...] = ()
    shell: str | None = None
    timeout: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetPlan:
    """Who is told what: `to` is a URL, or `url_env` names the worker's variable that holds one.

    `on` are kinds of notices and `phases` indexes; nothing there: all of them. `schemes` are services that the project
    allows beside the known ones.
    """

    name: str
    to: str | None = None
    url_env: str | None = None
    on: tuple[str, ...] = ()
    phases: tuple[int, ...] = ()
    schemes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One dependency on the phase with index `phase`. `implicit`: it comes from the order in the file only."""

    phase: int
    kind: NeedKind = "data"
    implicit: bool = False


MAX_ROUNDS = 10
"""How often control goes one way where the definition does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JumpPlan:
    """Where control goes when a phase has completed or failed and the condition (no `${}`; None: always) holds."""

    to: int
    condition: str | None = None
    max_rounds: int = MAX_ROUNDS


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextKeyPlan:
    """One key of the shared context. `optional`: before anybody writes it, it is `default`.

    It belongs to the role `owner`, or to the phase with the index `phase`; with neither, to whoever declares to write
    it. `invariant` is a condition (no `${}`) that must hold after every write of a key that it names.
    """

    type: OutputType = "any"
    owner: str | None = None
    phase: int | None = None
    default: Any = None
    optional: bool = False
    invariant: str | None = None
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextRules:
    """What follows a write that makes an invariant false: a person decides, or the phase runs again, so often."""

    consistency: Literal["pause", "rerun"] = "pause"
    max_reruns: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class InputPlan:
    """One input of a run. Without `required`, a run that is not given it sees `default`."""

    type: OutputType = "any"
    default: Any = None
    required: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of a phase that runs once per item: `number` counts from 0 in the list of the phase `parent`."""

    parent: int
    number: int
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class PhasePlan:
    """One phase. `index` is its 0-based position in the definition and never changes; `id` is a slug.

    `group` is shared by adjacent `parallel: true` phases; `limits` are indexes into `Plan.step_groups`.
    `after_group` is an implicit data need on every phase of that group (the group before this phase in the file; kept
    as one number because needs one by one would be quadratic; after a single phase it is an implicit `Need` instead).
    `reads` are the dotted paths that templates and conditions of this phase name (`phases.design.outputs.contract`,
    `inputs.feature`). `deferred` holds what is validated and kept but not in effect yet, under its name in the file.

    `deadline` and `remind` count in seconds from the start of the phase. `hooks` are commands by what has happened
    (`failure`, `retry`, `recovery`, `circuit_open`); those of the plan run where a phase has none of its own.

    `checkpoint`: whether its completion is a checkpoint; `group`: with the last phase of its parallel group. Of the
    phase's own ones only the newest `keep_checkpoints` are kept, where that is set.

    `for_each` is the source of an expression that yields a list, or a list that may hold templates: the phase runs once
    per item, at most `max_parallel` at once, each as a phase of its own that is made when the list is known and has
    `item` set (`engine.expansion`). `list_reads` are the paths that `for_each` names. `inline` are outputs of this
    phase that another one's list comes from: they stay in the result even where others would become artifacts.
    `context_reads` are the keys of the shared context that its agents get, `context_writes` those that they may write.
    """

    id: str
    name: str
    index: int
    description: str = ""
    agents: tuple[AgentPlan, ...] = ()
    agents_mode: AgentsMode = "in_turn"
    needs: tuple[Need, ...] = ()
    after_group: int | None = None
    group: int | None = None
    condition: str | None = None
    always: bool = False
    on_failure: OnFailure = "pause"
    timeout: float | None = 300.0
    retry: Retry = Retry()
    breaker: StepBreaker | None = None
    prompt: str | None = None
    outputs: dict[str, OutputPlan] = field(default_factory=dict)
    reads: tuple[str, ...] = ()
    acceptance_tests: tuple[str, ...] = ()
    files_scope: tuple[str, ...] = ()
    files_create: tuple[str, ...] = ()
    estimate: tuple[float, float] | None = None
    limits: tuple[int, ...] = ()
    gates: tuple[GatePlan, ...] = ()
    jumps: tuple[JumpPlan, ...] = ()
    on_jump: bool = False
    deadline: float | None = None
    remind: float | None = None
    hooks: dict[str, HookPlan] = field(default_factory=dict)
    deferred: Json = field(default_factory=dict)
    checkpoint: CheckpointAfter = "phase"
    keep_checkpoints: int | None = None
    for_each: Any = None
    max_parallel: int | None = None
    list_reads: tuple[str, ...] = ()
    inline: tuple[str, ...] = ()
    context_reads: tuple[str, ...] = ()
    context_writes: tuple[str, ...] = ()
    item: Item | None = None

    @property
    def turns(self) -> tuple[tuple[int, ...], ...]:
        """Positions of the agents that work at once, in order; one person's turn covers adjacent manual agents."""
        if self.agents_mode == "parallel" and self.agents:
            last = len(self.agents) - 1
            if last and self.agents[last].role == TESTS:
                return tuple(range(last)), (last,)
            return (tuple(range(last + 1)),)
        turns: list[tuple[int, ...]] = []
        for position, agent in enumerate(self.agents):
            if turns and agent.uses == MANUAL and self.agents[turns[-1][-1]].uses == MANUAL:
                turns[-1] = (*turns[-1], position)
            else:
                turns.append((position,))
        return tuple(turns)

    @property
    def begins_with_worker(self) -> bool:
        """Whether its first turn has somebody who works on a worker."""
        first = self.turns[0] if self.turns and self.for_each is None else ()
        return any(self.agents[position].uses != MANUAL for position in first)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepGroup:
    """Phases of which at most `max_workers` run at once (1: one after another, in plan order)."""

    id: str
    phases: tuple[int, ...]
    max_workers: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """How a run is carried out. `max_workers` 0 means `auto`: the CPU count of the worker's host, asked at start."""

    parallel: bool = True
    max_workers: int = 3
    rate_limit_delay: float = 0.0
    on_failure: OnFailure = "pause"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A compiled definition.

    Of the automatic checkpoints of a run the newest `keep_checkpoints` are kept, where that is set.
    `digest` is the sha256 of the definition's canonical JSON; `kind` words the output of `run`; `deferred` is as in
    `PhasePlan`, for the whole definition. `signers` are the public keys of people, by name, as `ed25519:BASE64`: where
    there are any, decisions have to be signed (`engine.gates.signatures`).
    """

    id: str
    name: str
    description: str = ""
    version: str = "1"
    kind: Literal["workflow", "workstream"] = "workflow"
    source: str = ""
    digest: str = ""
    phases: tuple[PhasePlan, ...] = ()
    inputs: dict[str, InputPlan] = field(default_factory=dict)
    execution: Execution = Execution()
    step_groups: tuple[StepGroup, ...] = ()
    completion_signals: tuple[str, ...] = ()
    hooks: dict[str, HookPlan] = field(default_factory=dict)
    targets: tuple[TargetPlan, ...] = ()
    keep_checkpoints: int | None = None
    context: dict[str, ContextKeyPlan] = field(default_factory=dict)
    context_rules: ContextRules = ContextRules()
    deferred: Json = field(default_factory=dict)
    signers: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def to_json(self) -> Json:
        """The plan as JSON values, without fields at their default."""
        encoded = encode(self)
        assert isinstance(encoded, dict)
        return encoded

    @classmethod
    def from_json(cls, data: Json) -> Plan:
        """The inverse of `to_json`; unknown fields are ignored, so an older worker can read a newer plan."""
        return decode(cls, data)


T = TypeVar("T")


def encode(value: Any) -> Any:
    """Dataclasses, tuples and dicts as plain JSON values; dataclass fields at their default are left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            name: encode(item)
            for name, default in _defaults(type(value))
            if (item := getattr(value, name)) is not default and item != default
        }
    if isinstance(value, tuple | list):
        return [encode(item) for item in value]
    if isinstance(value, dict):
        return {key: encode(item) for key, item in value.items()}
    return value


def decode(cls: type[T], data: Json) -> T:
    """An instance of the dataclass `cls` from what `encode` made of it."""
    hints = _hints(cast("Hashable", cls))
    return cls(**{name: _decode(hints[name], value) for name, value in data.items() if name in hints})


def _decode(hint: Any, value: Any) -> Any:
    origin = get_origin(hint)
    if origin is tuple:
        item = get_args(hint)[0]
        return tuple(_decode(item, v) for v in value)
    if origin is dict:
        item = get_args(hint)[1]
        return {key: _decode(item, v) for key, v in value.items()}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return decode(hint, value)
    if isinstance(value, list) and origin is not None:  # an optional tuple
        return tuple(value)
    if isinstance(value, dict) and origin is not None:  # an optional dataclass
        for choice in get_args(hint):
            if dataclasses.is_dataclass(choice) and isinstance(choice, type):
                return decode(choice, value)
    return value


@cache
def _hints(cls: Hashable) -> dict[str, Any]:
    assert isinstance(cls, type)
    hints = get_type_hints(cls)
    return {f.name: hints[f.name] for f in dataclasses.fields(cls)}


@cache
def _defaults(cls: Hashable) -> tuple[tuple[str, Any], ...]:
    assert isinstance(cls, type)

    def default(f: dataclasses.Field[Any]) -> Any:
        return f.default_factory() if f.default_factory is not dataclasses.MISSING else f.default

    return tuple((f.name, default(f)) for f in dataclasses.fields(cls))
