"""Reviews on Temporal: reviewers are activities, called together, stopped when nobody waits for them any more."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from typing import Any

from temporalio.client import WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError

from engine.agents import AgentPlan
from engine.gates.plans import ApprovalPlan, GatePlan, ReviewPlan
from engine.plan import Plan
from tests.engine.world import Json, phase, plan_of
from tests.workflows.conftest import MOMENTS, Bench, failing, until_cancelled

CRITIC = AgentPlan(role="critic", uses="command", config={"run": ["critic"]})
SECOND = AgentPlan(role="second", uses="command", config={"run": ["second"]})


def reviewed(*, phases: int = 1, approval: ApprovalPlan | None = None, **review: Any) -> Plan:
    gate = GatePlan(id="look", review=ReviewPlan(**{"reviewers": (CRITIC, SECOND), **review}), approval=approval)
    members = (phase(i, gates=(gate,), group=0 if phases > 1 else None) for i in range(phases))
    return plan_of(*members, phase(phases, *range(phases)))


def asked(bench: Bench) -> list[Json]:
    """The tasks that reviewers were given, in order."""
    return [task for task in bench.agents.seen if task.get("review")]


def answers(bench: Bench, *verdicts: Json, of: int = 1) -> None:
    """What reviewers answer one after the other (the last one for good); the work itself succeeds."""
    left = list(verdicts)

    def act(task: Json) -> Json:
        if not task.get("review"):
            return {}
        return left.pop(0) if len(left) > 1 else left[0]

    for index in range(of):
        bench.agents.script[f"p{index}"] = act


async def standing(bench: Bench, handle: WorkflowHandle[Any, Json], status: str) -> Json:
    for _ in range(MOMENTS):
        gates = (await handle.query("view"))["gates"]
        if gates and gates[0]["gate_status"] == status:
            return dict(gates[0])
        await bench.pause()
    raise AssertionError(f"never {status}: {gates}")


async def test_changes_that_a_reviewer_requests_are_made_and_then_it_approves(bench: Bench) -> None:
    no = {"verdict": "REQUEST_CHANGES", "comment": "rename it"}
    answers(bench, no, {"verdict": "APPROVE"})
    handle = await bench.start(reviewed(reviewers=(CRITIC,)))
    assert (await handle.result())["status"] == "completed"
    assert [task["key"] for task in asked(bench)] == [
        "wf_test01/review:c1/critic#0",
        "wf_test01/review:c2/critic#0",
    ]
    (again,) = [task for task in bench.agents.seen if task.get("feedback")]
    assert (again["phase"]["id"], again["feedback"][0]["comment"]) == ("p0", "rename it")
    (before,) = asked(bench)[1]["values"]["review"]["gates"][0]["history"]
    assert before["comment"] == "rename it"


async def test_three_phases_of_a_group_are_one_consultation(bench: Bench) -> None:
    answers(bench, {"verdict": "APPROVE"}, of=3)
    handle = await bench.start(reviewed(phases=3, together=True))
    assert (await handle.result())["status"] == "completed"
    listed = [[gate["phase"] for gate in task["values"]["review"]["gates"]] for task in asked(bench)]
    assert listed == [["p0", "p1", "p2"]] * 2


async def test_a_reviewer_that_fails_is_no_verdict_and_people_decide(bench: Bench) -> None:
    fail = failing("not_found")
    bench.agents.script["p0"] = lambda task: fail(task) if task.get("review") else {}
    handle = await bench.start(reviewed())
    gate = await standing(bench, handle, "waiting")
    assert [said["verdict"] for said in gate["reviews"]] == [None, None]
    assert gate["review"]["outcome"] == "error"
    payload = {"gate": "look", "decision": "approve", "evidence": gate["evidence"], "actor": "ana"}
    await handle.execute_update("decide_gate", payload)
    assert (await handle.result())["status"] == "completed"


async def test_cancelling_a_run_cancels_its_reviewers_and_waits_for_them(bench: Bench) -> None:
    ended: list[str] = []

    async def work(task: Json) -> Json:
        if task.get("review"):
            try:
                await until_cancelled(task)
            except asyncio.CancelledError:
                ended.append(task["agent"]["role"])
                raise
        return {}

    bench.agents.script["p0"] = work
    handle = await bench.start(reviewed())
    await standing(bench, handle, "reviewing")
    while len(asked(bench)) < 2:
        await bench.pause()
    await handle.execute_update("cancel", {})
    assert (await handle.result())["status"] == "cancelled"
    assert sorted(ended) == ["critic", "second"]


async def gates_of(handle: WorkflowHandle[Any, Json]) -> list[Json]:
    """The gates of a run whose histories end: the test server forgets a query that comes just then."""
    while True:
        with contextlib.suppress(RPCError):
            view: Json = await handle.query("view", rpc_timeout=timedelta(seconds=3))
            return list(view["gates"])


async def test_a_review_survives_fresh_histories_and_each_voice_counts_once(bench: Bench) -> None:
    answers(bench, {"verdict": "APPROVE"}, of=3)
    plan = reviewed(phases=3, approval=ApprovalPlan(people=("ana",)))
    handle = await bench.start(plan, drain_events=15)
    for _ in range(MOMENTS):
        gates = await gates_of(handle)
        if [gate["gate_status"] for gate in gates] == ["waiting"] * 3:
            break
        await bench.pause()
    assert [[said["reviewer"] for said in gate["reviews"]] for gate in gates] == [["critic", "second"]] * 3
    assert (await handle.describe()).run_id != handle.first_execution_run_id
    for batch in dict.fromkeys(gate["batch"] for gate in gates):
        evidence = {f"{gate['id']}/look": gate["evidence"] for gate in gates if gate["batch"] == batch}
        message = {"batch": batch, "decision": "approve", "evidence": evidence, "actor": "ana"}
        await handle.signal("decide_gate", message)
    while (await handle.describe()).status == WorkflowExecutionStatus.RUNNING:
        await bench.pause()
    latest = bench.client.get_workflow_handle(handle.id, result_type=dict)  # after such a query the first one is silent
    assert (await latest.result())["status"] == "completed"
