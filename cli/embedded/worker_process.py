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
from engine.errors import PhaseloomError, UnreachableError

LOOK_SECONDS = 0.5
"""Seconds between two looks at the supervisor and at the server's address."""

PATIENCE = 1.0
"""Seconds without a supervisor before the worker starts one: a successor may be on its way."""

LOCKED_OUT = 75

logger = logging.getLogger("phaseloom.worker")


async def serve(me: Record) -> None:
    """Work for the project's server until told to stop, or until its address or the project's folder is another."""
    project = me.project
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    address: asyncio.Future[str] = loop.create_future()
    watch = asyncio.create_task(keep_watch(me, address, stop))
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
                on_polling=lambda: me.polls(address=address.result(), store=store, metrics=metrics or ""),
            )
            await worker.serve(settings, stop)
    finally:
        watch.cancel()


class Record:
    """What `worker.json` says of this worker. It is never written where another worker's may lie."""

    def __init__(self, project: Project, lock: int) -> None:
        self.project = project
        self.lock = lock
        self.says: dict[str, str] = {"state": "starting"}

    def has_folder(self) -> bool:
        """Whether the project's folder is still where it was, and still this project's."""
        return same_file(self.lock, self.project.file(LOCK)) and self.project.remains()

    def polls(self, **state: str) -> None:
        """Say that the worker has got as far as asking for work, and where."""
        self.says = {"state": "polling", **state}
        self.write()

    def write(self) -> None:
        """Write the file, unless the folder has gone."""
        if not self.has_folder():
            return
        me = current()
        self.project.write(
            RECORD,
            {
                "pid": me.pid,
                "birth": me.birth,
                **installation(),
                "path": os.environ.get("PATH", ""),
                "queue": self.project.queue,
                **self.says,
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


async def keep_watch(me: Record, address: asyncio.Future[str], stop: asyncio.Event) -> None:
    """Start a supervisor when there is none any more; stop when the server moved or the project's folder is gone."""
    project = me.project
    seen = time.monotonic()
    while not stop.is_set():
        await asyncio.sleep(LOOK_SECONDS)
        if not me.has_folder():
            logger.warning("the project's folder is gone")
            stop.set()
        elif not project.file(RECORD).exists():
            me.write()
        server = project.read(servers.RECORD)
        if address.done() and server.get("ready") and server["address"] != address.result():
            logger.warning("the server is at %s now", server["address"])
            stop.set()
        if supervision.living(project) is not None:
            seen = time.monotonic()
        elif time.monotonic() - seen > PATIENCE and not stop.is_set():
            logger.warning("no supervisor: starting one")
            try:
                supervision.start(project)
            except UnreachableError as error:
                logger.warning("%s", error.message)
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
        me = Record(project, lock)
        me.write()
        asyncio.run(serve(me))
    except PhaseloomError as error:
        logger.error("%s", error.message)  # noqa: TRY400 - a sentence for the user, no traceback
        code = 1
    except Exception:
        logger.exception("a bug in the worker")
        code = 1
    leave(code)
