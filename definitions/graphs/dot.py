"""A graph as DOT, the language of Graphviz."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from definitions.graphs.extent import extent
from definitions.graphs.model import Graph, Group, Link, Node
from definitions.graphs.rows import Rows, cut, rows_of, turns
from definitions.graphs.texts import CIRCLE_COLOUR, GOES_ON, LOOKS, PLAIN, group_label, heading, label, seen

FONT = "Arimo,Arial,Helvetica"
SIZE = 14
LAYOUT = "compound=true, rankdir=TB, nodesep=0.25, ranksep=0.45, newrank=true, pad=0.2, bgcolor=white"
BOX = f'shape=box, style="rounded,filled", fillcolor="#F4F7FB", color="{PLAIN}", fontcolor="#111111", fixedsize=true'
CONNECTOR = 'shape=circle, style=filled, fillcolor="#FFFFFF", fontcolor="#111111", width=0.34, height=0.34'
"""Where a chain leaves a column and where it goes on: the same number in both places."""

STYLES = {"data": "solid", "context": "dashed", "validation": "dotted"}
FAN = 8
"""A phase that more others wait for has them on several rows."""


def dot(graph: Graph, *, headed: bool = True, identified: bool = False) -> str:
    """The graph as DOT: solid lines for data, dashed for context, dotted for validation, boxes around groups.

    `headed`: with a title. `identified`: with the id below every name whose letters the pictures' own font lacks.
    """
    common = f'fontname="{FONT}", fontsize'
    rows = rows_of(graph)
    breaks = sorted(turns(graph, rows), key=lambda link: graph.members(link[1])[0])
    title = [*heading(graph, identified=identified), *([GOES_ON] if breaks else [])] if headed else []
    lines = [
        "digraph {",
        f"  graph [{LAYOUT}, {common}={SIZE + 2}, labelloc=t, label={_text(title)}]",
        f"  node [{BOX}, {common}={SIZE}]",
        f'  edge [color="{PLAIN}", arrowsize=0.8, {common}={SIZE - 3}]',
    ]
    nodes = [_node(node, label(node, identified=identified)) for node in graph.nodes]
    lines.extend(f"  {nodes[node.index]}" for node in graph.nodes if node.group is None)
    linked = graph.linked
    free = [node.index for node in graph.nodes if node.group is None and node.index not in linked]
    lines.extend(f"  {line}" for line in _stacked(cut(free)))
    for group in graph.groups:
        free_of_links = linked.isdisjoint(group.members)
        lines.extend(f"  {line}" for line in _cluster(nodes, group, rows[group.vertex], linked=not free_of_links))
    lines.extend(f"  {line}" for line in _columns(graph, breaks, rows))
    lines.extend(f"  {line}" for line in _links(graph, rows, breaks))
    return "\n".join([*lines, "}", ""])


def _node(node: Node, lines: Sequence[str]) -> str:
    attributes = [f"label={_text(lines)}", f"tooltip={_text([seen(node.id)])}", f'id="phase{node.index}"']
    width, height = extent(lines, SIZE)
    attributes.append(f"width={width:.2f}, height={height:.2f}")
    if (look := LOOKS.get(node.status or "")) is not None:
        attributes.append(f'class="{node.status}"')
        attributes += [f'fillcolor="{look.fill}"', f'color="{look.stroke}"', "penwidth=1.6"]
        if node.status in {"skipped", "pending"}:
            attributes.append('style="rounded,filled,dashed"')
    if node.in_circle:
        attributes += [f'color="{CIRCLE_COLOUR}"', "penwidth=3", "peripheries=2"]
    return f"p{node.index} [{', '.join(attributes)}]"


def _cluster(nodes: Sequence[str], group: Group, rows: Sequence[Sequence[int]], *, linked: bool) -> Iterator[str]:
    yield f"subgraph cluster_g{group.vertex} {{"
    yield f'  label={_text([group_label(group)])}; labeljust=l; style="rounded,filled"; fontsize={SIZE - 2}'
    yield '  fillcolor="#FAFAFA"; color="#9A9A9A"; margin=12'
    for member in group.members:
        yield f"  {nodes[member]}"
    if not linked:
        yield from (f"  {{ rank=same; {'; '.join(f'p{member}' for member in row)} }}" for row in rows)
        yield from (f"  {line}" for line in _stacked(rows))
    yield "}"


def _stacked(rows: Sequence[Sequence[int]]) -> Iterator[str]:
    """Unseen lines that keep each row below the one before it."""
    for above, below in pairwise(rows):
        yield from (f"p{one} -> p{other} [style=invis, weight=10]" for one, other in zip(above, below, strict=False))


def _columns(graph: Graph, breaks: Sequence[tuple[int, int]], rows: Rows) -> Iterator[str]:
    """Where a long chain is in columns: a row above it that keeps them in order, with where each goes on from."""
    if not breaks:
        return
    tops = [f"top{number}" for number in range(len(breaks) + 1)]
    yield f"node [{CONNECTOR}]"
    yield f"{{ rank=min; {tops[0]} [style=invis]; {' '.join(_connector(tops[n], n) for n in range(1, len(tops)))} }}"
    yield from (_connector(f"end{number}", number) for number in range(1, len(tops)))
    yield from (f"{left} -> {right} [style=invis]" for left, right in pairwise(tops))
    first = graph.nodes[0]
    head = first.index if first.group is None else len(graph.nodes) + first.group
    yield f"{tops[0]} -> p{_middle(rows[head][0]) if head in rows else head} [style=invis, weight=20]"


def _connector(name: str, number: int) -> str:
    return f'{name} [label="{number}"];'


def _links(graph: Graph, rows: Rows, breaks: Sequence[tuple[int, int]]) -> Iterator[str]:
    into = Counter(link.target for link in graph.links)
    alone = {node.index for node in graph.nodes if node.group is None and into[node.index] == 1}
    turned = {link: number for number, link in enumerate(breaks, start=1)}
    fanned: Counter[int] = Counter()
    for link in graph.links:
        attributes = _attributes(link)
        tail, head = link.source, link.target
        away, into_group = [], []
        if tail in rows:
            away.append(f"ltail=cluster_g{tail}")
            tail = _middle(rows[tail][-1])
        if head in rows:
            into_group.append(f"lhead=cluster_g{head}")
            head = _middle(rows[head][0])
        if (number := turned.get((link.source, link.target))) is not None:
            yield _line(f"p{tail}", f"end{number}", [*attributes, *away, *(["minlen=2"] if away else [])])
            yield _line(f"top{number}", f"p{head}", [*attributes, *into_group, "weight=20"])
            continue
        attributes += away + into_group
        if away or into_group:
            attributes.append("minlen=2")  # the frame of a group takes a part of the way
        if link.target in alone:
            if fanned[link.source] >= FAN:
                attributes.append(f"minlen={1 + fanned[link.source] // FAN}")
            fanned[link.source] += 1
        yield _line(f"p{tail}", f"p{head}", attributes)


def _line(tail: str, head: str, attributes: Sequence[str]) -> str:
    return f"{tail} -> {head}{' [' + ', '.join(attributes) + ']' if attributes else ''}"


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
