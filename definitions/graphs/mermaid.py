"""A graph as a Mermaid flowchart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from definitions.graphs.model import Graph, Link, Node
from definitions.graphs.rows import rows_of
from definitions.graphs.texts import CIRCLE_COLOUR, LOOKS, group_label, label

_ARROWS = {"data": "-->", "context": "-. context .->", "validation": "-. validation .->"}
_SPECIAL = re.compile(r"[\"&<>#`\\;*_~|\[\]{}()]|^[-+](?= )|(?<=^\d)[.)]|(?<=^\d\d)[.)]")


def mermaid(graph: Graph) -> str:
    """The graph as Mermaid: `flowchart TD`, a subgraph for each parallel group, a class for each status."""
    lines = ["flowchart TD"]
    lines.extend(f"  {_node(node)}" for node in graph.nodes if node.group is None)
    rows = rows_of(graph)
    links: list[str] = []
    styles: list[str] = []
    for group in graph.groups:
        lines.append(f'  subgraph g{group.vertex}["{_text([group_label(group)])}"]')
        lines.extend(f"    {_node(graph.nodes[member])}" for member in group.members)
        lines.append("  end")
        for above, below in pairwise(rows[group.vertex]):
            links.extend(f"  p{one} ~~~ p{other}" for one, other in zip(above, below, strict=False))
    for link in graph.links:
        styles.extend(_style(len(links), link))
        links.append(f"  {_vertex(graph, link.source)} {_ARROWS[link.kind]} {_vertex(graph, link.target)}")
    return "\n".join([*lines, *links, *styles, *_classes(graph), ""])


def _vertex(graph: Graph, vertex: int) -> str:
    return f"p{vertex}" if vertex < len(graph.nodes) else f"g{vertex}"


def _node(node: Node) -> str:
    return f'p{node.index}["{_text(label(node))}"]'


def _style(number: int, link: Link) -> Iterator[str]:
    if link.in_circle:
        yield f"  linkStyle {number} stroke:{CIRCLE_COLOUR},stroke-width:4px"
    elif link.kind != "data":
        yield f"  linkStyle {number} stroke-dasharray:{'7 5' if link.kind == 'context' else '2 4'}"


def _classes(graph: Graph) -> Iterator[str]:
    for status, look in LOOKS.items():
        members = [f"p{node.index}" for node in graph.nodes if node.status == status]
        if members:
            yield f"  classDef {status} fill:{look.fill},stroke:{look.stroke},color:#111111"
            yield f"  class {','.join(members)} {status}"
    circle = [f"p{node.index}" for node in graph.nodes if node.in_circle]
    if circle:
        yield f"  classDef circle stroke:{CIRCLE_COLOUR},stroke-width:4px"
        yield f"  class {','.join(circle)} circle"


def _text(lines: Sequence[str]) -> str:
    """Several lines as a label; whatever Mermaid, Markdown or HTML would read is written as `#number;`."""
    return "<br/>".join(_SPECIAL.sub(lambda found: f"#{ord(found[0])};", line) for line in lines)
