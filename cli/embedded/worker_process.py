"""The worker process beside an embedded server: one per project, outlives its supervisor and revives it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from pathlib import Path

from cli.embedded import server as servers
from cli.embedded import supervision
from cli.embedded.processes import current
from cli.embedded.project import Project, open_project, same_file, take_lock
from cli.embedded.upkeep import listening, upkeep
from cli.embedded.version import installation
from cli.embedded.workers import LOCK, METRICS_VARIABLE, RECORD
from cli.exiting import leave
from definitions.storage import store_url
from engine.errors import PhaseloomError

LOOK_SECONDS = 0.5
"""Seconds between two looks at the supervisor and at the server's address."""

PATIENCE = 1.0
"""Seconds without a supervisor before the worker starts one: a successor may be on its way."""

LOCKED_OUT = 75

logger = logging.getLogger("phaseloom.worker")


async def serve(project: Project, lock: int) -> None:
    """Work for the project's server until told to stop, or until its address or the project's folder is another."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    address: asyncio.Future[str] = loop.create_future()
    watch = asyncio.create_task(keep_watch(project, lock, address, stop))
    import worker  # noqa: PLC0415 - half a second, in which the server starts too

    try:
        await find_server(project, address, stop)
        if not stop.is_set():
            store = store_url(project.root, os.environ)
            kept = upkeep(project.root)
            if kept.trouble:
                logger.warning("logs and metrics are at their defaults: %s", kept.trouble)
            metrics = listening(os.environ.get(METRICS_VARIABLE) or kept.metrics)
            settings = worker.Settings(
                root=project.root,
                connect={"target_host": address.result(), "namespace": project.namespace},
                task_queue=project.queue,
                store=store,
                metrics=metrics,
                log_limit=kept.log_limit,
                keep_logs=kept.keep_logs,
                on_polling=lambda: record(
                    project, state="polling", address=address.result(), store=store, metrics=metrics or ""
                ),
            )
            await worker.serve(settings, stop)
    finally:
        watch.cancel()


def record(project: Project, **state: str) -> None:
    """Write who this worker is to `worker.json`."""
    me = current()
    project.write(
        RECORD,
        {
            "pid": me.pid,
            "birth": me.birth,
            **installation(),
            "path": os.environ.get("PATH", ""),
            "queue": project.queue,
            **state,
        },
    )


async def find_server(project: Project, address: asyncio.Future[str], stop: asyncio.Event) -> None:
    """Wait until the server is ready, and tell its address; or until told to stop."""
    while not stop.is_set():
        data = project.read(servers.RECORD)
        server = servers.Server.from_json(data)
        if server is not None and data.get("ready"):
            address.set_result(server.address)
            return
        await asyncio.sleep(0.02)


async def keep_watch(project: Project, lock: int, address: asyncio.Future[str], stop: asyncio.Event) -> None:
    """Start a supervisor when there is none any more; stop when the server moved or the project's folder is gone."""
    seen = time.monotonic()
    while not stop.is_set():
        await asyncio.sleep(LOOK_SECONDS)
        if not same_file(lock, project.file(LOCK)):
            logger.warning("the project's folder is gone")
            stop.set()
        server = project.read(servers.RECORD)
        if address.done() and server.get("ready") and server["address"] != address.result():
            logger.warning("the server is at %s now", server["address"])
            stop.set()
        if supervision.living(project) is not None:
            seen = time.monotonic()
        elif time.monotonic() - seen > PATIENCE and not stop.is_set():
            logger.warning("no supervisor: starting one")
            supervision.start(project)
            seen = time.monotonic()


def main(root: Path) -> None:
    """Be the worker of the project at `root`, unless another process is."""
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(
        level=logging.INFO, stream=sys.stdout, format="[%(asctime)sZ] [%(levelname)s] %(message)s", datefmt="%FT%T"
    )
    logging.getLogger("temporalio").setLevel(logging.WARNING)
    code = 0
    try:
        project = open_project(root)
        lock = take_lock(project.file(LOCK))
        if lock is None:
            logger.warning("another worker is at work")
            leave(LOCKED_OUT)
        record(project, state="starting")
        asyncio.run(serve(project, lock))
    except PhaseloomError as error:
        logger.error("%s", error.message)  # noqa: TRY400 - a sentence for the user, no traceback
        code = 1
    except Exception:
        logger.exception("a bug in the worker")
        code = 1
    leave(code)
