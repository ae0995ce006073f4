"""Which phase comes after which: ids, groups, needs, circles, and who has certainly run before whom.

One rule: a phase without `depends_on` comes after the group before it, whatever other phases say. Adjacent
`parallel: true` phases are one group, up to one that waits for a member of it; a phase between or alone is a group of
one and has no number. A phase with `on_jump` stands outside of this order: it waits for nothing, and nothing for it.
What a phase writes under `depends_on` replaces the rule for that phase; `[]` makes it a root.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from definitions.findings import Findings
from definitions.schema.phases import Need as NeedText
from definitions.schema.phases import Phase
from definitions.shape import Damage
from definitions.slugs import slug
from engine.plan import Need

MAX_CYCLES = 20


@dataclass(slots=True)
class Order:
    """The phases of a definition by number, and what each waits for."""

    ids: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    by_id: dict[str, int] = field(default_factory=dict)
    by_name: dict[str, list[int]] = field(default_factory=dict)
    groups: list[int | None] = field(default_factory=list)
    members: list[range] = field(default_factory=list)
    """The phases of each numbered group."""
    needs: list[tuple[Need, ...]] = field(default_factory=list)
    after_group: list[int | None] = field(default_factory=list)
    sequence: list[int] | None = None
    """A topological order (numbers above the phases' stand for whole groups); what circles say is left out of it.

    None if there are too many circles.
    """
    circles: list[list[int]] = field(default_factory=list)
    unclear: set[int] = field(default_factory=set)
    """Phases whose needs are not all known, because something is wrong with them."""

    def find(self, word: str) -> list[int]:
        """The phases that a word in the definition may mean: by id, else by name."""
        if (index := self.by_id.get(word)) is not None:
            return [index]
        return self.by_name.get(word, [])

    def predecessors(self, index: int) -> list[int]:
        """What must have settled before this phase (or whole group, by its number above the phases')."""
        count = len(self.ids)
        if index >= count:
            return list(self.members[index - count])
        before = [need.phase for need in self.needs[index] if need.kind == "data"]
        if (group := self.after_group[index]) is not None:
            before.append(count + group)
        return before

    def words(self) -> Iterable[str]:
        """Everything that names a phase, for suggestions."""
        return (*self.ids, *self.names)


def order_of(phases: Sequence[Phase], key: str, findings: Findings, damage: Damage) -> Order:
    """The order of the phases; reports clashes of ids, unknown and ambiguous needs, and circles."""
    order = Order(unclear={index for index in range(len(phases)) if damage.covers(key, index, "depends_on")})
    _identify(order, phases, key, findings, damage)
    _group(order, phases)
    for index, phase in enumerate(phases):
        if phase.depends_on is None:
            needs, after = _after_the_group_before(order, phases, index)
        else:
            needs, after = _written(order, index, phase.depends_on, key, findings), None
        order.needs.append(needs)
        order.after_group.append(after)
    _sort(order, phases, key, findings)
    return order


def _identify(order: Order, phases: Sequence[Phase], key: str, findings: Findings, damage: Damage) -> None:
    lowered: dict[str, int] = {}
    for index, phase in enumerate(phases):
        name = phase.name if phase.name is not None else phase.id
        assert name is not None
        identifier = phase.id if phase.id is not None else slug(name)
        order.ids.append(identifier)
        order.names.append(name)
        order.by_name.setdefault(name, []).append(index)
        first = lowered.setdefault(identifier.lower(), index)
        if first == index:
            order.by_id[identifier] = index
        elif not damage.phases & {first, index}:
            _report_clash(order, (key, index, "id" if phase.id is not None else "name"), first, findings)
    for index, identifier in enumerate(order.ids):
        digits = identifier.isascii() and identifier.isdigit()
        if digits and int(identifier) != index and int(identifier) < len(phases) and not damage.phases:
            other = order.names[int(identifier)]
            message = f"the id '{identifier}' is also the index of '{other}', and an id is looked for first"
            findings.add("PL108", (key, index, "id"), message, hint="use an id with a letter", severity="warning")


def _report_clash(order: Order, path: tuple[str, int, str], first: int, findings: Findings) -> None:
    key, index, field_name = path
    line = findings.root.value_mark_of((key, first)).line
    identifier, other = order.ids[index], order.ids[first]
    if identifier == other:
        message = f"the id '{identifier}' is already that of the phase in line {line}"
    else:
        message = f"the id '{identifier}' differs from '{other}' in line {line} only in the case of letters"
    hint = "write an id for one of them" if field_name == "name" else "ids are unique: change one of them"
    findings.add("PL107", path, message, hint=hint)


def _group(order: Order, phases: Sequence[Phase]) -> None:
    start = 0
    while start < len(phases):
        stop = start + 1
        if phases[start].parallel:
            inside = {order.ids[start], order.names[start]}
            while stop < len(phases) and phases[stop].parallel and not _needs_any(phases[stop], inside):
                inside |= {order.ids[stop], order.names[stop]}
                stop += 1
        number = len(order.members) if stop - start > 1 else None
        order.groups += [number] * (stop - start)
        if number is not None:
            order.members.append(range(start, stop))
        start = stop


def _needs_any(phase: Phase, words: set[str]) -> bool:
    """Whether the phase waits for one of these, so that it cannot start together with them."""
    return any(need.phase in words for need in phase.depends_on or () if need.kind == "data")


def _after_the_group_before(order: Order, phases: Sequence[Phase], index: int) -> tuple[tuple[Need, ...], int | None]:
    """What a phase waits for by its place; one that only runs when jumped to waits for nothing, and nothing for it."""
    if phases[index].on_jump:
        return (), None
    group = order.groups[index]
    last = (order.members[group].start if group is not None else index) - 1
    while last >= 0 and order.groups[last] is None and phases[last].on_jump:
        last -= 1
    if last < 0:
        return (), None
    before = order.groups[last]
    if before is not None:
        return (), before
    return (Need(phase=last, implicit=True),), None


def _written(order: Order, index: int, written: Sequence[NeedText], key: str, findings: Findings) -> tuple[Need, ...]:
    needs: dict[int, Need] = {}
    for position, need in enumerate(written):
        path = (key, index, "depends_on", position)  # a single id without a list: reported at `depends_on`
        if (found := _target(order, need.phase, path, findings)) is None:
            order.unclear.add(index)
            continue
        if found == index:
            findings.add("PL202", path, f"'{order.ids[index]}' depends on itself", hint="remove it")
        elif found not in needs or need.kind == "data":
            needs[found] = Need(phase=found, kind=need.kind)
    return tuple(needs.values())


def _target(order: Order, word: str, path: tuple[str | int, ...], findings: Findings) -> int | None:
    found = order.find(word)
    if len(found) == 1:
        return found[0]
    if found:
        ids = " or ".join(f"'{order.ids[index]}'" for index in found[:5])
        findings.add("PL108", path, f"several phases have the name '{word}'", hint=f"write the id: {ids}")
    else:
        findings.add("PL103", path, f"no phase '{word}'", hint=findings.suggest(word, order.words))
    return None


def _sort(order: Order, phases: Sequence[Phase], key: str, findings: Findings) -> None:
    count = len(phases)
    graph = {index: order.predecessors(index) for index in range(count + len(order.members))}
    for _ in range(MAX_CYCLES):
        try:
            sequence = list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            circle = [index for index in reversed(error.args[1][1:]) if index < count]
            _report_circle(order, circle, phases, key, findings)
            order.circles.append(circle)
            for index in circle:
                graph[index] = []
        else:
            order.sequence = sequence
            return


def _report_circle(order: Order, circle: list[int], phases: Sequence[Phase], key: str, findings: Findings) -> None:
    """One circle of phases, each of which waits for the one after it, told from its first phase in the file."""
    turn = circle.index(min(circle))
    circle = [*circle[turn:], *circle[:turn]]
    written = next((index for index in circle if phases[index].depends_on), circle[0])
    names = [order.ids[index] for index in [*circle, circle[0]]]
    message = f"Step deadlock detected: phases wait for each other: {' → '.join(names)}"
    following = circle[(circle.index(written) + 1) % len(circle)]
    findings.add(
        "PL201", _path_of_need(order, written, following, phases, key), message, hint=_cycle_hint(phases, circle)
    )


def _cycle_hint(phases: Sequence[Phase], circle: list[int]) -> str:
    if any(phases[index].depends_on is None for index in circle):
        return "a phase without 'depends_on' waits for what stands before it: remove a need, or write depends_on: []"
    return "remove one of these needs"


def _path_of_need(order: Order, index: int, following: int, phases: Sequence[Phase], key: str) -> tuple[str | int, ...]:
    for position, need in enumerate(phases[index].depends_on or []):
        if order.find(need.phase) == [following]:
            return (key, index, "depends_on", position)
    return (key, index, "depends_on")


class Ancestry:
    """Who has certainly settled before whom, for a chosen set of phases.

    One bit per chosen phase travels along the order once, so the cost is that of the needs, not of all pairs. Where
    the order is wrong, all that it may have meant counts: the phases of a circle come before each other, and before a
    phase whose needs are not known comes everything that does not come after it.
    """

    def __init__(self, order: Order, targets: Iterable[int]) -> None:
        chosen = set(targets)
        marked = sorted(chosen | order.unclear) if chosen else []
        self._bits = {index: 1 << position for position, index in enumerate(marked)}
        self._unclear = sum(self._bits[index] for index in order.unclear) if chosen else 0
        self._before: dict[int, int] = {}
        if not chosen:
            return
        self._travel(order)
        for _ in order.circles:  # what comes before one circle may stand behind another one
            self._share(order)
            self._travel(order)

    def _travel(self, order: Order) -> None:
        for index in order.sequence or []:
            before = self._before.get(index, 0)
            for predecessor in order.predecessors(index):
                before |= self._up_to(predecessor)
            self._before[index] = before

    def _share(self, order: Order) -> None:
        for circle in order.circles:
            before = 0
            for index in circle:
                before |= self._up_to(index)
            self._before.update(dict.fromkeys(circle, before))

    def _up_to(self, index: int) -> int:
        return self._before.get(index, 0) | self._bits.get(index, 0)

    def precedes(self, earlier: int, later: int) -> bool:
        """Whether the chosen phase `earlier` has settled whenever `later` starts."""
        if self._before.get(later, 0) & self._bits[earlier]:
            return True
        return bool(self._unclear and self._unclear & self._up_to(later) & ~self._up_to(earlier))
