"""The composition root: which workflows and activities, on which queue, with which converter and which patience."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import queue
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Self

from temporalio.client import Client, RetryConfig
from temporalio.envconfig import ClientConnectConfig
from temporalio.runtime import LoggingConfig, PrometheusConfig, Runtime, TelemetryConfig
from temporalio.service import RPCError
from temporalio.worker import PollerBehaviorSimpleMaximum, UnsandboxedWorkflowRunner, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

import activities
from activities import attempts, payloads, retention
from activities.places import run_directory
from activities.processes import GRACE as AGENT_GRACE
from activities.worker_context import Settings as Limits
from engine.errors import UnreachableError
from engine.expansion import PhasePlans
from engine.facts import Fact
from engine.journal import lines
from engine.plan import Plan
from workflows import journal
from workflows.breaker import ToolBreaker
from workflows.deliver import Deliver
from workflows.run import PhaseRun
from workflows.telemetry import SECONDS_BUCKETS, RunMeters

GRACE = timedelta(seconds=AGENT_GRACE + 5)
"""How long activities may take to end when the worker is told to stop: an agent's time between TERM and KILL, and a
margin. A worker that cuts them off would use up one of their attempts."""

MOST_ACTIVITIES = 1000
MOST_WORKFLOW_TASKS = 100
POLLERS = 5
CONNECT_SECONDS = 3.0
LAST_WORDS = 3.0
"""Seconds, once no agent runs, in which a worker that stops can still reach the server; it would try for ever."""

LONGEST_PAUSE = 1.0
SWEEP_SECONDS = 3600.0

PATIENT = RetryConfig(
    initial_interval_millis=50,
    multiplier=1.5,
    max_interval_millis=500,
    max_elapsed_time_millis=None,
    max_retries=1_000_000,
)
"""A result that cannot be delivered now is delivered when the server is back, within half a second of it."""

SHARED_WITH_SANDBOX = ("engine", "minijinja", "minijinja._internal", "cryptography")
"""Pure modules that workflow code may share; without the second name of minijinja its first error hangs the run."""

logger = logging.getLogger("phaseloom.worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a worker needs to know: the project it works in, the server it asks, the queue it takes work from.

    `metrics` is the address, `IP:PORT`, where Prometheus may ask for `/metrics`; None for nowhere. `log_limit` is what
    an attempt may add to its phase's log, in bytes (None: as ever), `keep_logs` for how many seconds the logs of an
    ended run are kept (None: for ever), `copy_logs` whether they also go to the artifact store, for readers elsewhere.
    """

    root: Path
    connect: ClientConnectConfig
    task_queue: str
    store: str = ""
    """The URL where the project's artifacts are kept, if not only in its own directory."""
    metrics: str | None = None
    log_limit: int | None = None
    keep_logs: float | None = None
    copy_logs: bool = False
    on_polling: Callable[[], None] = lambda: None


async def serve(settings: Settings, stop: asyncio.Event | None = None) -> None:
    """Work until SIGTERM, SIGINT or `stop`, however long the server is away, then end the agents in order.

    What a killed predecessor left behind is cleaned up and handed back to the server before the first poll. Raises
    UnreachableError when the address for metrics is taken.
    """
    meter = runtime(settings.metrics).metric_meter
    meters = RunMeters(meter, time.time()) if settings.metrics is not None else None
    stop = stop or asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    client = await connected(settings, stop)
    if client is None:
        return
    for lost in await attempts.recover(settings.root, client):
        record = lost.record
        logger.warning("%s was cut off with its worker; killed %d, retrying: %s", record.key, lost.killed, lost.told)
    with RunFiles(settings.root) as files:

        def tell(run: str, plan: Plan, ledger: list[Fact]) -> None:
            files.tell(run, plan, ledger)
            if meters is not None:
                meters.tell(run, plan, ledger)

        journal.listen(tell)
        worker = compose(settings, client)
        working = asyncio.create_task(worker.run())
        sweeping = asyncio.create_task(sweep(settings.root, settings.keep_logs))
        stopping = asyncio.create_task(stop.wait())
        logger.info("polling %s", settings.task_queue)
        settings.on_polling()
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        sweeping.cancel()
        if working.done():  # it never ends by itself but with an error
            stopping.cancel()
            await working
        await shut_down(worker, settings.root)


