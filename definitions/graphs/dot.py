"""A graph as DOT, the language of Graphviz."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from unicodedata import east_asian_width

from definitions.graphs.model import Graph, Group, Link, Node
from definitions.graphs.rows import Rows, cut, rows_of, turns
from definitions.graphs.texts import CIRCLE_COLOUR, LOOKS, PLAIN, SYMBOLS, group_label, heading, label, seen

FONT = "Arimo,Arial,Helvetica"
SIZE = 14
LAYOUT = "compound=true, rankdir=TB, nodesep=0.25, ranksep=0.45, newrank=true, pad=0.2, bgcolor=white"
BOX = (
    f'shape=box, style="rounded,filled", fillcolor="#F4F7FB", color="{PLAIN}", fontcolor="#111111", margin="0.16,0.09"'
)
STYLES = {"data": "solid", "context": "dashed", "validation": "dotted"}
FAN = 8
"""A phase that more others wait for has them on several rows."""


def dot(graph: Graph) -> str:
    """The graph as DOT: solid lines for data, dashed for context, dotted for validation, boxes around groups."""
    common = f'fontname="{FONT}", fontsize'
    lines = [
        "digraph {",
        f"  graph [{LAYOUT}, {common}={SIZE + 2}, labelloc=t, label={_text(heading(graph))}]",
        f"  node [{BOX}, {common}={SIZE}]",
        f'  edge [color="{PLAIN}", arrowsize=0.8, {common}={SIZE - 3}]',
    ]
    lines.extend(f"  {_node(node)}" for node in graph.nodes if node.group is None)
    rows = rows_of(graph)
    linked = graph.linked
    free = [node.index for node in graph.nodes if node.group is None and node.index not in linked]
    lines.extend(f"  {line}" for line in _stacked(cut(free)))
    for group in graph.groups:
        lines.extend(
            f"  {line}"
            for line in _cluster(graph, group, rows[group.vertex], linked=not linked.isdisjoint(group.members))
        )
    lines.extend(f"  {line}" for line in _links(graph, rows))
    return "\n".join([*lines, "}", ""])


def _node(node: Node) -> str:
    lines = label(node)
    attributes = [f"label={_text(lines)}", f"tooltip={_text([seen(node.id)])}"]
    if (width := _width(lines)) is not None:
        attributes.append(f"width={width:.2f}")
    if (look := LOOKS.get(node.status or "")) is not None:
        attributes += [f'fillcolor="{look.fill}"', f'color="{look.stroke}"', "penwidth=1.6"]
        if node.status in {"skipped", "pending"}:
            attributes.append('style="rounded,filled,dashed"')
    if node.in_circle:
        attributes += [f'color="{CIRCLE_COLOUR}"', "penwidth=3", "peripheries=2"]
    return f"p{node.index} [{', '.join(attributes)}]"


def _width(lines: Sequence[str]) -> float | None:
    """The width in inches of a label that Graphviz cannot measure: it knows the letters of Western Europe only."""
    if all(character < "\u0100" for line in lines for character in line):
        return None
    ems = max(sum(map(_ems, line)) for line in lines)
    return ems * SIZE / 72 + 0.32


def _ems(character: str) -> float:
    if character < "\u0100":
        return 0.53
    return 1.0 if east_asian_width(character) in "WF" or character in SYMBOLS else 0.66


def _cluster(graph: Graph, group: Group, rows: Sequence[Sequence[int]], *, linked: bool) -> Iterator[str]:
    yield f"subgraph cluster_g{group.vertex} {{"
    yield f'  label={_text([group_label(group)])}; labeljust=l; style="rounded,filled"; fontsize={SIZE - 2}'
    yield '  fillcolor="#FAFAFA"; color="#9A9A9A"; margin=12'
    for member in group.members:
        yield f"  {_node(graph.nodes[member])}"
    if not linked:
        yield from (f"  {{ rank=same; {'; '.join(f'p{member}' for member in row)} }}" for row in rows)
        yield from (f"  {line}" for line in _stacked(rows))
    yield "}"


def _stacked(rows: Sequence[Sequence[int]]) -> Iterator[str]:
    """Unseen lines that keep each row below the one before it."""
    for above, below in pairwise(rows):
        yield from (f"p{one} -> p{other} [style=invis, weight=10]" for one, other in zip(above, below, strict=False))


def _links(graph: Graph, rows: Rows) -> Iterator[str]:
    into = Counter(link.target for link in graph.links)
    alone = {node.index for node in graph.nodes if node.group is None and into[node.index] == 1}
    breaks = turns(graph, rows)
    fanned: Counter[int] = Counter()
    for link in graph.links:
        attributes = _attributes(link)
        tail, head = link.source, link.target
        if tail in rows:
            attributes.append(f"ltail=cluster_g{tail}")
            tail = _middle(rows[tail][-1])
        if head in rows:
            attributes.append(f"lhead=cluster_g{head}")
            head = _middle(rows[head][0])
        if link.source in rows or link.target in rows:
            attributes.append("minlen=2")  # the frame of a group takes a part of the way
        if (link.source, link.target) in breaks:
            attributes.append("constraint=false")
        elif link.target in alone:
            if fanned[link.source] >= FAN:
                attributes.append(f"minlen={1 + fanned[link.source] // FAN}")
            fanned[link.source] += 1
        yield f"p{tail} -> p{head}{' [' + ', '.join(attributes) + ']' if attributes else ''}"


def _middle(row: Sequence[int]) -> int:
    """The member at which a line of the whole group begins or ends."""
    return row[(len(row) - 1) // 2]


def _attributes(link: Link) -> list[str]:
    attributes = []
    if link.kind != "data":
        attributes += [f"style={STYLES[link.kind]}", f'label=" {link.kind}"']
    if link.in_circle:
        attributes += [f'color="{CIRCLE_COLOUR}"', "penwidth=3"]
    return attributes


def _text(lines: Sequence[str]) -> str:
    r"""A quoted string of several lines; `\` and `&` would start an escape or an entity."""
    escaped = (line.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;") for line in lines)
    return '"' + "\\n".join(escaped) + '"'
