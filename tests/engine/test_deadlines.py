"""A phase's own time: reminders while it is open, and an end to it when it is late."""

from __future__ import annotations

import json

import pytest

from engine import snapshots
from engine.gates.plans import ApprovalPlan, CheckPlan, GatePlan
from engine.plan import JumpPlan
from engine.view import view
from tests.engine.world import COMMAND, PERSON, World, phase, plan_of

DAY = 86400.0


def kinds(world: World, kind: str) -> list[float]:
    """When these facts happened, counted from the start."""
    return [round(fact.at - 1_000_000.0, 3) for fact in world.engine.ledger if fact.kind == kind]


def on(world: World, seconds: float) -> None:
    """Time passes until then; each timer fires when it is due."""
    end = world.now + seconds
    while world.wake_at is not None and world.wake_at <= end:
        world.tick(world.wake_at - world.now)
    world.tick(end - world.now)


@pytest.mark.parametrize("agents", [(COMMAND,), (PERSON,), (COMMAND, PERSON)])
def test_a_late_phase_fails_by_its_on_failure_whoever_works_on_it(agents: tuple[object, ...]) -> None:
    world = World(plan_of(phase(0, agents=agents, deadline=2 * DAY), phase(1, 0)))
    on(world, DAY)
    assert world.statuses() == ["running", "pending"]
    on(world, 2 * DAY)
    if world.running:
        assert world.engine.state.phases[0].cancelling == "fail"
        world.end_agent((0, 0, 0))
    assert world.statuses() == ["paused", "pending"]
    error = world.engine.state.phases[0].error
    assert error is not None
    assert (error["code"], error["message"]) == ("deadline", "it was not done within 2d, its deadline")


def test_a_phase_that_waits_for_a_worker_is_late_too() -> None:
    world = World(plan_of(phase(0), phase(1, agents=(PERSON, COMMAND), deadline=60.0)))
    world.engine.ready.max_workers = 1
    world.operate("complete_phase", phase=1)
    on(world, 61)
    assert world.statuses() == ["running", "paused"]


def test_reminders_come_until_it_is_done_and_also_while_it_waits_for_a_decision() -> None:
    world = World(plan_of(phase(0, agents=(PERSON,), remind=DAY, deadline=3.5 * DAY)))
    on(world, 2.5 * DAY)
    assert kinds(world, "phase_reminded") == [DAY, 2 * DAY]
    on(world, 2 * DAY)
    assert world.statuses() == ["paused"]
    assert kinds(world, "phase_reminded") == [DAY, 2 * DAY, 3 * DAY, 4 * DAY]
    assert world.engine.ledger[-1].data == {"paused": True}
    world.operate("intervene", phase=0, action="skip", reason="no need")
    on(world, 9 * DAY)
    assert len(kinds(world, "phase_reminded")) == 4


def test_a_new_epoch_has_all_of_its_time_again() -> None:
    world = World(plan_of(phase(0, agents=(PERSON,), deadline=DAY)))
    on(world, DAY)
    world.operate("intervene", phase=0, action="retry")
    on(world, 0.9 * DAY)
    assert world.statuses() == ["running"]
    on(world, 0.2 * DAY)
    assert world.statuses() == ["paused"]


def test_a_jump_back_starts_the_time_anew() -> None:
    plan = plan_of(
        phase(0, agents=(PERSON,), deadline=DAY),
        phase(1, 0, agents=(PERSON,), jumps=(JumpPlan(to=0, max_rounds=1),)),
    )
    world = World(plan)
    on(world, 0.5 * DAY)
    world.operate("complete_phase", phase=0)
    on(world, 0.4 * DAY)
    world.operate("complete_phase", phase=1)
    on(world, 0.5 * DAY)
    assert world.statuses() == ["running", "pending"]


def test_time_passes_at_a_gate_and_the_gate_that_was_too_slow_can_be_passed_afterwards() -> None:
    gate = GatePlan(id="release", approval=ApprovalPlan(people=("ana",), evidence="optional"))
    world = World(plan_of(phase(0, gates=(gate,), deadline=DAY)))
    world.finish(0)
    on(world, DAY)
    assert world.statuses() == ["paused"]
    row = view(world.engine, world.now)["gates"][0]
    assert row["gate_status"] == "failed"
    world.operate("intervene", phase=0, action="retry_gate")
    on(world, 9 * DAY)  # whoever lets it on has all the time
    assert world.statuses() == ["running"]
    world.operate("decide_gate", gate="release", decision="approve", actor="ana")
    assert world.statuses() == ["completed"]


def test_checks_of_a_gate_are_stopped_when_the_phase_is_late() -> None:
    world = World(
        plan_of(phase(0, gates=(GatePlan(id="g", checks=(CheckPlan(name="l", gate="g", run=("l",)),)),), deadline=5.0))
    )
    world.finish(0)
    on(world, 6)
    assert world.cancelled == {(0, 0, 1)}
    world.end_agent((0, 0, 1))
    assert world.statuses() == ["paused"]


def test_the_deadline_of_a_phase_with_items_is_about_all_of_them() -> None:
    world = World(plan_of(phase(0, for_each=["a", "b"], deadline=60.0, remind=40.0, on_failure="isolate")))
    on(world, 61)
    assert len(kinds(world, "phase_reminded")) == 1
    for key in sorted(world.running):
        world.end_agent(key)
    assert world.statuses() == ["failed", "cancelled", "cancelled"]
    assert world.engine.state.phases[0].error == {
        "code": "deadline",
        "message": "it was not done within 1m, its deadline",
        "class": "user_input",
    }


def test_an_operators_pause_does_not_stop_the_clock() -> None:
    world = World(plan_of(phase(0, agents=(PERSON,), deadline=DAY)))
    world.operate("pause")
    on(world, DAY)
    assert world.statuses() == ["paused"]


def test_moments_survive_a_fresh_history() -> None:
    plan = plan_of(phase(0, agents=(PERSON,), deadline=3 * DAY, remind=2 * DAY))
    world = World(plan)
    on(world, DAY)
    taken = json.loads(json.dumps(snapshots.snapshot(world.engine)))
    successor = World(plan, engine=snapshots.restore(plan, taken, world.now))
    successor.now = world.now
    on(successor, 3 * DAY)
    assert kinds(successor, "phase_reminded") == [2 * DAY, 4 * DAY]
    assert successor.statuses() == ["paused"]


def test_phases_without_either_set_no_timer() -> None:
    world = World(plan_of(phase(0)))
    assert world.wake_at is None
    assert world.engine.timers.next() is None


def test_reminders_that_nobody_could_send_while_no_worker_was_there_are_one() -> None:
    gate = GatePlan(id="go", approval=ApprovalPlan(remind=DAY, evidence="optional"))
    world = World(plan_of(phase(0, agents=(PERSON,), remind=DAY), phase(1, agents=(), gates=(gate,))))
    world.tick(4.5 * DAY)
    assert kinds(world, "phase_reminded") == [4.5 * DAY]
    assert kinds(world, "gate_reminded") == [4.5 * DAY]
    on(world, DAY)
    assert kinds(world, "phase_reminded") == [4.5 * DAY, 5 * DAY]
    assert kinds(world, "gate_reminded") == [4.5 * DAY, 5 * DAY]
