"""Messages that arrive while a run continues as new, on a real server: its rules for this moment are what counts.

It fails the task that would continue as new when messages have come in meanwhile, and with it the updates in that
task; callers ask again (`cli.reach.contact.patiently`), and a `request_id` makes that count once. Afterwards the
histories are replayed: signals and updates of one task must come in the same order again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer, Worker

from cli.embedded.server import binary
from cli.reach.contact import patiently
from tests.engine.world import PERSON, phase, plan_of
from tests.workflows.conftest import STARTUP, Agents
from worker import sandbox_runner
from workflows.run import PhaseRun

Json = dict[str, Any]

OFTEN = 40
"""A fresh history after so many events."""

PHASES = 48
RUNS = 4


@pytest.fixture
async def client(agents: Agents) -> AsyncIterator[Client]:
    async with (
        await WorkflowEnvironment.start_local(
            dev_server_existing_path=str(binary()), dev_server_startup_timeout=STARTUP
        ) as env,
        Worker(
            env.client,
            task_queue="tests",
            workflows=[PhaseRun],
            activities=[agents.archive_run, agents.count_cpus],
            workflow_runner=sandbox_runner(),
        ),
    ):
        yield env.client


async def complete(handle: WorkflowHandle[Any, Json], index: int) -> None:
    """Complete a phase: every second one by signal, the others by update."""
    payload = {"phase": index, "request_id": f"r{index}"}
    if index % 2:
        await handle.signal("complete_phase", payload)
        return

    async def ask(seconds: float) -> Json:
        answer: Json = await handle.execute_update("complete_phase", payload, rpc_timeout=timedelta(seconds=seconds))
        return answer

    await patiently(ask, patience=60)


async def histories(client: Client, run: str) -> list[WorkflowHistory]:
    """The histories that the run has had, the newest first."""
    found, run_id = [], (await client.get_workflow_handle(run).describe()).run_id
    while run_id:
        found.append(await client.get_workflow_handle(run, run_id=run_id).fetch_history())
        run_id = found[-1].events[0].workflow_execution_started_event_attributes.continued_execution_run_id
    return found


async def driven(client: Client, run: str) -> Json:
    """A run of phases for people, completed eight at a time to its end."""
    plan = plan_of(*(phase(i, agents=(PERSON,)) for i in range(PHASES)))
    start = {"plan": plan.to_json(), "search_attributes": False, "drain_events": OFTEN}
    await client.start_workflow("PhaseRun", start, id=run, task_queue="tests")
    handle: WorkflowHandle[Any, Json] = client.get_workflow_handle(run, result_type=dict)
    for first in range(0, PHASES, 8):
        await asyncio.gather(*(complete(handle, i) for i in range(first, first + 8)))
    return await handle.result()


async def test_messages_that_arrive_at_the_switch_are_neither_lost_nor_taken_twice(
    client: Client, agents: Agents
) -> None:
    results = await asyncio.gather(*(driven(client, f"wf_{n}") for n in range(RUNS)))
    assert [result["view"]["counts"]["completed"] for result in results] == [PHASES] * RUNS
    for ledger in (archived["ledger"] for archived in agents.archived):
        settled = [fact["phase"] for fact in ledger["facts"] if fact["kind"] == "phase_settled"]
        assert sorted(settled) == list(range(PHASES))
    replayer = Replayer(workflows=[PhaseRun], workflow_runner=sandbox_runner())
    for n in range(RUNS):
        had = await histories(client, f"wf_{n}")
        assert len(had) > 1
        for history in had:
            await replayer.replay_workflow(history)
