"""Gates in the engine: checks and waivers."""

from __future__ import annotations

import pytest

from engine.effects import AgentFinished
from engine.errors import RefusedError
from engine.gates.plans import ApprovalPlan, CheckPlan, GatePlan
from engine.journal import lines
from engine.plan import Execution
from engine.view import details, view
from tests.engine.gated import CHECKED, COVERED, LINT, decide, entries, gated
from tests.engine.world import PERSON, World, phase, plan_of

# Checks


def test_a_phase_completes_when_the_checks_of_its_gate_have_passed() -> None:
    world = gated(CHECKED)
    assert world.statuses() == ["running", "pending"]
    assert view(world.engine, world.now)["phases"][0]["waits_for"] == "gate"
    world.finish(0)
    assert world.statuses() == ["completed", "running"]
    assert world.engine.state.phases[0].outputs == {"coverage": 0.9}


def test_the_result_of_a_gate_is_counted_and_kept() -> None:
    world = gated(CHECKED)
    world.fail(0)
    checks = details(world.engine, world.engine.state.phases[0])["gates"][0]
    assert checks["checks"] == {"status": "failed", "passed": 1, "failed": 1, "skipped": 0, "total": 2}
    assert [(r["name"], r["status"]) for r in checks["results"]] == [("lint", "failed"), ("tests", "passed")]


def test_a_failed_gate_pauses_with_its_options() -> None:
    world = gated(CHECKED)
    world.fail(0)
    shown = view(world.engine, world.now)
    assert world.statuses() == ["paused", "pending"]
    assert shown["status"] == "paused"
    assert shown["pause"]["text"] == (
        "The workflow has paused because Phase 0 did not pass the gate pre-push: "
        "1 of 2 checks failed: lint (exit code 1)."
    )
    assert [option["text"] for option in shown["pause"]["options"]] == [
        "Fix and retry the pre-push gate",
        "Run Phase 0 again",
        "Run Phase 0 again with edited input",
        "Skip the pre-push gate (not recommended)",
        "Cancel the phase 0 phase (what needs it is skipped)",
    ]


def test_a_gate_that_allows_no_skipping_offers_none_and_refuses_it() -> None:
    world = gated(GatePlan(id="pre-push", checks=(LINT,), skippable=False))
    world.fail(0)
    actions = [option["action"] for option in view(world.engine, world.now)["pause"]["options"]]
    assert actions == ["retry_gate", "retry", "retry_with", "cancel"]
    with pytest.raises(RefusedError, match="not possible"):
        world.operate("intervene", phase=0, action="skip_gate", reason="in a hurry")
    with pytest.raises(RefusedError, match="cannot be skipped"):
        world.operate("waive_gate", gate="pre-push", reason="in a hurry", actor="ana")
    with pytest.raises(RefusedError, match="cannot be skipped"):
        world.operate("waive_gate", gate="pre-push", check="lint", reason="in a hurry", actor="ana")
    with pytest.raises(RefusedError, match="not possible"):
        world.operate("intervene", phase=0, action="skip", reason="in a hurry")


def test_a_gate_alone_is_checked_again_and_lets_the_phase_on() -> None:
    world = gated(CHECKED)
    world.fail(0)
    world.operate("retry_gate", gate="pre-push")
    assert world.statuses() == ["running", "pending"]
    world.finish(0)
    assert world.statuses() == ["completed", "running"]
    assert world.started == ["p0", "p0", "p0", "p1"]  # the agent once, the gate twice
    assert entries(world, "phase_started")[0]["epoch"] == 0


def test_by_intervention_the_gate_is_retried_or_skipped_with_a_reason() -> None:
    world = gated(CHECKED)
    world.fail(0)
    with pytest.raises(RefusedError, match="needs a reason"):
        world.operate("intervene", phase=0, action="skip_gate")
    world.operate("intervene", phase=0, action="retry_gate")
    world.fail(0)
    world.operate("intervene", phase=0, action="skip_gate", reason="known", actor="ana")
    assert world.statuses() == ["completed", "running"]
    settled = entries(world, "gate_settled")[-1]
    assert (settled["data"]["status"], settled["actor"], settled["note"]) == ("waived", "ana", "known")