async def sweep(root: Path, keep: float | None) -> None:
    """Remove the logs of runs that ended longer than `keep` seconds ago, now and from time to time; None keeps all."""
    while keep is not None:
        removed = await asyncio.to_thread(retention.prune, root, time.time() - keep)
        if removed:
            logger.info("removed the logs of %d ended runs", len(removed))
        await asyncio.sleep(SWEEP_SECONDS)


async def shut_down(worker: Worker, root: Path) -> None:
    """End the agents in order and tell the server; without a server only the agents are waited for."""
    shutting = asyncio.create_task(worker.shutdown())
    while not shutting.done() and _own_attempts(root):
        await asyncio.wait({shutting}, timeout=0.1)
    await asyncio.wait({shutting}, timeout=LAST_WORDS)


def _own_attempts(root: Path) -> bool:
    """Whether this process still runs an agent."""
    return any(record.worker_pid == os.getpid() and not record.ended for record in attempts.records(root))


async def connected(settings: Settings, stop: asyncio.Event) -> Client | None:
    """A client, as soon as the server answers; None when told to stop before."""
    pause = 0.05
    while not stop.is_set():
        try:
            return await asyncio.wait_for(
                Client.connect(
                    **settings.connect,
                    data_converter=payloads.data_converter(settings.root, url=settings.store),
                    retry_config=PATIENT,
                    runtime=runtime(settings.metrics),
                ),
                CONNECT_SECONDS,
            )
        except (RPCError, RuntimeError, TimeoutError) as error:
            logger.warning("no server at %s yet: %s", settings.connect.get("target_host"), error)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)
        pause = min(pause * 2, LONGEST_PAUSE)
    return None


def workflow_runner() -> UnsandboxedWorkflowRunner:
    """What workflow code runs in: no sandbox, which would patch builtins and be paid for in each workflow task.

    Its guard is kept where it costs nothing: the tests and the replays of recorded histories run in the sandbox
    (`sandbox_runner`), and lint bans clocks and randomness in `engine/` and `workflows/`.
    """
    return UnsandboxedWorkflowRunner()


def sandbox_runner() -> SandboxedWorkflowRunner:
    """The sandbox that tests and replays run workflow code in."""
    with suppress(ImportError):  # the sandbox shares it, and cannot be the first to import what is not Python
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: F401, PLC0415
    return SandboxedWorkflowRunner(
        restrictions=SandboxRestrictions.default.with_passthrough_modules(*SHARED_WITH_SANDBOX)
    )


@cache
def runtime(metrics: str | None = None) -> Runtime:
    """The SDK's native part, which otherwise logs each retry of each poll for as long as a server is away.

    With `metrics` it answers Prometheus there, in this process and for as long as it lives. Raises UnreachableError
    when the address cannot be had.
    """
    prometheus = None
    if metrics is not None:
        buckets = {"phaseloom_phase_seconds": SECONDS_BUCKETS}
        prometheus = PrometheusConfig(bind_address=metrics, histogram_bucket_overrides=buckets)
    logs = LoggingConfig(filter="warn,temporalio_client::retry=error")
    try:
        return Runtime(telemetry=TelemetryConfig(logging=logs, metrics=prometheus, attach_service_name=False))
    except ValueError as error:
        message = f"metrics cannot be served at {metrics}: {error}"
        raise UnreachableError(message, hint="name another port with --metrics, or none") from None


