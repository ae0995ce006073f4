"""Approvals in the engine: who decides, on which evidence, until when."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine import snapshots
from engine.agents import OutputPlan
from engine.answers import waiting_for
from engine.effects import AgentFinished
from engine.engine import Engine
from engine.errors import RefusedError
from engine.gates.plans import ApprovalPlan, GatePlan
from engine.plan import PhasePlan, Plan
from engine.view import view
from tests.engine.gated import CHECKED, LINT, approved, by_hand, decide, entries, gated
from tests.engine.world import World, phase, plan_of

# Approvals


def test_waiting_for_people_holds_no_worker() -> None:
    world = gated(approved(people=("ana",)))
    assert world.engine.ready.slots_used == 0
    assert waiting_for(world.engine) == ["gate:p0/release"]
    entry = view(world.engine, world.now)["waiting"][0]
    assert (entry["for"], entry["gate"], entry["who"], entry["need"]) == ("gate", "release", ["ana"], 1)


def test_an_approval_lets_the_phase_complete() -> None:
    world = gated(approved(people=("ana",)))
    answer = decide(world, "ana")
    assert answer["gate"] == {"id": "release", "status": "passed", "approvals": 1, "need": 1}
    assert [p["id"] for p in answer["started"]] == ["p1"]
    assert world.statuses() == ["completed", "running"]


def test_of_three_two_must_approve_and_nobody_counts_twice() -> None:
    world = gated(approved(people=("ana", "bo", "cy"), need=2))
    decide(world, "ana")
    decide(world, "ana")
    assert world.statuses() == ["running", "pending"]
    decide(world, "bo")
    assert world.statuses() == ["completed", "running"]


def test_a_rejection_needs_a_reason_and_pauses_the_phase() -> None:
    world = gated(approved(people=("ana",)))
    with pytest.raises(RefusedError, match="needs a reason"):
        decide(world, "ana", "reject")
    decide(world, "ana", "reject", comment="too early")
    assert world.statuses() == ["paused", "pending"]
    assert "ana rejected it: too early" in view(world.engine, world.now)["pause"]["text"]


def test_requested_changes_reach_the_next_attempt_of_the_phase() -> None:
    world = gated(approved(people=("ana",)))
    answer = decide(world, "ana", "request_changes", comment="rename it")
    assert answer["gate"]["status"] == "pending"
    assert world.statuses() == ["running", "pending"]
    (effect,) = world.running.values()
    assert effect.epoch == 1
    assert effect.task["feedback"] == [{"by": "ana", "comment": "rename it", "gate": "release", "epoch": 0}]
    world.finish(0)
    decide(world, "ana")
    assert world.statuses() == ["completed", "running"]


def test_who_is_not_asked_may_not_decide() -> None:
    world = gated(approved(people=("ana",)))
    with pytest.raises(RefusedError, match="bo may not decide"):
        decide(world, "bo")
    with pytest.raises(RefusedError, match="somebody who decides"):
        world.operate("decide_gate", gate="release", decision="approve")


def test_nobody_approves_their_own_work_unless_the_gate_says_so() -> None:
    world = by_hand(approved(people=("kim", "ana")))
    with pytest.raises(RefusedError, match="kim did the work"):
        decide(world, "kim")
    decide(world, "ana")
    assert world.statuses() == ["completed", "running"]
    world = by_hand(approved(people=("kim",), self_approval=True))
    decide(world, "kim")
    assert world.statuses() == ["completed", "running"]


def test_a_delegate_decides_in_the_name_of_the_one_who_asked() -> None:
    world = gated(approved(people=("ana", "bo"), need=2))
    world.operate("delegate_gate", gate="release", to="cy", actor="ana")
    decide(world, "cy")
    decide(world, "ana")
    assert world.statuses() == ["running", "pending"]  # ana and her delegate are one voice
    decide(world, "bo")
    assert world.statuses() == ["completed", "running"]
    assert entries(world, "gate_decided")[0]["data"]["for"] == "ana"


def test_delegation_is_refused_where_it_makes_no_sense() -> None:
    world = gated(approved(people=("ana", "bo"), delegation=False))
    with pytest.raises(RefusedError, match="nobody may decide for others"):
        world.operate("delegate_gate", gate="release", to="cy", actor="ana")
    world = gated(approved(people=("ana", "bo")))
    with pytest.raises(RefusedError, match="has no decision to give away"):
        world.operate("delegate_gate", gate="release", to="cy", actor="dee")
    with pytest.raises(RefusedError, match="decides about 'release' already"):
        world.operate("delegate_gate", gate="release", to="bo", actor="ana")


def test_nobody_approves_their_own_work_through_a_delegate() -> None:
    world = by_hand(approved(people=("kim", "ana")))
    world.operate("delegate_gate", gate="release", to="cy", actor="kim")
    with pytest.raises(RefusedError, match="kim did the work"):
        decide(world, "cy")


def test_a_form_is_filled_in_with_the_declared_types() -> None:
    world = gated(approved(people=("ana",), form={"risk": OutputPlan(type="integer")}))
    with pytest.raises(RefusedError, match="the form needs 'risk'"):
        decide(world, "ana")
    with pytest.raises(RefusedError, match="must be integer"):
        decide(world, "ana", form={"risk": "high"})
    with pytest.raises(RefusedError, match="no field 'colour'"):
        decide(world, "ana", form={"risk": 1, "colour": "red"})
    decide(world, "ana", form={"risk": "2"})
    assert entries(world, "gate_decided")[0]["data"]["form"] == {"risk": 2}


def test_a_decision_for_a_gate_that_is_not_open_is_refused() -> None:
    world = World(plan_of(phase(0, gates=(approved(people=("ana",)),))))
    with pytest.raises(RefusedError, match="is not open"):
        decide(world, "ana")
    with pytest.raises(RefusedError, match="there is no gate 'releas'") as why:
        world.operate("decide_gate", gate="releas", decision="approve", actor="ana")
    assert "did you mean 'release'" in why.value.message
    world.finish(0)
    decide(world, "ana")
    with pytest.raises(RefusedError, match="the run is completed"):
        decide(world, "ana")


def test_a_gate_of_several_phases_has_to_be_named_with_its_phase() -> None:
    gate = approved(people=("ana",))
    world = World(plan_of(phase(0, gates=(gate,)), phase(1, gates=(gate,))))
    world.finish(0)
    world.finish(1)
    with pytest.raises(RefusedError, match="several phases stand at the gate 'release': p0/release, p1/release"):
        decide(world, "ana")
    world.operate("decide_gate", gate="p1/release", decision="approve", actor="ana")
    assert world.statuses() == ["running", "completed"]
    decide(world, "ana", phase="p0")
    assert world.finished == "completed"


def test_what_an_agent_runs_decides_about_no_gate() -> None:
    world = gated(approved(self_approval=True))
    for name, fields in (
        ("decide_gate", {"decision": "approve"}),
        ("delegate_gate", {"to": "bo"}),
        ("waive_gate", {"reason": "no time"}),
    ):
        with pytest.raises(RefusedError, match="what an agent runs decides about no gate"):
            world.operate(name, gate="release", actor="agent:builder", **fields)
    decide(world, "ana", "reject", comment="no")
    with pytest.raises(RefusedError, match="what an agent runs decides about no gate"):
        world.operate("intervene", phase=0, action="skip_gate", reason="no time", actor="agent:builder")


# Evidence


def test_a_decision_without_the_evidence_it_rests_on_is_refused() -> None:
    world = gated(approved(people=("ana",), evidence="required"))
    world.finish(0)
    evidence = world.engine.state.phases[0].gates[0].evidence
    assert evidence is not None
    assert evidence.startswith("sha256:")
    with pytest.raises(RefusedError, match="does not name the evidence") as why:
        decide(world, "ana")
    assert evidence in why.value.hint
    decide(world, "ana", evidence=evidence)
    assert world.statuses() == ["completed", "running"]


def test_votes_are_void_and_their_evidence_is_stale_once_the_gate_is_checked_again() -> None:
    world = gated(approved(people=("ana", "bo", "cy"), need=2, evidence="required"))
    world.finish(0)
    old = world.engine.state.phases[0].gates[0].evidence
    decide(world, "ana", evidence=old)
    world.operate("retry_gate", gate="release")
    world.finish(0)
    new = world.engine.state.phases[0].gates[0].evidence
    assert new != old
    with pytest.raises(RefusedError, match="has changed since"):
        decide(world, "bo", evidence=old)
    decide(world, "bo", evidence=new)
    assert world.statuses() == ["running", "pending"]
    decide(world, "cy", evidence=new)
    assert world.statuses() == ["completed", "running"]


def test_evidence_of_before_the_work_was_done_again_is_stale_though_nothing_else_is_different() -> None:
    world = gated(approved(people=("ana", "bo"), evidence="required"))
    world.finish(0)
    old = world.engine.state.phases[0].gates[0].evidence
    decide(world, "ana", "request_changes", evidence=old, comment="rename it")
    world.finish(0, coverage=0.9)
    world.finish(0)
    with pytest.raises(RefusedError, match="has changed since"):
        decide(world, "bo", evidence=old)
    decide(world, "bo", evidence=world.engine.state.phases[0].gates[0].evidence)


def _evidence(coverage: float, *, before: int = 1, tree: str = "sha256:tree") -> str | None:
    gate = GatePlan(id="release", checks=(LINT,), approval=ApprovalPlan(people=("ana",)))
    world = World(plan_of(phase(0), phase(1, 0), phase(2, 1, gates=(gate,))))
    world.finish(0, x=before)
    world.finish(1)
    world.finish(2, coverage=coverage)
    key = min(world.running)
    effect = world.running.pop(key)
    result = {"name": "lint", "gate": "pre-push", "status": "passed", "seconds": coverage}
    told = {"gate": {"results": [result], "tree": tree}}
    world.feed(AgentFinished(phase=2, epoch=0, position=effect.position, result=told))
    return world.engine.state.phases[2].gates[0].evidence


def test_evidence_changes_with_outputs_of_all_ancestors_and_with_the_files_and_with_nothing_else() -> None:
    same = _evidence(0.9)
    assert same == _evidence(0.9)
    assert len({same, _evidence(0.8), _evidence(0.9, before=2), _evidence(0.9, tree="sha256:other")}) == 4


# Deadlines


def test_people_are_reminded_then_it_is_escalated_then_the_default_holds() -> None:
    gate = approved(
        people=("ana",),
        deadline=100,
        remind=40,
        on_deadline="escalate",
        escalate_to=("head",),
        after_escalation="reject",
    )
    world = gated(gate)
    world.tick(40)
    world.tick(40)
    assert len(entries(world, "gate_reminded")) == 2
    world.tick(20)
    assert entries(world, "gate_escalated")[0]["data"]["people"] == ["head"]
    assert view(world.engine, world.now)["waiting"][0]["who"] == ["ana", "head"]
    for _ in range(5):
        world.tick(20)
    assert world.statuses() == ["paused", "pending"]
    assert "nobody decided before the deadline" in view(world.engine, world.now)["pause"]["text"]


def test_after_an_escalation_the_others_may_decide() -> None:
    world = gated(approved(people=("ana",), deadline=10, on_deadline="escalate", escalate_to=("head",)))
    with pytest.raises(RefusedError, match="head may not decide"):
        decide(world, "head")
    world.tick(10)
    decide(world, "head")
    assert world.statuses() == ["completed", "running"]


@pytest.mark.parametrize(
    ("then", "status"), [("approve", "completed"), ("reject", "paused"), ("pause", "paused"), ("fail", "failed")]
)
def test_a_deadline_that_passes_does_what_the_gate_says(then: str, status: str) -> None:
    world = gated(approved(people=("ana",), deadline=10, on_deadline=then))
    world.tick(9)
    assert world.statuses()[0] == "running"
    world.tick(1)
    assert world.statuses()[0] == status


def test_a_deadline_of_an_earlier_round_changes_nothing() -> None:
    world = gated(approved(people=("ana",), deadline=10, on_deadline="approve"))
    world.tick(5)
    world.operate("retry_gate", gate="release")
    world.tick(6)
    assert world.statuses()[0] == "running"
    world.tick(5)
    assert world.statuses()[0] == "completed"


# Across histories


@pytest.mark.parametrize("moment", ["checking", "waiting", "failed"])
def test_a_gate_survives_a_fresh_history(moment: str) -> None:
    gate = GatePlan(
        id="release", checks=(LINT,), approval=ApprovalPlan(people=("ana",), deadline=100, on_deadline="approve")
    )
    world = gated(gate)
    if moment != "checking":
        world.finish(0) if moment == "waiting" else world.fail(0)
    taken = json.loads(json.dumps(snapshots.snapshot(world.engine)))
    plan = Plan.from_json(json.loads(json.dumps(world.plan.to_json())))
    engine: Engine = snapshots.restore(plan, taken, world.now)
    again = World(plan, engine=engine)
    assert again.statuses() == world.statuses()
    if moment == "checking":
        again.finish(0)
    if moment == "failed":
        again.operate("retry_gate", gate="release")
        again.finish(0)
    again.now = world.now
    again.tick(100)
    assert again.statuses() == ["completed", "running"]


def test_a_plan_without_gates_is_as_small_as_before() -> None:
    assert "gates" not in Plan(id="x", name="X", phases=(PhasePlan(id="p", name="P", index=0),)).to_json()["phases"][0]


def test_next_and_complete_are_refused_at_a_gate() -> None:
    world = by_hand(approved(people=("ana",)))
    messages: list[tuple[str, dict[str, Any]]] = [("next", {}), ("complete_phase", {"phase": 0})]
    for name, payload in messages:
        with pytest.raises(RefusedError, match="waits at the gate 'release' for ana to decide"):
            world.operate(name, **payload)
    world = by_hand(CHECKED)
    with pytest.raises(RefusedError, match="which is being checked"):
        world.operate("complete_phase", phase=0)


def test_an_always_phase_passes_its_gate_though_the_run_has_failed() -> None:
    clean_up = phase(1, 0, always=True, gates=(approved(people=("ana",)),))
    world = World(plan_of(phase(0, on_failure="fail_fast"), clean_up))
    world.fail(0)
    world.finish(1)
    decide(world, "ana")
    assert world.statuses() == ["failed", "completed"]
    assert world.finished == "failed"
