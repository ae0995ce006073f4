"""What the engine promises, one story per promise."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine import snapshots
from engine.effects import AgentFinished
from engine.engine import Engine
from engine.errors import RefusedError
from engine.plan import AgentPlan, Execution, InputPlan, Need, OutputPlan, PhasePlan, Plan, StepGroup
from engine.statuses import IllegalTransitionError, check_phase, check_run
from engine.view import details, view
from tests.engine.world import COMMAND, PERSON, World, phase, plan_of


def full_stack() -> Plan:
    """Design; Backend and Frontend in parallel; Integration; Review: all done by people."""
    phases = (
        phase(0, agents=(PERSON,)),
        phase(1, 0, agents=(PERSON,), group=0),
        phase(2, 0, agents=(PERSON,), group=0),
        phase(3, agents=(PERSON,), after_group=0),
        phase(4, 3, agents=(PERSON,)),
    )
    return plan_of(*phases)


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
    assert world.engine.waiting_for() == ["decision:p0"]
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


def test_late_results_of_an_older_epoch_are_dropped() -> None:
    world = World(plan_of(phase(0)))
    world.fail(0)
    world.operate("intervene", phase=0, action="retry")
    before = len(world.engine.ledger)
    world.feed(AgentFinished(phase=0, epoch=0, position=0, result={"outputs": {"late": True}}))
    assert len(world.engine.ledger) == before
    world.finish(0, late=False)
    assert world.engine.state.phases[0].outputs == {"late": False}


def test_next_completes_the_manual_phase_and_is_refused_while_a_group_is_open() -> None:
    world = World(full_stack())
    answer = world.operate("next")
    assert [p["index"] for p in answer["started"]] == [1, 2]
    with pytest.raises(RefusedError, match="a parallel group is open"):
        world.operate("next")
    assert world.operate("complete_phase", phase=1)["remaining"] == 1
    with pytest.raises(RefusedError, match="a parallel group is open"):
        world.operate("next")
    last = world.operate("complete_phase", phase="Phase 2")
    assert last["all_parallel_complete"]
    assert [p["index"] for p in last["started"]] == [3]


@pytest.mark.parametrize(
    ("word", "refusal"),
    [(9, "no phase 9"), (4, "has not started"), (0, "already completed"), ("Phse 1", "did you mean 'Phase 1'")],
)
def test_completing_a_phase_that_is_not_open_is_refused(word: int | str, refusal: str) -> None:
    world = World(full_stack())
    world.operate("next")
    with pytest.raises(RefusedError, match=refusal):
        world.operate("complete_phase", phase=word)


def test_an_ambiguous_name_is_refused_and_ids_come_before_names_before_indexes() -> None:
    twins = plan_of(phase(0, agents=(PERSON,)), PhasePlan(id="0", name="Phase 0", index=1, agents=(PERSON,)))
    world = World(twins)
    with pytest.raises(RefusedError, match="the name of 2 phases"):
        world.operate("complete_phase", phase="Phase 0")
    assert world.operate("complete_phase", phase="0")["phase"]["index"] == 1
    assert world.operate("complete_phase", phase=0)["phase"]["index"] == 0


def test_completing_needs_the_declared_typed_outputs() -> None:
    typed = phase(0, agents=(PERSON,), outputs={"contract": OutputPlan(type="string")})
    world = World(plan_of(typed))
    with pytest.raises(RefusedError, match="missing: contract"):
        world.operate("next")
    with pytest.raises(RefusedError, match="must be string"):
        world.operate("next", outputs={"contract": {"no": 1}})
    world.operate("next", outputs={"contract": "v1"})
    assert world.engine.state.phases[0].outputs == {"contract": "v1"}


def test_a_repeated_request_id_changes_nothing_and_gets_the_first_answer() -> None:
    world = World(full_stack())
    first = world.operate("next", request_id="r1")
    again = world.operate("next", request_id="r1")
    assert again == first
    assert world.statuses()[1] == "running"


def test_a_stale_epoch_and_an_unmet_expectation_are_refused() -> None:
    world = World(full_stack())
    with pytest.raises(RefusedError, match="epoch"):
        world.operate("complete_phase", phase=0, epoch=3)
    with pytest.raises(RefusedError, match="epoch"):
        world.operate("next", expect=[{"phase": 0, "epoch": 1}])


def test_cancelling_a_parallel_group_pauses_the_run_until_each_member_is_decided() -> None:
    world = World(full_stack())
    world.operate("next")
    world.operate("cancel_parallel")
    assert world.statuses()[1:3] == ["cancelled", "cancelled"]
    shown = view(world.engine, world.now)
    assert shown["status"] == "paused"
    assert not shown["parallel"]["active"]
    assert "parallel execution was cancelled" in shown["pause"]["text"]
    with pytest.raises(RefusedError, match="is cancelled"):
        world.operate("complete_phase", phase=1)
    world.operate("intervene", phase=1, action="retry")
    world.operate("intervene", phase=2, action="skip", reason="later")
    assert world.operate("complete_phase", phase=1)["all_parallel_complete"]
    assert world.drive_to_end() == "completed"


def test_a_cancelled_group_can_be_started_again() -> None:
    world = World(full_stack())
    world.operate("next")
    world.operate("cancel_parallel", phase=2)
    answer = world.operate("start_parallel", phase=1)
    assert [p["index"] for p in answer["parallel_phases"]] == [1, 2]
    assert world.engine.state.status == "running"


def test_cancelled_members_are_awaited() -> None:
    world = World(plan_of(phase(0, group=0), phase(1, group=0)))
    world.operate("cancel_parallel", phase=0)
    assert world.statuses() == ["running", "running"]
    assert view(world.engine, world.now)["phases"][0]["waits_for"] == "cancellation"
    world.end_agent((0, 0, 0))
    world.end_agent((1, 0, 0))
    assert world.statuses() == ["cancelled", "cancelled"]
    assert world.engine.state.status == "paused"


def test_pause_stops_launching_and_resume_goes_on() -> None:
    world = World(plan_of(phase(0), phase(1, 0)))
    world.operate("pause", note="lunch", actor="ann")
    world.finish(0)
    assert world.statuses() == ["completed", "pending"]
    assert view(world.engine, world.now)["pause"]["text"] == "The workflow has been paused by ann: lunch."
    world.operate("resume")
    assert world.statuses() == ["completed", "running"]


def test_cancel_waits_for_the_agents() -> None:
    world = World(plan_of(phase(0), phase(1, 0)))
    world.operate("cancel")
    assert world.finished is None
    world.end_agent((0, 0, 0))
    assert world.finished == "cancelled"
    with pytest.raises(RefusedError, match="the run is cancelled"):
        world.operate("pause")


def test_the_run_completes_only_when_every_completion_signal_is_reported() -> None:
    world = World(plan_of(phase(0), completion_signals=("Canary is green",)))
    world.finish(0)
    assert world.finished is None
    assert world.engine.waiting_for() == ["signal:Canary is green"]
    with pytest.raises(RefusedError, match="did you mean"):
        world.operate("report_signal", signal="Canary is gren")
    world.operate("report_signal", signal="canary is  GREEN")
    assert world.finished == "completed"


def test_skipping_needs_a_reason_and_replacing_the_output_completes() -> None:
    world = World(plan_of(phase(0), phase(1), phase(2, 0, 1)))
    world.fail(0)
    world.fail(1)
    with pytest.raises(RefusedError, match="needs a reason"):
        world.operate("intervene", phase=0, action="skip")
    world.operate("intervene", phase=0, action="skip", reason="covered elsewhere")
    world.operate("intervene", phase=1, action="replace_output", outputs={"x": 1})
    assert world.statuses() == ["skipped", "completed", "running"]


def test_edited_input_reaches_the_retried_agent_with_the_earlier_failure() -> None:
    world = World(plan_of(phase(0, prompt="Build it")))
    world.end_agent((0, 0, 0), error={"code": "exit_code", "message": "no", "failures": [{"attempt": 1}]})
    world.operate("intervene", phase=0, action="retry_with", prompt="Build it smaller")
    (effect,) = world.running.values()
    assert effect.task["edits"] == {"prompt": "Build it smaller"}
    assert effect.task["failures"] == [{"attempt": 1}]


def test_one_running_phase_can_be_cancelled_while_its_siblings_go_on() -> None:
    world = World(plan_of(phase(0), phase(1)))
    world.operate("intervene", phase=0, action="cancel")
    world.end_agent((0, 0, 0))
    assert world.statuses() == ["cancelled", "running"]


def test_status_says_why_it_paused_and_offers_numbered_options() -> None:
    tests = PhasePlan(id="testing", name="Testing", index=0, agents=(COMMAND,))
    world = World(plan_of(tests))
    world.fail(0)
    pause = view(world.engine, world.now)["pause"]
    assert pause["text"] == "The workflow has paused because tests are failing."
    texts = [option["text"] for option in pause["options"]]
    assert "Skip the testing phase (not recommended)" in texts
    assert [option["number"] for option in pause["options"]] == list(range(1, len(texts) + 1))


def test_an_agent_gets_what_it_names_and_what_it_directly_needs() -> None:
    world = World(plan_of(phase(0), phase(1, 0), phase(2, 1, reads=("phases.p0.outputs.a",))))
    world.finish(0, a=1, b=2)
    world.finish(1, c=3)
    (effect,) = world.running.values()
    assert effect.task["values"]["phases"] == {
        "p0": {"status": "completed", "outputs": {"a": 1}},
        "p1": {"status": "completed", "outputs": {"c": 3}},
    }


def test_resume_is_refused_while_cancelled_members_wait_for_a_decision() -> None:
    world = World(full_stack())
    world.operate("next")
    world.operate("cancel_parallel")
    with pytest.raises(RefusedError, match="waits for a decision"):
        world.operate("resume")


def test_cancelling_a_group_does_not_lift_the_operators_pause() -> None:
    world = World(full_stack())
    world.operate("next")
    world.operate("pause")
    world.operate("cancel_parallel")
    world.operate("intervene", phase=1, action="retry")
    assert world.statuses()[1] == "pending"
    world.operate("resume")
    assert world.statuses()[1] == "running"


def test_a_group_that_is_being_cancelled_cannot_be_started_yet() -> None:
    world = World(plan_of(phase(0, group=0), phase(1, group=0)))
    world.operate("cancel_parallel")
    with pytest.raises(RefusedError, match="still being cancelled"):
        world.operate("start_parallel", phase=0)


def test_a_paused_always_phase_does_not_hold_up_a_run_that_fails_fast() -> None:
    world = World(plan_of(phase(0, always=True), phase(1, on_failure="fail_fast")))
    world.fail(0)
    world.fail(1)
    assert world.finished == "failed"


def test_people_owe_their_typed_outputs_also_while_others_still_work() -> None:
    person = AgentPlan(role="lead", outputs={"verdict": OutputPlan(type="string")})
    world = World(plan_of(phase(0, agents=(person, COMMAND), agents_mode="parallel")))
    with pytest.raises(RefusedError, match="missing: verdict"):
        world.operate("complete_phase", phase=0)


def test_two_parallel_agents_of_one_role_keep_both_outputs() -> None:
    world = World(plan_of(phase(0, agents=(COMMAND, COMMAND), agents_mode="parallel")))
    world.finish(0, a=1)
    world.finish(0, b=2)
    assert world.engine.state.phases[0].outputs == {"builder": {"a": 1}, "builder#1": {"b": 2}}


@pytest.mark.parametrize(
    "payload",
    [
        {"expect": [{"phase": None, "epoch": 0}]},
        {"expect": [{"phase": [1], "epoch": 0}]},
        {"expect": [{"phase": 0, "epoch": True}]},
        {"expect": [{"phase": 0, "epoch": 0}] * 101},
        {"outputs": {"x": float("nan")}},
        {"outputs": {"x": "y" * 70_000}},
        {"outputs": json.loads("[" * 100 + "]" * 100)},
        {"outputs": json.loads('{"x":' * 100 + "1" + "}" * 100)},
        {"note": "n" * 5000},
        {"actor": 7},
    ],
)
def test_messages_that_could_harm_the_run_are_refused(payload: dict[str, Any]) -> None:
    with pytest.raises(RefusedError):
        World(full_stack()).operate("next", **payload)


def test_progress_is_small_live_state_and_goes_with_the_attempt() -> None:
    world = World(plan_of(phase(0)))
    world.operate("report_progress", phase=0, progress="90%")
    with pytest.raises(RefusedError, match="larger than"):
        world.operate("report_progress", phase=0, progress={"text": "x" * 2000})
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
def test_settled_phases_never_change(old: str) -> None:
    with pytest.raises(IllegalTransitionError):
        check_phase(old, "running")  # type: ignore[arg-type]


def test_ended_runs_never_change() -> None:
    with pytest.raises(IllegalTransitionError):
        check_run("completed", "running")


def test_a_run_that_has_failed_waits_for_no_signal_any_more() -> None:
    world = World(plan_of(phase(0, on_failure="isolate"), completion_signals=("Canary is green",)))
    world.fail(0)
    assert world.engine.state.status == "failed"
    assert view(world.engine, world.now)["waiting"] == []
