"""The breaker of a tool as an entity workflow: leases, reports, its end and its fresh histories."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from temporalio.client import Client, WithStartWorkflowOperation, WorkflowExecutionStatus, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from tests.workflows.conftest import skipping
from worker import sandbox_runner
from workflows.breaker import ToolBreaker

Json = dict[str, Any]

RULE: Json = {"threshold": 3, "recovery": 60.0, "error": "no answer"}


class Tool:
    """A tool whose breaker attempts ask, and tell how they ended."""

    def __init__(self, env: WorkflowEnvironment, **start: Any) -> None:
        self.client: Client = env.client
        self.env = env
        self.start = {"tool": "aider", **start}
        self.handle = env.client.get_workflow_handle("breaker:tests:aider")

    async def ask(self, lease: str, lasts: float = 10.0) -> Json:
        operation: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            "ToolBreaker",
            self.start,
            id=self.handle.id,
            task_queue="tests",
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        answer: Json = await self.client.execute_update_with_start_workflow(
            "ask",
            {"asks": [{"lease": lease, "by": f"run/{lease}", "lasts": lasts}]},
            start_workflow_operation=operation,
            result_type=dict,
        )
        first: Json = answer["answers"][0]
        return first

    async def report(self, lease: str, answer: Json, outcome: str) -> None:
        await self.handle.signal("report", {"lease": lease, "era": answer["era"], "outcome": outcome, **RULE})

    async def fails(self, times: int) -> None:
        for number in range(times):
            await self.report(f"f{number}", await self.ask(f"f{number}"), "failed")

    async def state(self) -> Json:
        state: Json = await self.handle.query("state", result_type=dict)
        return state


@pytest.fixture
async def env() -> AsyncIterator[WorkflowEnvironment]:
    async with (
        await skipping() as env,
        Worker(env.client, task_queue="tests", workflows=[ToolBreaker], workflow_runner=sandbox_runner()),
    ):
        yield env


async def test_the_first_attempt_makes_it_and_failures_in_a_row_open_it_for_all(env: WorkflowEnvironment) -> None:
    tool = Tool(env)
    assert (await tool.ask("a"))["granted"]
    await tool.fails(3)
    refused = await tool.ask("b")
    assert not refused["granted"]
    assert 0 < refused["wait"] <= 60
    state = await tool.state()
    assert (state["tool"], state["state"], state["failures"]) == ("aider", "open", 3)
    assert state["last_error"] == "no answer"


async def test_after_its_recovery_one_probe_decides(env: WorkflowEnvironment) -> None:
    tool = Tool(env)
    await tool.fails(3)
    await env.sleep(61)
    probe = await tool.ask("p")
    assert (probe["granted"], probe["probe"]) == (True, True)
    assert not (await tool.ask("q"))["granted"]
    assert (await tool.state())["probe"]["by"] == "run/p"
    await tool.report("p", probe, "ok")
    assert (await tool.ask("q"))["granted"]
    assert (await tool.state())["state"] == "closed"


async def test_the_lease_of_a_probe_that_died_expires(env: WorkflowEnvironment) -> None:
    tool = Tool(env)
    await tool.fails(3)
    await env.sleep(61)
    await tool.ask("dead", lasts=30)
    assert not (await tool.ask("next"))["granted"]
    await env.sleep(31)
    assert (await tool.ask("next"))["probe"]


async def test_an_operator_can_reset_it(env: WorkflowEnvironment) -> None:
    tool = Tool(env)
    await tool.fails(3)
    before = await tool.handle.execute_update("reset", result_type=dict)
    assert before["state"] == "open"
    assert (await tool.ask("a"))["granted"]


async def test_rubbish_changes_nothing_and_harms_nobody(env: WorkflowEnvironment) -> None:
    tool = Tool(env)
    await tool.ask("a")
    await tool.handle.signal("report")
    await tool.handle.signal("report", "rubbish")
    await tool.handle.signal("report", {"lease": "a", "outcome": "failed"})
    await tool.handle.signal("no_such_signal", {"lease": "a"})
    with pytest.raises(WorkflowUpdateFailedError):
        await tool.handle.execute_update("ask", {"asks": [{"lease": "b"}]})
    assert (await tool.state())["failures"] == 0


async def test_it_ends_when_nobody_needs_it_any_more_and_stays_while_it_has_something_to_remember(
    env: WorkflowEnvironment,
) -> None:
    tool = Tool(env)
    await tool.fails(1)
    await env.sleep(3 * 3600)
    assert (await tool.state())["failures"] == 1
    await tool.report("z", await tool.ask("z"), "ok")
    await env.sleep(3 * 3600)
    assert (await tool.handle.describe()).status == WorkflowExecutionStatus.COMPLETED
    assert (await tool.ask("again"))["granted"]


async def test_fresh_histories_lose_no_report_and_keep_the_state(env: WorkflowEnvironment) -> None:
    tool = Tool(env, history_events=40)
    rule = {**RULE, "threshold": 1000}
    answer = await tool.ask("first")
    began = (await tool.handle.describe()).run_id
    for number in range(100):
        told = {"lease": f"l{number}", "era": answer["era"], "outcome": "failed", **rule}
        await tool.handle.signal("report", told)
    async with asyncio.timeout(120):
        while (await tool.state())["failures"] < 100:
            await asyncio.sleep(0.02)
    assert (await tool.handle.describe()).run_id != began
