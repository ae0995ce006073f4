"""The plan: what a definition compiles to, and all that the engine and the workflow know of it.

A plan is immutable, holds no expression that still needs the environment, and travels to Temporal as the JSON of
`Plan.to_json` (fields at their default are left out, so 10,000 phases stay small). Durations are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from engine.agents import MANUAL, TESTS, AgentPlan, OutputPlan, OutputType
from engine.coding import decode, encode
from engine.gates.plans import GatePlan

Json = dict[str, Any]

OnFailure = Literal["pause", "isolate", "fail_fast"]
AgentsMode = Literal["in_turn", "parallel"]
NeedKind = Literal["data", "context", "validation"]
CheckpointAfter = Literal["phase", "group", "never"]


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


USUAL = Retry()
"""What holds for a phase that says nothing of attempts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepBreaker:
    """When a phase is no longer started in a run: after so many failed attempts, or the same error in a row.

    `cooldown` seconds later one attempt may show whether it works again.
    """

    max_attempts: int = 5
    max_error_repeats: int = 3
    cooldown: float = 60.0


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
    retry: Retry = USUAL
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

    turns: tuple[tuple[int, ...], ...] = field(init=False, repr=False, compare=False)
    """Positions of the agents that work at once, in order; one person's turn covers adjacent manual agents."""
    begins_with_worker: bool = field(init=False, repr=False, compare=False)
    """Whether its first turn has somebody who works on a worker."""

    def __post_init__(self) -> None:
        """Work out, once, what follows from the agents."""
        turns = _turns(self.agents, self.agents_mode)
        first = turns[0] if turns and self.for_each is None else ()
        object.__setattr__(self, "turns", turns)
        object.__setattr__(self, "begins_with_worker", any(self.agents[each].uses != MANUAL for each in first))


def _turns(agents: tuple[AgentPlan, ...], mode: AgentsMode) -> tuple[tuple[int, ...], ...]:
    if mode == "parallel" and agents:
        last = len(agents) - 1
        if last and agents[last].role == TESTS:
            return tuple(range(last)), (last,)
        return (tuple(range(last + 1)),)
    turns: list[tuple[int, ...]] = []
    for position, agent in enumerate(agents):
        if turns and agent.uses == MANUAL and agents[turns[-1][-1]].uses == MANUAL:
            turns[-1] = (*turns[-1], position)
        else:
            turns.append((position,))
    return tuple(turns)


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
    there are any, decisions have to be signed (`engine.gates.signatures`). `users` are all who may decide about gates;
    without any, everybody.
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
    users: tuple[str, ...] = ()

    def to_json(self) -> Json:
        """The plan as JSON values, without fields at their default."""
        encoded = encode(self)
        assert isinstance(encoded, dict)
        return encoded

    @classmethod
    def from_json(cls, data: Json) -> Plan:
        """The inverse of `to_json`; unknown fields are ignored, so an older worker can read a newer plan."""
        return decode(cls, data)
