"""What the engine promises, one story per promise."""

from __future__ import annotations

import json

import pytest

from engine import snapshots
from engine.agents import AgentPlan
from engine.answers import waiting_for
from engine.engine import Engine
from engine.errors import RefusedError
from engine.plan import Execution, InputPlan, Need, PhasePlan, StepGroup
from engine.statuses import IllegalTransitionError, PhaseStatus, check_phase, check_run
from engine.view import details, view
from tests.engine.world import COMMAND, PERSON, World, full_stack, phase, plan_of


def test_independent_phases_start_at_once_up_to_the_worker_limit_in_plan_order() -> None:
    world = World(plan_of(*(phase(i) for i in range(5))))
    assert world.started == ["p0", "p1", "p2"]
    world.finish(1)
    assert world.started[-1] == "p3"


def test_a_finished_phase_frees_its_dependents_without_waves() -> None:
    world = World(plan_of(phase(0), phase(1), phase(2, 0), phase(3, 1)))
    world.finish(0)
    assert world.started == ["p0", "p1", "p2"]


def test_after_a_group_waits_for_all_its_members() -> None:
    world = World(plan_of(phase(0, group=0), phase(1, group=0), phase(2, after_group=0)))
    world.finish(0)
    assert world.statuses()[2] == "pending"
    world.finish(1)
    assert world.statuses()[2] == "running"


def test_context_needs_do_not_block() -> None:
    soft = PhasePlan(id="p1", name="P", index=1, agents=(COMMAND,), needs=(Need(phase=0, kind="context"),))
    assert World(plan_of(phase(0), soft)).started == ["p0", "p1"]


def test_rate_limit_spaces_the_starts() -> None:
    world = World(plan_of(phase(0), phase(1), execution=Execution(rate_limit_delay=5)))
    assert world.started == ["p0"]
    world.tick(4)
    assert world.started == ["p0"]
    world.tick(1)
    assert world.started == ["p0", "p1"]


def test_sequential_execution_runs_one_phase_at_a_time() -> None:
    world = World(plan_of(phase(0), phase(1), execution=Execution(parallel=False)))
    assert world.started == ["p0"]
    world.finish(0)
    assert world.started == ["p0", "p1"]


def test_a_step_group_has_its_own_limit() -> None:
    groups = (StepGroup(id="g", phases=(0, 1, 2), max_workers=1),)
    world = World(plan_of(*(phase(i, limits=(0,)) for i in range(3)), phase(3), step_groups=groups))
    assert world.started == ["p0", "p3"]
    world.finish(0)
    assert world.started == ["p0", "p3", "p1"]


def test_auto_workers_start_nothing_before_the_host_has_answered() -> None:
    world = World(plan_of(phase(0), phase(1, agents=(PERSON,)), execution=Execution(max_workers=0)))
    assert world.counting
    assert world.started == []
    assert world.statuses()[1] == "running"
    assert world.drive_to_end() == "completed"


def test_people_take_no_worker_slot() -> None:
    manual = [phase(i, agents=(PERSON,)) for i in range(6)]
    world = World(plan_of(*manual, phase(6)))
    assert world.statuses() == ["running"] * 7


def test_agents_in_turn_see_the_earlier_ones_outputs_and_parallel_ones_are_gathered_by_role() -> None:
    other = AgentPlan(role="other", uses="command")
    in_turn = World(plan_of(phase(0, agents=(COMMAND, other))))
    in_turn.finish(0, a=1)
    (effect,) = in_turn.running.values()
    assert effect.task["earlier"] == [{"agent": "builder", "outputs": {"a": 1}}]
    in_turn.finish(0, b=2)
    assert in_turn.engine.state.phases[0].outputs == {"a": 1, "b": 2}
    together = World(plan_of(phase(0, agents=(COMMAND, other), agents_mode="parallel")))
    assert len(together.running) == 2
    together.finish(0, a=1)
    together.finish(0, a=2)
    assert together.engine.state.phases[0].outputs == {"builder": {"a": 1}, "other": {"a": 2}}


