"""Measurements on a real Temporal server with the embedded server's settings, against hand-written workflows."""

from __future__ import annotations

import asyncio
import os
import secrets
import statistics
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from activities.hosts import count_cpus
from activities.payloads import data_converter
from bench.handwritten import Parallel, Sequential
from bench.report import Row
from cli.embedded.server import HOST, binary, command, free_port
from engine.agents import MANUAL, AgentPlan
from engine.expansion import ITEMS_LIMIT
from engine.plan import Execution, Need, PhasePlan, Plan
from worker import workflow_runner
from workflows.run import PhaseRun

Json = dict[str, Any]
ROUNDS = 5
THROUGHPUT_ROUNDS = 6


@dataclass
class Served:
    """A server with a worker whose agents do nothing; `starts` has when each phase's agent began."""

    client: Client
    starts: dict[str, float] = field(default_factory=dict)

    @activity.defn(name="command")
    async def command(self, task: Json) -> Json:
        """Do nothing."""
        self.starts[f"{task.get('run', '')}/{task['phase']['id']}"] = time.perf_counter()
        return {"outputs": {}, "exit_code": 0}

    @activity.defn(name="archive_run")
    async def archive_run(self, given: Json) -> Json:  # noqa: ARG002 - the ledger is taken and dropped
        """Keep nothing."""
        return {"sha256": "0" * 64, "size": 0}

    async def phase_run(self, plan: Plan, **start: Any) -> str:
        """Run a plan to its end; the run's id."""
        run = f"wf_{secrets.token_hex(6)}"
        await self.client.execute_workflow(
            "PhaseRun", {"plan": plan.to_json(), "search_attributes": False, **start}, id=run, task_queue="bench"
        )
        return run

    async def by_hand(self, name: str, count: int) -> str:
        """Run the hand-written workflow; its id."""
        run = f"hand-{secrets.token_hex(6)}"
        await self.client.execute_workflow(name, count, id=run, task_queue="bench")
        return run

    async def events(self, run: str) -> int:
        """How many events the run's history has."""
        history = await self.client.get_workflow_handle(run).fetch_history()
        return len(history.events)


@asynccontextmanager
async def serve() -> AsyncIterator[Served]:
    """A fresh server on a free port, with a worker; both end with the block."""
    with tempfile.TemporaryDirectory(prefix="phaseloom-bench-") as folder:
        port = free_port(27800)
        line = command(binary(), database=Path(folder) / "server.db", port=port, ui_port=None)
        process = await asyncio.create_subprocess_exec(*line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            client = await _client(f"{HOST}:{port}", Path(folder))
            served = Served(client)
            async with Worker(
                client,
                task_queue="bench",
                workflows=[PhaseRun, Sequential, Parallel],
                activities=[served.command, served.archive_run, count_cpus],
                workflow_runner=workflow_runner(),
                max_concurrent_activities=1000,
            ):
                yield served
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


async def _client(address: str, folder: Path) -> Client:
    deadline = time.monotonic() + 20
    while True:
        try:
            return await Client.connect(address, data_converter=data_converter(folder))
        except RuntimeError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)


def noop(count: int, *, parallel: bool, uses: str = "command", workers: int | None = None) -> Plan:
    """A plan of `count` phases that do nothing, in a row or all at once."""
    phases = tuple(
        PhasePlan(
            id=f"p{i}",
            name=f"Phase {i}",
            index=i,
            agents=(AgentPlan(role="nobody", uses=uses),),
            group=0 if parallel else None,
            needs=() if parallel or not i else (Need(phase=i - 1, implicit=True),),
        )
        for i in range(count)
    )
    return Plan(id="bench", name="Bench", phases=phases, execution=Execution(max_workers=workers or count))