def test_the_phase_itself_can_run_again_with_its_gates_armed_anew() -> None:
    world = gated(CHECKED)
    world.fail(0)
    world.operate("intervene", phase=0, action="retry")
    world.finish(0, coverage=0.5)
    assert world.statuses() == ["running", "pending"]
    assert world.engine.state.phases[0].epoch == 1
    world.finish(0)
    assert world.statuses() == ["completed", "running"]


@pytest.mark.parametrize(
    ("policy", "statuses"), [("isolate", ["failed", "skipped"]), ("fail_fast", ["failed", "cancelled"])]
)
def test_a_failed_gate_fails_the_phase_where_nobody_is_asked(policy: str, statuses: list[str]) -> None:
    world = gated(CHECKED, on_failure=policy)
    world.fail(0)
    assert world.statuses() == statuses
    assert world.finished == "failed"


def test_a_condition_is_checked_without_a_worker_and_says_what_it_saw() -> None:
    gate = GatePlan(id="pre-push", checks=(COVERED,))
    assert gated(gate).statuses() == ["completed", "running"]
    world = World(plan_of(phase(0, gates=(gate,))))
    world.finish(0, coverage=0.71)
    result = details(world.engine, world.engine.state.phases[0])["gates"][0]["results"][0]
    assert result["status"] == "failed"
    assert result["value"] == {"phases.p0.outputs.coverage": 0.71}
    assert result["message"] == "phases.p0.outputs.coverage is 0.71"


def test_a_condition_that_cannot_be_evaluated_is_an_error_and_never_passes() -> None:
    world = World(plan_of(phase(0, gates=(GatePlan(id="pre-push", checks=(COVERED,)),))))
    world.finish(0)
    assert world.statuses() == ["paused"]
    result = details(world.engine, world.engine.state.phases[0])["gates"][0]["results"][0]
    assert result["status"] == "error"
    assert "cannot be run" in view(world.engine, world.now)["pause"]["text"]


def test_checks_that_could_not_be_run_are_errors() -> None:
    world = gated(CHECKED)
    world.fail(0, code="timeout")
    results = details(world.engine, world.engine.state.phases[0])["gates"][0]["results"]
    assert [r["status"] for r in results] == ["error", "error"]
    assert world.statuses() == ["paused", "pending"]


def test_a_check_that_the_worker_says_nothing_of_is_an_error() -> None:
    world = gated(CHECKED)
    key = min(world.running)
    effect = world.running.pop(key)
    world.feed(AgentFinished(phase=0, epoch=0, position=effect.position, result={"gate": {"results": []}}))
    assert world.statuses() == ["paused", "pending"]


def test_what_checks_tell_of_the_files_stands_in_the_ledger() -> None:
    world = gated(CHECKED)
    effect = world.running.pop(min(world.running))
    told = {"git": {"commit": "a" * 40, "dirty": "b" * 64}, "files": {"digest": "c" * 64}}
    said = {"gate": {"results": [], "tree": None}, **told}
    world.feed(AgentFinished(phase=0, epoch=0, position=effect.position, result=said))
    (fact,) = entries(world, "gate_checked")
    assert {key: fact["data"][key] for key in told} == told


def test_gates_come_in_their_order_and_the_first_that_fails_stops() -> None:
    second = GatePlan(id="pre-deploy", checks=(CheckPlan(name="build", gate="pre-deploy", run=("make",)),))
    world = gated(CHECKED, second)
    world.finish(0)
    assert world.engine.state.phases[0].at_gate == 1
    world.fail(0)
    assert "pre-deploy" in view(world.engine, world.now)["pause"]["text"]


def test_a_gate_waits_for_a_worker_slot_like_an_agent() -> None:
    by_person = phase(1, agents=(PERSON,), gates=(CHECKED,))
    world = World(plan_of(phase(0), by_person, execution=Execution(max_workers=1)))
    world.operate("complete_phase", phase=1)
    assert view(world.engine, world.now)["phases"][1]["waits_for"] == "worker slot"
    world.finish(0)
    assert view(world.engine, world.now)["phases"][1]["waits_for"] == "gate"
    world.finish(1)
    assert world.finished == "completed"


