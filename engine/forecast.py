"""How long a plan will take: the run is simulated with a length for every phase, by the engine's own rules of order.

The simulation goes from one end of a phase to the next and admits phases through `ReadyList`, so worker slots, step
groups and the pace of starts count as they do in a run. Every phase is taken to run once and to complete. Lengths are
(low, high) seconds; a phase without one counts as no time and is named in `Forecast.unknown`. The length of a phase
that runs once per item is that of one item; a list that is not known before the run counts as one item.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush

from engine.agents import MANUAL
from engine.plan import PhasePlan, Plan
from engine.readylist import ReadyList

Span = tuple[float, float]
"""Seconds: at the least, at the most."""

NOISE = 1e-6
"""Differences below this come from adding floats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseForecast:
    """When one phase will start and end, in seconds from now.

    `slack` is how much longer the phase may take, at the high lengths, before the whole run ends later, as long as
    phases keep to the order of this forecast. A phase that runs already has a negative start.
    """

    index: int
    start: Span
    end: Span
    slack: float
    critical: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a run will be like with so many `workers`.

    `phases` are those that have not settled, by index. `critical_path` is the chain that decides when the run ends:
    each of its phases starts when the one before it makes way, by a need or by a place that it frees. `groups` are the
    levels of phases that need nothing of each other; `serial` is one phase after another. `unknown` had no length.
    """

    workers: int
    phases: tuple[PhaseForecast, ...]
    wall: Span
    serial: Span
    critical_path: tuple[int, ...]
    groups: tuple[tuple[int, ...], ...]
    unknown: tuple[int, ...]


def forecast(plan: Plan, lengths: Mapping[int, Span], *, workers: int | None = None) -> Forecast:
    """A run of the plan from its start. `workers` None is the plan's own number, and 0 (`auto`) is no limit."""
    return remaining(plan, lengths, done=(), running={}, workers=workers)


def remaining(
    plan: Plan,
    lengths: Mapping[int, Span],
    *,
    done: Collection[int],
    running: Mapping[int, float],
    workers: int | None = None,
) -> Forecast:
    """The rest of an open run, phases that have not started included.

    `done` are the settled phases and `running` the seconds that each running one has taken so far; one that has
    taken its length already is taken to end now.
    """
    graph = _Graph(plan)
    settled = frozenset(done)
    slots = _slots(plan, workers)
    lows, highs = _side(plan, lengths, 0, slots), _side(plan, lengths, 1, slots)
    high = _Simulation(plan, graph, highs, slots).run(settled, running)
    low = high if lows == highs else _Simulation(plan, graph, lows, slots).run(settled, running)
    slack = _slack(graph, high)
    path = _critical(graph, high)
    on_path = set(path)
    left = [phase.index for phase in plan.phases if phase.index not in settled]
    return Forecast(
        workers=slots,
        phases=tuple(
            PhaseForecast(
                index=index,
                start=(low.start[index], high.start[index]),
                end=(low.end[index], high.end[index]),
                slack=0.0 if index in on_path else slack[index],
                critical=index in on_path,
            )
            for index in left
        ),
        wall=(min(low.wall, high.wall), high.wall),
        serial=_serial(plan, low, high, left, slots),
        critical_path=path,
        groups=graph.levels(settled),
        unknown=tuple(i for i in left if i not in lengths and plan.phases[i].agents),
    )


def walls(plan: Plan, lengths: Mapping[int, Span], counts: Iterable[int]) -> dict[int, Span]:
    """How long the whole run takes with each of these numbers of workers."""
    graph = _Graph(plan)
    nothing: frozenset[int] = frozenset()
    found: dict[int, Span] = {}
    for count in counts:
        slots = _slots(plan, count)
        lows, highs = _side(plan, lengths, 0, slots), _side(plan, lengths, 1, slots)
        high = _Simulation(plan, graph, highs, slots).run(nothing, {}).wall
        low = high if lows == highs else _Simulation(plan, graph, lows, slots).run(nothing, {}).wall
        found[count] = (min(low, high), high)
    return found


def needs_worker(phase: PhasePlan) -> bool:
    """Whether the phase takes a worker slot: any of its agents is not a person."""
    return any(agent.uses != MANUAL for agent in phase.agents)


def _slots(plan: Plan, workers: int | None) -> int:
    wanted = plan.execution.max_workers if workers is None else workers
    return wanted or max(1, sum(len(p.for_each) if isinstance(p.for_each, list) else 1 for p in plan.phases))


