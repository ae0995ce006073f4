"""What only a real server shows: payloads out of history, quick cancellation, and a retry that starts at once."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities import all_activities, attempts
from activities.attempts import records, recover
from activities.payloads import data_converter
from activities.worker_context import Settings
from tests.lasting import lasting
from tests.ports import free_port

Eventually = Callable[..., Any]
ProcessesOf = Callable[[str], list[int]]

HEARTBEAT_TIMEOUT = timedelta(minutes=5)
SOON = 100.0
"""Seconds: more than anything needs on a machine that is busy, and long before that timeout."""


@workflow.defn(name="OneAgent")
class OneAgent:
    @workflow.run
    async def run(self, task: dict[str, Any]) -> dict[str, Any]:
        result: dict[str, Any] = await workflow.execute_activity(
            "command",
            task,
            start_to_close_timeout=timedelta(minutes=10),
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=50), maximum_attempts=9),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        return result


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    binary = Path(sys.executable).parent / "temporal"
    if not binary.exists():
        if os.environ.get("CI"):
            pytest.fail("the temporal binary is missing")
        pytest.skip("the temporal binary is missing")
    port = free_port()
    server = _start_server(binary, port)
    try:
        yield await _connected(f"127.0.0.1:{port}", tmp_path)
    finally:
        server.terminate()
        await asyncio.to_thread(server.wait, 60)


def _start_server(binary: Path, port: int) -> subprocess.Popen[bytes]:
    place = ["--headless", "--ip", "127.0.0.1", "--port", str(port)]
    command = [str(binary), "server", "start-dev", *place, "--log-level", "error"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


async def _connected(address: str, root: Path) -> Client:
    end = time.monotonic() + 60
    while True:
        try:
            return await Client.connect(address, data_converter=data_converter(root, durable=False))
        except RuntimeError:
            if time.monotonic() > end:
                raise
            await asyncio.sleep(0.1)


@asynccontextmanager
async def worker(client: Client, root: Path) -> AsyncIterator[Worker]:
    settings = Settings(grace=1.0, durable=False)
    async with Worker(
        client,
        task_queue="q",
        workflows=[OneAgent],
        activities=all_activities(root, settings),
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_heartbeat_throttle_interval=timedelta(seconds=1),
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),
        graceful_shutdown_timeout=timedelta(seconds=10),
    ) as running:
        yield running


def task(config: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "run": "wf_1",
        "definition": "d",
        "phase": {"id": "p", "name": "P", "index": 0},
        "epoch": 0,
        "position": 0,
        "key": "wf_1/p/0/a#0",
        "agent": {"role": "a", "config": config},
        "timeout": 60.0,
        **changes,
    }


async def start(client: Client, given: dict[str, Any]) -> Any:
    return await client.start_workflow("OneAgent", given, id=f"wf-{uuid4().hex[:8]}", task_queue="q")


async def test_a_large_payload_leaves_the_history_and_comes_back_whole(client: Client, tmp_path: Path) -> None:
    values = {"inputs": {"text": "ü" * 1_500_000}, "phases": {}, "env": {}, "run": {}}
    async with worker(client, tmp_path):
        handle = await start(client, task({"run": ["true"]}, values=values))
        await handle.result()
        history = await handle.fetch_history()
    assert sum(event.ByteSize() for event in history.events) < 20_000
    again = await Client.connect(client.service_client.config.target_host, data_converter=data_converter(tmp_path))
    started = history.events[0].workflow_execution_started_event_attributes
    [given] = await again.data_converter.decode(started.input.payloads)
    assert given["values"] == values


async def test_a_cancelled_run_has_ended_its_command_when_it_is_cancelled(
    client: Client, tmp_path: Path, eventually: Eventually, processes_of: ProcessesOf
) -> None:
    async with worker(client, tmp_path):
        handle = await start(client, task({"run": ["sleep", "97561"]}))
        await eventually(lambda: processes_of("sleep 97561"))
        began = time.monotonic()
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        assert time.monotonic() - began < SOON, "long before the sleep or the heartbeat timeout ends it"
        assert not processes_of("sleep 97561")


async def test_failures_are_retried_by_the_server_and_told_at_the_end(client: Client, tmp_path: Path) -> None:
    retry = {"max_attempts": 3, "initial": 0.05, "factor": 1, "jitter": 0, "every_failure": True}
    async with worker(client, tmp_path):
        good = await start(client, task({"run": ["sh", "-c", "echo x >> n; test $(wc -l < n) = 3"]}, retry=retry))
        result = await good.result()
        assert (result["attempts"], [f["exit_code"] for f in result["failures"]]) == (3, [1, 1])
        bad = await start(client, task({"run": ["sh", "-c", "exit 7"]}, retry=retry, key="other"))
        with pytest.raises(WorkflowFailureError) as caught:
            await bad.result()
    cause = caught.value.cause
    assert isinstance(cause, ActivityError)
    assert isinstance(cause.cause, ApplicationError)
    details: Any = cause.cause.details[0]
    assert [f["exit_code"] for f in details["failures"]] == [7, 7, 7]
    assert len(lasting(await bad.fetch_history())) <= 11, "retries add no events"


async def test_a_worker_that_stops_hands_its_attempt_to_the_next_without_using_one(
    client: Client, tmp_path: Path, eventually: Eventually
) -> None:
    script = "if [ -e second ]; then exit 0; fi; touch second; sleep 97562"
    async with worker(client, tmp_path):
        handle = await start(client, task({"run": ["sh", "-c", script]}))
        await eventually((tmp_path / "second").exists)
    async with worker(client, tmp_path):
        result = await asyncio.wait_for(handle.result(), SOON)
    assert (result["attempts"], result["failures"]) == (1, [])


async def test_a_lost_workers_attempt_starts_again_long_before_its_heartbeat_timeout(
    client: Client, tmp_path: Path, eventually: Eventually, processes_of: ProcessesOf
) -> None:
    root = Path(__file__).parent.parent.parent
    script = "if [ -e second ]; then exit 0; fi; touch second; trap '' TERM; setsid sleep 97563 & sleep 97563; wait"
    address = client.service_client.config.target_host
    lost = await asyncio.create_subprocess_exec(
        sys.executable, __file__, address, str(tmp_path), env=os.environ | {"PYTHONPATH": str(root)}
    )
    handle = await start(client, task({"run": ["sh", "-c", script]}))
    # A shell that is about to start `touch` is two processes with these words as well.
    await eventually(lambda: (tmp_path / "second").exists() and len(processes_of("sleep 97563")) >= 2)
    [left] = records(tmp_path)
    lost.kill()
    await lost.wait()
    began = time.monotonic()
    [recovered] = await recover(tmp_path, client)
    assert recovered.told
    assert not processes_of("sleep 97563")
    async with worker(client, tmp_path):
        result = await asyncio.wait_for(handle.result(), SOON)
    assert time.monotonic() - began < SOON, "long before the heartbeat timeout"
    assert (result["attempts"], result["failures"]) == (1, [])
    attempts.write(attempts._path(tmp_path, left.key), left)
    [again] = await recover(tmp_path, client)
    assert (again.told, again.kept) == (False, False), "a stale token is refused, and forgotten"


async def _be_a_worker(address: str, root: Path) -> None:
    async with worker(await _connected(address, root), root):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_be_a_worker(sys.argv[1], Path(sys.argv[2])))
