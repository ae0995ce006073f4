"""Pausing, resuming, cancelling, parallel groups, reports of progress: when they make no sense."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.agents import AgentPlan
from tests.engine.refusals.asking import refuses
from tests.engine.world import COMMAND, World, phase, plan_of

Json = dict[str, Any]


def grouped(*, stopping: bool = False) -> World:
    """Two agents at work in one group; or they are being stopped with the run."""
    world = World(plan_of(phase(0, group=0), phase(1, group=0)))
    if stopping:
        world.operate("cancel")
    return world


STOPPING: dict[str, tuple[str, Json]] = {
    "pausing it": ("pause", {}),
    "deciding about a phase": ("intervene", {"phase": 0, "action": "cancel"}),
    "cancelling a group": ("cancel_parallel", {}),
}


@pytest.mark.parametrize("case", STOPPING)
def test_in_a_run_that_is_being_stopped_is_refused(case: str) -> None:
    message, payload = STOPPING[case]
    refuses(grouped(stopping=True), "the run is being stopped", message, payload)


def test_starting_a_group_in_a_run_that_is_being_stopped_is_refused() -> None:
    world = World(
        plan_of(
            phase(0, on_failure="fail_fast"),
            phase(1),
            phase(2, 0, group=0, always=True),
            phase(3, 0, group=0, always=True),
        )
    )
    world.fail(0)
    assert world.engine.state.stopping == "failed"
    world.end_agent((1, 0, 0))
    refuses(world, "the run is being stopped", "start_parallel", phase=2)


def test_cancelling_a_run_that_is_being_cancelled_is_refused() -> None:
    refuses(grouped(stopping=True), "the run is being cancelled already", "cancel")


def test_pausing_a_paused_run_is_refused() -> None:
    world = grouped()
    world.operate("pause")
    refuses(world, "the run is paused already", "pause")


def test_resuming_a_run_that_is_not_paused_is_refused() -> None:
    refuses(grouped(), "the run is not paused", "resume")


def test_resuming_a_run_that_waits_for_a_decision_is_refused() -> None:
    world = World(plan_of(phase(0)))
    world.fail(0)
    refuses(world, "the run waits for a decision on Phase 0 (index: 0)", "resume")


def cancelled() -> World:
    world = grouped()
    world.operate("cancel_parallel")
    return world


def over() -> World:
    world = World(plan_of(phase(0, group=0), phase(1, group=0), phase(2)))
    world.finish(0)
    world.finish(1)
    return world


def two_open() -> World:
    return World(plan_of(*(phase(index, group=index // 2) for index in range(4)), phase(4)))


def behind(*, paused: bool = False, **fields: Any) -> World:
    """A group that one phase comes before."""
    world = World(plan_of(phase(0), phase(1, 0, group=0, **fields), phase(2, 0, group=0), phase(3)))
    if paused:
        world.operate("pause")
        world.finish(0)
    return world


GROUPS: dict[str, tuple[Callable[[], World], str, Json, str]] = {
    "starting a phase of no group": (
        over,
        "start_parallel",
        {"phase": 2},
        "Phase 2 (index: 2) is not a parallel phase",
    ),
    "cancelling a phase of no group": (
        over,
        "cancel_parallel",
        {"phase": 2},
        "Phase 2 (index: 2) is not a parallel phase",
    ),
    "starting a group that is being cancelled": (
        cancelled,
        "start_parallel",
        {"phase": 0},
        "still being cancelled: Phase 0 (index: 0), Phase 1 (index: 1)",
    ),
    "starting a group that is over": (
        over,
        "start_parallel",
        {"phase": 0},
        "the parallel phases are over: Phase 0 (index: 0), Phase 1 (index: 1)",
    ),
    "starting a group in a paused run": (
        lambda: behind(paused=True),
        "start_parallel",
        {"phase": 1},
        "the run is paused",
    ),
    "starting a group before its turn": (
        behind,
        "start_parallel",
        {"phase": 1},
        "the parallel phases cannot start yet: Phase 0 (index: 0) comes first",
    ),
    "cancelling one of several groups without a name": (
        two_open,
        "cancel_parallel",
        {},
        "several parallel groups are open; name one of Phase 0 (index: 0), Phase 2 (index: 2)",
    ),
    "cancelling where no group is open": (over, "cancel_parallel", {}, "no parallel group is open"),
    "cancelling a group that does not run": (
        behind,
        "cancel_parallel",
        {"phase": 1},
        "none of the parallel phases is running: Phase 1 (index: 1), Phase 2 (index: 2)",
    ),
}


@pytest.mark.parametrize("case", GROUPS)
def test_of_a_parallel_group_is_refused(case: str) -> None:
    make, message, payload, words = GROUPS[case]
    refuses(make(), words, message, payload)


PROGRESS: dict[str, tuple[Json, str]] = {
    "of a phase that does not run": ({"phase": 1, "progress": "x"}, "Phase 1 is pending, not running"),
    "of more than it may have": (
        {"phase": 0, "progress": "x" * 4000 + "é" * 3000},
        "'progress' is longer than 4096 characters",
    ),
    "of more JSON than it may have": ({"phase": 0, "progress": ["x" * 4000] * 5}, "'progress' is larger than 16 KiB"),
    "of an agent that there is not": ({"phase": 0, "progress": 1, "agent": "nobody"}, "Phase 0 has no agent 'nobody'"),
}


@pytest.mark.parametrize("case", PROGRESS)
def test_progress_is_refused(case: str) -> None:
    payload, words = PROGRESS[case]
    other = AgentPlan(role="other", uses="command")
    refuses(World(plan_of(phase(0, agents=(COMMAND, other)), phase(1, 0))), words, "report_progress", payload)
