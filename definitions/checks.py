"""Everything that one value alone cannot show: the checks of a whole definition, in one pass."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from definitions.expressions import Expressions
from definitions.findings import Findings, Path
from definitions.gates import Groups, check_gates
from definitions.notices import check_notices
from definitions.order import Order, order_of
from definitions.outputs import Known
from definitions.reads import Reads
from definitions.reviewers import check_reviewers, review_texts, reviewed_by, with_review
from definitions.roles import TOOLS, bindings, check_roles, roles_of
from definitions.schema.agents import Agent, Output, Outputs
from definitions.schema.deferred import ContextKey
from definitions.schema.document import Definition, Execution, Input, ProjectFile
from definitions.schema.phases import Phase
from definitions.schema.scalars import beyond
from definitions.scopes import check_scopes
from definitions.shape import Damage
from definitions.sharing import Sharing
from definitions.texts import Text, agent_texts, execution_texts, texts_of, without_item
from definitions.yaml_reader import is_beyond

MAX_PHASES = 20_000
"""More than any run can hold; 10,000 are comfortable."""

_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "list": list,
    "object": dict,
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What the checks found out and the plan needs."""

    order: Order
    reads: dict[int, tuple[str, ...]] = field(default_factory=dict)
    env: tuple[str, ...] = ()
    outside: dict[str, str] = field(default_factory=dict)
    list_reads: dict[int, tuple[str, ...]] = field(default_factory=dict)
    sharing: Sharing | None = None

    def shared(self, index: int | None = None) -> dict[str, Any]:
        """The fields of the plan (of a phase: with its index) about the shared context; none where there is none."""
        if self.sharing is None or not self.sharing.keys:
            return {}
        return self.sharing.plan() if index is None else self.sharing.of_phase(index)

    @property
    def named(self) -> dict[int, tuple[str, ...]]:
        """All that each phase names, what its list comes from included."""
        both = (self.reads, self.list_reads)
        return {index: tuple(path for each in both for path in each.get(index, ())) for index in {*both[0], *both[1]}}


@dataclass(frozen=True, slots=True)
class ProjectPart:
    """What a project adds to a definition, with the collector for findings in the project's file."""

    agents: Mapping[str, Agent]
    execution: Execution
    groups: Groups
    findings: Findings | None
    settings: ProjectFile = field(default_factory=ProjectFile)
    signers: Collection[str] = ()


def run_checks(definition: Definition, damage: Damage, project: ProjectPart, findings: Findings) -> Facts:
    """Check the whole definition; findings go to `findings`, and those about the project's agents to its own."""
    phases, key = definition.ordered, definition.phase_key
    if len(phases) > MAX_PHASES:
        findings.add("PL110", (key,), f"{len(phases):,} phases are too many: at most {MAX_PHASES:,}", on_key=True)
        return Facts(Order())
    order = order_of(phases, key, findings, damage)
    bound = bindings(definition, project.agents)
    declared = [*definition.agents, *(str(path[1]) for path in damage.paths if len(path) > 1 and path[0] == "agents")]
    check_roles(definition, project.agents, declared, findings)
    reads = Reads(definition, order)
    reads.resolve(findings)
    known = Known(definition, order, bound, damage, reads.outside)
    sharing = Sharing(definition, order, damage)
    sharing.resolve(findings)
    expressions = Expressions(known, order, sharing)
    expressions.check(texts_of(definition, bound), findings)
    expressions.check(review_texts(definition), findings)
    _check_agents(definition, project, expressions, findings)
    reads.check(expressions, findings)
    expressions.check_order(jumps=any(phase.next for phase in phases))
    check_scopes(definition, order, findings)
    _check_jumps(definition, order, damage, findings)
    _check_checkpoints(definition, order, findings)
    if not damage.covers("gates"):
        check_reviewers(definition, bound, declared, findings)
    groups = {**project.groups, **definition.groups}
    check_gates(definition, damage, groups, findings, users=project.settings.users, signers=project.signers)
    check_notices(definition, project.settings, order, findings)
    _check_groups(definition, order, findings)
    _check_values(definition, findings)
    cut = {path[:2] for path in damage.paths}
    for index, phase in enumerate(phases):
        if phase.tool is not None and (key, index) not in cut:
            _check_work(phase, (key, index), findings)
    merged = {
        index: tuple({**expressions.reads.get(index, {}), **reads.by_phase.get(index, {})})
        for index in sorted({*expressions.reads, *reads.by_phase})
    }
    lists = {index: tuple(paths) for index, paths in expressions.list_reads.items()}
    return Facts(order, merged, tuple(expressions.env), reads.outside, lists, sharing)


def _check_agents(definition: Definition, project: ProjectPart, expressions: Expressions, findings: Findings) -> None:
    users: dict[str, list[int]] = {}
    for index, phase in enumerate(definition.ordered):
        for _, role in roles_of(phase):
            users.setdefault(role, []).append(index)
    reviewed = reviewed_by(definition)
    only_review = reviewed.keys() - users.keys()
    for role, indexes in reviewed.items():
        users[role] = sorted({*users.get(role, ()), *indexes})
    once = {index for index, phase in enumerate(definition.ordered) if phase.for_each is None}

    def texts(role: str, agent: Agent) -> Iterator[Text]:
        phases = tuple(users.get(role, ()))
        found = agent_texts(agent, ("agents", role), phases)
        found = with_review(found) if role in only_review else found
        # What one role does for phases of both kinds can only say what holds for all of them.
        return found if once.isdisjoint(phases) else without_item(found)

    for role, agent in definition.agents.items():
        if role not in project.agents:
            expressions.check(texts(role, agent), findings)
    if project.findings is None:
        return
    expressions.check(execution_texts(project.execution), project.findings)
    for role, agent in project.agents.items():
        if role in users:
            expressions.check(texts(role, agent), project.findings)


