"""Values with their place in the text: what every reader of a format produces and every check reports from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Mark(NamedTuple):
    """A place in a text; line and column count from 1."""

    line: int
    column: int


@dataclass(slots=True)
class Node:
    """One value: a scalar, a list of nodes or a mapping of nodes. `key_marks` are the places of a mapping's keys."""

    value: dict[str, Node] | list[Node] | str | int | float | bool | None
    mark: Mark
    key_marks: dict[str, Mark] = field(default_factory=dict)

    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def mark_of(self, path: Sequence[str | int]) -> Mark:
        """The place of the value at `path` (of its key in a mapping), or of the nearest ancestor that exists."""
        return self._walk(path)[1]

    def value_mark_of(self, path: Sequence[str | int]) -> Mark:
        """The place of the value at `path` itself, or of the nearest ancestor that exists."""
        return self._walk(path)[0].mark

    def at(self, path: Sequence[str | int]) -> Node | None:
        """The node at `path`, if there is one."""
        node, _, missing = self._walk(path)
        return None if missing else node

    def nearest(self, path: Sequence[str | int]) -> Node:
        """The node at `path`, or its nearest ancestor that exists."""
        return self._walk(path)[0]

    def _walk(self, path: Sequence[str | int]) -> tuple[Node, Mark, bool]:
        node, mark = self, self.mark
        for step in path:
            if isinstance(node.value, dict) and isinstance(step, str) and step in node.value:
                mark = node.key_marks.get(step, node.value[step].mark)
                node = node.value[step]
            elif isinstance(node.value, list) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
                mark = node.mark
            else:
                return node, mark, True
        return node, mark, False
