"""The ready list: which phase may start next under the run's limits, without ever scanning the plan.

A phase that waits for a step group waits in that group's own heap, and only one of them comes back when a member
frees its place; all others wait in one heap in plan order. Items of a phase wait where their phase stands in the plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush

from engine.plan import Plan

Waiting = tuple[int, int, int]
"""A phase in a heap: its place among the others (two numbers), and its index."""


class ReadyList:
    """Phases that wait to start or to go on with their next turn, and the places that running ones hold."""

    def __init__(self, plan: Plan, max_workers: int) -> None:
        self.max_workers = max_workers
        self._limits = [group.max_workers or len(group.phases) for group in plan.step_groups]
        self._of = {phase.index: list(phase.limits) for phase in plan.phases}
        if not plan.execution.parallel:
            self._limits.append(1)
            for limits in self._of.values():
                limits.append(len(self._limits) - 1)
        self._taken = [0] * len(self._limits)
        self._blocked: list[list[tuple[Waiting, bool]]] = [[] for _ in self._limits]
        # A phase with items takes no place in its step groups: its items will.
        self._inherited = {phase.index: self._of[phase.index] for phase in plan.phases if phase.for_each is not None}
        self._of.update((index, []) for index in self._inherited)
        self._places: dict[int, tuple[int, int]] = {}
        self._people: list[Waiting] = []
        self._workers: list[Waiting] = []
        self._waiting: dict[int, bool] = {}
        """Which phases wait, and whether for a worker; an entry of a heap that says otherwise is out of date."""
        self._holders: set[int] = set()
        self._members: set[int] = set()

    @property
    def slots_used(self) -> int:
        """Worker slots that are taken now."""
        return len(self._holders)

    @property
    def slots_free(self) -> int:
        """Worker slots that are free now (never negative)."""
        return max(0, self.max_workers - len(self._holders))

    def waits_for_slot(self, index: int) -> bool:
        """Whether the phase is ready and waits for a worker slot or a place in its step group."""
        return index in self._waiting

    def __bool__(self) -> bool:
        """Whether any phase waits in this list."""
        return bool(self._waiting)

    @property
    def waiting(self) -> frozenset[int]:
        """All phases that wait in this list."""
        return frozenset(index for index in self._waiting if index >= 0)

    def stand_in(self, index: int) -> None:
        """The items of the phase are done; until it leaves it takes places itself, for its gates."""
        if self._inherited.get(index) and not self._of[index]:
            self._members.discard(index)
            self._of[index] = self._inherited[index]

    def expand(self, parent: int, items: Sequence[tuple[int, int]], at_once: int | None) -> None:
        """Take in the items (number, index) of a phase, of which at most `at_once` run at once."""
        limits = self._inherited[parent]
        if at_once is not None:
            self._limits.append(at_once)
            self._taken.append(0)
            self._blocked.append([])
            limits = [*limits, len(self._limits) - 1]
        for number, index in items:
            self._of[index] = limits
            self._places[index] = (parent, number)

    def add(self, index: int, *, worker: bool) -> None:
        """Let a phase wait for its start or its next turn; `worker`: that needs a worker slot."""
        if index not in self._waiting:
            self._waiting[index] = worker
            heappush(self._workers if worker else self._people, self._entry(index))

    def sit(self, seat: int, beside: int) -> None:
        """Let reviewers wait for a worker slot, where the phase `beside` stands; their `seat` is a negative number."""
        self._of.setdefault(seat, [])
        self._places[seat] = (beside, -2)
        self.add(seat, worker=True)

    def _entry(self, index: int) -> Waiting:
        return (*self._places.get(index, (index, -1)), index)

    def discard(self, index: int) -> None:
        """Forget a waiting phase (skipped or cancelled meanwhile)."""
        if self._waiting.pop(index, None) is not None:
            self._wake(self._of[index])

    def take(self, *, workers: bool) -> int | None:
        """The next phase that may go on, with its places taken; None when there is none.

        With `workers` false only phases that need no worker slot are looked at.
        """
        while (index := self._pop(self._people, worker=False)) is not None:
            if self._enter(index, worker=False):
                return index
        while workers and len(self._holders) < self.max_workers:
            if (index := self._pop(self._workers, worker=True)) is None or self._enter(index, worker=True):
                return index
        return None

    @property
    def worker_wanted(self) -> bool:
        """Whether a phase could start now if nothing but the rate limit were in the way."""
        while self._workers and not self._waiting.get(self._workers[0][2]):
            heappop(self._workers)
        return bool(self._workers) and self.slots_free > 0

    def hold(self, index: int) -> None:
        """Take the phase's places in its step groups whatever their limits: it runs already."""
        if index not in self._members:
            self._members.add(index)
            for limit in self._of[index]:
                self._taken[limit] += 1

    def holds(self, index: int) -> bool:
        """Whether the phase has its places in its step groups."""
        return index in self._members

    def release_slot(self, index: int) -> None:
        """The phase's turn no longer needs a worker."""
        self._holders.discard(index)

    def leave(self, index: int) -> None:
        """The phase has ended or paused: all its places are free again."""
        self.discard(index)
        self._holders.discard(index)
        if index not in self._members:
            if index in self._inherited:
                self._of[index] = []
            return
        self._members.discard(index)
        freed = self._of[index]
        if index in self._inherited:
            self._of[index] = []
        for limit in freed:
            self._taken[limit] -= 1
        self._wake(freed)

    def _wake(self, limits: list[int]) -> None:
        """Give the free place of each limit to the first phase that waits for it."""
        for limit in limits:
            while self._blocked[limit] and self._taken[limit] < self._limits[limit]:
                waiting, worker = heappop(self._blocked[limit])
                if self._waiting.get(waiting[2]) is worker:
                    heappush(self._workers if worker else self._people, waiting)
                    break

    def _pop(self, heap: list[Waiting], *, worker: bool) -> int | None:
        while heap:
            index = heappop(heap)[2]
            if self._waiting.get(index) is worker:
                return index
        return None

    def _enter(self, index: int, *, worker: bool) -> bool:
        if index not in self._members:
            for limit in self._of[index]:
                if self._taken[limit] >= self._limits[limit]:
                    heappush(self._blocked[limit], (self._entry(index), worker))
                    # A place that this phase cannot use yet, because of another limit, goes to the next one.
                    self._wake([other for other in self._of[index] if other != limit])
                    return False
            self.hold(index)
        del self._waiting[index]
        if worker:
            self._holders.add(index)
        return True
