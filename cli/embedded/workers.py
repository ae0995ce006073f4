"""The worker process of one project as its supervisor sees it: found, started, replaced, stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.embedded import boot, supervision
from cli.embedded.processes import Process, recorded, spawn, stop
from cli.embedded.project import Json, Project
from cli.embedded.server import trim

if TYPE_CHECKING:
    from activities.attempts import Record

RECORD = "worker.json"
LOCK = "worker.lock"
LOG = "worker.log"
METRICS_VARIABLE = "PHASELOOM_METRICS"
"""Tells a worker where `phaseloom up --metrics` wants its metrics."""

STOP_GRACE = 30.0
"""Seconds for an orderly end, more than the worker itself takes to end its agents."""

IDLE_POLL = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerProcess:
    """A worker process and what it wrote about itself (nothing yet, right after it was started)."""

    process: Process
    record: Json


def launch(project: Project, *, environ: Mapping[str, str], metrics: str | None = None) -> WorkerProcess:
    """Start the worker. Should another one hold the worker's lock, it ends at once.

    `metrics` is where it tells its metrics, whatever the project says.
    """
    if metrics is not None:
        environ = {**environ, METRICS_VARIABLE: metrics}
    log = project.file(LOG)
    trim(log)
    process = spawn(boot.command("worker", project.root), folder=project.root, log=log, environ=environ)
    return WorkerProcess(process=process, record={})


def adopt(project: Project) -> WorkerProcess | None:
    """The living worker that recorded itself, if there is one."""
    record = project.read(RECORD)
    process = recorded(record)
    return WorkerProcess(process=process, record=record) if process is not None else None


def polled(project: Project, worker: WorkerProcess) -> bool:
    """Whether this worker got as far as asking the server for work."""
    record = project.read(RECORD)
    return record.get("birth") == worker.process.birth and record.get("state") == "polling"


def is_coming(project: Project) -> bool:
    """Whether a worker is being started, by a supervisor that knows of no trouble with that."""
    supervisor = supervision.living(project)
    if supervisor is None or "worker" in supervisor.trouble:
        return False
    worker = adopt(project)
    return worker is None or not polled(project, worker)


def running_agents(project: Project) -> list[Record]:
    """The attempts that living workers run now, oldest first."""
    from activities import attempts  # noqa: PLC0415 - no command pays for it that does not ask

    return [record for record in attempts.records(project.root) if not record.ended and record.has_worker()]


async def replace_when_idle(project: Project, worker: WorkerProcess) -> None:
    """Stop a worker of another installation at a moment when no agent runs; return when it is gone."""
    while worker.process.alive and running_agents(project):  # noqa: ASYNC110 - files tell nobody
        await asyncio.sleep(IDLE_POLL)
    await stop(worker.process, grace=STOP_GRACE)


async def shut_down(project: Project, worker: WorkerProcess, *, grace: float = STOP_GRACE) -> None:
    """Stop the worker in order, its agents first, or kill it after `grace` seconds; nothing of either is left."""
    if await stop(worker.process, grace=grace):
        return
    from activities import attempts, leftovers  # noqa: PLC0415 - only for a worker that had to be killed

    # The records stay: the next worker tells the server that these attempts are lost.
    await leftovers.sweep([record.trace for record in attempts.records(project.root) if not record.has_worker()])
