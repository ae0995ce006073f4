"""Control that goes elsewhere: `next`, `on_jump`, `max_rounds`, and `go_to` by intervention."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine import journal, snapshots
from engine.effects import AgentFinished
from engine.errors import RefusedError
from engine.gates.plans import ApprovalPlan, CheckPlan, GatePlan
from engine.plan import Execution, JumpPlan, Plan
from engine.view import view
from tests.engine.world import PERSON, World, phase, plan_of

FAILED = "outputs.failed > 0"


def checked_and_fixed(**fields: Any) -> World:
    """Design, Test (jumps to Fix while tests fail), Fix, Release."""
    test = phase(1, 0, jumps=(JumpPlan(to=2, condition=FAILED, max_rounds=2),), **fields)
    return World(plan_of(phase(0), test, phase(2, on_jump=True), phase(3, 1)))


def kinds(world: World) -> list[str]:
    return [fact.kind for fact in world.engine.ledger]


def test_a_phase_that_only_runs_when_jumped_to_is_skipped_on_the_way() -> None:
    world = checked_and_fixed()
    assert world.statuses() == ["running", "pending", "skipped", "pending"]
    world.finish(0)
    world.finish(1, failed=0)
    assert world.statuses() == ["completed", "completed", "skipped", "running"]


def test_tests_fail_then_fix_then_tests_again_then_on() -> None:
    world = checked_and_fixed()
    world.finish(0)
    world.finish(1, failed=2)
    assert world.statuses() == ["completed", "pending", "running", "pending"]
    world.finish(2, patch="x")
    assert world.statuses() == ["completed", "running", "completed", "pending"]
    world.finish(1, failed=0)
    assert world.statuses() == ["completed", "completed", "completed", "running"]
    assert world.engine.state.phases[2].outputs == {"patch": "x"}
    assert [p.epoch for p in world.engine.state.phases] == [0, 1, 1, 0]
    world.finish(3)
    assert world.finished == "completed"


def test_the_phase_that_is_jumped_to_reads_what_it_was_sent_for() -> None:
    fix = phase(2, on_jump=True, reads=("phases.p1.outputs.failed",))
    test = phase(1, 0, jumps=(JumpPlan(to=2, condition=FAILED),))
    world = World(plan_of(phase(0), test, fix, phase(3, 1, reads=("phases.p1.outputs",))))
    world.finish(0)
    for failed in (3, 1):
        world.finish(1, failed=failed, seen=failed)
        (effect,) = world.running.values()
        assert effect.task["values"]["phases"]["p1"]["outputs"] == {"failed": failed}
        world.finish(2)
        assert world.engine.state.phases[1].outputs == {}, "it begins with nothing"
    world.finish(1, failed=0)
    (effect,) = world.running.values()
    assert effect.task["values"]["phases"]["p1"]["outputs"] == {"failed": 0}


def test_a_jump_is_told_in_the_log_once_with_who_wanted_it() -> None:
    world = World(plan_of(phase(0), phase(1, 0)))
    world.finish(0)
    world.fail(1)
    world.operate("intervene", phase=1, action="go_to", to="p0", actor="ana")
    told = [line.split("] ", 2)[2] for line in journal.lines(world.engine.state.plans, "wf_1", world.engine.ledger)]
    assert [line for line in told if "Control" in line] == ["Phase: p1 - Control goes to p0 by ana"]


def test_a_failure_that_next_cannot_judge_keeps_its_own_words() -> None:
    ways = (JumpPlan(to=2, condition=FAILED), JumpPlan(to=0, condition="status == 'failed'", max_rounds=1))
    world = World(plan_of(phase(0), phase(1, 0, jumps=ways), phase(2, on_jump=True)))
    world.finish(0)
    world.fail(1)  # there are no outputs: the first way cannot be judged, the second one is taken
    assert world.statuses() == ["running", "pending", "skipped"]
    world.finish(0)
    world.fail(1)
    assert world.statuses()[1] == "paused"
    assert "exit code 1" in view(world.engine, world.now)["pause"]["text"]


def test_a_gate_that_is_not_passed_lets_next_judge_the_outputs() -> None:
    covered = CheckPlan(name="coverage", gate="push", expr="outputs.coverage >= 0.8")
    world = checked_and_fixed(gates=(GatePlan(id="push", checks=(covered,)),))
    world.finish(0)
    world.finish(1, failed=1, coverage=0.5)
    assert world.statuses() == ["completed", "pending", "running", "pending"]
    world.finish(2)
    world.finish(1, failed=0, coverage=0.5)
    assert world.statuses()[1] == "paused"
    assert "coverage" in view(world.engine, world.now)["pause"]["text"]


def test_after_the_last_round_control_goes_on() -> None:
    world = checked_and_fixed()
    world.finish(0)
    for _ in range(2):
        world.finish(1, failed=1)
        world.finish(2)
    world.finish(1, failed=1)
    assert world.statuses() == ["completed", "completed", "completed", "running"]


def test_a_phase_that_failed_may_jump_too_and_its_on_failure_does_not_count_then() -> None:
    jump = JumpPlan(to=2, condition="status == 'failed'", max_rounds=1)
    world = World(plan_of(phase(0), phase(1, 0, jumps=(jump,)), phase(2, on_jump=True), phase(3, 1)))
    world.finish(0)
    world.fail(1)
    assert world.statuses() == ["completed", "pending", "running", "pending"]
    world.finish(2)
    world.fail(1)
    assert world.statuses() == ["completed", "paused", "completed", "pending"]  # the one round is over


def test_going_back_starts_everything_after_the_target_anew() -> None:
    back = JumpPlan(to=0, condition="outputs.again == true", max_rounds=1)
    world = World(plan_of(phase(0), phase(1, 0), phase(2, 0), phase(3, 1, 2, jumps=(back,)), phase(4)))
    for index in (0, 4, 1, 2):
        world.finish(index, n=index)
    world.finish(3, again=True)
    assert world.statuses() == ["running", "pending", "pending", "pending", "completed"]
    assert world.engine.state.phases[1].outputs == {}
    world.finish(0)
    assert world.statuses() == ["completed", "running", "running", "pending", "completed"]
    world.finish(1)
    world.finish(2)
    world.finish(3, again=True)  # no round is left
    assert world.finished == "completed"


def test_what_runs_behind_the_target_is_cancelled_and_awaited_first() -> None:
    back = JumpPlan(to=0, condition="outputs.again == true")
    world = World(plan_of(phase(0), phase(1, 0), phase(2, 0, jumps=(back,))))
    world.finish(0)
    world.finish(2, again=True)
    assert world.cancelled == {(1, 0, 0)}
    assert world.started == ["p0", "p1", "p2"]  # nothing starts before it has ended
    world.end_agent((1, 0, 0))
    assert world.statuses() == ["running", "pending", "pending"]
    assert world.started == ["p0", "p1", "p2", "p0"]


def test_results_of_an_earlier_epoch_that_come_late_change_nothing() -> None:
    world = checked_and_fixed()
    world.finish(0)
    world.finish(1, failed=1)
    before = len(world.engine.ledger)
    world.feed(AgentFinished(phase=1, epoch=0, position=0, result={"outputs": {"failed": 0}}))
    assert len(world.engine.ledger) == before


def test_a_jump_forward_skips_what_lies_between() -> None:
    ahead = JumpPlan(to=3, condition="outputs.go == true")
    world = World(plan_of(phase(0, jumps=(ahead,)), phase(1, 0), phase(2, 1), phase(3, 2), phase(4, 0)))
    world.finish(0, go=True)
    assert world.statuses() == ["completed", "skipped", "skipped", "running", "running"]
    assert world.engine.state.phases[1].reason == "jump"


def test_gates_behind_the_target_are_armed_anew_and_votes_are_void() -> None:
    gate = GatePlan(id="go", approval=ApprovalPlan(people=("ana", "bo"), need=2, evidence="optional"))
    back = JumpPlan(to=0, condition="outputs.again == true", max_rounds=1)
    world = World(plan_of(phase(0), phase(1, 0, gates=(gate,)), phase(2, 0, jumps=(back,))))
    world.finish(0)
    world.finish(1)
    world.operate("decide_gate", gate="go", decision="approve", actor="ana")
    world.finish(2, again=True)
    assert world.statuses() == ["running", "pending", "pending"]
    world.finish(0)
    world.finish(1)
    world.finish(2, again=False)
    world.operate("decide_gate", gate="go", decision="approve", actor="bo")
    assert world.statuses()[1] == "running"  # the vote of ana was for what is no more
    world.operate("decide_gate", gate="go", decision="approve", actor="ana")
    assert world.finished == "completed"


def test_items_run_anew_when_control_comes_back() -> None:
    back = JumpPlan(to=0, condition="outputs.again == true", max_rounds=1)
    world = World(plan_of(phase(0, for_each=["a", "b"]), phase(1, 0, jumps=(back,))))
    for number in (0, 1):
        world.finish(world.engine.state.index_of[f"p0.{number}"])
    world.finish(1, again=True)
    assert [world.running[key].task["phase"]["id"] for key in sorted(world.running)] == ["p0.0", "p0.1"]
    assert {effect.epoch for effect in world.running.values()} == {1}


def test_a_condition_that_has_no_value_is_the_phases_failure() -> None:
    world = checked_and_fixed()
    world.finish(0)
    world.finish(1)
    assert world.statuses()[1] == "paused"
    assert "next" in view(world.engine, world.now)["pause"]["text"]


def test_an_operator_sends_a_stopped_phase_back() -> None:
    world = World(plan_of(phase(0), phase(1, 0), phase(2, 1), phase(3)))
    world.finish(0)
    world.finish(1)
    world.fail(2)
    assert "go_to" in [option["action"] for option in view(world.engine, world.now)["pause"]["options"]]
    with pytest.raises(RefusedError, match="go_to needs the phase"):
        world.operate("intervene", phase=2, action="go_to")
    with pytest.raises(RefusedError, match="Phase 3 does not come before Phase 2"):
        world.operate("intervene", phase=2, action="go_to", to="p3")
    world.operate("intervene", phase=2, action="go_to", to="p0", actor="ana")
    assert world.statuses() == ["running", "pending", "pending", "running"]
    begun = next(fact for fact in world.engine.ledger if fact.kind == "jump_begun")
    assert (begun.actor, begun.data["to"], begun.data["reset"]) == ("ana", 0, [0, 1, 2])


def test_nothing_lies_before_the_first_phase() -> None:
    world = World(plan_of(phase(0), phase(1, 0)))
    world.fail(0)
    assert "go_to" not in [option["action"] for option in view(world.engine, world.now)["pause"]["options"]]


def test_cancelling_the_run_during_a_jump_ends_it() -> None:
    back = JumpPlan(to=0, condition="outputs.again == true")
    world = World(plan_of(phase(0), phase(1, 0), phase(2, 0, jumps=(back,))))
    world.finish(0)
    world.finish(2, again=True)
    world.operate("cancel")
    world.end_agent((1, 0, 0))
    assert world.finished == "cancelled"


def test_a_person_who_completes_a_phase_may_send_control_back() -> None:
    back = JumpPlan(to=0, condition="outputs.return_to == 'p0'")
    world = World(plan_of(phase(0, agents=(PERSON,)), phase(1, 0, agents=(PERSON,), jumps=(back,))))
    world.operate("next")
    answer = world.operate("next", outputs={"return_to": "p0"})
    assert [started["id"] for started in answer["started"]] == ["p0"]
    assert world.statuses() == ["running", "pending"]


@pytest.mark.parametrize("moment", ["awaiting", "fixing"])
def test_a_jump_survives_a_fresh_history(moment: str) -> None:
    if moment == "fixing":
        world = checked_and_fixed()
        world.finish(0)
        world.finish(1, failed=1)
    else:
        back = JumpPlan(to=0, condition="outputs.again == true")
        world = World(plan_of(phase(0), phase(1, 0), phase(2, 0, jumps=(back,))))
        world.finish(0)
        world.finish(2, again=True)
    plan = Plan.from_json(json.loads(json.dumps(world.plan.to_json())))
    taken = json.loads(json.dumps(snapshots.snapshot(world.engine)))
    again = World(plan, engine=snapshots.restore(plan, taken, world.now))
    if moment == "fixing":
        again.finish(2)
        again.finish(1, failed=0)
        assert again.statuses() == ["completed", "completed", "completed", "running"]
    else:
        assert again.statuses() == ["running", "pending", "pending"]


def test_a_group_is_counted_anew_when_control_goes_back_before_it() -> None:
    members = (phase(1, 0, group=0), phase(2, 0, group=0))
    back = JumpPlan(to=0, condition="outputs.again == true", max_rounds=1)
    last = phase(3, after_group=0, jumps=(back,))
    world = World(plan_of(phase(0), *members, last, execution=Execution(max_workers=5)))
    for again in (True, False):
        for index in (0, 1, 2):
            world.finish(index)
        assert world.statuses()[3] == "running"
        world.finish(3, again=again)
    assert world.finished == "completed"


@pytest.mark.parametrize("begun", [True, False], ids=["begun", "waiting"])
@pytest.mark.parametrize("needed", [True, False], ids=["needed", "not needed"])
def test_a_visit_that_another_jump_starts_anew_begins_again_and_returns(begun: bool, needed: bool) -> None:  # noqa: FBT001
    """Fix needs Review, which waits for it: neither could begin if the visit were forgotten."""
    review = phase(1, jumps=(JumpPlan(to=2, condition=FAILED, max_rounds=1),))
    fix = phase(2, 0, *((1,) if needed else ()), on_jump=True)
    test = phase(3, jumps=(JumpPlan(to=0, condition=FAILED, max_rounds=1),))
    world = World(plan_of(phase(0), review, fix, test, execution=Execution(max_workers=3)))
    world.finish(0)
    if not begun:
        world.operate("pause")
    world.finish(1, failed=1)
    assert world.statuses() == ["completed", "pending", "running" if begun else "pending", "running"]
    world.finish(3, failed=1)
    if begun:
        world.end_agent((2, 0 if needed else 1, 0))
    else:
        world.operate("resume")
    assert world.statuses() == ["running", "pending", "running", "completed"]
    world.finish(0)
    assert world.statuses() == ["completed", "pending", "running", "completed"]
    world.finish(2)
    world.finish(1, failed=0)
    assert world.finished == "completed"


def test_a_visit_is_forgotten_when_whoever_waits_for_it_starts_anew_too() -> None:
    review = phase(1, 0, jumps=(JumpPlan(to=2, condition=FAILED, max_rounds=2),))
    test = phase(3, jumps=(JumpPlan(to=0, condition=FAILED, max_rounds=1),))
    plan = plan_of(phase(0), review, phase(2, 1, on_jump=True), test, execution=Execution(max_workers=3))
    world = World(plan)
    world.finish(0)
    world.operate("pause")
    world.finish(1, failed=1)
    world.finish(3, failed=1)
    world.operate("resume")
    assert world.statuses() == ["running", "pending", "pending", "completed"]
    world.finish(0)
    world.finish(1, failed=0)
    assert world.statuses() == ["completed", "completed", "skipped", "completed"]
    assert world.finished == "completed"
