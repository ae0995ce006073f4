"""Agents of one run see each other's reports, on a real server, and cost nothing when they do not."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities import all_activities, board
from activities.agent_task import AgentTask
from activities.attempts import recover
from activities.board import Room, RunBoard
from activities.worker_context import Settings
from engine.agents import AgentPlan
from engine.plan import Execution, PhasePlan, Plan
from tests.activities.test_with_server import _connected, client, task
from tests.lasting import lasting
from workflows.run import DRAIN_BYTES, DRAIN_EVENTS, PhaseRun

__all__ = ["client"]

Json = dict[str, Any]
Run = WorkflowHandle[Any, Any]
Eventually = Callable[..., Any]
ProcessesOf = Callable[[str], list[int]]

ASK = 'ask() { : > "$PHASELOOM_ASK"; while [ -e "$PHASELOOM_ASK" ]; do sleep 0.05; done; }; '
WAIT = "for_file() { until [ -e $1 ]; do sleep 0.05; done; }; "


@asynccontextmanager
async def worker(client: Client, root: Path, *, slots: int = 100, stall: float = 60) -> AsyncIterator[None]:
    """A worker; `stall` is how long a run waits for it before any other may go on, which its history then tells."""
    async with Worker(
        client,
        task_queue="q",
        workflows=[PhaseRun],
        activities=all_activities(root, Settings(grace=1.0, durable=False)),
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_concurrent_activities=slots,
        max_heartbeat_throttle_interval=timedelta(seconds=1),
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=stall),
        graceful_shutdown_timeout=timedelta(seconds=10),
    ):
        yield


def phase(index: int, agent: AgentPlan, **fields: Any) -> PhasePlan:
    return PhasePlan(id=f"p{index}", name=f"P{index}", index=index, agents=(agent,), group=1, **fields)


def shell(script: str, role: str = "worker") -> AgentPlan:
    return AgentPlan(role=role, uses="command", config={"tasks": [script]})


async def start(client: Client, *agents: AgentPlan) -> Run:
    phases = tuple(phase(index, agent) for index, agent in enumerate(agents))
    plan = Plan(id="t", name="T", phases=phases, execution=Execution(max_workers=len(phases)))
    given = {"plan": plan.to_json()}
    return await client.start_workflow("PhaseRun", given, id=f"wf_{uuid4().hex[:8]}", task_queue="q", result_type=dict)


async def report_of(run: Run, phase: str, wanted: object) -> None:
    """Return when the run knows this report of a phase."""
    async with asyncio.timeout(60):
        while ((await run.query("phase", {"phase": phase}))["report"] or {}).get("progress") != wanted:
            await asyncio.sleep(0.05)


async def events(run: Run) -> Counter[str]:
    found = lasting(await run.fetch_history())
    return Counter(EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in found)


FUNCTION = """
import pathlib, time

def reads(phaseloom):
    while "progress" not in phaseloom.siblings()["phases"]["p0"]:
        pass
    first = phaseloom.siblings()["phases"]["p0"]["progress"]
    phaseloom.publish({"read": first})
    pathlib.Path("function_has_read").touch()
    while not pathlib.Path("second_is_known").exists():
        time.sleep(0.05)
    second = phaseloom.siblings()["phases"]["p0"]["progress"]
    return {"first": first, "second": second}
