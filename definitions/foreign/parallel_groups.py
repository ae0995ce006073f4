"""`type: parallel_group` steps, alone in a file or among other steps: every agent becomes a parallel phase."""

from __future__ import annotations

from typing import Final

from definitions import slugs
from definitions.foreign.groups import DEPENDENCIES, dependencies, group_unit
from definitions.foreign.members import Ids, given_ids
from definitions.foreign.references import Draft
from definitions.foreign.trees import Entry, entries, entry, items, mapping, text_of
from definitions.foreign.units import MAX_NEEDS, Unit, phases_of, with_barriers
from definitions.nodes import Node

_TYPES: Final = {"parallel_group": True, "parallelgroup": True, "sequential_group": False, "sequentialgroup": False}
_STEPS: Final = ("phases", "steps")
_OF_THE_DOCUMENT: Final = frozenset(
    {
        "version",
        "inputs",
        "execution",
        "completion_signals",
        "step_groups",
        "resource_manager",
        "barrier_synchronization",
        "context_conflicts",
        "caching_system",
        "performance_monitoring",
        "conflict_prevention",
    }
)
"""What beside a lone group is about the whole file."""


def is_group(node: Node) -> bool:
    """Whether the node is a step that stands for a group of agents."""
    return _type(node) in _TYPES


def has_parallel_groups(document: Node) -> bool:
    """Whether the document is such a step, or has one among its steps."""
    if is_group(document) and not any(entry(document, key) is not None for key in _STEPS):
        return True
    return any(is_group(item) for key in _STEPS for item in items(entry(document, key)))


def from_parallel_groups(document: Node) -> Node:
    """The document with a phase for every agent of every group; other steps keep their place and their order."""
    if is_group(document) and not any(entry(document, key) is not None for key in _STEPS):
        document = _as_document(document)
    kept: list[Entry] = []
    groups: list[Unit] = []
    for key, mark, value in entries(document):
        if key not in _STEPS or not isinstance(value.value, list):
            kept.append((key, mark, value))
            continue
        units = _units(value.value)
        groups += [unit for unit in units if unit.id is not None]
        kept.append((key, mark, Node(phases_of(units), value.mark)))
    members = {unit.id or "": [draft.id for draft in unit.drafts] for unit in groups}
    kept = with_barriers(kept, groups)
    return mapping([_step_groups(found, members) for found in kept], document.mark)


def _type(node: Node) -> str | None:
    text = text_of(entry(node, "type"))
    return None if text is None else text.lower().replace("-", "_").replace(" ", "_")


def _as_document(group: Node) -> Node:
    """A definition with the lone group as its only step."""
    outer: list[Entry] = []
    inner: list[Entry] = []
    for key, mark, value in entries(group):
        mine = key in _OF_THE_DOCUMENT and not (key == "inputs" and not isinstance(value.value, dict))
        (outer if mine else inner).append((key, mark, value))
        if key in ("id", "name", "title", "description"):
            outer.append(("name" if key == "title" else key, mark, value))
    step = mapping(inner, group.mark)
    return mapping([*outer, ("phases", group.mark, Node([step], group.mark))], group.mark)


def _units(steps: list[Node]) -> list[Unit]:
    ids = Ids()
    for step in steps:
        ids.reserve(given_ids(step) if is_group(step) else [_id(step) or ""])
    return [_unit(step, number, ids) for number, step in enumerate(steps, start=1)]


def _unit(step: Node, number: int, ids: Ids) -> Unit:
    if not is_group(step):
        return _plain(step)
    name = text_of(entry(step, "id")) or text_of(entry(step, "name")) or f"group_{number}"
    mark = step.key_marks.get("id", step.mark)
    if not _TYPES[_type(step) or ""]:
        chain = ("parallel", mark, Node(False, mark))
        step = mapping([chain, *entries(step)], step.mark)
    return group_unit(step, name, mark, ids)


def _plain(step: Node) -> Unit:
    """A step that is a phase already."""
    parallel = (value := entry(step, "parallel")) is not None and value.value is True
    body = step
    needs = dependencies(step)
    if needs is not None:
        body = mapping([found for found in entries(step) if found[0] not in DEPENDENCIES], step.mark)
    roles = [role for item in items(entry(step, "agents")) if (role := text_of(item)) is not None]
    draft = Draft(id=_id(step) or "", given=True, roles=roles, body=body, needs=needs)
    return Unit(drafts=[draft], parallel=parallel, joins=parallel)


def _id(step: Node) -> str | None:
    written = text_of(entry(step, "id"))
    if written is not None:
        return written
    name = text_of(entry(step, "name"))
    return None if name is None else slugs.slug(name)


def _step_groups(found: Entry, members: dict[str, list[str]]) -> Entry:
    """`step_groups` with the members of a parallel group where its id stood."""
    key, mark, value = found
    if key != "step_groups" or not isinstance(value.value, list):
        return found
    groups: list[Node] = []
    left = MAX_NEEDS  # what is left over keeps the group's id, which the checks refuse
    for item in value.value:
        groups.append(_step_group(item, members) if left > 0 else item)
        left -= len(items(entry(groups[-1], "steps")))
    return key, mark, Node(groups, value.mark)


def _step_group(group: Node, members: dict[str, list[str]]) -> Node:
    kept: list[Entry] = []
    for key, mark, value in entries(group):
        if key in _STEPS and isinstance(value.value, list):
            expanded: set[str] = set()
            steps: list[Node] = []
            for item in value.value:
                text = text_of(item) or ""
                if text not in members:
                    steps.append(item)
                elif text not in expanded:
                    expanded.add(text)
                    steps += [Node(name, item.mark) for name in members[text]]
            kept.append((key, mark, Node(steps, value.mark)))
        else:
            kept.append((key, mark, value))
    return mapping(kept, group.mark) if isinstance(group.value, dict) else group
