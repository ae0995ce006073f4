"""One native shape from the many ways in which people write the same thing."""

from __future__ import annotations

from typing import Final

from definitions.foreign.casing import with_snake_keys
from definitions.foreign.execution_groups import from_execution_groups, has_execution_groups
from definitions.foreign.groups import DEPENDENCIES
from definitions.foreign.parallel_groups import from_parallel_groups, has_parallel_groups, is_group
from definitions.foreign.trees import Document, Entry, entries, entry, items, mapping, text_of
from definitions.nodes import Mark, Node

_WRAPPERS: Final = frozenset(
    {
        "definition",
        "enhanced_workflow",
        "enhanced_workflow_step",
        "execution_plan",
        "parallel_execution",
        "plan",
        "step",
        "workflow",
        "workflow_step",
        "workstream",
    }
)
_ITEM_WRAPPERS: Final = frozenset({"enhanced_workflow_step", "phase", "step", "workflow_step"})
_CONTENTS: Final = ("phases", "steps", "sequence", "execution_groups")
_TITLES: Final = frozenset({"id", "name", "title", "description", "version", "type"})
_OF_A_PHASE: Final = frozenset(
    {"agent", "agents", "depends_on", "description", "name", "parallel", "prompt", "run", "tasks", "tool", "type"},
)
_MAX_WRAPPERS: Final = 4
_ALIASES: Final = {"title": "name", "agent": "agents", **dict.fromkeys(DEPENDENCIES[1:], "depends_on")}
_LISTS: Final = frozenset({"agents", "depends_on"})
_PLAIN_TYPES: Final = frozenset({"agent", "phase", "sequential", "single", "single_agent", "step", "task"})
"""What a step's `type` may say without saying anything."""


def normalise(node: Node) -> tuple[Node, str]:
    """The tree in native shape, and the word for what it was; nodes are never changed, only replaced.

    What has no native meaning stays where it is, so that the checks report it at its place.
    """
    source = node.source if isinstance(node, Document) else ""
    if source == "markdown":
        return node, "markdown"
    document = as_native(node)
    if has_execution_groups(document):
        return from_execution_groups(document), "execution-groups"
    if has_parallel_groups(document):
        return from_parallel_groups(document), "parallel-group"
    if entry(document, "steps") is not None:
        return document, "workstream"
    return document, "object-literal" if source == "object-literal" else "native"


def as_native(node: Node) -> Node:
    """The tree without wrappers, its phases as a list, its keys spelled the native way."""
    return _listed(_unwrapped(with_snake_keys(with_phases(node))))


def with_phases(node: Node) -> Node:
    """A bare list of phases as a document."""
    if not isinstance(node.value, list) or not all(isinstance(item.value, dict) for item in node.value):
        return node
    return mapping([("phases", node.mark, Node(node.value, node.mark))], node.mark) if node.value else node


def _is_document(node: Node) -> bool:
    return any(entry(node, key) is not None for key in _CONTENTS) or is_group(node)


def _unwrapped(document: Node) -> Node:
    """The document without the mapping it is wrapped in: `workflow:`, `enhanced_workflow_step:`, or its id alone."""
    for _ in range(_MAX_WRAPPERS):
        if _is_document(document):
            break
        inner = _inner(document)
        if inner is None:
            break
        document = inner
    return document


def _inner(document: Node) -> Node | None:
    written = entries(document)
    # Few keys are wrappers, so what stands beside one is not gathered for every key of a large document.
    for key, mark, value in written:
        if key not in _WRAPPERS:
            continue
        beside = [found for found in written if found[0] != key]
        if isinstance(value.value, list):
            return mapping([*beside, ("phases", mark, value)], document.mark)
        nested = any(_is_document(inner) for _, _, inner in entries(value))
        if (nested or _is_document(value)) and not _contradict(value, beside):
            return mapping([*entries(value), *beside], document.mark)
    if len(written) == 1 and _is_document(written[0][2]):
        key, mark, value = written[0]
        return mapping([*entries(value), ("id", mark, Node(key, mark))], value.mark)
    return None


def _contradict(inner: Node, beside: list[Entry]) -> bool:
    """Whether both say something that is more than a title; then neither may get lost."""
    return any(entry(inner, key) is not None for key, _, _ in beside if key not in _TITLES)


def _listed(document: Node) -> Node:
    """The document's own aliases, and its phases as a list of native ones."""
    if not isinstance(document.value, dict):
        return document
    taken = set(document.value)
    kept: list[Entry] = []
    for key, mark, value in entries(document):
        name = {"title": "name", "sequence": "phases"}.get(key, key)
        name = key if name in taken else name
        kept.append((name, mark, _phases(value) if name in ("phases", "steps") else value))
    return mapping(kept, document.mark)


def _phases(value: Node) -> Node:
    if isinstance(value.value, dict) and value.value and all(_may_be_phase(item) for item in value.value.values()):
        return Node([_phase(_keyed(*found)) for found in entries(value)], value.mark)
    if isinstance(value.value, list):
        return Node([_phase(_item(item)) for item in value.value], value.mark)
    return value


def _may_be_phase(node: Node) -> bool:
    return isinstance(node.value, dict) or node.value is None


def _keyed(key: str, mark: Mark, value: Node) -> Node:
    """A phase that stands under its id."""
    identity: list[Entry] = [] if entry(value, "id") is not None else [("id", mark, Node(key, mark))]
    return mapping([*identity, *entries(value)], mark)


def _item(item: Node) -> Node:
    """A step of a list without the key it is wrapped in, which may be its id."""
    found = entries(item)
    if len(found) != 1 or not isinstance(found[0][2].value, dict):
        return item
    key, _, value = found[0]
    if key in _ITEM_WRAPPERS:
        return value
    is_phase = any(name in _OF_A_PHASE for name, _, _ in entries(value))
    return _keyed(*found[0]) if is_phase and key not in _OF_A_PHASE else item


def _phase(phase: Node) -> Node:
    """A phase with native keys; a group of agents is left to its own reader."""
    if not isinstance(phase.value, dict) or is_group(phase):
        return phase
    kept: list[Entry] = []
    changed = False
    for key, mark, value in entries(phase):
        if key == "type" and (text_of(value) or "").lower() in _PLAIN_TYPES:
            changed = True
            continue
        name = _ALIASES.get(key, key)
        name = key if name in phase.value else name
        if name != key and value.value is None:
            changed = True
            continue
        new = _as_list(value) if name in _LISTS else value
        changed = changed or name != key or new is not value
        kept.append((name, mark, new))
    return mapping(kept, phase.mark) if changed else phase


def _as_list(value: Node) -> Node:
    """A single word as a list of one."""
    return Node(items(value), value.mark) if isinstance(value.value, str) and value.value.strip() else value
