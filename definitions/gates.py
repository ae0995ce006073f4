"""Gates of a definition: which checks each has with those it includes, who decides, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from definitions.findings import Findings, Path
from definitions.roles import FORBIDDEN_ENV
from definitions.schema.document import Definition
from definitions.schema.gates import Approval, Check, Gate
from definitions.schema.phases import Phase
from definitions.shape import Damage
from engine.agents import AgentPlan, OutputPlan
from engine.expressions import single
from engine.gates.plans import ApprovalPlan, CheckPlan, GatePlan, ReviewPlan

GROUP = "group:"
OF_PHASE = "approval"
"""The name of the gate that `approval:` of a phase makes."""

Groups = Mapping[str, Sequence[str]]


def included(gates: Mapping[str, Gate], name: str) -> list[str]:
    """The gates whose checks count at this one, each once, included ones first; a circle is entered once."""
    found: list[str] = []
    entered: set[str] = set()

    def enter(gate: str) -> None:
        if gate in entered or gate not in gates:
            return
        entered.add(gate)
        for other in gates[gate].includes:
            enter(other)
        found.append(gate)

    enter(name)
    return found


class GatePlans:
    """The gates of phases; each gate is compiled once."""

    def __init__(self, definition: Definition, groups: Groups, agent: Callable[[str], AgentPlan]) -> None:
        self._agent = agent
        self._gates = definition.gates
        self._groups = groups
        self._known: dict[str, GatePlan] = {}

    def of(self, phase: Phase) -> tuple[GatePlan, ...]:
        """The gates of a phase in order; its own approval comes last."""
        plans = [self._named(name) for name in phase.gates]
        if phase.approval is not None:
            plans.append(GatePlan(id=OF_PHASE, approval=_approval(phase.approval, self._groups)))
        return tuple(plans)

    def _named(self, name: str) -> GatePlan:
        if name not in self._known:
            review = _review(self._gates[name], self._agent)
            self._known[name] = _gate(self._gates, name, self._groups, review)
        return self._known[name]


def _review(gate: Gate, agent: Callable[[str], AgentPlan]) -> ReviewPlan | None:
    """Who reviews at a gate itself; reviewers of those that it includes have their own place."""
    if not gate.reviewers:
        return None
    return ReviewPlan(
        reviewers=tuple(agent(role) for role in gate.reviewers),
        need={"all": 0, "any": 1}[gate.approve] if isinstance(gate.approve, str) else gate.approve,
        max_rounds=gate.max_rounds,
        together=gate.consult == "together",
        prompt=gate.review_prompt,
        timeout=gate.review_timeout,
    )


def _gate(gates: Mapping[str, Gate], name: str, groups: Groups, review: ReviewPlan | None) -> GatePlan:
    gate = gates[name]
    checks = {
        (check.name, repr(check)): _check(check, origin)
        for origin in included(gates, name)
        for check in gates[origin].checks
    }
    return GatePlan(
        id=name,
        description=gate.description,
        checks=tuple(checks.values()),
        approval=_approval(gate.approval, groups) if gate.approval is not None else None,
        skippable=gate.skippable,
        timeout=gate.timeout,
        review=review,
    )


def _check(check: Check, gate: str) -> CheckPlan:
    return CheckPlan(
        name=check.name,
        gate=gate,
        expr=single(check.expr) if check.expr is not None else None,
        detect=check.detect,
        run=tuple(check.run or ()),
        shell=check.shell,
        fix=tuple(check.fix or ()),
        timeout=check.timeout,
        ok_exit_codes=tuple(check.ok_exit_codes),
        env=dict(check.env),
        pass_env=tuple(check.pass_env),
    )


def _approval(approval: Approval, groups: Groups) -> ApprovalPlan:
    return ApprovalPlan(
        people=_people(approval.by, groups),
        need=approval.need,
        deadline=approval.deadline,
        remind=approval.remind,
        on_deadline=approval.on_deadline,
        escalate_to=_people(approval.escalate_to, groups),
        after_escalation=approval.after_escalation,
        evidence=approval.evidence,
        self_approval=approval.self_approval,
        delegation=approval.delegation,
        form={name: OutputPlan(type=field.type) for name, field in approval.form.items()},
        form_order=tuple(approval.form) if list(approval.form) != sorted(approval.form) else (),
    )


def _people(words: Sequence[str], groups: Groups) -> tuple[str, ...]:
    named = [
        name for word in words for name in (groups[word.removeprefix(GROUP)] if word.startswith(GROUP) else [word])
    ]
    return tuple(dict.fromkeys(named))


def check_gates(
    definition: Definition,
    damage: Damage,
    groups: Groups,
    findings: Findings,
    *,
    users: Sequence[str] = (),
    signers: Collection[str] = (),
) -> None:
    """Report gates, groups and users that do not exist, circles, checks of one name, and approvals nobody can give.

    `users` are the people of the project; nobody: any name is somebody. `signers` are those who have a key; nobody:
    decisions need none.
    """
    if damage.covers("gates"):
        return
    gates = [*definition.gates, *(str(path[1]) for path in damage.paths if len(path) > 1 and path[0] == "gates")]
    for path, gate in _uses(definition):
        if gate not in gates:
            findings.add("PL112", path, f"no gate '{gate}'", hint=findings.suggest(gate, gates))
    _check_circles(definition, findings)
    for name, described in definition.gates.items():
        _check_names(name, described, findings)
    groups = {str(path[1]): () for path in damage.paths if path[0] == "groups" and len(path) > 1} | dict(groups)
    for path, approval in _approvals(definition):
        if not damage.covers("groups"):
            _check_groups(path, approval, groups, findings)
        _check_users(path, approval, groups, users, findings)
        if _is_clear(path, approval, groups, damage):
            _check_number(path, approval, groups, findings)
            _check_keys(path, approval, groups, signers, findings)


def _approvals(definition: Definition) -> Iterator[tuple[Path, Approval]]:
    for name, described in definition.gates.items():
        if described.approval is not None:
            yield ("gates", name, "approval"), described.approval
    for index, phase in enumerate(definition.ordered):
        if phase.approval is not None:
            yield (definition.phase_key, index, "approval"), phase.approval


def _is_clear(path: Path, approval: Approval, groups: Groups, damage: Damage) -> bool:
    """Whether it is known who is asked: all groups are there, and nothing of the lists was cut out."""
    named = [word.removeprefix(GROUP) for word in (*approval.by, *approval.escalate_to) if word.startswith(GROUP)]
    hurt = damage.covers(*path, "by") or damage.covers(*path, "escalate_to") or damage.covers("groups")
    return not hurt and all(group in groups and not damage.touches("groups", group) for group in named)


def _uses(definition: Definition) -> Iterator[tuple[Path, str]]:
    for index, phase in enumerate(definition.ordered):
        for position, gate in enumerate(phase.gates):
            yield (definition.phase_key, index, "gates", position), gate
    for name, described in definition.gates.items():
        for position, gate in enumerate(described.includes):
            yield ("gates", name, "includes", position), gate


def _check_circles(definition: Definition, findings: Findings) -> None:
    told: set[str] = set()
    for name in definition.gates:
        way = _way_back(definition.gates, name)
        if way and not told & set(way):
            told |= set(way)
            message = f"gates include each other: {' → '.join([*way, way[0]])}"
            findings.add("PL113", ("gates", name, "includes"), message, hint="remove one of them")


def _way_back(gates: Mapping[str, Gate], start: str) -> list[str]:
    """The gates on a way of inclusions from one gate to itself; empty when there is none."""
    ways: list[list[str]] = [[start]]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        for other in gates[way[-1]].includes if way[-1] in gates else ():
            if other == start:
                return way
            if other not in seen:
                seen.add(other)
                ways.append([*way, other])
    return []


def _check_names(name: str, gate: Gate, findings: Findings) -> None:
    seen: set[str] = set()
    for position, check in enumerate(gate.checks):
        path: Path = ("gates", name, "checks", position)
        if check.name in seen:
            findings.add("PL107", (*path, "name"), f"the gate has two checks '{check.name}'")
        seen.add(check.name)
        for number, variable in enumerate(check.pass_env):
            if FORBIDDEN_ENV.fullmatch(variable.upper()):
                message = f"{variable} is never passed to a check"
                findings.add("PL405", (*path, "pass_env", number), message)


def _check_groups(path: Path, approval: Approval, groups: Groups, findings: Findings) -> None:
    for key, words in (("by", approval.by), ("escalate_to", approval.escalate_to)):
        for position, word in enumerate(words):
            group = word.removeprefix(GROUP)
            if word.startswith(GROUP) and group not in groups:
                hint = findings.suggest(group, groups) or "write its people under 'groups' here or in phaseloom.yaml"
                findings.add("PL114", (*path, key, position), f"no group of people '{group}'", hint=hint)


def _check_number(path: Path, approval: Approval, groups: Groups, findings: Findings) -> None:
    if approval.by and (count := len(_people(approval.by, groups))) < approval.need:
        message = f"{approval.need} approvals are needed, and only {count} people may give one"
        findings.add("PL110", (*path, "need"), message)


def _check_users(path: Path, approval: Approval, groups: Groups, users: Sequence[str], findings: Findings) -> None:
    """Where the project says who its people are, report who is asked and is none of them."""
    for key, words in (("by", approval.by), ("escalate_to", approval.escalate_to)):
        for position, word in enumerate(words if users else ()):
            group = word.removeprefix(GROUP)
            names = groups.get(group, ()) if word.startswith(GROUP) else (word,)
            for name in names:
                if name not in users:
                    hint = findings.suggest(name, users) or "write it under 'users' in phaseloom.yaml"
                    where = f", of the group '{group}'" if word.startswith(GROUP) else ""
                    findings.add("PL114", (*path, key, position), f"no user '{name}'{where}", hint=hint)


def _check_keys(path: Path, approval: Approval, groups: Groups, signers: Collection[str], findings: Findings) -> None:
    """Where decisions are signed, report who is asked and could not sign, and approvals that too few could."""
    words = [*approval.by, *approval.escalate_to]
    if not signers:
        return
    for key, people in (("by", approval.by), ("escalate_to", approval.escalate_to)):
        if without := [name for name in _people(people, groups) if name not in signers]:
            message = f"decisions are signed in this project, and no key is known of {', '.join(without)}"
            hint = "phaseloom keys create NAME prints what belongs under signing.keys in phaseloom.yaml"
            findings.add("PL407", (*path, key), message, hint=hint, severity="warning")
    able = set(_people(words, groups)) & set(signers) if approval.by else set(signers)
    if len(able) < approval.need:
        message = f"{approval.need} signed approvals are needed, and only {len(able)} of those asked have a key"
        findings.add("PL110", (*path, "need") if approval.need > 1 else path, message)
