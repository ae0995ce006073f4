"""What each phase waits for, in words: where a picture is a list or has one beside it."""

from __future__ import annotations

from definitions.graphs import Graph


def waits(graph: Graph) -> dict[int, list[str]]:
    """By phase: the ids of what it waits for, a parallel group as `first … last`, other kinds of needs named."""
    count = len(graph.nodes)
    sources: dict[int, list[str]] = {}
    for link in graph.links:
        source = graph.nodes[link.source].id if link.source < count else _range(graph, link.source)
        kind = "" if link.kind == "data" else f" ({link.kind})"
        for target in graph.members(link.target):
            sources.setdefault(target, []).append(f"{source}{kind}")
    return sources


def _range(graph: Graph, vertex: int) -> str:
    members = graph.members(vertex)
    return f"{graph.nodes[members[0]].id} … {graph.nodes[members[-1]].id}"
