"""A graph as one HTML page that needs nothing else: the picture to scroll and zoom, and the same as a table."""

from __future__ import annotations

import re
from collections import Counter
from html import escape
from importlib.resources import files

from cli.pictures.waits import waits
from definitions.graphs import Graph
from definitions.graphs.model import Node
from definitions.graphs.texts import GOES_ON, IN_CIRCLE, LOOKS, PERSON, heading, seen

_PROLOGUE = re.compile(r"\A.*?(?=<svg)|<!--.*?-->| xmlns(?::xlink)?=\"[^\"]*\"| xlink:title=\"[^\"]*\"", re.DOTALL)
_TITLE = re.compile(r"<title>(?:p(\d+))?.*?</title>\n?", re.DOTALL)


def page(graph: Graph, svg: str) -> str:
    """The page; `svg` is the picture without a title of its own."""
    title, *told = heading(graph)
    if re.search(r"<title>end1</title>", svg):
        told.append(GOES_ON)
    parts = {
        "title": escape(title),
        "told": "".join(f"<p>{escape(line)}</p>" for line in told),
        "legend": _legend(graph),
        "picture": _inline(graph, svg),
        "head": "".join(f"<th scope=col>{word}</th>" for word in _columns(graph)),
        "rows": "\n".join(_rows(graph)),
        "style": part_of("page.css"),
        "script": part_of("page.js"),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], part_of("page.html"))


def part_of(name: str) -> str:
    """A file beside this one that pages are made of."""
    return files("cli.pictures").joinpath(name).read_text(encoding="utf-8")


def _inline(graph: Graph, svg: str) -> str:
    """The picture as a part of a page; pointing at a phase shows its id."""

    def titled(found: re.Match[str]) -> str:
        return f"<title>{escape(seen(graph.nodes[int(found[1])].id))}</title>" if found[1] else ""

    return _TITLE.sub(titled, _PROLOGUE.sub("", svg)).strip()


def _legend(graph: Graph) -> str:
    counts = Counter(node.status for node in graph.nodes if node.status is not None)
    items = [f"<li>{_chip(status)} {counts[status]}</li>" for status in LOOKS if counts[status]]
    return f"<ul class=legend aria-label=Statuses>{''.join(items)}</ul>" if items else ""


def _chip(status: str) -> str:
    look = LOOKS.get(status)
    if look is None:
        return escape(seen(status))
    colours = f"background:{look.fill};border-color:{look.stroke}"
    return f'<span class=chip style="{colours}"><span aria-hidden=true>{look.symbol}</span> {look.word}</span>'


def _columns(graph: Graph) -> list[str]:
    status = ["Status"] if any(node.status for node in graph.nodes) else []
    return ["#", "Phase", "Id", *status, "In parallel", "Waits for"]


def _rows(graph: Graph) -> list[str]:
    sources = waits(graph)
    with_status = "Status" in _columns(graph)
    return [_row(graph, node, sources.get(node.index, []), with_status=with_status) for node in graph.nodes]


def _row(graph: Graph, node: Node, sources: list[str], *, with_status: bool) -> str:
    beside = len(graph.groups[node.group].members) if node.group is not None else 1
    cells = [
        str(node.index),
        escape(f"{PERSON} {seen(node.name)}" if node.people else seen(node.name)),
        f'<a href="#phase{node.index}"><code>{escape(seen(node.id))}</code></a>',
        *([_chip(node.status or "")] if with_status else []),
        f"{beside} phases" if beside > 1 else "",
        escape(", ".join([*sources, *([IN_CIRCLE] if node.in_circle else [])])),
    ]
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
