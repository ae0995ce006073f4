"""The background process that keeps one project's server and worker alive, and stops them in order.

It never holds what it keeps: both live in sessions of their own, the server keeps the lock of its database, the worker
its own lock. A supervisor that is killed takes nothing with it, and the next one adopts what it finds.

- SIGTERM, SIGINT: stop the worker (its agents within their grace), then the server; nothing is left.
- SIGUSR1: end at once and leave both running, for a successor that waits.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Coroutine
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.embedded import server as servers
from cli.embedded import workers
from cli.embedded.ending import end_all, end_ours, take_over
from cli.embedded.processes import current, gone, reap
from cli.embedded.project import Json, Project, open_project, same_file
from cli.embedded.supervision import ACTIVITY, IDLE_VARIABLE, LOCK, RECORD, is_outdated, surroundings
from cli.embedded.version import described, differs, installation
from cli.exiting import leave
from engine.errors import PhaseloomError, UnreachableError

if TYPE_CHECKING:
    from cli.embedded.reader import Reader

IDLE_SECONDS = 1800.0
LOCK_SECONDS = 1.0
START_POLL = 0.2
FOLDER_SECONDS = 1.0
STEADY_SECONDS = 1.0
LONGEST_PAUSE = 10.0

logger = logging.getLogger("phaseloom.supervisor")


class Ending(Enum):
    """Why a supervisor ended."""

    STOPPED = "stopped"
    LEFT = "left to a successor"


class Backoff:
    """The pause before the next start: none after a steady life, twice the last one after a short one."""

    def __init__(self) -> None:
        self.failures = 0

    def pause(self, *, steady: bool) -> float:
        """Seconds to wait before the next start."""
        self.failures = 0 if steady else self.failures + 1
        return 0.0 if self.failures <= 1 else min(0.05 * 2.0**self.failures, LONGEST_PAUSE)


async def cancelled(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel tasks until they have ended.

    Once is not enough: `asyncio.wait_for` swallows a cancellation that arrives in the tick in which its inner future
    is done (Python 3.11), and the task would go on for ever.
    """
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=0.5)


