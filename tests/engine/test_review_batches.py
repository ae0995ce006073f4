"""Gates that are reviewed, or decided by people, together: what makes a batch, and what it holds."""

from __future__ import annotations

import pytest

from engine.errors import RefusedError
from engine.gates.plans import ApprovalPlan, GatePlan
from engine.plan import Execution
from engine.view import view
from tests.engine.reviewing import at_review, gates_asked, reviewed, reviewers, says
from tests.engine.world import PERSON, World, phase, plan_of


def test_gates_that_come_while_reviewers_are_busy_are_one_batch_in_plan_order() -> None:
    world = at_review(reviewed(), phases=4)
    assert gates_asked(world) == ["p0/look"]
    says(world, "critic", "APPROVE")
    says(world, "second", "APPROVE")
    assert gates_asked(world) == ["p0/look", "p1/look p2/look p3/look"]
    assert len(reviewers(world)) == 2, "one run of each reviewer covers all gates"
    says(world, "critic", "", verdicts={"p1": "APPROVE", "p2/look": "REQUEST_CHANGES no", "p3": {"verdict": "COMMENT"}})
    says(world, "second", "APPROVE")
    assert world.statuses() == ["completed", "completed", "running", "completed", "pending"]
    assert world.engine.state.phases[2].epoch == 1


def test_gates_that_open_while_no_worker_is_free_are_reviewed_together() -> None:
    members = (phase(i, gates=(reviewed(),), agents=(PERSON,)) for i in range(2))
    world = World(plan_of(*members, phase(2), execution=Execution(max_workers=1)))
    world.operate("complete_phase", phase=1)
    world.operate("complete_phase", phase=0)
    while not reviewers(world):
        world.end_agent(min(world.running))
    assert gates_asked(world) == ["p0/look p1/look"]


def test_a_gate_that_waits_for_its_group_is_reviewed_with_the_other_members() -> None:
    gate = reviewed(together=True)
    members = (phase(i, gates=(gate,), group=0) for i in range(3))
    world = World(plan_of(*members, phase(3, after_group=0), execution=Execution(max_workers=2)))
    for index in (0, 1, 2):
        assert not reviewers(world)
        world.finish(index)
        world.finish(index)
    assert gates_asked(world) == ["p0/look p1/look p2/look"]


def test_a_gate_does_not_wait_for_a_member_that_has_failed() -> None:
    gate = reviewed(together=True)
    world = World(plan_of(phase(0, gates=(gate,), group=0), phase(1, gates=(gate,), group=0)))
    world.finish(0)
    world.finish(0)
    assert not reviewers(world)
    world.fail(1)
    assert gates_asked(world) == ["p0/look"]


def together_at_review(count: int, **outputs: str) -> World:
    members = (phase(i, gates=(reviewed(together=True),), group=0) for i in range(count))
    world = World(plan_of(*members, phase(count, after_group=0), execution=Execution(max_workers=count)))
    for index in range(count):
        world.finish(index, **outputs)
        world.finish(index)
    return world


def test_a_consultation_has_twenty_gates_at_most_and_the_rest_is_the_next() -> None:
    world = together_at_review(25)
    for _ in range(2):
        says(world, "critic", "APPROVE")
        says(world, "second", "APPROVE")
    assert [len(names.split()) for names in gates_asked(world)] == [20, 5]
    assert world.statuses() == ["completed"] * 25 + ["running"]


def test_a_consultation_has_as_many_gates_as_their_outputs_leave_room_for() -> None:
    world = together_at_review(5, text="x" * 100_000)
    task = world.running[reviewers(world)["critic"]].task
    assert [gate["phase"] for gate in task["values"]["review"]["gates"]] == ["p0", "p1"]
    assert len(task["values"]["review"]["text"]) < 20_000, "the prompt has the beginning of them"


def waiting_batch(phases: int = 3) -> World:
    gate = GatePlan(id="go", approval=ApprovalPlan(people=("ana", "bo")))
    return at_review(gate, phases=phases)


def evidence(world: World) -> dict[str, str]:
    return {f"{row['id']}/{row['gate']}": row["evidence"] for row in view(world.engine, world.now)["gates"]}


def test_gates_that_wait_for_the_same_people_are_decided_together_or_singly() -> None:
    world = waiting_batch()
    rows = view(world.engine, world.now)["gates"]
    assert [row["batch"] for row in rows] == ["c1", "c1", "c1"]
    world.operate("decide_gate", gate="go", phase=1, decision="approve", actor="bo", evidence=rows[1]["evidence"])
    answer = world.operate("decide_gate", batch="c1", decision="approve", actor="ana", evidence=evidence(world))
    assert [entry["phase"]["id"] for entry in answer["gates"]] == ["p0", "p2"]
    assert [entry["gate"]["status"] for entry in answer["gates"]] == ["passed", "passed"]
    assert world.statuses() == ["completed", "completed", "completed", "running"]


def test_a_batch_is_decided_only_as_far_as_its_evidence_was_seen() -> None:
    world = waiting_batch()
    seen = evidence(world)
    with pytest.raises(RefusedError, match="does not name the evidence"):
        world.operate("decide_gate", batch="c1", decision="approve", actor="ana")
    stale = {**seen, "p2/go": "sha256:0"}
    with pytest.raises(RefusedError, match="has changed since"):
        world.operate("decide_gate", batch="c1", decision="approve", actor="ana", evidence=stale)
    with pytest.raises(RefusedError, match="'p9/go' does not wait in the batch"):
        world.operate("decide_gate", batch="c1", decision="approve", actor="ana", evidence={"p9/go": "sha256:0"})
    with pytest.raises(RefusedError, match="no gate of a batch 'c7'"):
        world.operate("decide_gate", batch="c7", decision="approve", actor="ana", evidence=seen)
    with pytest.raises(RefusedError, match="cy may not decide"):
        world.operate("decide_gate", batch="c1", decision="approve", actor="cy", evidence=seen)
    with pytest.raises(RefusedError, match="has no 'gate'"):
        world.operate("decide_gate", decision="approve", actor="ana")
    assert world.statuses() == ["running", "running", "running", "pending"]
    del seen["p1/go"]
    world.operate("decide_gate", batch="c1", decision="approve", actor="ana", evidence=seen)
    assert world.statuses() == ["completed", "running", "completed", "pending"]


def test_what_opens_after_the_first_decision_is_the_next_batch() -> None:
    gate = GatePlan(id="go", approval=ApprovalPlan(people=("ana",), evidence="optional", need=2))
    world = World(plan_of(*(phase(i, gates=(gate,), agents=(PERSON,)) for i in range(3))))
    world.operate("complete_phase", phase=2)
    world.operate("complete_phase", phase=0)
    world.operate("decide_gate", gate="go", phase=2, decision="approve", actor="ana")
    world.operate("complete_phase", phase=1)
    assert {row["id"]: row["batch"] for row in view(world.engine, world.now)["gates"]} == {
        "p0": "c1",
        "p1": "c2",
        "p2": "c1",
    }
