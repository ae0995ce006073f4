"""Agents that review at gates: called together, heard once, never taken for people."""

from __future__ import annotations

import json

import pytest

from engine.answers import waiting_for
from engine.engine import Engine
from engine.errors import RefusedError
from engine.gates.plans import ApprovalPlan, CheckPlan, GatePlan, ReviewPlan
from engine.journal import lines
from engine.plan import Plan
from engine.view import details, view
from tests.engine.reviewing import CRITIC, SECOND, at_review, reviewed, reviewers, says
from tests.engine.world import World, phase, plan_of


def test_reviewers_run_at_once_after_the_checks_with_outputs_evidence_and_prompt() -> None:
    lint = CheckPlan(name="lint", gate="look", run=("lint",))
    review = ReviewPlan(reviewers=(CRITIC, SECOND), prompt="Be strict with ${inputs.what}.", timeout=60)
    world = World(plan_of(phase(0, gates=(GatePlan(id="look", checks=(lint,), review=review),)), phase(1, 0)))
    world.finish(0, size=3)
    assert not reviewers(world), "the checks come first"
    world.finish(0)
    assert list(reviewers(world)) == ["critic", "second"]
    assert world.engine.ready.slots_used == 1
    task = world.running[reviewers(world)["critic"]].task
    (gate,) = task["values"]["review"]["gates"]
    assert (gate["gate"], gate["phase"], gate["outputs"], gate["history"]) == ("look", "p0", {"size": 3}, [])
    assert gate["evidence"] == world.engine.state.phases[0].gates[0].evidence
    assert gate["checks"]["passed"] == 1
    assert task["prompt"].startswith("Be strict with ${inputs.what}.")
    assert task["timeout"] == 60
    assert "p0/look" in task["values"]["review"]["text"]


def test_where_all_approve_the_phase_completes_without_people() -> None:
    world = at_review(reviewed())
    says(world, "critic", "APPROVE", "fine")
    assert world.statuses() == ["running", "pending"]
    says(world, "second", "APPROVE")
    assert world.statuses() == ["completed", "running"]


def test_people_decide_after_the_reviewers_and_see_what_they_said() -> None:
    world = at_review(reviewed(approval=ApprovalPlan(people=("ana",))))
    says(world, "critic", "APPROVE", "fine")
    assert waiting_for(world.engine) == []
    says(world, "second", "COMMENT", "a typo in line 3")
    assert waiting_for(world.engine) == ["gate:p0/look"]
    assert world.engine.ready.slots_used == 0
    (row,) = view(world.engine, world.now)["gates"]
    assert [(r["reviewer"], r["verdict"], r["comment"]) for r in row["reviews"]] == [
        ("critic", "APPROVE", "fine"),
        ("second", "COMMENT", "a typo in line 3"),
    ]
    assert row["approvals"] == 0, "agents never count as people"
    for actor in ("critic", "agent:critic"):
        with pytest.raises(RefusedError):
            world.operate(
                "decide_gate", gate="look", decision="approve", actor=actor, evidence=row["evidence"], comment="x"
            )
    world.operate("decide_gate", gate="look", decision="approve", actor="ana", evidence=row["evidence"])
    assert world.statuses() == ["completed", "running"]


def test_requested_changes_reach_the_next_attempt_and_the_next_review() -> None:
    world = at_review(reviewed())
    says(world, "critic", "REQUEST_CHANGES", "rename it")
    assert world.statuses() == ["running", "pending"], "the others are heard first"
    says(world, "second", "COMMENT", "nice otherwise")
    ((key, effect),) = world.running.items()
    assert key == (0, 1, 0)
    assert [(told["by"], told["comment"], told["epoch"]) for told in effect.task["feedback"]] == [
        ("agent:critic", "rename it", 0),
        ("agent:second", "nice otherwise", 0),
    ]
    world.finish(0)
    world.finish(0)
    history = world.running[reviewers(world)["critic"]].task["values"]["review"]["gates"][0]["history"]
    assert [(told["reviewer"], told["verdict"], told["comment"], told["epoch"]) for told in history] == [
        ("critic", "REQUEST_CHANGES", "rename it", 0),
        ("second", "COMMENT", "nice otherwise", 0),
    ]


def test_rounds_are_capped_and_then_a_person_decides() -> None:
    world = at_review(reviewed(reviewers=(CRITIC,), max_rounds=2))
    for _ in range(2):
        says(world, "critic", "REQUEST_CHANGES", "no")
        world.finish(0)
        world.finish(0)
    says(world, "critic", "REQUEST_CHANGES", "still no")
    assert waiting_for(world.engine) == ["gate:p0/look"]
    (row,) = view(world.engine, world.now)["gates"]
    assert row["review"] == {"outcome": "rounds", "reason": "critic requested changes again, after 2 rounds"}
    world.operate("decide_gate", gate="look", decision="approve", actor="ana", evidence=row["evidence"])
    assert world.statuses() == ["completed", "running"]


def test_an_unreachable_reviewer_is_no_verdict_and_the_review_can_be_tried_again() -> None:
    world = at_review(reviewed(approval=ApprovalPlan(people=("ana",), deadline=10, on_deadline="approve")))
    says(world, "critic", "APPROVE")
    world.end_agent(reviewers(world)["second"], error={"code": "not_found", "message": "second: command not found"})
    gate = world.engine.state.phases[0].gates[0]
    assert gate.review == {"outcome": "error", "reason": "no verdict from second: second: command not found"}
    assert gate.deadline_at is None, "nothing is approved by the clock that reviewers did not approve"
    world.operate("retry_gate", gate="look", actor="ana")
    world.finish(0)
    says(world, "critic", "APPROVE")
    says(world, "second", "APPROVE")
    assert (gate.status, gate.review["outcome"]) == ("waiting", "approved")
    assert gate.deadline_at is not None


def test_the_log_tells_who_reviewed_what_and_what_they_said() -> None:
    world = at_review(reviewed())
    says(world, "critic", "REQUEST_CHANGES", "rename it\nand more")
    world.end_agent(reviewers(world)["second"], error={"code": "timeout", "message": "it took too long"})
    text = "\n".join(lines(world.engine.state.plans, "wf_test00", world.engine.ledger))
    assert "Consultation c1: critic, second review p0/look" in text
    assert "Consultation c1: critic - REQUEST_CHANGES: rename it\n" in text
    assert "Consultation c1: second - No verdict: it took too long" in text
    assert "Gate: p0/look - Reviewed: no verdict from second" in text
    shown = details(world.engine, world.engine.state.phases[0])["gates"][0]["reviews"]
    assert shown[0]["comment"] == "rename it\nand more"


def test_a_plan_with_reviewers_is_the_same_after_its_way_through_json() -> None:
    plan = plan_of(phase(0, gates=(reviewed(need=1, together=True),)))
    again = Plan.from_json(json.loads(json.dumps(plan.to_json())))
    assert again == plan
    assert Engine(again).plan == plan
