"""Gates on Temporal: checks are activities, people are only state, deadlines are durable timers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from engine.gates.plans import ApprovalPlan, CheckPlan, GatePlan
from engine.plan import Plan
from tests.engine.world import phase, plan_of
from tests.workflows.conftest import MOMENTS, Bench

Json = dict[str, Any]
DAY = 86400.0
LINT = CheckPlan(name="lint", gate="release", run=("lint",))


def gated(gate: GatePlan) -> Plan:
    return plan_of(phase(0, gates=(gate,)), phase(1, 0))


def verdict(*statuses: str) -> Callable[[Json], Json]:
    """Checks whose first one comes to these statuses, one after the other."""
    left = list(statuses)

    def check(task: Json) -> Json:
        status = left.pop(0) if len(left) > 1 else left[0]
        results = [
            {"name": c["name"], "gate": c["gate"], "status": status, "message": "exit code 1"}
            for c in task["agent"]["config"]["checks"]
        ]
        return {"results": results, "tree": "sha256:tree"}

    return check


async def standing(bench: Bench, handle: WorkflowHandle[Any, Json], status: str) -> Json:
    """The one gate, as soon as it stands so; no time is skipped for it."""
    for _ in range(MOMENTS):
        gates = (await handle.query("view"))["gates"]
        if gates and gates[0]["gate_status"] == status:
            return dict(gates[0])
        await bench.pause()
    raise AssertionError(f"never {status}: {gates}")


async def test_a_failed_gate_waits_and_is_checked_again_until_it_lets_the_run_on(bench: Bench) -> None:
    bench.agents.checks = verdict("failed", "passed")
    handle = await bench.start(gated(GatePlan(id="release", checks=(LINT,))))
    await standing(bench, handle, "failed")
    assert (await handle.query("view"))["status"] == "paused"
    await handle.execute_update("retry_gate", {"gate": "release"})
    assert (await handle.result())["status"] == "completed"
    assert [task["key"] for task in bench.agents.seen if task["agent"]["uses"] == "gate"] == [
        "wf_test01/p0/0/gate:release#0",
        "wf_test01/p0/0/gate:release#1",
    ]


@pytest.mark.parametrize("way", ["signal", "update"])
async def test_a_gate_is_approved_by_signal_as_by_update(bench: Bench, way: str) -> None:
    gate = GatePlan(id="release", checks=(LINT,), approval=ApprovalPlan(people=("ana",)))
    handle = await bench.start(gated(gate))
    evidence = (await standing(bench, handle, "waiting"))["evidence"]
    payload = {"gate": "release", "decision": "approve", "evidence": evidence, "actor": "ana"}
    if way == "signal":
        await handle.signal("decide_gate", payload)
    else:
        await handle.execute_update("decide_gate", payload)
    result = await handle.result()
    assert result["status"] == "completed"
    facts = bench.agents.archived[0]["ledger"]["facts"]
    (decided,) = [fact for fact in facts if fact["kind"] == "gate_decided"]
    assert (decided["actor"], decided["data"]["decision"], decided["data"]["evidence"]) == ("ana", "approve", evidence)


async def test_a_decision_that_is_refused_is_journalled_also_as_an_update(bench: Bench) -> None:
    handle = await bench.start(gated(GatePlan(id="release", checks=(LINT,), approval=ApprovalPlan(people=("ana",)))))
    await standing(bench, handle, "waiting")
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await handle.execute_update("decide_gate", {"gate": "release", "decision": "approve", "actor": "ana"})
    assert isinstance(refused.value.cause, ApplicationError)
    assert "does not name the evidence" in refused.value.cause.message
    facts = (await handle.query("journal"))["facts"]
    assert facts[-1]["kind"] == "message_refused"
    assert facts[-1]["actor"] == "ana"
    await handle.execute_update("cancel", {})


async def test_waiting_for_people_costs_no_activity_and_shows_in_the_search_attributes(bench: Bench) -> None:
    handle = await bench.start(gated(GatePlan(id="go", approval=ApprovalPlan(people=("ana",), evidence="optional"))))
    await standing(bench, handle, "waiting")
    described = await handle.describe()
    assert described.raw_description.pending_activities == []
    shown = {pair.key.name: pair.value for pair in described.typed_search_attributes}
    assert shown["PhaseloomWaitingFor"] == ["gate:p0/go"]
    await handle.execute_update("decide_gate", {"gate": "go", "decision": "approve", "actor": "ana"})
    assert (await handle.result())["status"] == "completed"


async def test_a_deadline_of_three_days_passes_twice_and_then_the_default_holds(bench: Bench) -> None:
    approval = ApprovalPlan(
        people=("ana",),
        evidence="optional",
        deadline=3 * DAY,
        remind=DAY,
        on_deadline="escalate",
        escalate_to=("head",),
        after_escalation="approve",
    )
    handle = await bench.start(gated(GatePlan(id="go", approval=approval)))
    assert (await handle.result())["status"] == "completed"
    facts = bench.agents.archived[0]["ledger"]["facts"]
    start = facts[0]["at"]
    told = [(fact["kind"], round((fact["at"] - start) / DAY)) for fact in facts if fact["kind"].startswith("gate_")]
    assert told[2:] == [
        ("gate_reminded", 1),
        ("gate_reminded", 2),
        ("gate_escalated", 3),
        ("gate_reminded", 4),
        ("gate_reminded", 5),
        ("gate_settled", 6),
    ]
