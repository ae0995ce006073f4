"""Agents that review at gates: called together, heard once, never taken for people."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine import snapshots
from engine.agents import AgentPlan
from engine.answers import waiting_for
from engine.effects import AgentFinished
from engine.engine import Engine
from engine.errors import RefusedError
from engine.gates import verdicts
from engine.gates.plans import ApprovalPlan, CheckPlan, GatePlan, ReviewPlan
from engine.journal import lines
from engine.plan import Execution, JumpPlan, Plan
from engine.view import details, view
from tests.engine.gated import entries
from tests.engine.world import PERSON, Json, Key, World, phase, plan_of

CRITIC = AgentPlan(role="critic", uses="command", config={"run": ["critic"]})
SECOND = AgentPlan(role="second", uses="command", config={"run": ["second"]})


def reviewed(**fields: Any) -> GatePlan:
    approval = fields.pop("approval", None)
    return GatePlan(id="look", review=ReviewPlan(**{"reviewers": (CRITIC, SECOND), **fields}), approval=approval)


def at_review(*gates: GatePlan, phases: int = 1) -> World:
    """Phases whose work is done and checked, in one parallel group, and one behind them."""
    members = (phase(i, gates=gates, group=0 if phases > 1 else None) for i in range(phases))
    world = World(plan_of(*members, phase(phases, *range(phases)), execution=Execution(max_workers=5)))
    for index in range(phases):
        world.finish(index, size=index)
    for index in range(phases):
        if any(key[0] == index for key in world.running):
            world.finish(index)
    return world


def reviewers(world: World) -> dict[str, Key]:
    """Who reviews now."""
    return {effect.task["agent"]["role"]: key for key, effect in sorted(world.running.items()) if key[0] < 0}


def says(world: World, who: str, verdict: str, comment: str = "", **outputs: Any) -> None:
    answer = outputs or {"verdict": verdict, "comment": comment}
    world.end_agent(reviewers(world)[who], outputs=answer)


def gates_asked(world: World) -> list[str]:
    """The gates of each consultation so far, in the order they were listed."""
    return [" ".join(gate["name"] for gate in fact["data"]["gates"]) for fact in entries(world, "consultation_opened")]


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


@pytest.mark.parametrize(
    "answer",
    [
        {"verdict": "LGTM"},
        {"verdict": "approve"},
        {"verdict": True},
        {},
        {"verdicts": {"p9": "APPROVE"}},
        {"verdicts": "APPROVE"},
    ],
)
def test_what_is_no_exact_verdict_is_an_error_and_a_person_decides(answer: Json) -> None:
    world = at_review(reviewed())
    says(world, "second", "APPROVE")
    world.end_agent(reviewers(world)["critic"], outputs=answer)
    (row,) = view(world.engine, world.now)["gates"]
    assert (row["gate_status"], row["review"]["outcome"]) == ("waiting", "error")
    assert [r["verdict"] for r in row["reviews"]] == [None, "APPROVE"]


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


@pytest.mark.parametrize(
    ("need", "said", "outcome"),
    [
        (0, ["APPROVE", "COMMENT", "COMMENT"], "approved"),
        (0, ["APPROVE", "APPROVE", "REQUEST_CHANGES"], "changes"),
        (0, ["APPROVE", None, "REQUEST_CHANGES"], "error"),
        (0, ["COMMENT", "COMMENT", "COMMENT"], "undecided"),
        (1, ["APPROVE", None, "REQUEST_CHANGES"], "approved"),
        (2, ["APPROVE", "COMMENT", "REQUEST_CHANGES"], "changes"),
        (2, ["APPROVE", "APPROVE", "REQUEST_CHANGES"], "approved"),
        (2, ["APPROVE", "COMMENT", "COMMENT"], "undecided"),
        (2, ["APPROVE", "COMMENT", None], "error"),
    ],
)
def test_what_decides_is_what_the_gate_says(need: int, said: list[str | None], outcome: str) -> None:
    reviews: list[Json] = [
        {"reviewer": f"r{n}", "verdict": word} if word else {"reviewer": f"r{n}", "error": {"message": "gone"}}
        for n, word in enumerate(said)
    ]
    assert verdicts.outcome(reviews, ReviewPlan(reviewers=(CRITIC,) * 3, need=need))[0] == outcome


@pytest.mark.parametrize(
    ("said", "verdict", "comment"),
    [
        ("APPROVE", "APPROVE", ""),
        ("  REQUEST_CHANGES: rename it\nplease\n", "REQUEST_CHANGES", "rename it\nplease"),
        ("COMMENT - nice", "COMMENT", "nice"),
        ("APPROVED", None, ""),
        ("I APPROVE", None, ""),
        ("approve", None, ""),
        ("", None, ""),
    ],
)
def test_the_first_word_of_what_was_printed_is_a_verdict_only_if_it_is_one(
    said: str, verdict: str | None, comment: str
) -> None:
    (told,) = verdicts.read({"said": said, "outputs": {}}, [("p0", "look")])
    assert told.get("verdict") == verdict
    assert told.get("comment", "") == comment
    assert ("error" in told) == (verdict is None)


@pytest.mark.parametrize(
    ("outputs", "verdict"),
    [
        ({"status": 200, "json": {"verdict": "COMMENT", "comment": "nice"}}, "COMMENT"),
        ({"status": 200, "json": {"verdicts": {"look": "APPROVE nice"}}}, "APPROVE"),
        ({"status": 200, "body": "REQUEST_CHANGES: nice"}, "REQUEST_CHANGES"),
        ({"text": "APPROVE: nice"}, "APPROVE"),
        ({"status": 200}, None),
    ],
)
def test_what_a_server_answers_is_a_verdict_without_declared_outputs(outputs: Json, verdict: str | None) -> None:
    (told,) = verdicts.read({"outputs": outputs}, [("p0", "look")])
    assert (told.get("verdict"), told.get("comment")) == (verdict, "nice" if verdict else None)


# Batches


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


# What a review no longer counts for


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


def fresh(world: World) -> World:
    """The same run in a fresh history."""
    return World(world.plan, engine=snapshots.restore(world.plan, snapshots.snapshot(world.engine), world.now))


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
