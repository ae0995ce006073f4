"""Roles: who is bound to them, which look like typing errors, and what the executors must not be told."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from definitions.findings import Findings
from definitions.schema.agents import IN_EFFECT, Agent, Manual
from definitions.schema.document import Definition
from definitions.schema.phases import Phase
from definitions.variables import SECRET, check_variables

TOOLS = ("sh", "aider")
"""The tools that need no binding."""

PERSON = "person"
"""The role of a phase that names nobody."""

FORBIDDEN_ENV = re.compile(r"TEMPORAL_.*|PHASELOOM_.*")
"""What no agent is ever given: the way to the server, and what would decide a gate."""

MAX_COMPARISONS = 100_000

_HARMLESS = re.compile(r"[\d._]*|true|false|yes|no|on|off", re.IGNORECASE)
"""Values that are no secret, whatever their name: `MAX_TOKENS: 4000`, `USE_KEYRING: no`."""

_SEPARATORS = re.compile(r"[-_ ./]+")
_DIGITS = re.compile(r"[0-9]+")


def roles_of(phase: Phase) -> list[tuple[tuple[str | int, ...], str]]:
    """The roles that a phase names, with the path below the phase. A built-in tool is no role."""
    if phase.agents:
        return [(("agents", position), role) for position, role in enumerate(phase.agents)]
    return [(("tool",), phase.tool)] if phase.tool is not None else []


def bindings(definition: Definition, project: Mapping[str, Agent]) -> dict[str, Agent]:
    """Who is bound to which role: the project's word wins."""
    return {**definition.agents, **project}


def check_roles(
    definition: Definition, project: Mapping[str, Agent], declared: Sequence[str], findings: Findings
) -> None:
    """Report unbound roles and probable typing errors (`declared`: also the roles whose binding is wrong)."""
    known = dict.fromkeys([*declared, *project])
    bound = bindings(definition, project)
    seen: set[str] = set()
    comparisons = 0
    for index, phase in enumerate(definition.ordered):
        for below, role in roles_of(phase):
            if role in seen:
                continue
            seen.add(role)
            if role not in known:
                if known and not (below == ("tool",) and role in TOOLS):
                    comparisons += len(known)
                    others = known if comparisons <= MAX_COMPARISONS else {}
                    _report_unbound(role, others, (definition.phase_key, index, *below), findings)
            elif (agent := bound.get(role)) is not None and agent.uses not in IN_EFFECT:
                message = f"'{role}' uses {agent.uses}, which is not in effect yet: this validates, but does not start"
                findings.add("PL404", (definition.phase_key, index, *below), message, severity="warning")
    check_environment(definition.agents, findings)
    check_variables(definition.agents, findings)
    _check_people(definition, bound, findings)


def _report_unbound(role: str, known: Mapping[str, None], path: tuple[str | int, ...], findings: Findings) -> None:
    meant = next((other for other in known if looks_like(role, other)), None)
    if meant is not None:
        findings.add("PL401", path, f"no role '{role}' is declared", hint=f"did you mean '{meant}'?")
    else:
        message = f"the role '{role}' is not bound, so a person does it"
        findings.add(
            "PL402", path, message, hint=f"bind it under agents:, or write {role}: {{uses: manual}}", severity="warning"
        )


def check_environment(agents: Mapping[str, Agent], findings: Findings) -> None:
    """Report what no agent may be given, and what should not be written where everybody reads it."""
    for role, agent in agents.items():
        names: list[str] = getattr(agent, "pass_env", [])
        for position, name in enumerate(names):
            if FORBIDDEN_ENV.fullmatch(name.upper()):
                findings.add("PL405", ("agents", role, "pass_env", position), f"{name} is never passed to an agent")
        for name, value in getattr(agent, "env", {}).items():
            path = ("agents", role, "env", name)
            if FORBIDDEN_ENV.fullmatch(name.upper()):
                findings.add("PL405", path, f"{name} cannot be set for an agent", on_key=True)
            elif SECRET.search(name) and "${" not in value and not _HARMLESS.fullmatch(value):
                message = f"'{name}' looks like a secret, and what is written here is kept with the run"
                findings.add("PL305", path, message, hint=f"write pass_env: [{name}] instead", severity="warning")


def _check_people(definition: Definition, bound: Mapping[str, Agent], findings: Findings) -> None:
    """A timeout on a phase that only people work on would promise what never happens."""
    for index, phase in enumerate(definition.ordered):
        if phase.timeout is None or not phase.agents:
            continue
        if all(isinstance(bound.get(role), Manual) for role in phase.agents):
            path = (definition.phase_key, index, "timeout")
            message = "a timeout never applies to people"
            findings.add("PL407", path, message, hint="people have a 'deadline'", severity="warning")


def looks_like(role: str, other: str) -> bool:
    """Whether one role is probably a typing error of the other.

    Word by word, because roles are built from the same words: `backend-expert` and `frontend-expert` are two roles,
    `qa` and `ux` too, and so are `agent-1` and `agent-2`; `backend-exprt` is an error.
    """
    first, second = role.lower(), other.lower()
    if first == second or _SEPARATORS.sub("", first) == _SEPARATORS.sub("", second):
        return True
    words, others = _SEPARATORS.split(first), _SEPARATORS.split(second)
    if len(words) != len(others) or _DIGITS.sub("", first) == _DIGITS.sub("", second):
        return False
    return all(_near(word, meant) for word, meant in zip(words, others, strict=True))


def _near(word: str, meant: str) -> bool:
    length = max(len(word), len(meant))
    allowed = 0 if length <= 3 else 1 if length <= 7 else 2
    return word == meant or _distance(word, meant, allowed) <= allowed


def _distance(word: str, meant: str, limit: int) -> int:
    """How many letters must be inserted, removed, replaced or swapped (optimal string alignment)."""
    if abs(len(word) - len(meant)) > limit:
        return limit + 1
    previous: list[int] = []
    row = list(range(len(meant) + 1))
    for i, letter in enumerate(word, start=1):
        before, previous, row = previous, row, [i]
        for j, other in enumerate(meant, start=1):
            cost = min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == meant[j - 2] and word[i - 2] == other:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
    return row[-1]