def _check_jumps(definition: Definition, order: Order, damage: Damage, findings: Findings) -> None:
    key = definition.phase_key
    targets: set[int] = set()
    for index, phase in enumerate(definition.ordered):
        for position, jump in enumerate(phase.next):
            targets.update(_named(jump.go_to, order, (key, index, "next", position, "go_to"), findings))
    for index, phase in enumerate(definition.ordered):
        if phase.on_jump and index not in targets and not damage.paths:
            findings.add("PL407", (key, index, "on_jump"), "no phase goes here, so it never runs", severity="warning")


def _check_checkpoints(definition: Definition, order: Order, findings: Findings) -> None:
    after = definition.checkpoints.after if definition.checkpoints is not None else ()
    for position, word in enumerate(after if isinstance(after, list) else ()):
        _named(word, order, ("checkpoints", "after", position), findings)
    for index, phase in enumerate(definition.ordered):
        if phase.checkpoints is not None and isinstance(phase.checkpoints.after, list):
            message = "a phase says only of itself whether it is followed by a checkpoint"
            hint = "write phase, group or never; a list of phases belongs into the definition's own 'checkpoints'"
            findings.add("PL102", (definition.phase_key, index, "checkpoints", "after"), message, hint=hint)


def _named(word: str, order: Order, path: tuple[str | int, ...], findings: Findings) -> list[int]:
    """The phase that a word means, as a list of at most one; anything else is reported."""
    found = order.find(word)
    if not found:
        findings.add("PL103", path, f"no phase '{word}'", hint=findings.suggest(word, order.words))
    elif len(found) > 1:
        findings.add("PL108", path, f"several phases have the name '{word}'", hint="write the id")
    return found if len(found) == 1 else []


def _check_groups(definition: Definition, order: Order, findings: Findings) -> None:
    seen: set[str] = set()
    for number, group in enumerate(definition.step_groups):
        if group.id in seen:
            findings.add(
                "PL107", ("step_groups", number, "id"), f"the id '{group.id}' is already that of another group"
            )
        seen.add(group.id)
        key, words = group.members
        members: set[int] = set()
        for position, word in enumerate(words):
            path = ("step_groups", number, key, position)
            for index in _named(word, order, path, findings):
                if index in members:
                    findings.add("PL107", path, f"'{word}' is named twice", severity="warning")
                members.add(index)


def _check_values(definition: Definition, findings: Findings) -> None:
    for name, declared in definition.inputs.items():
        _check_default(declared, ("inputs", name, "default"), findings)
        if declared.required and "default" in declared.model_fields_set and declared.default is not None:
            message = "a required input never uses its default"
            findings.add("PL407", ("inputs", name, "required"), message, severity="warning")
    _check_defaults(definition, findings)
    seen: dict[str, int] = {}
    for position, signal in enumerate(definition.completion_signals):
        if signal in seen:
            findings.add("PL107", ("completion_signals", position), f"the signal '{signal}' is named twice")
        seen[signal] = position


def _check_defaults(definition: Definition, findings: Findings) -> None:
    """Defaults of outputs, of phases and of agents."""
    places: list[tuple[Path, Outputs]] = [
        ((definition.phase_key, index), phase.outputs) for index, phase in enumerate(definition.ordered)
    ]
    places += [(("agents", role), agent.outputs) for role, agent in definition.agents.items()]
    for path, outputs in places:
        for name, declared in outputs.items():
            _check_default(declared, (*path, "outputs", name, "default"), findings)
    for key, shared in definition.context.items():
        _check_default(shared, ("context", key, "default"), findings)


def _check_default(declared: Input | Output | ContextKey, path: Path, findings: Findings) -> None:
    if _fits(declared):
        return
    if declared.type in ("integer", "number") and is_beyond(declared.default):
        findings.add("PL110", path, beyond(declared.default))
    else:
        findings.add("PL102", path, f"the default is not {_article(declared.type)} {declared.type}")


def _fits(declared: Input | Output | ContextKey) -> bool:
    value = declared.default
    if value is None or declared.type == "any":
        return True
    if isinstance(value, bool):
        return declared.type == "boolean"
    return isinstance(value, _TYPES[declared.type])


def _article(word: str) -> str:
    return "an" if word[0] in "aeio" else "a"


def _check_work(phase: Phase, path: tuple[str, int], findings: Findings) -> None:
    """A tool must have something to do."""
    if phase.tool == TOOLS[0] and not phase.tasks and not phase.acceptance_tests:
        findings.add("PL105", path, "'tasks' is missing: 'tool: sh' has nothing to run")
    if phase.tool == TOOLS[1] and not phase.tasks and phase.prompt is None:
        findings.add("PL105", path, "'tasks' or 'prompt' is missing: aider has nothing to do")