class Supervisor:
    """Keeps one project's server and worker alive until it is told to stop. Holds `supervisor.lock` meanwhile."""

    def __init__(
        self,
        project: Project,
        lock: int,
        *,
        ui: bool = False,
        foreground: bool = False,
        metrics: str | None = None,
        port: int | None = None,
    ) -> None:
        self.project = project
        self.lock = lock
        self.ui = ui
        self.port = port
        self.metrics = metrics
        self.foreground = foreground
        self.state = "running"
        self.trouble: dict[str, str] = {}
        self.reader: Reader | None = None
        self.server: servers.Server | None = None
        self.worker: workers.WorkerProcess | None = None
        self.serves = False
        self.ready = asyncio.Event()
        self.ending: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()

    async def run(self) -> Ending:
        """Keep both alive until a signal, idleness or the loss of the project's folder ends it."""
        self.record()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.end, Ending.STOPPED)
        loop.add_signal_handler(signal.SIGUSR1, self.end, Ending.LEFT)
        loop.add_signal_handler(signal.SIGHUP, self.hang_up)
        duties = [self.keep_server(), self.keep_worker(), self.watch_folder()]
        if not self.foreground:
            duties.append(self.watch_idleness())
        tasks = [asyncio.create_task(self.duty(each)) for each in duties]
        ending = await self.ending
        await cancelled(tasks)
        if ending is Ending.STOPPED:
            await self.stop()
        logger.info("supervisor ends: %s", ending.value)
        return ending

    def end(self, ending: Ending) -> None:
        """Let `run` return; the first reason counts."""
        if not self.ending.done():
            self.ending.set_result(ending)

    def hang_up(self) -> None:
        """The terminal is gone: in the foreground leave everything to a successor, which the worker will start."""
        if self.foreground:
            self.end(Ending.LEFT)

    async def duty(self, work: Coroutine[Any, Any, None]) -> None:
        """A duty that breaks is our bug: say so and end, leaving server and worker to a successor."""
        try:
            await work
        except Exception:
            logger.exception("a bug in the supervisor")
            self.end(Ending.LEFT if self.has_project() else Ending.STOPPED)

    def has_folder(self) -> bool:
        """Whether the project's folder is still where it was: what lies there otherwise may be a successor's."""
        return same_file(self.lock, self.project.file(LOCK))

    def has_project(self) -> bool:
        """Whether the folder is there and still this project's; without its uuid nobody finds our namespace."""
        return self.has_folder() and self.project.remains()

    def write(self, name: str, data: Json) -> None:
        """Write a file of ours; that it cannot be written (a full disk) must not end what runs."""
        if not self.has_folder():
            return
        try:
            self.project.write(name, data)
        except OSError as error:
            logger.warning("%s cannot be written: %s", name, error)

    def record(self) -> None:
        """Write who we are and what is wrong to `supervisor.json`."""
        me = current()
        self.write(
            RECORD,
            {
                "pid": me.pid,
                "birth": me.birth,
                **installation(),
                "state": self.state,
                "foreground": self.foreground,
                "idle_exit": 0.0 if self.foreground else idle_seconds(),
                "trouble": self.trouble,
            },
        )

    def troubled(self, part: str, what: str) -> None:
        """Note what keeps a part from running (an empty `what`: nothing any more)."""
        if self.trouble.get(part, "") == what:
            return
        if what:
            logger.warning("%s: %s", part, what)
            self.trouble[part] = what
        else:
            del self.trouble[part]
        self.record()

    # ---- the server

    async def keep_server(self) -> None:
        """Adopt or start the server, again and again, as long as the project is there."""
        backoff = Backoff()
        while self.has_project():
            began = time.monotonic()
            steady = False
            try:
                server = await self.start_server()
            except (PhaseloomError, OSError) as error:
                self.troubled("server", str(error))
            else:
                self.troubled("server", "")
                self.record_server(server, ready=True)
                self.ready.set()
                logger.info("server ready at %s (pid %d)", server.address, server.process.pid)
                await gone(server.process)
                self.record_server(server, ready=False)
                steady = time.monotonic() - began > STEADY_SECONDS
                logger.warning("server (pid %d) ended", server.process.pid)
            await asyncio.sleep(backoff.pause(steady=steady))

    def record_server(self, server: servers.Server, *, ready: bool) -> None:
        """Write where the server is, and whether it serves, to `server.json`."""
        self.serves = ready
        self.write(servers.RECORD, server.to_json(project=self.project, ready=ready))

    async def start_server(self) -> servers.Server:
        """A server that serves our namespace: the one that lives, if it is fit, else a new one."""
        launched = servers.launch(self.project, environ=surroundings(), ui=self.ui, port=self.port)
        if launched is None:
            launched = await self.adopt_server()
        self.server = launched
        try:
            self.reader = await servers.prepare(self.project, launched)
        except UnreachableError:
            await servers.shut_down(launched)
            raise
        return launched

    async def adopt_server(self) -> servers.Server:
        """The server that holds the lock.

        One that was started for a folder since moved, without the page or on another port than is wanted, is replaced.
        """
        found = servers.adopt(self.project)
        if found is None:
            raise UnreachableError(
                f"{self.project.file(servers.DATABASE)} is in use by a process that cannot be seen from here",
                hint="is the project shared with a container or another user that runs phaseloom?",
            )
        moved = not self.project.read(servers.RECORD) and bool(self.project.read(servers.RECORD, anywhere=True))
        fits = (found.ui_port is not None or not self.ui) and self.port in {None, found.port}
        if fits and not moved:
            logger.info("adopting the server (pid %d)", found.process.pid)
            return found
        await servers.shut_down(found)
        launched = servers.launch(self.project, environ=surroundings(), ui=self.ui, port=self.port)
        if launched is None:
            raise UnreachableError(f"{self.project.file(servers.DATABASE)} is still in use")
        return launched

    # ---- the worker

    async def keep_worker(self) -> None:
        """Adopt or start the worker, again and again; it waits for the server by itself."""
        backoff = Backoff()
        while self.has_project():  # else it would take the place of a successor's worker
            found = workers.adopt(self.project)
            try:
                self.worker = worker = found or workers.launch(
                    self.project, environ=surroundings(), metrics=self.metrics
                )
            except OSError as error:
                self.troubled("worker", str(error))
                await asyncio.sleep(backoff.pause(steady=False))
                continue
            if found and (differs(found.record) or self.metrics not in {None, found.record.get("metrics")}):
                logger.info("the worker is %s: to be replaced when no agent runs", described(found.record))
                await workers.replace_when_idle(self.project, found)
                continue
            steady = await self.watch_worker(worker)
            await asyncio.sleep(backoff.pause(steady=steady))

    async def watch_worker(self, worker: workers.WorkerProcess) -> bool:
        """Wait for the worker's end; returns whether it had got as far as polling."""
        ended = asyncio.create_task(gone(worker.process))
        try:
            polls = False
            while not (ended.done() or polls):
                await asyncio.wait({ended}, timeout=START_POLL)
                polls = workers.polled(self.project, worker)
            if polls:
                self.troubled("worker", "")
                logger.info("worker (pid %d) ready", worker.process.pid)
            await ended
        finally:
            ended.cancel()
        if polls:
            logger.warning("worker (pid %d) ended", worker.process.pid)
        else:
            self.troubled("worker", f"it ends at once: {servers.last_lines(self.project.file(workers.LOG), 1)}")
        return polls

    # ---- ending

    async def watch_folder(self) -> None:
        """End when the project's folder is moved or deleted: whoever looks for us there would find nothing.

        Where only our own records were deleted, they are written again.
        """
        while True:
            await asyncio.sleep(FOLDER_SECONDS)
            reap()
            if not self.has_project():
                logger.warning("the project's folder is gone")
                self.end(Ending.STOPPED)
                return
            if not self.project.file(RECORD).exists():
                self.record()
            if self.serves and self.server is not None and not self.project.file(servers.RECORD).exists():
                self.record_server(self.server, ready=True)

    async def watch_idleness(self) -> None:
        """End when for the whole period no run was open and no client came."""
        period = idle_seconds()
        if not period:
            return
        used = time.time()
        while True:
            await asyncio.sleep(min(60.0, period / 4))
            used = max(used, self.last_activity(), time.time() if await self.has_open_runs() else 0.0)
            if time.time() - used < period:
                continue
            # Say first that we stop, then look again: a client touches the file first, then reads what we say.
            self.state = "stopping"
            self.record()
            if self.last_activity() > used:
                self.state = "running"
                self.record()
                continue
            logger.info("nothing to do for %.0f s", period)
            self.end(Ending.STOPPED)
            return

    def last_activity(self) -> float:
        """When a client last came, in seconds since the epoch."""
        with suppress(FileNotFoundError):
            return self.project.file(ACTIVITY).stat().st_mtime
        return 0.0

    async def has_open_runs(self) -> bool:
        """Whether any run is open; yes when the server cannot say."""
        from temporalio.service import RPCError  # noqa: PLC0415 - loaded by then

        if self.reader is None:
            return True
        try:
            return await self.reader.count("ExecutionStatus='Running' AND WorkflowType!='ToolBreaker'") > 0
        except RPCError:
            return True

    async def stop(self) -> None:
        """Stop worker and server in order. Whatever lies where our folder was belongs to others by now."""
        if not self.has_folder():
            await end_ours(self.project, self.worker, self.server)
            return
        self.state = "stopping"
        self.record()
        await end_all(self.project, self.worker, self.server)
        with suppress(OSError):
            self.project.file(RECORD).unlink()