def rounds(phase: PhasePlan, workers: int) -> int:
    """How many items of the phase run one after another: 1 where it runs once, or for nobody knows how many."""
    if not isinstance(phase.for_each, list):
        return 1
    items = len(phase.for_each)
    at_once = min(phase.max_parallel or items, workers if needs_worker(phase) else items)
    return -(-items // max(1, at_once))


def _side(plan: Plan, lengths: Mapping[int, Span], side: int, workers: int) -> list[float]:
    """The low (0) or high (1) length of every phase. A phase without agents ends as it starts."""
    return [
        max(0.0, lengths[p.index][side]) * rounds(p, workers) if p.index in lengths and p.agents else 0.0
        for p in plan.phases
    ]


def _serial(plan: Plan, low: _Times, high: _Times, left: list[int], workers: int) -> Span:
    """One phase, and one item, after another."""

    def times_as_long(phase: PhasePlan) -> float:
        return len(phase.for_each) / max(1, rounds(phase, workers)) if isinstance(phase.for_each, list) else 1.0

    factors = {i: times_as_long(plan.phases[i]) for i in left}
    lows, highs = (sum((t.end[i] - max(0.0, t.start[i])) * factors[i] for i in left) for t in (low, high))
    return lows, highs


class _Graph:
    """Who waits for whom. A need on a whole group is one edge, so the size is that of the plan."""

    def __init__(self, plan: Plan) -> None:
        self.needs = [tuple({n.phase: None for n in p.needs if n.kind == "data"}) for p in plan.phases]
        self.after = [phase.after_group for phase in plan.phases]
        self.group = [phase.group for phase in plan.phases]
        self.members: dict[int, list[int]] = {}
        self.followers: dict[int, list[int]] = {}
        self.later: list[list[int]] = [[] for _ in plan.phases]
        for index, phase in enumerate(plan.phases):
            if phase.group is not None:
                self.members.setdefault(phase.group, []).append(index)
            if phase.after_group is not None:
                self.followers.setdefault(phase.after_group, []).append(index)
            for need in self.needs[index]:
                self.later[need].append(index)

    def before(self, index: int) -> list[int]:
        """The phases that this one waits for."""
        after = self.after[index]
        return [*self.needs[index], *(self.members.get(after, ()) if after is not None else ())]

    def levels(self, settled: Collection[int]) -> tuple[tuple[int, ...], ...]:
        """The phases that are left, each in the first level after all that it waits for."""
        opening = _Opening(self)
        levels: list[tuple[int, ...]] = []
        now = opening.settle(settled)
        while now:
            level = sorted(index for index in now if index not in settled)
            if level:
                levels.append(tuple(level))
            now = opening.settle(level)
        return tuple(levels)


class _Opening:
    """Counts down what each phase still waits for."""

    def __init__(self, graph: _Graph) -> None:
        self._graph = graph
        self._left = [len(needs) + (after is not None) for needs, after in zip(graph.needs, graph.after, strict=True)]
        self._members = {group: len(members) for group, members in graph.members.items()}
        self._roots: list[int] | None = [index for index, left in enumerate(self._left) if not left]

    def settle(self, indexes: Iterable[int]) -> list[int]:
        """The phases that wait for nothing any more now that these have settled; at first also all roots."""
        opened, self._roots = self._roots or [], None
        for index in indexes:
            for later in self._graph.later[index]:
                self._open(later, opened)
            group = self._graph.group[index]
            if group is not None:
                self._members[group] -= 1
                if not self._members[group]:
                    for later in self._graph.followers.get(group, ()):
                        self._open(later, opened)
        return opened

    def _open(self, index: int, opened: list[int]) -> None:
        self._left[index] -= 1
        if not self._left[index]:
            opened.append(index)


@dataclass(slots=True, kw_only=True)
class _Times:
    """One simulated run: when each phase started and ended, in which order, and what made way for it.

    An edge (other, lag) of a phase says that it could not start before `end[other] + lag`, for its places' sake.
    """

    start: list[float]
    end: list[float]
    order: list[int] = field(default_factory=list)
    places: dict[int, list[tuple[int, float]]] = field(default_factory=dict)
    wall: float = 0.0


class _Simulation:
    """One run with a fixed length for every phase."""

    def __init__(self, plan: Plan, graph: _Graph, lengths: list[float], workers: int) -> None:
        count = len(plan.phases)
        self._lengths = lengths
        self._delay = plan.execution.rate_limit_delay
        self._ready = ReadyList(plan, workers)
        self._worker = [needs_worker(phase) for phase in plan.phases]
        self._opening = _Opening(graph)
        # Whoever left each place last, oldest first: it is what the next holder of the place had to wait for.
        self._slots: deque[int | None] = deque([None] * min(workers, count))
        one_by_one = not plan.execution.parallel
        self._of = [(*phase.limits, len(plan.step_groups)) if one_by_one else phase.limits for phase in plan.phases]
        sizes = [min(group.max_workers or len(group.phases), count) for group in plan.step_groups]
        self._places: list[deque[int | None]] = [deque([None] * size) for size in (*sizes, 1)]
        self._busy: list[tuple[float, int]] = []
        self._next_start = 0.0
        self._last_worker: int | None = None
        self._held: set[int] = set()
        self._times = _Times(start=[0.0] * count, end=[0.0] * count)

    def run(self, settled: frozenset[int], running: Mapping[int, float]) -> _Times:
        """Simulate to the end. Raises ValueError for phases that wait for each other."""
        opened = self._opening.settle(settled)
        for index in sorted(running):
            self._ready.hold(index)
            if self._worker[index]:
                self._ready.max_workers -= 1  # given back when it ends: its slot was taken before this simulation
                self._held.add(index)
            self._start(index, -running[index])
        now = 0.0
        while True:
            for index in opened:
                if index not in settled and index not in running:
                    self._ready.add(index, worker=self._worker[index])
            self._launch(now)
            if not self._busy and not self._ready:
                break
            now = self._next(now)
            opened = self._opening.settle(self._ended(now))
        if len(self._times.order) + len(settled) < len(self._lengths):
            raise ValueError("phases of the plan wait for each other")
        self._times.wall = max((self._times.end[index] for index in self._times.order), default=0.0)
        return self._times

    def _launch(self, now: float) -> None:
        while True:
            index = self._ready.take(workers=self._next_start <= now)
            if index is None:
                return
            self._start(index, now)
            if self._worker[index] and self._delay:
                self._next_start = now + self._delay

    def _next(self, now: float) -> float:
        """The next moment at which anything changes."""
        moments = [self._busy[0][0]] if self._busy else []
        if self._next_start > now and self._ready.worker_wanted:
            moments.append(self._next_start)
        return min(moments)

    def _start(self, index: int, at: float) -> None:
        times = self._times
        times.start[index] = at
        times.end[index] = max(at + self._lengths[index], 0.0)
        times.order.append(index)
        heappush(self._busy, (times.end[index], index))
        taken = [self._places[limit] for limit in self._of[index]]
        if self._worker[index]:
            taken.append(self._slots)
        edges = [(before, 0.0) for place in taken if place and (before := place.popleft()) is not None]
        if self._worker[index]:
            if self._delay and self._last_worker is not None and at >= 0.0:
                last = self._last_worker
                edges.append((last, times.start[last] + self._delay - times.end[last]))
            self._last_worker = index if at >= 0.0 else None
        if edges:
            times.places[index] = edges

    def _ended(self, now: float) -> list[int]:
        ended: list[int] = []
        while self._busy and self._busy[0][0] <= now:
            index = heappop(self._busy)[1]
            ended.append(index)
            self._ready.leave(index)
            for limit in self._of[index]:
                self._places[limit].append(index)
            if self._worker[index]:
                self._slots.append(index)
            if index in self._held:
                self._ready.max_workers += 1
        return ended


def _slack(graph: _Graph, times: _Times) -> list[float]:
    """By how much each phase may end later; everything that waits for it has started after it."""
    latest = [times.wall] * len(times.end)
    group_latest: dict[int, float] = {}
    for index in reversed(times.order):
        group = graph.group[index]
        if group is not None:
            latest[index] = min(latest[index], group_latest.get(group, times.wall))
        start = latest[index] - (times.end[index] - times.start[index])
        for other, lag in ((need, 0.0) for need in graph.needs[index]):
            latest[other] = min(latest[other], start - lag)
        for other, lag in times.places.get(index, ()):
            latest[other] = min(latest[other], start - lag)
        after = graph.after[index]
        if after is not None:
            group_latest[after] = min(group_latest.get(after, times.wall), start)
    return [slack if (slack := late - end) > NOISE else 0.0 for late, end in zip(latest, times.end, strict=True)]


def _critical(graph: _Graph, times: _Times) -> tuple[int, ...]:
    """The chain from the phase that ends last back to one that nothing made wait; a need goes before a place."""
    if not times.order:
        return ()
    open_phases = set(times.order)
    index: int | None = max(times.order, key=lambda i: (times.end[i], times.start[i], -i))
    path: list[int] = []
    seen: set[int] = set()
    while index is not None:
        path.append(index)
        seen.add(index)
        needed = [(other, 0.0) for other in graph.before(index) if other in open_phases]
        at = times.start[index]
        index = next(
            (
                other
                for other, lag in (*needed, *times.places.get(index, ()))
                if other not in seen and abs(times.end[other] + lag - at) <= NOISE
            ),
            None,
        )
    return tuple(reversed(path))
