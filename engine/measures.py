"""What phases and a run have taken: seconds, and what their agents' commands have used where that was measured."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine.phase_state import PhaseState
from engine.state import State

Json = dict[str, Any]

SUMS = ("calls", "cpu_seconds", "read_bytes", "write_bytes")
PEAK = "memory_peak"


def used(results: Iterable[Json]) -> Json | None:
    """The usage of some agents' results as one; None where nothing was measured."""
    return together([result["usage"] for result in results if isinstance(result.get("usage"), dict)])


def seconds(phase: PhaseState) -> float | None:
    """How long an ended phase has taken; None if it never began."""
    if phase.started_at is None or phase.finished_at is None:
        return None
    return max(0.0, phase.finished_at - phase.started_at)


def totals(state: State) -> Json:
    """The whole of an ended run: `{sequential, parallel, …usage}`, the first two in seconds.

    `sequential` is one phase (or item) after another, `parallel` is what it really took.
    """
    began, ended = state.started_at or 0.0, state.ended_at or 0.0
    # Where the run goes on from another one, or reuses its results, what that one did took nothing of this one.
    own = [phase for phase in state.phases if phase.started_at is not None and phase.started_at >= began]
    sequential = sum(seconds(phase) or 0.0 for phase in own if phase.plan.for_each is None)
    usages = [usage for phase in own if (usage := used(phase.results)) is not None]
    return {
        "sequential": round(sequential, 3),
        "parallel": round(max(0.0, ended - began), 3),
        **(together(usages) or {}),
    }


def together(usages: list[Json]) -> Json | None:
    """The usages as one, without what any of them does not know: a sum over some of them would say too little."""
    if not usages:
        return None
    known = {name for name in (*SUMS, PEAK) if all(name in usage for usage in usages)}
    whole: Json = {name: round(sum(usage[name] for usage in usages), 3) for name in SUMS if name in known}
    if PEAK in known:
        whole[PEAK] = max(usage[PEAK] for usage in usages)
    return whole
