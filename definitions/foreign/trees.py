"""Building trees of nodes: every value made here keeps the place of what it was made from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from definitions.nodes import Mark, Node

Entry = tuple[str, Mark, Node]
"""A key, its place and its value."""


@dataclass(slots=True)
class Document(Node):
    """The root of a tree that a reader of a foreign format made; `source` is that format's name."""

    source: str = ""


def mapping(entries: Iterable[Entry], mark: Mark) -> Node:
    """A mapping; of entries with the same key the first one stays."""
    node = Node({}, mark)
    assert isinstance(node.value, dict)
    for key, key_mark, value in entries:
        if key not in node.value:
            node.value[key] = value
            node.key_marks[key] = key_mark
    return node


def entries(node: Node) -> list[Entry]:
    """The entries of a mapping; none of anything else."""
    if not isinstance(node.value, dict):
        return []
    return [(key, node.key_marks.get(key, value.mark), value) for key, value in node.value.items()]


def entry(node: Node, key: str) -> Node | None:
    """The value under `key` of a mapping, if there is one."""
    return node.value.get(key) if isinstance(node.value, dict) else None


def items(node: Node | None) -> list[Node]:
    """The items of a list; a scalar counts as a list of itself, null and nothing as an empty one."""
    if node is None or node.value is None:
        return []
    return node.value if isinstance(node.value, list) else [node]


def words(values: Iterable[str], mark: Mark) -> Node:
    """A list of texts, all at one place."""
    return Node([Node(value, mark) for value in values], mark)


def text_of(node: Node | None) -> str | None:
    """The text of a scalar that can serve as a name (a number counts), or nothing."""
    if node is None or isinstance(node.value, bool | dict | list) or node.value is None:
        return None
    return str(node.value).strip() or None
