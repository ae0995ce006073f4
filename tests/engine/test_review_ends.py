"""What ends a review before its verdict, and what goes on in a fresh history."""

from __future__ import annotations

import json

from engine import snapshots
from engine.agents import AgentPlan
from engine.effects import AgentFinished
from engine.gates.plans import GatePlan, ReviewPlan
from engine.journal import lines
from engine.plan import Execution, JumpPlan
from tests.engine.gated import entries
from tests.engine.reviewing import at_review, fresh, gates_asked, reviewed, reviewers, says
from tests.engine.world import World, phase, plan_of


def test_a_late_verdict_about_an_earlier_round_is_dropped() -> None:
    world = at_review(reviewed(), phases=2)
    says(world, "critic", "APPROVE")
    late = reviewers(world)["second"]
    world.operate("retry_gate", gate="look", phase=0)
    assert late in world.cancelled, "nothing waits any more for these reviewers"
    world.end_agent(late)
    said = {"outputs": {"verdict": "APPROVE"}}
    world.feed(AgentFinished(phase=late[0], epoch=late[1], position=late[2], result=said))
    assert gates_asked(world) == ["p0/look", "p1/look"]
    assert world.engine.state.phases[0].gates[0].reviews == []


def test_when_control_goes_back_the_review_is_void_and_nothing_starts_before_its_reviewers_are_gone() -> None:
    back = JumpPlan(to=0, max_rounds=1)
    world = World(plan_of(phase(0), phase(1, 0, gates=(reviewed(),)), phase(2, 0, jumps=(back,))))
    world.finish(0)
    world.finish(1)
    world.finish(1)
    keys = reviewers(world)
    world.finish(2)
    assert world.cancelled == set(keys.values())
    for key in keys.values():
        assert world.statuses() != ["running", "pending", "pending"]
        world.end_agent(key)
    assert world.statuses() == ["running", "pending", "pending"]
    assert world.drive_to_end() == "completed"
    assert [fact["epoch"] for fact in entries(world, "gate_reviewed")] == [1]


def test_a_waiver_of_the_gate_stops_its_reviewers_and_the_run_ends_when_they_are_gone() -> None:
    world = at_review(reviewed())
    keys = reviewers(world)
    world.operate("waive_gate", gate="look", reason="no time", actor="ana")
    world.finish(1)
    assert world.finished is None
    for key in keys.values():
        world.end_agent(key)
    assert world.finished == "completed"


def test_cancelling_the_run_stops_the_reviewers_and_waits_for_them() -> None:
    world = at_review(reviewed())
    keys = reviewers(world)
    world.operate("cancel")
    assert world.cancelled == set(keys.values())
    assert world.finished is None
    for key in keys.values():
        world.end_agent(key)
    assert world.finished == "cancelled"
    assert entries(world, "gate_reviewed") == []


def test_a_review_goes_on_in_a_fresh_history_with_those_who_have_not_answered() -> None:
    world = at_review(reviewed(), phases=2)
    says(world, "critic", "APPROVE", "fine")
    taken = json.loads(json.dumps(snapshots.snapshot(world.engine)))
    successor = World(world.plan, engine=snapshots.restore(world.plan, taken, world.now))
    assert list(reviewers(successor)) == ["second"]
    says(successor, "second", "APPROVE")
    assert successor.statuses() == ["completed", "running", "pending"]
    assert gates_asked(successor) == ["p0/look", "p1/look"]


def test_a_paused_run_goes_back_at_once_when_its_reviewers_have_not_begun_in_a_fresh_history() -> None:
    world = at_review(reviewed())
    world.operate("pause")
    world = fresh(world)
    assert not world.running
    answer = world.operate("restore", checkpoint="beginning")
    assert answer["stopping"] == 0
    assert world.engine.state.restoring is None
    assert world.statuses() == ["running", "pending"]


def test_looking_at_who_may_come_changes_nothing_that_a_fresh_history_would_not_know() -> None:
    others = (AgentPlan(role="style", uses="command", config={"run": ["style"]}),)
    third = (AgentPlan(role="law", uses="command", config={"run": ["law"]}),)
    gates = (
        (reviewed(together=True),),
        (GatePlan(id="style", review=ReviewPlan(reviewers=others)), reviewed(together=True)),
        (GatePlan(id="law", review=ReviewPlan(reviewers=third)),),
    )
    phases = (phase(n, group=0 if n < 2 else None, gates=own) for n, own in enumerate(gates))
    world = World(plan_of(*phases, execution=Execution(max_workers=4)))
    for index in (0, 0, 2, 2):  # the work, then the tree of the gate
        world.finish(index)
    assert {key[0] for key in world.running} == {1, -3}  # the first waits for the second, the third is reviewed
    world = fresh(world)
    assert {key[0] for key in world.running} == {1, -3}
    assert world.drive_to_end() == "completed"


def test_reviewers_that_do_not_end_when_a_run_goes_back_are_named_in_the_journal() -> None:
    world = at_review(reviewed())
    says(world, "critic", "APPROVE")
    world.operate("restore", checkpoint="beginning")
    world.tick(60)
    assert world.engine.state.restoring is None
    told = [(fact["data"]["number"], fact["data"]["reviewers"]) for fact in entries(world, "reviewers_abandoned")]
    assert told == [(1, ["second"])]
    text = "\n".join(lines(world.engine.state.plans, "wf_test00", world.engine.ledger))
    assert "[ERROR] Consultation c1: second - Abandoned: it does not end" in text
    assert fresh(world).drive_to_end() == "completed"
