"""Circles of a directed graph: the sets of vertices that can all reach each other."""

from __future__ import annotations

from collections.abc import Sequence


def circles(following: Sequence[Sequence[int]]) -> list[list[int]]:
    """Every set of two or more vertices that lie on a common circle, by number; `following[v]` are v's successors.

    Tarjan's strongly connected components (1972), without recursion, because chains of 10,000 phases exist.
    """
    search = _Search(following)
    for vertex in range(len(following)):
        if vertex not in search.number:
            search.visit(vertex)
    return sorted(search.found)


class _Search:
    def __init__(self, following: Sequence[Sequence[int]]) -> None:
        self.following = following
        self.number: dict[int, int] = {}
        self.lowest: dict[int, int] = {}
        self.stack: list[int] = []
        self.on_stack: set[int] = set()
        self.found: list[list[int]] = []

    def visit(self, root: int) -> None:
        self._enter(root)
        path = [(root, iter(self.following[root]))]
        while path:
            vertex, rest = path[-1]
            for other in rest:
                if other not in self.number:
                    self._enter(other)
                    path.append((other, iter(self.following[other])))
                    break
                if other in self.on_stack:
                    self.lowest[vertex] = min(self.lowest[vertex], self.number[other])
            else:
                path.pop()
                if path:
                    above = path[-1][0]
                    self.lowest[above] = min(self.lowest[above], self.lowest[vertex])
                self._leave(vertex)

    def _enter(self, vertex: int) -> None:
        self.number[vertex] = self.lowest[vertex] = len(self.number)
        self.stack.append(vertex)
        self.on_stack.add(vertex)

    def _leave(self, vertex: int) -> None:
        if self.lowest[vertex] != self.number[vertex]:
            return
        members: list[int] = []
        while not members or members[-1] != vertex:
            members.append(self.stack.pop())
        self.on_stack.difference_update(members)
        if len(members) > 1:
            self.found.append(sorted(members))
