"""A graph with the letters of a terminal; a list of phases where a picture would not fit."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from cli.pictures.missing import needed_for
from cli.pictures.waits import waits
from cli.words.table import padded, shortened, width
from definitions.graphs import Graph
from definitions.graphs.texts import CIRCLE_COLOUR, LOOKS, PERSON, group_label, heading, label, seen

if TYPE_CHECKING:  # the extra may be missing
    from termaid.graph.model import Graph as Drawing
    from termaid.renderer.canvas import Canvas

MOST = 60
"""A picture of more phases is nothing for a terminal."""

NARROWEST, MARKS = 16, 3
"""Cells of a list's columns, at least: names and what is waited for; symbols."""


def lines(graph: Graph, *, columns: int, colour: bool = False) -> list[str]:
    """The picture as lines that are at most `columns` wide; `colour`: with ANSI colours by status."""
    head = heading(graph)
    if len(graph.nodes) <= MOST and (picture := _picture(graph, columns, colour=colour)):
        return [*head, "", *picture]
    with needed_for("a picture in the terminal"):
        import termaid  # noqa: F401, PLC0415 - the same answer for every size of graph
    told = "Too large to draw here; the phases and what they wait for:"
    return [*head, *_legend(graph), *textwrap.wrap(told, columns), "", *_listed(graph, columns)]


def _picture(graph: Graph, columns: int, *, colour: bool) -> list[str]:
    with needed_for("a picture in the terminal"):
        from termaid.graph.model import Direction  # noqa: PLC0415 - the extra may be missing
        from termaid.graph.model import Graph as Drawing  # noqa: PLC0415
        from termaid.renderer.draw import render_graph_canvas  # noqa: PLC0415

    drawing = Drawing(direction=Direction.TB)
    _fill(drawing, graph)
    canvas = render_graph_canvas(drawing, padding_x=2, padding_y=1, gap=3)
    if canvas is None:  # pragma: no cover - a graph has at least one phase
        return []
    plain = str(canvas.to_string()).rstrip().splitlines()
    if max(map(len, plain), default=0) > columns:
        return []
    return _coloured(canvas, drawing) if colour else plain


def _fill(drawing: object, graph: Graph) -> None:
    """Tell termaid what to draw; through its model and not through Mermaid, so no name has to be escaped."""
    from termaid.graph.model import Edge, EdgeStyle, Node, Subgraph  # noqa: PLC0415 - loaded by then
    from termaid.graph.model import Graph as Drawing  # noqa: PLC0415

    assert isinstance(drawing, Drawing)
    count = len(graph.nodes)
    styles = {"data": EdgeStyle.SOLID, "context": EdgeStyle.DOTTED, "validation": EdgeStyle.DOTTED}
    for node in graph.nodes:
        drawing.add_node(Node(id=f"v{node.index}", label="\n".join(label(node))))
        if node.in_circle:
            drawing.node_styles[f"v{node.index}"] = {"stroke": CIRCLE_COLOUR, "color": CIRCLE_COLOUR}
        elif (look := LOOKS.get(node.status or "")) is not None:
            drawing.node_styles[f"v{node.index}"] = {"stroke": look.stroke, "color": look.stroke}
    for group in graph.groups:
        members = [f"v{member}" for member in group.members]
        drawing.subgraphs.append(Subgraph(id=f"v{group.vertex}", label=group_label(group), node_ids=members))
    for link in graph.links:
        drawing.add_edge(
            Edge(
                source=f"v{link.source}",
                target=f"v{link.target}",
                label="" if link.kind == "data" else link.kind,
                style=EdgeStyle.THICK if link.in_circle else styles[link.kind],
                source_is_subgraph=link.source >= count,
                target_is_subgraph=link.target >= count,
            )
        )


def _coloured(canvas: Canvas, drawing: Drawing) -> list[str]:
    from io import StringIO  # noqa: PLC0415 - only here

    from rich.console import Console  # noqa: PLC0415 - only with colour
    from termaid.output.rich import render_graph_rich  # noqa: PLC0415 - loaded by then

    text = render_graph_rich(canvas, drawing, theme="default")
    stream = StringIO()
    console = Console(file=stream, force_terminal=True, color_system="truecolor", width=10_000, legacy_windows=False)
    console.print(text, end="", soft_wrap=True)
    return stream.getvalue().rstrip().splitlines()


def _listed(graph: Graph, columns: int) -> list[str]:
    sources = waits(graph)
    number = len(str(len(graph.nodes) - 1))
    names = min(max((width(seen(node.name)) for node in graph.nodes), default=0), max(NARROWEST, columns // 2))
    lines = []
    for node in graph.nodes:
        look = LOOKS.get(node.status or "")
        marks = "".join((look.symbol if look else "", PERSON if node.people else "", "!" if node.in_circle else ""))
        name = padded(shortened(seen(node.name), names), names)
        begin = f"  {node.index:<{number}}  {padded(marks, MARKS)} {name}  "
        wanted = ", ".join(sources.get(node.index, []))
        room = max(NARROWEST, columns - width(begin) - 2)
        first, *more = textwrap.wrap(wanted, room, break_on_hyphens=False) or [""]
        lines.append(f"{begin}← {first}" if first else begin.rstrip())
        lines.extend(f"{' ' * (width(begin) + 2)}{line}" for line in more)
    return lines


def _legend(graph: Graph) -> list[str]:
    """What the symbols in the list mean, as far as they are there."""
    present = {node.status for node in graph.nodes}
    words = [f"{look.symbol} {look.word}" for status, look in LOOKS.items() if status in present]
    return [", ".join(words)] if words else []