def compose(settings: Settings, client: Client) -> Worker:
    """The worker that runs every definition."""
    return Worker(
        client,
        task_queue=settings.task_queue,
        workflows=[PhaseRun, ToolBreaker, Deliver],
        activities=activities.all_activities(
            settings.root, limits(settings), meter=runtime(settings.metrics).metric_meter
        ),
        workflow_runner=workflow_runner(),
        max_concurrent_activities=MOST_ACTIVITIES,
        max_concurrent_workflow_tasks=MOST_WORKFLOW_TASKS,
        activity_task_poller_behavior=PollerBehaviorSimpleMaximum(POLLERS),
        workflow_task_poller_behavior=PollerBehaviorSimpleMaximum(POLLERS),
        # Cancellation travels on heartbeats: 0.7 s instead of 10.8 s.
        max_heartbeat_throttle_interval=timedelta(seconds=1),
        # The runs of a worker that died stall this long.
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),
        graceful_shutdown_timeout=GRACE,
    )


def limits(settings: Settings) -> Limits:
    """What the activities of this worker keep to."""
    kept = Limits(store=settings.store, copy_logs=settings.copy_logs)
    return kept if settings.log_limit is None else replace(kept, log_limit=settings.log_limit)


class RunFiles:
    """Keeps `orchestrator.log`, `journal.jsonl` and `plan.json` of the runs that this worker decides.

    `tell` only hands over; a thread writes, so a slow disk never holds up a decision. After a crash, or a decision that
    was lost and made again, a file is brought to what the ledger says when its run is told of next.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.told: dict[str, Fact] = {}
        self.plans: dict[str, PhasePlans] = {}
        self.work: queue.SimpleQueue[tuple[str, Plan, PhasePlans, list[Fact]] | None] = queue.SimpleQueue()
        self.thread = threading.Thread(target=self._write_all, name="run files", daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.work.put(None)
        self.thread.join()

    def tell(self, run: str, plan: Plan, ledger: list[Fact]) -> None:
        """Take notice of a run's ledger. Only what is new is passed on, unless the run has gone another way since."""
        last = self.told.get(run)
        # The very object: an equal fact of a decision made again may follow others than the one we were told of.
        continues = last is not None and len(ledger) >= last.n and ledger[last.n - 1] is last
        new = ledger[last.n :] if continues and last is not None else list(ledger)
        if not continues:
            self.plans[run] = PhasePlans(plan)
        if new:
            self.told[run] = new[-1]
            for fact in new:
                self.plans[run].follow(fact)
            self.work.put((run, plan, self.plans[run], new))
        if ledger and ledger[-1].kind == "run_settled":
            self.told.pop(run, None)
            self.plans.pop(run, None)

    def _write_all(self) -> None:
        while (work := self.work.get()) is not None:
            try:
                self._write(*work)
            except Exception:
                logger.exception("the log of %s cannot be written", work[0])

    def _write(self, run: str, plan: Plan, plans: PhasePlans, facts: list[Fact]) -> None:
        folder = run_directory(self.root, run)
        logs = folder / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        whole = facts[0].n == 1
        if whole:
            (folder / "plan.json").write_text(json.dumps(plan.to_json()), encoding="ascii")
        _bring(
            folder / "journal.jsonl", [json.dumps(fact.to_json(), ensure_ascii=False) for fact in facts], whole=whole
        )
        _bring(logs / "orchestrator.log", list(lines(plans, run, facts)), whole=whole)


def _bring(path: Path, texts: list[str], *, whole: bool) -> None:
    """Append lines; or, given all lines there should be, append what is missing and write anew what is not as told."""
    data = "".join(f"{text}\n" for text in texts).encode(errors="surrogatepass")
    mode = "ab"
    if whole:
        with suppress(FileNotFoundError):
            there = path.read_bytes()
            if data.startswith(there):
                data = data[len(there) :]
            else:
                mode = "wb"
    with path.open(mode) as file:
        file.write(data)
