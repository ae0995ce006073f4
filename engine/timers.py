"""Moments at which the engine wants to be woken: the sooner first, forgotten ones dropped when their time comes."""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Literal

OF_PHASE = -1
"""In place of a gate's number: the moment is the phase's own."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Due:
    """A moment of a gate: it counts only while the gate is still in this epoch and round.

    Of a phase itself `gate` is `OF_PHASE`, and the round 0.
    """

    at: float
    phase: int
    gate: int
    epoch: int
    round: int
    what: Literal["remind", "deadline"]


@dataclass(slots=True)
class Timers:
    """What is due when."""

    _heap: list[Due] = field(default_factory=list)

    def add(self, due: Due) -> None:
        """Remember a moment."""
        heappush(self._heap, due)

    def next(self) -> float | None:
        """When the next moment is."""
        return self._heap[0].at if self._heap else None

    def take(self, at: float) -> Due | None:
        """One moment that has come, the earliest first; None when none has."""
        return heappop(self._heap) if self._heap and self._heap[0].at <= at else None
