"""`execution_groups`: groups of agents with dependencies between them; every agent becomes a phase."""

from __future__ import annotations

from typing import Final

from definitions.foreign.groups import GROUP_KEYS, group_unit
from definitions.foreign.members import Ids, given_ids
from definitions.foreign.trees import Entry, entries, entry, mapping, text_of
from definitions.foreign.units import phases_of, with_barriers
from definitions.nodes import Mark, Node

KEY: Final = "execution_groups"
_NAMES: Final = ("id", "group_id", "name", "group")


def has_execution_groups(document: Node) -> bool:
    """Whether the document is of this shape: it holds groups to read and no phases of its own."""
    groups = entry(document, KEY)
    if groups is None or entry(document, "phases") is not None or entry(document, "steps") is not None:
        return False
    return isinstance(groups.value, dict | list)


def from_execution_groups(document: Node) -> Node:
    """The document with phases instead of groups; everything beside the groups stays."""
    groups = _groups(document)
    ids = Ids()
    for _, _, body in groups:
        ids.reserve(given_ids(body))
    units = [group_unit(body, name, mark, ids) for name, mark, body in groups]
    kept: list[Entry] = []
    for key, mark, value in entries(document):
        if key != KEY:
            kept.append((key, mark, value))
            continue
        kept.append(("phases", mark, Node(phases_of(units), value.mark)))
    return mapping(with_barriers(kept, units), document.mark)


def _groups(document: Node) -> list[Entry]:
    """Each group's id, place and body, from a mapping or a list."""
    written = entry(document, KEY)
    assert written is not None
    if isinstance(written.value, dict):
        return [(key, mark, _body(value)) for key, mark, value in entries(written)]
    assert isinstance(written.value, list)
    return [_listed(item, number) for number, item in enumerate(written.value, start=1)]


def _listed(item: Node, number: int) -> Entry:
    """A group from a list: it says its id itself, stands under it, or is counted."""
    found = entries(item)
    if len(found) == 1 and isinstance(found[0][2].value, dict) and found[0][0] not in GROUP_KEYS:
        key, mark, value = found[0]
        return key, mark, value
    for key in _NAMES:
        name = entry(item, key)
        if (text := text_of(name)) is not None and name is not None:
            return text, name.mark, _body(_without(item, {"id", "group_id", "group"}))
    return f"group_{number}", item.mark, _body(item)


def _without(node: Node, keys: set[str]) -> Node:
    return mapping([found for found in entries(node) if found[0] not in keys], node.mark)


def _body(value: Node) -> Node:
    """A group's mapping; a list or a name alone are its agents."""
    if isinstance(value.value, dict):
        return value
    if value.value is None:
        return _empty(value.mark)
    return mapping([("agents", value.mark, value)], value.mark)


def _empty(mark: Mark) -> Node:
    return mapping([], mark)
