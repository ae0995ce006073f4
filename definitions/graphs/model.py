"""The graph of a definition or a plan: phases, parallel groups, and links that say who waits for whom.

A vertex is a number: a phase by its index, a parallel group by its number above the phases' (as in `Order`). What all
members of a group wait for, and what waits for all of them, is one link of the group, so a picture has no n times m
lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from definitions.graphs.circles import circles
from definitions.loading import Checked
from definitions.roles import TOOLS, bindings
from definitions.schema.agents import Agent, Manual
from definitions.schema.phases import Phase
from engine.agents import MANUAL
from engine.plan import Need, NeedKind, Plan

Sources = dict[int, Need]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One phase. `people`: somebody has to do a part of it. `status` is how a run shows it, None without a run."""

    index: int
    id: str
    name: str
    people: bool = False
    group: int | None = None
    status: str | None = None
    in_circle: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Adjacent phases that may work at once."""

    vertex: int
    members: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """`target` waits for `source`. `implicit`: because of the order in the file."""

    source: int
    target: int
    kind: NeedKind = "data"
    implicit: bool = False
    in_circle: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """All of it. `circles` are sets of phases that wait for each other; a valid definition has none."""

    id: str
    name: str
    nodes: tuple[Node, ...]
    groups: tuple[Group, ...]
    links: tuple[Link, ...]
    circles: tuple[tuple[int, ...], ...] = ()

    @property
    def linked(self) -> set[int]:
        """The vertices that a link begins or ends at."""
        return {vertex for link in self.links for vertex in (link.source, link.target)}

    def members(self, vertex: int) -> tuple[int, ...]:
        """The phases of a vertex."""
        count = len(self.nodes)
        return (vertex,) if vertex < count else self.groups[vertex - count].members


def graph_of_plan(plan: Plan, statuses: Mapping[int, str] | None = None) -> Graph:
    """The graph of a plan; `statuses` by index, in the words that a run's view has."""
    nodes = [
        Node(
            index=phase.index,
            id=phase.id,
            name=phase.name,
            people=any(agent.uses == MANUAL for agent in phase.agents),
            group=phase.group,
            status=(statuses or {}).get(phase.index),
        )
        for phase in plan.phases
    ]
    after = [phase.after_group for phase in plan.phases]
    return _graph(plan.id, plan.name, nodes, [phase.needs for phase in plan.phases], after)


def graph_of_checked(checked: Checked) -> Graph | None:
    """The graph of a definition as far as it can be read, circles included; None if there are no phases to draw."""
    definition, order = checked.definition, checked.facts.order
    if definition is None or not order.ids:
        return None
    bound = bindings(definition, checked.project.agents if checked.project is not None else {})
    nodes = [
        Node(
            index=index,
            id=order.ids[index],
            name=order.names[index],
            people=_needs_people(phase, bound),
            group=order.groups[index],
        )
        for index, phase in enumerate(definition.ordered)
    ]
    return _graph(checked.id, checked.name, nodes, order.needs, order.after_group)


def _needs_people(phase: Phase, bound: Mapping[str, Agent]) -> bool:
    """Whether a role of the phase is bound to nobody or to a person, as when it is compiled."""
    if not phase.agents and phase.tool is None:
        return not phase.tasks
    roles = phase.agents or [phase.tool or ""]
    tool_only = not phase.agents
    return any(
        isinstance(bound.get(role), Manual) or (role not in bound and not (tool_only and role in TOOLS))
        for role in roles
    )


def _graph(
    identifier: str,
    name: str,
    nodes: Sequence[Node],
    needs: Sequence[Iterable[Need]],
    after_group: Sequence[int | None],
) -> Graph:
    groups = _groups(nodes)
    sources = [_sources(len(nodes), *each) for each in zip(needs, after_group, strict=True)]
    found = _circles(groups, sources)
    circle_of = {vertex: number for number, circle in enumerate(found) for vertex in circle}
    links = _links(groups, [_folded(each, groups, nodes) for each in sources])
    graph = Graph(id=identifier, name=name, nodes=tuple(nodes), groups=groups, links=())
    return Graph(
        id=identifier,
        name=name,
        nodes=tuple(replace(node, in_circle=node.index in circle_of) for node in nodes),
        groups=groups,
        links=tuple(
            replace(link, in_circle=link.kind == "data" and _share_circle(graph, link, circle_of)) for link in links
        ),
        circles=tuple(tuple(vertex for vertex in circle if vertex < len(nodes)) for circle in found),
    )


def _groups(nodes: Sequence[Node]) -> tuple[Group, ...]:
    members: dict[int, list[int]] = {}
    for node in nodes:
        if node.group is not None:
            members.setdefault(node.group, []).append(node.index)
    return tuple(Group(vertex=len(nodes) + number, members=tuple(members[number])) for number in sorted(members))


def _sources(count: int, needs: Iterable[Need], after: int | None) -> Sources:
    sources = {need.phase: need for need in needs}
    if after is not None:
        sources[count + after] = Need(phase=count + after, implicit=True)
    return sources


def _folded(sources: Sources, groups: Sequence[Group], nodes: Sequence[Node]) -> Sources:
    """The same with one source instead of all members of a group."""
    touched = {number for source in sources if source < len(nodes) and (number := nodes[source].group) is not None}
    for number in sorted(touched):
        group = groups[number]
        inside = [sources.get(member) for member in group.members]
        if all(need is not None and need.kind == "data" for need in inside):
            sources = {source: need for source, need in sources.items() if source not in group.members}
            sources[group.vertex] = Need(phase=group.vertex)
    return sources


def _links(groups: Sequence[Group], sources: Sequence[Sources]) -> list[Link]:
    links: list[Link] = []
    told: set[int] = set()
    for group in groups:
        first = sources[group.members[0]]
        if all(sources[member] == first for member in group.members):
            links.extend(_link(need, group.vertex) for need in first.values())
            told.update(group.members)
    for target, needs in enumerate(sources):
        if target not in told:
            links.extend(_link(need, target) for need in needs.values())
    return sorted(links, key=lambda link: (min(link.target, link.source), link.target, link.source))


def _link(need: Need, target: int) -> Link:
    return Link(source=need.phase, target=target, kind=need.kind, implicit=need.implicit)


def _circles(groups: Sequence[Group], sources: Sequence[Sources]) -> list[list[int]]:
    following: list[list[int]] = [[] for _ in range(len(sources) + len(groups))]
    for target, needs in enumerate(sources):
        for source, need in needs.items():
            if need.kind == "data":
                following[source].append(target)
    for group in groups:
        for member in group.members:
            following[member].append(group.vertex)
    return circles(following)


def _share_circle(graph: Graph, link: Link, circle_of: Mapping[int, int]) -> bool:
    sources = {circle_of[vertex] for vertex in graph.members(link.source) if vertex in circle_of}
    return any(circle_of.get(vertex) in sources for vertex in graph.members(link.target))