def test_inputs_that_are_not_given_have_their_defaults() -> None:
    plan = plan_of(phase(0), inputs={"feature": InputPlan(default="login"), "level": InputPlan(default=1)})
    engine = Engine(plan)
    engine.start(1.0, inputs={"level": 2}, env={}, run={"id": "wf_test00"})
    assert engine.state.inputs == {"feature": "login", "level": 2}


def test_a_false_condition_skips_and_what_follows_still_runs() -> None:
    world = World(plan_of(phase(0, condition="1 > 2"), phase(1, 0)))
    assert world.statuses() == ["skipped", "running"]


def test_a_condition_that_cannot_be_evaluated_is_a_failure_with_its_reason() -> None:
    world = World(plan_of(phase(0, condition="inputs.nothing", on_failure="isolate")))
    assert world.finished == "failed"
    assert world.engine.state.phases[0].error is not None
    assert world.engine.state.phases[0].error["code"] == "expression"


def test_a_failure_pauses_the_phase_while_siblings_go_on_and_then_the_run() -> None:
    world = World(plan_of(phase(0), phase(1), phase(2, 0)))
    world.fail(0)
    assert world.statuses() == ["paused", "running", "pending"]
    assert view(world.engine, world.now)["status"] == "running"
    assert waiting_for(world.engine) == ["decision:p0"]
    world.finish(1)
    assert view(world.engine, world.now)["status"] == "paused"
    world.operate("intervene", phase=0, action="retry")
    assert view(world.engine, world.now)["status"] == "running"
    assert world.engine.state.phases[0].epoch == 1
    assert world.drive_to_end() == "completed"


def test_isolate_skips_only_what_needs_the_failed_phase() -> None:
    world = World(plan_of(phase(0, on_failure="isolate"), phase(1), phase(2, 0), phase(3, 1), phase(4, 0, always=True)))
    world.fail(0)
    assert world.statuses()[2] == "skipped"
    assert world.drive_to_end() == "failed"
    assert world.statuses() == ["failed", "completed", "skipped", "completed", "completed"]


def test_fail_fast_cancels_what_runs_waits_for_it_and_still_runs_always_phases() -> None:
    world = World(plan_of(phase(0, on_failure="fail_fast"), phase(1), phase(2, 1), phase(3, 0, always=True)))
    world.fail(0)
    assert world.statuses() == ["failed", "running", "cancelled", "pending"]
    world.end_agent((1, 0, 0))
    assert world.statuses() == ["failed", "cancelled", "cancelled", "running"]
    assert world.finished is None
    world.drive_to_end()
    assert world.finished == "failed"
    assert world.statuses() == ["failed", "cancelled", "cancelled", "completed"]


def test_an_agent_gets_what_it_names_and_what_it_directly_needs() -> None:
    world = World(plan_of(phase(0), phase(1, 0), phase(2, 1, reads=("phases.p0.outputs.a",))))
    world.finish(0, a=1, b=2)
    world.finish(1, c=3)
    (effect,) = world.running.values()
    assert effect.task["values"]["phases"] == {
        "p0": {"status": "completed", "outputs": {"a": 1}},
        "p1": {"status": "completed", "outputs": {"c": 3}},
    }


def test_two_parallel_agents_of_one_role_keep_both_outputs() -> None:
    world = World(plan_of(phase(0, agents=(COMMAND, COMMAND), agents_mode="parallel")))
    world.finish(0, a=1)
    world.finish(0, b=2)
    assert world.engine.state.phases[0].outputs == {"builder": {"a": 1}, "builder#1": {"b": 2}}


def test_progress_is_small_live_state_and_goes_with_the_attempt() -> None:
    world = World(plan_of(phase(0)))
    world.operate("report_progress", phase=0, progress="90%")
    with pytest.raises(RefusedError, match="larger than"):
        world.operate("report_progress", phase=0, progress={"text": "x" * 17_000})
    world.fail(0)
    world.operate("intervene", phase=0, action="retry")
    assert "progress" not in view(world.engine, world.now)["phases"][0]


