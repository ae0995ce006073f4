"""Where a picture breaks: wide groups into rows, long chains into columns."""

from __future__ import annotations

import math
from collections.abc import Sequence

from definitions.graphs.model import Graph

Rows = dict[int, list[tuple[int, ...]]]

WIDE = 6
"""A group with more members is drawn in rows."""

LONG = 14
"""A chain with more rows is drawn in columns."""


def rows_of(graph: Graph) -> Rows:
    """The members of every group in rows. One row where links of single members say where they have to stand."""
    linked = graph.linked
    return {
        group.vertex: cut(group.members) if linked.isdisjoint(group.members) else [group.members]
        for group in graph.groups
    }


def cut(members: Sequence[int]) -> list[tuple[int, ...]]:
    """Phases in rows, so that they take about as much room in both directions."""
    if len(members) <= WIDE:
        return [tuple(members)]
    width = min(12, max(4, math.ceil(math.sqrt(len(members) * 0.7))))
    return [tuple(members[start : start + width]) for start in range(0, len(members), width)]


def turns(graph: Graph, rows: Rows) -> frozenset[tuple[int, int]]:
    """The links (source, target) at which a long chain goes on at the top of another column.

    Only where a single link leads from all phases before it to all after it, so nothing else crosses the columns.
    """
    units = _units(graph)
    heights = [len(rows.get(unit, ((),))) for unit in units]
    widest = max((len(group[0]) for group in rows.values()), default=1)
    bridges = _bridges(graph, units)
    if sum(heights) <= LONG or len(bridges) < len(units) // 2:
        return frozenset()
    wanted = max(LONG - 4, math.ceil(math.sqrt(2 * widest * sum(heights))))
    found: set[tuple[int, int]] = set()
    height = 0
    for position, unit_height in enumerate(heights):
        if height + unit_height > wanted and (bridge := bridges.get(position)) is not None:
            found.add(bridge)
            height = 0
        height += unit_height
    return frozenset(found)


def _units(graph: Graph) -> list[int]:
    """Phases and whole groups in the order of the file."""
    count = len(graph.nodes)
    seen: dict[int, None] = {}
    for node in graph.nodes:
        seen[node.index if node.group is None else count + node.group] = None
    return list(seen)


def _bridges(graph: Graph, units: list[int]) -> dict[int, tuple[int, int]]:
    """By position of a unit: the only link from units before it to this unit and those after it."""
    place = {member: position for position, unit in enumerate(units) for member in (unit, *graph.members(unit))}
    opened = [0] * (len(units) + 1)
    last: dict[int, tuple[int, int]] = {}
    for link in graph.links:
        low, high = sorted((place[link.source], place[link.target]))
        opened[low + 1] += 1
        opened[high + 1] -= 1 if high + 1 <= len(units) else 0
        if high == low + 1 and place[link.source] == low:
            last[high] = (link.source, link.target)
    found: dict[int, tuple[int, int]] = {}
    crossing = 0
    for position in range(len(units)):
        crossing += opened[position]
        if crossing == 1 and position in last:
            found[position] = last[position]
    return found
