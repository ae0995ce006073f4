"""Every status transition of the tables happens, in the story that is named after it; and no other one ever does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pytest

from engine.engine import Engine
from engine.gates.plans import GatePlan
from engine.plan import JumpPlan, Plan
from engine.reuse import unaffected
from engine.starting import begin
from engine.state import State
from engine.statuses import (
    PHASE_TRANSITIONS,
    RUN_TRANSITIONS,
    IllegalTransitionError,
    PhaseStatus,
    RunStatus,
    check_phase,
    check_run,
)
from tests.engine.gated import CHECKED, approved, decide
from tests.engine.world import PERSON, World, phase, plan_of

Json = dict[str, Any]
UNKNOWN = "outputs.unknown > 1"
"""A condition that has no value."""


class Watched(State):
    """A state that notes which way its statuses go."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.gone: list[str] = []

    def set_status(self, phase: Any, status: PhaseStatus) -> None:
        self.gone.append(f"{phase.plan.id}: {phase.status} to {status}")
        super().set_status(phase, status)

    def set_run(self, status: RunStatus) -> None:
        self.gone.append(f"run: {self.status} to {status}")
        super().set_run(status)


def transitions(world: World) -> list[str]:
    """Which ways statuses have gone, read from the facts."""
    state = Watched(world.plan)
    for fact in world.engine.ledger:
        state.apply(fact)
    return state.gone


def started(**fields: Any) -> World:
    return World(plan_of(phase(0, **fields), phase(1, 0)))


def failed(**fields: Any) -> World:
    world = started(**fields)
    world.fail(0)
    return world


def intervened(world: World, action: str, **fields: Any) -> World:
    world.operate("intervene", phase=0, action=action, reason="x", **fields)
    return world


def completed(**fields: Any) -> World:
    world = started(**fields)
    world.finish(0, x=1)
    return world


def cancelled() -> World:
    world = started()
    world.operate("cancel")
    world.end_agent((0, 0, 0))
    return world


def at_gate(gate: GatePlan) -> World:
    world = completed(gates=(gate,))
    if gate.checks:
        world.fail(0)
    return world


def changes_asked() -> World:
    world = at_gate(approved())
    decide(world, "ana", "request_changes", comment="smaller")
    return world


def held() -> World:
    world = World(plan_of(phase(0, group=0), phase(1, group=0)))
    world.operate("cancel_parallel")
    world.end_agent((0, 0, 0))
    world.end_agent((1, 0, 0))
    return world


def after_completion() -> World:
    world = World(plan_of(phase(0), phase(1, 0)))
    world.finish(0)
    world.fail(1)
    world.operate("intervene", phase=1, action="go_to", to=0)
    return world


def after_failure() -> World:
    world = World(plan_of(phase(0, on_failure="isolate"), phase(1, 0, always=True)))
    world.fail(0)
    world.fail(1)
    world.operate("intervene", phase=1, action="go_to", to=0)
    return world


def after_skipping() -> World:
    world = World(plan_of(phase(0), phase(1, 0, condition="1 > 2"), phase(2, 1)))
    world.finish(0)
    world.fail(2)
    world.operate("intervene", phase=2, action="go_to", to=1)
    return world


def judged_again(*ways: JumpPlan) -> World:
    """A phase whose output is replaced, with a `next` that cannot judge that."""
    world = World(plan_of(phase(0, jumps=(JumpPlan(to=1, condition=UNKNOWN), *ways)), phase(1), phase(2, 0)))
    world.fail(0)
    world.finish(1, ready=True)
    return intervened(world, "replace_output", outputs={"x": 1})


def forked() -> World:
    """A run that begins with what another one has done."""
    plan = plan_of(phase(0), phase(1, 0))
    before = completed()
    found = unaffected(before.engine.state, plan, inputs={}, env={}, edits={})
    engine = Engine(plan)
    begin(engine, {"seed": {"from": "wf_old", "reused": found}}, before.now, name="wf_new", execution="x")
    return World(plan, engine=engine)


