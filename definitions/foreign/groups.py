"""A group of agents, as `execution_groups` and `parallel_group` steps write it, as a unit of drafted phases."""

from __future__ import annotations

from typing import Final

from definitions import slugs
from definitions.foreign.members import SPECIFICATIONS, Ids, Member, members_of
from definitions.foreign.references import Draft
from definitions.foreign.trees import Entry, entries, entry, mapping, text_of
from definitions.foreign.units import Unit
from definitions.nodes import Mark, Node

DEPENDENCIES: Final = ("depends_on", "dependencies", "depends", "needs", "requires", "prerequisites")
"""How the formats write what something waits for."""

_OWN: Final = frozenset(
    {"id", "name", "title", "type", "agents", "agent", "parallel", "parallel_capable", *DEPENDENCIES}
)
GROUP_KEYS: Final = frozenset({"agents", "agent", "parallel", "parallel_capable", *DEPENDENCIES})
"""Keys by which a mapping shows that it is a group."""

_WHOLE: Final = frozenset(
    {
        "barrier",
        "barrier_type",
        "conflict_resolution",
        "context_sharing",
        "cross_validation",
        "execution_mode",
        "failure_criteria",
        "gates",
        "resource_isolation",
        "parallel_configuration",
        "success_criteria",
        "synchronization",
        "synchronization_strategy",
    }
)
"""Keys about a group as a whole, whatever its size."""

_EACH: Final = frozenset(
    {
        "always",
        "context_requirements",
        "estimated_duration",
        "if",
        "inputs",
        "on_failure",
        "outputs",
        "priority",
        "resource_requirements",
        "retry",
        "timeout",
    }
)
"""Keys that hold for every member that does not say something else."""

_REMARKS: Final = frozenset(
    {
        "benefits",
        "comment",
        "focus",
        "goal",
        "note",
        "notes",
        "objective",
        "purpose",
        "rationale",
        "reason",
        "reasoning",
    },
)
"""Keys that only tell people something: they are kept as `metadata`."""

_NO: Final = frozenset({"false", "no", "off", "never"})


def dependencies(node: Node) -> Entry | None:
    """The entry that says what a step or group waits for; a null is as good as none."""
    for key, mark, value in entries(node):
        if key in DEPENDENCIES and value.value is not None:
            return key, mark, value
    return None


def group_unit(group: Node, name: str, mark: Mark, ids: Ids) -> Unit:
    """The unit that a group named `name` (at `mark`) stands for."""
    members, strangers = members_of(group)
    parallel = len(members) > 1 and _is_parallel(group)
    shared = _shared(group, strangers, alone=len(members) < 2)
    drafts = [
        _draft(member, number, [*member.rest, *shared[min(number, 1)]], ids, parallel=parallel)
        for number, member in enumerate(members)
    ]
    if not members:
        node = Node(name, mark)
        body = mapping([("id", mark, node), *_named(group), *_with_metadata(shared[0])], mark)
        drafts = [Draft(id=name, given=True, roles=[], body=body)]
    elif len(members) == 1:
        drafts[0].body = mapping([*entries(drafts[0].body), *_named(group)], drafts[0].body.mark)
    return Unit(
        drafts=drafts,
        parallel=parallel,
        needs=dependencies(group),
        id=name,
        group=_whole(group, name, mark, alone=len(members) < 2),
    )


def _is_parallel(group: Node) -> bool:
    for key in ("parallel_capable", "parallel"):
        value = entry(group, key)
        if value is not None and value.value is not None:
            return value.value is not False and str(value.value).strip().lower() not in _NO
    return True


def _shared(group: Node, strangers: list[Entry], *, alone: bool) -> tuple[list[Entry], list[Entry]]:
    """What the group says for its first and for every other member; an unknown key goes to one, to be reported once."""
    first = list(strangers)
    other: list[Entry] = []
    for key, mark, value in entries(group):
        if key in _OWN or key == SPECIFICATIONS or key in _WHOLE or (key == "description" and not alone):
            continue
        first.append((key, mark, value))
        if key in _EACH:
            other.append((key, mark, value))
    return first, other


def _draft(member: Member, number: int, rest: list[Entry], ids: Ids, *, parallel: bool) -> Draft:
    """The phase that a member becomes."""
    role = text_of(member.role)
    given = text_of(member.id)
    mark = member.mark
    identity = given or ids.free(role or f"agent-{number + 1}")
    body: list[Entry] = [("id", mark, member.id if member.id is not None and given else Node(identity, mark))]
    if given is None and role is not None and not slugs.is_id(role):
        body.append(("name", mark, Node(role, mark)))
    body.append(("agents", member.role.mark, Node([member.role], member.role.mark)))
    if parallel:
        body.append(("parallel", mark, Node(True, mark)))
    needs = dependencies(mapping(rest, mark))
    body += _with_metadata([found for found in rest if found[0] not in DEPENDENCIES])
    return Draft(
        id=identity,
        given=given is not None,
        roles=[role] if role is not None else [],
        body=mapping(body, mark),
        needs=needs,
    )


def _with_metadata(rest: list[Entry]) -> list[Entry]:
    """The entries with the remarks among them as one."""
    remarks = [found for found in rest if found[0] in _REMARKS]
    if not remarks:
        return rest
    mark = remarks[0][1]
    written = [value for key, _, value in rest if key == "metadata" and isinstance(value.value, dict)]
    remarks += [found for node in written for found in entries(node)]
    return [("metadata", mark, mapping(remarks, mark)), *(found for found in rest if found[0] not in _REMARKS)]


def _named(group: Node) -> list[Entry]:
    return [("name", mark, value) for key, mark, value in entries(group) if key in ("name", "title")]


def _whole(group: Node, name: str, mark: Mark, *, alone: bool) -> Node | None:
    """The group's entry among the `barriers`; a group of which nothing is said as a whole has none."""
    kept = [found for found in entries(group) if found[0] in _WHOLE]
    if not alone:
        kept = [*_named(group), *(found for found in entries(group) if found[0] == "description"), *kept]
    return mapping([("id", mark, Node(name, mark)), *kept], mark) if kept else None