async def compare(served: Served, *, phases: int, parallel: bool) -> list[Row]:
    """Wall time of no-op phases against the same activities by hand, and events per phase."""
    plan = noop(phases, parallel=parallel)
    name = "Parallel" if parallel else "Sequential"
    ours: list[float] = []
    hand: list[float] = []
    run = ""
    for round_ in range(ROUNDS + 1):
        began = time.perf_counter()
        await served.by_hand(name, phases)
        middle = time.perf_counter()
        run = await served.phase_run(plan)
        if round_:  # the first round warms up
            hand.append(middle - began)
            ours.append(time.perf_counter() - middle)
    ratio = statistics.median(ours) / statistics.median(hand)
    note = f"{statistics.median(ours):.2f} s against {statistics.median(hand):.2f} s"
    half = await served.phase_run(noop(phases // 2, parallel=parallel))
    each = (await served.events(run) - await served.events(half)) / (phases - phases // 2)
    word = name.lower()
    return [
        Row(what=f"{phases} {word} phases, wall / hand-written", value=ratio, unit="x", budget=1.10, note=note),
        Row(
            what=f"events per {word} phase",
            value=each,
            budget=4.5 if parallel else 6,
            note="the run's own events left out",
        ),
    ]


async def manual_events(served: Served) -> list[Row]:
    """Events per phase that a person completes by update."""
    count = 50
    run = f"wf_{secrets.token_hex(6)}"
    plan = noop(count, parallel=False, uses=MANUAL)
    handle = await served.client.start_workflow(
        "PhaseRun", {"plan": plan.to_json(), "search_attributes": False}, id=run, task_queue="bench"
    )
    for _ in range(count):
        await handle.execute_update("next", {})
    await handle.result()
    return [Row(what="events per manual phase (by update)", value=await served.events(run) / count, budget=6)]


async def latency(served: Served) -> list[Row]:
    """From the moment a completion is accepted to the start of the next agent."""
    times: list[float] = []
    for _ in range(60):
        person = PhasePlan(id="person", name="Person", index=0, agents=(AgentPlan(role="lead"),))
        agent = PhasePlan(
            id="agent",
            name="Agent",
            index=1,
            agents=(AgentPlan(role="nobody", uses="command"),),
            needs=(Need(phase=0),),
        )
        run = f"wf_{secrets.token_hex(6)}"
        start = {"plan": Plan(id="b", name="B", phases=(person, agent)).to_json(), "run": {"id": run}}
        handle = await served.client.start_workflow("PhaseRun", start, id=run, task_queue="bench")
        await handle.query("view")
        sent = time.perf_counter()
        await handle.execute_update("next", {})
        await handle.result()
        times.append((served.starts[f"{run}/agent"] - sent) * 1000)
    times.sort()
    note = f"median {times[len(times) // 2]:.1f} ms"
    return [Row(what="completion sent -> next agent starts, p99", value=times[-1], unit="ms", budget=50, note=note)]


async def throughput(served: Served) -> list[Row]:
    """200 runs of three phases at once, against the same by hand."""
    plan = noop(3, parallel=False)

    async def timed(many: list[Any]) -> float:
        began = time.perf_counter()
        await asyncio.gather(*many)
        return time.perf_counter() - began

    ours: list[float] = []
    hand: list[float] = []
    for round_ in range(THROUGHPUT_ROUNDS + 1):
        # The database grows and the machine warms up: who goes first changes, and the first round does not count.
        for times in (hand, ours) if round_ % 2 else (ours, hand):
            if times is hand:
                took = await timed([served.by_hand("Sequential", 3) for _ in range(200)])
            else:
                took = await timed([served.phase_run(plan) for _ in range(200)])
            if round_:
                times.append(took)
    mine, theirs = statistics.median(ours), statistics.median(hand)
    note = f"{600 / mine:.0f} phases/s against {600 / theirs:.0f}"
    what = "200 runs x 3 phases, throughput / hand-written"
    return [Row(what=what, value=theirs / mine, unit="x", budget=0.9, floor=True, note=note)]


async def large(served: Served) -> list[Row]:
    """A run of 3,000 phases to its end, through continue-as-new."""
    plan = noop(3000, parallel=False)
    began = time.perf_counter()
    run = await served.phase_run(plan)
    took = time.perf_counter() - began
    histories, _ = await _whole(served, run)
    memory = int(Path(f"/proc/{os.getpid()}/statm").read_text(encoding="ascii").split()[1]) * 4 // 1024
    note = f"{histories} histories, {memory} MiB"
    return [Row(what="3,000 sequential phases, wall", value=took, unit="s", note=note)]


async def _whole(served: Served, run: str) -> tuple[int, int]:
    """How many histories a run has, and how many events they have together."""
    histories, events, run_id = 0, 0, (await served.client.get_workflow_handle(run).describe()).run_id
    while run_id:
        history = await served.client.get_workflow_handle(run, run_id=run_id).fetch_history()
        histories, events = histories + 1, events + len(history.events)
        run_id = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
    return histories, events


async def items(served: Served) -> list[Row]:
    """A phase of 2,000 items to its end, with 50 workers."""
    agents = (AgentPlan(role="nobody", uses="command"),)
    phase = PhasePlan(id="p", name="P", index=0, agents=agents, for_each=list(range(ITEMS_LIMIT)))
    plan = Plan(id="bench", name="Bench", phases=(phase,), execution=Execution(max_workers=50))
    began = time.perf_counter()
    run = await served.phase_run(plan)
    took = time.perf_counter() - began
    histories, events = await _whole(served, run)
    return [
        Row(what="a phase of 2,000 items, wall", value=took, unit="s", note=f"{histories} histories"),
        Row(what="events per item", value=events / ITEMS_LIMIT, budget=5),
    ]