PHASES: dict[str, Callable[[], World]] = {
    "pending to running": started,
    "pending to paused": lambda: started(condition="inputs.unknown > 1"),
    "pending to failed": lambda: started(condition="inputs.unknown > 1", on_failure="isolate"),
    "pending to skipped": lambda: started(condition="1 > 2"),
    "pending to cancelled": lambda: intervened(World(plan_of(phase(0, 1), phase(1))), "cancel"),
    "pending to completed": forked,
    "running to pending": changes_asked,
    "running to completed": completed,
    "running to failed": lambda: failed(on_failure="isolate"),
    "running to paused": failed,
    "running to skipped": lambda: intervened(started(agents=(PERSON,)), "skip"),
    "running to cancelled": cancelled,
    "paused to pending": lambda: intervened(failed(), "retry"),
    "paused to running": lambda: intervened(at_gate(CHECKED), "retry_gate"),
    "paused to paused": judged_again,
    "paused to completed": lambda: intervened(failed(), "replace_output", outputs={"x": 1}),
    "paused to failed": lambda: judged_again(
        JumpPlan(to=1, condition="status == 'failed' and phases.p1.outputs.ready")
    ),
    "paused to skipped": lambda: intervened(failed(), "skip"),
    "paused to cancelled": lambda: intervened(failed(), "cancel"),
    "completed to pending": after_completion,
    "failed to pending": after_failure,
    "cancelled to pending": lambda: intervened(held(), "retry"),
    "cancelled to skipped": lambda: intervened(held(), "skip"),
    "cancelled to cancelled": lambda: intervened(held(), "cancel"),
    "skipped to pending": after_skipping,
}
"""A story for each transition of a phase; it is the phase `p0` that goes this way, or `p1` that is gone back to."""


def paused() -> World:
    world = started()
    world.operate("pause")
    return world


def resumed() -> World:
    world = paused()
    world.operate("resume")
    return world


def ended() -> World:
    world = World(plan_of(phase(0)))
    world.finish(0)
    return world


RUNS: dict[str, Callable[[], World]] = {
    "pending to running": started,
    "running to paused": paused,
    "running to completed": ended,
    "running to failed": lambda: failed(on_failure="isolate"),
    "running to cancelled": cancelled,
    "paused to running": resumed,
}
"""A story for each transition of a run."""


@pytest.mark.parametrize("transition", PHASES)
def test_a_phase_goes_from(transition: str) -> None:
    world = PHASES[transition]()
    assert {f"p0: {transition}", f"p1: {transition}"} & set(transitions(world))


@pytest.mark.parametrize("transition", RUNS)
def test_a_run_goes_from(transition: str) -> None:
    assert f"run: {transition}" in transitions(RUNS[transition]())


def test_every_transition_of_the_tables_has_a_story_and_no_story_another() -> None:
    phases = {f"{old} to {new}" for old, news in PHASE_TRANSITIONS.items() for new in news}
    runs = {f"{old} to {new}" for old, news in RUN_TRANSITIONS.items() for new in news}
    assert sorted(phases ^ set(PHASES)) == [], "a phase's transition without a story, or a story without a transition"
    assert sorted(runs ^ set(RUNS)) == [], "a run's transition without a story, or a story without a transition"


PHASE_STATUSES: tuple[PhaseStatus, ...] = get_args(PhaseStatus)
RUN_STATUSES: tuple[RunStatus, ...] = get_args(RunStatus)


@pytest.mark.parametrize("old", PHASE_STATUSES)
@pytest.mark.parametrize("new", PHASE_STATUSES)
def test_no_phase_goes_a_way_that_is_not_in_the_table(old: PhaseStatus, new: PhaseStatus) -> None:
    if new in PHASE_TRANSITIONS[old]:
        check_phase(old, new)
    else:
        with pytest.raises(IllegalTransitionError, match=f"phase: {old} -> {new}"):
            check_phase(old, new)


@pytest.mark.parametrize("old", RUN_STATUSES)
@pytest.mark.parametrize("new", RUN_STATUSES)
def test_no_run_goes_a_way_that_is_not_in_the_table(old: RunStatus, new: RunStatus) -> None:
    if new in RUN_TRANSITIONS[old]:
        check_run(old, new)
    else:
        with pytest.raises(IllegalTransitionError, match=f"run: {old} -> {new}"):
            check_run(old, new)


@pytest.mark.parametrize("how", ["failed", "cancelled"])
def test_a_paused_run_that_ends_goes_on_first(how: str) -> None:
    world = World(plan_of(phase(0, on_failure="fail_fast")))
    world.operate("pause")
    if how == "cancelled":
        world.operate("cancel")
        world.end_agent((0, 0, 0))
    else:
        world.fail(0)
    assert [way for way in transitions(world) if way.startswith("run")][1:] == [
        "run: running to paused",
        "run: paused to running",
        f"run: running to {how}",
    ]
