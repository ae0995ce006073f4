"""A phase can be a run of its own: it is listed, cancelled, paused and resumed with its parent."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError

from engine.agents import AgentPlan
from engine.plan import Plan
from tests.engine.world import PERSON, phase, plan_of
from tests.workflows.conftest import Bench, failing

Json = dict[str, Any]


def child(plan: Plan, **inputs: Any) -> AgentPlan:
    config = {"definition": plan.id, "plan": plan.to_json(), "inputs": inputs}
    return AgentPlan(role="child", uses="workflow", config=config)


def parent_of(who: AgentPlan, **more: Any) -> Plan:
    return plan_of(phase(0, agents=(who,), timeout=more.pop("timeout", None), **more))


async def reached(bench: Bench, run: str, status: str) -> WorkflowHandle[Any, Any]:
    """The run, once it has the status."""
    handle = bench.client.get_workflow_handle(run)
    while True:
        try:
            if (await handle.query("view", {}))["status"] == status:
                return handle
        except RPCError:
            continue


async def test_the_childs_outputs_by_phase_are_the_phases_outputs(bench: Bench) -> None:
    bench.agents.script["p0"] = lambda task: {"word": task["values"]["inputs"]["say"]}
    handle = await bench.start(
        parent_of(child(plan_of(phase(0)), say="${inputs.greeting}"), reads=("inputs.greeting",)),
        inputs={"greeting": "hello"},
    )
    assert (await handle.result())["status"] == "completed"
    assert (await handle.query("phase", {"phase": 0}))["outputs"] == {"p0": {"word": "hello"}}
    described = await bench.client.get_workflow_handle(f"{handle.id}.p0").describe()
    assert (await described.memo())["parent"] == handle.id


async def test_a_failed_child_fails_the_phase_and_says_where_to_look(bench: Bench) -> None:
    bench.agents.script["p0"] = failing()
    handle = await bench.start(parent_of(child(plan_of(phase(0, on_failure="isolate"))), on_failure="isolate"))
    with pytest.raises(Exception, match="Workflow execution failed"):
        await handle.result()
    error = (await handle.query("phase", {"phase": 0}))["error"]
    assert error["message"] == f"the run {handle.id}.p0 failed"
    assert error["hint"] == f"phaseloom workflow status --run {handle.id}.p0"


async def test_cancelling_the_parent_cancels_the_child_first(bench: Bench) -> None:
    handle = await bench.start(parent_of(child(plan_of(phase(0, agents=(PERSON,))))))
    inner = await reached(bench, f"{handle.id}.p0", "running")
    await handle.execute_update("cancel", {})
    assert (await handle.result())["status"] == "cancelled"
    assert (await inner.result())["status"] == "cancelled"


async def test_pause_and_resume_reach_the_child(bench: Bench) -> None:
    handle = await bench.start(parent_of(child(plan_of(phase(0, agents=(PERSON,))))))
    inner = await reached(bench, f"{handle.id}.p0", "running")
    await handle.execute_update("pause", {})
    await reached(bench, inner.id, "paused")
    await handle.execute_update("resume", {})
    await reached(bench, inner.id, "running")
    await inner.execute_update("next", {})
    assert (await handle.result())["status"] == "completed"


async def closed(bench: Bench, run: str) -> None:
    """Return once the run has ended, without letting time pass."""
    async with asyncio.timeout(120):
        while (await bench.client.get_workflow_handle(run).describe()).status == WorkflowExecutionStatus.RUNNING:
            await bench.pause()


async def test_a_child_that_somebody_cancels_fails_its_phase(bench: Bench) -> None:
    handle = await bench.start(parent_of(child(plan_of(phase(0, agents=(PERSON,)))), on_failure="isolate"))
    inner = await reached(bench, f"{handle.id}.p0", "running")
    await inner.execute_update("cancel", {})
    with pytest.raises(Exception, match="Workflow execution failed"):
        await handle.result()
    assert "was cancelled" in (await handle.query("phase", {"phase": 0}))["error"]["message"]


async def test_a_child_that_takes_too_long_is_cancelled(bench: Bench) -> None:
    plan = parent_of(child(plan_of(phase(0, agents=(PERSON,)))), timeout=3600, on_failure="isolate")
    handle = await bench.start(plan)
    await reached(bench, f"{handle.id}.p0", "running")
    # Waiting for the result would let the server skip time for as long as it takes to pass the cancellation on: years.
    await bench.env.sleep(3601)
    await closed(bench, handle.id)
    with pytest.raises(Exception, match="Workflow execution failed"):
        await handle.result()
    assert (await handle.query("phase", {"phase": 0}))["error"]["code"] == "timeout"
    assert (await bench.client.get_workflow_handle(f"{handle.id}.p0").result())["status"] == "cancelled"


async def test_a_phase_that_is_run_again_gets_a_child_of_its_own(bench: Bench) -> None:
    handle = await bench.start(parent_of(child(plan_of(phase(0, agents=(PERSON,))))))
    inner = await reached(bench, f"{handle.id}.p0", "running")
    await inner.execute_update("cancel", {})
    await reached(bench, handle.id, "paused")
    await handle.execute_update("intervene", {"phase": 0, "action": "retry"})
    again = await reached(bench, f"{handle.id}.p0.again1", "running")
    await again.execute_update("next", {})
    assert (await handle.result())["status"] == "completed"