"""


async def test_agents_of_every_kind_read_what_another_publishes_and_keep_their_version(
    client: Client, tmp_path: Path
) -> None:
    (tmp_path / "work.py").write_text(FUNCTION)
    publisher = (
        WAIT + 'echo \'{"v": 1}\' > "$PHASELOOM_PUBLISH"; for_file shell_has_read; for_file function_has_read;'
        ' echo \'{"v": 2}\' > "$PHASELOOM_PUBLISH"; for_file readers_are_done'
    )
    reader = (
        ASK + WAIT + 'until ask; grep -q \'"v": 1\' "$PHASELOOM_SIBLINGS"; do :; done; cp "$PHASELOOM_SIBLINGS" first;'
        ' touch shell_has_read; for_file second_is_known; cmp first "$PHASELOOM_SIBLINGS" || exit 9;'
        ' ask; cp "$PHASELOOM_SIBLINGS" second; grep -q \'"v": 2\' second; for_file readers_are_done'
    )
    function = AgentPlan(role="reader", uses="python", config={"function": "work:reads"})
    async with worker(client, tmp_path, slots=3):  # no slot is free while they ask
        run = await start(client, shell(publisher, "maker"), shell(reader), function)
        await report_of(run, "p2", {"read": {"v": 1}})
        await report_of(run, "p0", {"v": 2})
        assert (await run.query("view"))["phases"][0]["progress"] == "v: 2"
        assert (await run.query("phase", {"phase": "p0"}))["report"]["by"] == "maker"
        (tmp_path / "second_is_known").touch()
        async with asyncio.timeout(60):
            while (await run.query("phase", {"phase": "p2"}))["status"] != "completed":
                await asyncio.sleep(0.05)
        (tmp_path / "readers_are_done").touch()
        assert (await run.result())["status"] == "completed"
        outputs = (await run.query("phase", {"phase": "p2"}))["outputs"]
        kinds = await events(run)
        refused = [fact for fact in (await run.query("journal"))["facts"] if fact["kind"] == "message_refused"]
    assert not refused
    assert outputs == {"first": {"v": 1}, "second": {"v": 2}}
    assert kinds["WORKFLOW_EXECUTION_SIGNALED"] == 3, "one for each report, none for asking"


async def test_agents_that_do_not_talk_leave_the_history_as_it_was(client: Client, tmp_path: Path) -> None:
    asking = ASK + "ask; ask; ask"
    async with worker(client, tmp_path):
        counts = []
        for script in ("sleep 1", asking):
            run = await start(client, shell(script))
            await run.result()
            counts.append(sum((await events(run)).values()))
        assert counts[0] == counts[1], "asking is free too"


async def test_a_killed_workers_agent_starts_again_and_publishes_again(
    client: Client, tmp_path: Path, eventually: Eventually, processes_of: ProcessesOf
) -> None:
    script = (
        WAIT + 'if [ -e again ]; then echo 2 > "$PHASELOOM_PUBLISH"; for_file leave; exit 0; fi;'
        ' touch again; echo 1 > "$PHASELOOM_PUBLISH"; sleep 97581'
    )
    environ = os.environ | {"PYTHONPATH": str(Path(board.__file__).parent.parent)}
    address = client.service_client.config.target_host
    lost = await asyncio.create_subprocess_exec(sys.executable, __file__, address, str(tmp_path), env=environ)
    run = await start(client, shell(script))
    await eventually(lambda: processes_of("sleep 97581"))
    await report_of(run, "p0", 1)
    lost.kill()
    await lost.wait()
    await recover(tmp_path, client)
    async with worker(client, tmp_path):
        await report_of(run, "p0", 2)
        (tmp_path / "leave").touch()
        result = await asyncio.wait_for(run.result(), 60)
    assert result["status"] == "completed"
    assert not processes_of("sleep 97581")


async def test_a_report_costs_at_most_four_events_and_none_goes_where_there_is_no_room(
    client: Client, tmp_path: Path
) -> None:
    script = WAIT + 'echo 1 > "$PHASELOOM_PUBLISH"; for_file on; echo 2 > "$PHASELOOM_PUBLISH"; for_file leave'
    async with worker(client, tmp_path):
        run = await start(client, shell(script))
        await report_of(run, "p0", 1)
        before = sum((await events(run)).values())
        (tmp_path / "on").touch()
        await report_of(run, "p0", 2)
        assert sum((await events(run)).values()) - before <= 4
        room = Room()
        assert await room.used(run) < 0.01
        full = Room(most_events=room.events)
        assert await RunBoard(AgentTask.from_json(task({})), full, run).report(3) is None
        assert (await run.query("phase", {"phase": "p0"}))["report"]["progress"] == 2
        (tmp_path / "leave").touch()
        await run.result()


def test_reports_end_long_before_a_history_does() -> None:
    assert min(DRAIN_EVENTS, 10_000) > board.ROOM_EVENTS, "and before the server refuses further signals"
    assert board.ROOM_BYTES < DRAIN_BYTES


async def _be_a_worker(address: str, root: Path) -> None:
    async with worker(await _connected(address, root), root, stall=1):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_be_a_worker(sys.argv[1], Path(sys.argv[2])))
