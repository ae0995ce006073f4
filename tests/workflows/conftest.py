"""The time-skipping server and a worker with agents that do what the test scripts."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio import activity
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from engine.plan import Plan
from tests.engine.world import merge, reported
from worker import sandbox_runner
from workflows.deliver import Deliver
from workflows.run import PhaseRun

Json = dict[str, Any]

MOMENTS = 3000
"""So many pauses of a bench are a minute: what has not come by then does not come, however busy the machine is."""


STARTUP = timedelta(seconds=100)
"""As long may a server take to start."""


def passed(task: Json) -> Json:
    """Every check of a gate has passed."""
    return reported(task, passed=True)


@dataclass
class Agents:
    """Scripted agents: `script[phase id]` gets the task and returns outputs or raises; without one they succeed."""

    script: dict[str, Callable[[Json], Any]] = field(default_factory=dict)
    seen: list[Json] = field(default_factory=list)
    archived: list[Json] = field(default_factory=list)
    merges: list[Json] = field(default_factory=list)
    checks: Callable[[Json], Json] = field(default=passed)
    notices: list[Json] = field(default_factory=list)
    hooks: list[Json] = field(default_factory=list)
    deliver: Callable[[Json, int], None] = field(default=lambda _message, _attempt: None)
    """Raises where a notice is not to be delivered at this attempt."""

    @activity.defn(name="notify")
    async def notify(self, message: Json) -> None:
        self.notices.append(message)
        self.deliver(message, activity.info().attempt)

    @activity.defn(name="run_hook")
    async def run_hook(self, message: Json) -> Json:
        self.hooks.append(message)
        return {"exit_code": 0}

    @property
    def all(self) -> list[Callable[..., Any]]:
        return [
            self.command,
            self.gate,
            self.merge_context,
            self.archive_run,
            self.count_cpus,
            self.notify,
            self.run_hook,
        ]

    @activity.defn(name="gate")
    async def gate(self, task: Json) -> Json:
        self.seen.append(task)
        return {"outputs": {}, "gate": self.checks(task)}

    @activity.defn(name="command")
    async def command(self, task: Json) -> Json:
        self.seen.append(task)
        act = self.script.get(task["phase"]["id"])
        answer = act(task) if act is not None else {}
        if asyncio.iscoroutine(answer):
            answer = await answer
        return {"outputs": answer or {}, "exit_code": 0, "attempts": activity.info().attempt}

    @activity.defn(name="merge_context")
    async def merge_context(self, task: Json) -> Json:
        self.merges.append(task)
        return {"context": merge(task)}

    @activity.defn(name="archive_run")
    async def archive_run(self, given: Json) -> Json:
        self.archived.append(given)
        return {"sha256": "0" * 64, "size": 1}

    @activity.defn(name="count_cpus")
    async def count_cpus(self) -> int:
        return 2


async def until_cancelled(_task: Json) -> Json:
    """An agent that works until it is cancelled."""
    while True:
        activity.heartbeat()
        await asyncio.sleep(0.05)


def failing(code: str = "exit_code", *, final: bool = True) -> Callable[[Json], Json]:
    """An agent that fails with `code`."""

    def fail(_task: Json) -> Json:
        error = {"code": code, "message": "exit code 1"}
        raise ApplicationError("exit code 1", error, type=code, non_retryable=final)

    return fail


@dataclass
class Bench:
    """A server, a worker and the means to start runs on them."""

    client: Client
    env: WorkflowEnvironment
    agents: Agents
    search_attributes: bool = True
    started: int = 0

    def worker(self) -> Worker:
        """A worker with the scripted agents."""
        agents = self.agents
        return Worker(
            self.client,
            task_queue="tests",
            workflows=[PhaseRun, Deliver],
            activities=agents.all,
            workflow_runner=sandbox_runner(),
            max_heartbeat_throttle_interval=timedelta(milliseconds=200),
        )

    async def pause(self) -> None:
        """A moment of real time, in which the worker can do something."""
        await asyncio.sleep(0.02)

    async def start(self, plan: Plan, first_signal: str | None = None, **start: Any) -> WorkflowHandle[Any, Json]:
        """Start a run; `first_signal` arrives together with its start."""
        self.started += 1
        return await self.client.start_workflow(
            "PhaseRun",
            {"plan": plan.to_json(), "search_attributes": self.search_attributes, **start},
            id=f"wf_test{self.started:02}",
            task_queue="tests",
            result_type=dict,
            start_signal=first_signal,
        )


async def skipping() -> WorkflowEnvironment:
    """A server that skips time. It has as long to start as a busy machine needs: the SDK would give it five seconds."""
    binary = Path(sys.executable).parent / "temporal-test-server"
    return await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(binary), test_server_startup_timeout=STARTUP
    )


@pytest.fixture
def agents() -> Agents:
    return Agents()


@pytest.fixture
async def bench(agents: Agents) -> AsyncIterator[Bench]:
    async with await skipping() as env:
        await env.client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(
                namespace=env.client.namespace,
                search_attributes={
                    "PhaseloomDefinition": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
                    "PhaseloomStatus": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
                    "PhaseloomWaitingFor": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
                },
            )
        )
        bench = Bench(client=env.client, env=env, agents=agents)
        async with bench.worker():
            yield bench
