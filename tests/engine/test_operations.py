"""What people and programs may do to a run, and what is refused without changing anything."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.agents import AgentPlan, OutputPlan
from engine.answers import waiting_for
from engine.effects import AgentFinished
from engine.errors import RefusedError
from engine.plan import PhasePlan
from engine.view import view
from tests.engine.world import COMMAND, PERSON, World, full_stack, phase, plan_of


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
    assert waiting_for(world.engine) == ["signal:Canary is green"]
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