def test_cancelling_a_phase_cancels_the_checks_of_its_gate() -> None:
    world = gated(CHECKED)
    world.operate("intervene", phase=0, action="cancel")
    assert world.cancelled
    world.end_agent(min(world.running))
    assert world.statuses() == ["cancelled", "skipped"]


# Waivers


def test_a_waived_check_counts_as_skipped_until_the_waiver_expires() -> None:
    world = gated(CHECKED)
    world.fail(0)
    world.operate(
        "waive_gate", gate="pre-push", check="lint", reason="generated code", actor="ana", expires=world.now + 3600
    )
    world.fail(0)
    assert world.statuses() == ["completed", "running"]
    result = world.engine.state.phases[0].gates[0].checks
    assert result is not None
    assert (result["passed"], result["skipped"], result["failed"]) == (1, 1, 0)
    assert "waived by ana: generated code" in result["results"][0]["message"]


@pytest.mark.parametrize("back", ["go_to", "restore"])
def test_a_waiver_of_a_check_outlives_going_back_and_is_said_where_the_gate_opens_again(back: str) -> None:
    world = World(plan_of(phase(0), phase(1, 0, gates=(CHECKED,)), phase(2, 1)))
    world.finish(0)
    world.finish(1)
    world.fail(1)
    given = {"gate": "pre-push", "reason": "generated code", "actor": "ana"}
    world.operate("waive_gate", check="lint", expires=world.now + 3600, **given)
    world.operate("create_checkpoint", name="here")
    world.fail(1)
    before = len(entries(world, "gate_opened"))
    if back == "restore":
        world.operate("restore", checkpoint="here")
        world.tick(60)
    else:
        world.fail(2)
        world.operate("intervene", phase=2, action="go_to", to="p1")
        world.finish(1)
    (opened,) = entries(world, "gate_opened")[before:]
    (told,) = opened["data"]["waived"]
    assert (told["check"], told["by"], told["reason"]) == ("lint", "ana", "generated code")
    text = "\n".join(lines(world.engine.state.plans, "wf_test00", world.engine.ledger))
    assert "The check lint is waived by ana: generated code" in text


def test_a_restore_to_before_a_waiver_undoes_it() -> None:
    world = World(plan_of(phase(0), phase(1, 0, gates=(CHECKED,)), phase(2, 1)))
    world.finish(0)
    world.finish(1)
    world.fail(1)
    world.operate("waive_gate", gate="pre-push", check="lint", reason="generated code", actor="ana")
    world.fail(1)
    world.operate("restore", checkpoint="p0")
    world.tick(60)
    world.finish(1)
    assert "waived" not in entries(world, "gate_opened")[-1]["data"]
    world.fail(1)
    assert world.statuses()[1] == "paused"


def test_an_expired_waiver_fails_the_gate() -> None:
    world = gated(CHECKED)
    world.fail(0)
    world.operate("waive_gate", gate="pre-push", check="lint", reason="for now", actor="ana", expires=world.now + 60)
    world.tick(61)
    world.fail(0)
    assert world.statuses() == ["paused", "pending"]
    assert "its waiver expired on" in view(world.engine, world.now)["pause"]["text"]


def test_a_waiver_that_expires_while_people_decide_fails_the_gate() -> None:
    gate = GatePlan(id="release", checks=(LINT,), approval=ApprovalPlan(people=("ana",)))
    world = gated(gate)
    world.fail(0)
    world.operate("waive_gate", gate="release", check="lint", reason="for now", actor="ana", expires=world.now + 60)
    world.fail(0)
    evidence = world.engine.state.phases[0].gates[0].evidence
    world.tick(61)
    decide(world, "ana", evidence=evidence)
    assert world.statuses() == ["paused", "pending"]
    assert "the waiver of lint has expired" in view(world.engine, world.now)["pause"]["text"]


@pytest.mark.parametrize(("fields", "why"), [({"reason": "x"}, "somebody"), ({"actor": "ana"}, "reason")])
def test_a_waiver_needs_a_reason_and_somebody(fields: dict[str, str], why: str) -> None:
    world = gated(CHECKED)
    world.fail(0)
    with pytest.raises(RefusedError, match=why):
        world.operate("waive_gate", gate="pre-push", **fields)