def idle_seconds() -> float:
    """How long an unused supervisor stays: PHASELOOM_IDLE_EXIT in seconds, 0 for ever, half an hour by default."""
    try:
        return max(0.0, float(os.environ.get(IDLE_VARIABLE, IDLE_SECONDS)))
    except ValueError:
        return IDLE_SECONDS


async def supervise(root: Path, asked_at: float) -> None:
    """Supervise the project at `root` in the background, unless another process does, or nobody wants it any more."""
    project = open_project(root)
    lock = await take_over(project, patience=LOCK_SECONDS)
    if lock is None:
        logger.info("another supervisor is at work")
        return
    if is_outdated(project, asked_at):
        logger.info("everything was stopped meanwhile")
        os.close(lock)
        return
    await Supervisor(project, lock).run()


def main(root: Path, options: list[str]) -> None:
    """Be the background supervisor of the project at `root`; the option is when somebody asked for it."""
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(
        level=logging.INFO, stream=sys.stdout, format="[%(asctime)sZ] [%(levelname)s] %(message)s", datefmt="%FT%T"
    )
    code = 0
    try:
        asyncio.run(supervise(root, float(options[0])))
    except PhaseloomError as error:
        logger.error("%s", error.message)  # noqa: TRY400 - a sentence for the user, no traceback
        code = 1
    except Exception:
        logger.exception("a bug in the supervisor")
        code = 1
    leave(code)
