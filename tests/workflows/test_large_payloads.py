"""Plans and snapshots beyond what Temporal takes: they go through the artifact store, and histories stay small."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Replayer, Worker

from activities.payloads import data_converter
from engine.errors import WorkspaceError
from engine.plan import Execution, Plan
from tests.engine.world import phase, plan_of
from tests.workflows.conftest import Bench
from tests.workflows.test_fresh_history import OFTEN
from worker import sandbox_runner
from workflows.run import PhaseRun

MANY = 60
TEXT = "x" * 60_000
"""Of each phase: the plan has 3.6 MB, and Temporal takes 2 MB."""


@pytest.fixture
def client(bench: Bench, tmp_path: Path) -> Client:
    """A client whose large payloads go to a store."""
    config = bench.client.config()
    config["data_converter"] = data_converter(tmp_path, durable=False)
    return Client(**config)


async def start(client: Client, plan: Plan, **given: Any) -> WorkflowHandle[Any, Any]:
    """Start a run on a queue of its own: the worker of other tests has no store."""
    begun = {"plan": plan.to_json(), "search_attributes": False, **given}
    return await client.start_workflow("PhaseRun", begun, id="wf_large", task_queue="large", result_type=dict)


async def test_a_plan_that_temporal_does_not_take_runs_through_fresh_histories_and_replays(
    bench: Bench, client: Client, tmp_path: Path
) -> None:
    phases = [replace(phase(i, *([i - 1] if i else [])), description=TEXT) for i in range(MANY)]
    agents = bench.agents
    async with Worker(
        client,
        task_queue="large",
        workflows=[PhaseRun],
        activities=[agents.command, agents.archive_run, agents.count_cpus],
        workflow_runner=sandbox_runner(),
    ):
        handle = await start(client, plan_of(*phases, execution=Execution(max_workers=1)), drain_events=OFTEN)
        result = await handle.result()
    assert result["status"] == "completed"
    assert len(agents.seen) == MANY
    run_id: str | None = (await client.get_workflow_handle(handle.id).describe()).run_id
    converter = data_converter(tmp_path, durable=False)
    replayer = Replayer(workflows=[PhaseRun], workflow_runner=sandbox_runner(), data_converter=converter)
    count = 0
    while run_id:
        count += 1
        history = await client.get_workflow_handle(handle.id, run_id=run_id).fetch_history()
        assert sum(event.ByteSize() for event in history.events) < 100 * 1024
        await replayer.replay_workflow(history)
        run_id = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id or None
    assert count > 2


async def test_a_payload_that_was_altered_is_named_and_nobody_gets_it(client: Client, tmp_path: Path) -> None:
    plan = plan_of(replace(phase(0), description=TEXT * 6))
    handle = await start(client, plan)
    [path] = [path for path in (tmp_path / ".phaseloom/artifacts").glob("*/*") if path.is_file()]
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"xxxx", b"yyyy"))
    history = await handle.fetch_history()
    given = history.events[0].workflow_execution_started_event_attributes.input.payloads
    with pytest.raises(WorkspaceError, match=f"sha256:{path.name} is damaged"):
        await client.data_converter.decode(given)
    await handle.terminate()