def test_a_condition_is_not_asked_again_after_a_snapshot() -> None:
    waits = PhasePlan(
        id="p2",
        name="P2",
        index=2,
        agents=(COMMAND,),
        needs=(Need(phase=0, kind="context"),),
        condition="phases.p0.status != 'completed'",
    )
    plan = plan_of(phase(0), phase(1), waits, execution=Execution(max_workers=1))
    world = World(plan)
    world.finish(0)
    again = World(plan, engine=snapshots.restore(plan, snapshots.snapshot(world.engine), world.now))
    again.drive_to_end()
    assert again.statuses()[2] == "completed"


def test_kept_answers_have_a_limit_in_bytes() -> None:
    members = [phase(i, group=0) for i in range(1500)]
    world = World(plan_of(*members))
    for number in range(20):
        world.operate("start_parallel", phase=0, request_id=f"r{number}")
    assert len(json.dumps(world.engine.answers)) < 2 * 1024 * 1024


def test_a_view_stays_under_128_kib_whatever_the_plan() -> None:
    phases = [
        PhasePlan(
            id=f"{i}-" + "i" * 60,
            name="n" * 500,
            index=i,
            agents=(PERSON, COMMAND) * 10,
            group=0,
            agents_mode="parallel",
        )
        for i in range(300)
    ]
    world = World(plan_of(*phases, execution=Execution(max_workers=300)))
    for index in range(60):
        world.end_agent(min(k for k in world.running if k[0] == index), error={"code": "x", "message": "m" * 3000})
        for key in [k for k in world.running if k[0] == index]:
            world.end_agent(key)
    shown = view(world.engine, world.now)
    assert shown["counts"]["paused"] == 60
    assert len(json.dumps(shown)) < 128 * 1024


def test_details_name_what_a_phase_waits_for() -> None:
    world = World(plan_of(phase(0), phase(1), phase(2, 0, 1)))
    world.finish(0)
    shown = details(world.engine, world.engine.state.phases[2])
    assert shown["waits_for"] == "needs"
    assert [w["id"] for w in shown["waits_for_phases"]] == ["p1"]


def test_a_snapshot_keeps_answers_and_manual_phases_in_progress() -> None:
    world = World(full_stack())
    world.operate("next", request_id="r1")
    again = World(world.plan, engine=snapshots.restore(world.plan, snapshots.snapshot(world.engine), world.now))
    assert again.statuses() == world.statuses()
    assert again.operate("next", request_id="r1")["success"]
    assert again.drive_to_end() == "completed"


@pytest.mark.parametrize("old", ["completed", "failed", "skipped"])
def test_settled_phases_never_change(old: PhaseStatus) -> None:
    with pytest.raises(IllegalTransitionError):
        check_phase(old, "running")


def test_ended_runs_never_change() -> None:
    with pytest.raises(IllegalTransitionError):
        check_run("completed", "running")


def test_a_run_that_has_failed_waits_for_no_signal_any_more() -> None:
    world = World(plan_of(phase(0, on_failure="isolate"), completion_signals=("Canary is green",)))
    world.fail(0)
    assert world.engine.state.status == "failed"
    assert view(world.engine, world.now)["waiting"] == []


def test_progress_is_what_is_done_whatever_becomes_of_the_rest() -> None:
    skipped, failing = phase(1, condition="1 > 2"), phase(2, on_failure="isolate")
    world = World(plan_of(phase(0), skipped, failing, phase(3, 2), phase(4, agents=(PERSON,))))
    world.finish(0)
    world.fail(2)
    assert world.statuses() == ["completed", "skipped", "failed", "skipped", "running"]
    progress = {"completed": 2, "total": 5, "percent": 40}
    assert view(world.engine, world.now)["progress"] == progress
    world.operate("cancel")
    assert world.finished == "cancelled"
    assert view(world.engine, world.now)["progress"] == progress


def test_a_run_that_has_completed_is_done_altogether() -> None:
    world = World(plan_of(phase(0), phase(1, 0, condition="false")))
    assert world.drive_to_end() == "completed"
    assert view(world.engine, world.now)["progress"] == {"completed": 2, "total": 2, "percent": 100}
