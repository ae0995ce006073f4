"""How the server and the worker of a project end, and how their supervisor's place is taken."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from cli.embedded import server as servers
from cli.embedded import workers
from cli.embedded.project import Project, take_lock
from cli.embedded.supervision import LOCK


async def end_all(
    project: Project,
    worker: workers.WorkerProcess | None = None,
    server: servers.Server | None = None,
    *,
    grace: float = workers.STOP_GRACE,
) -> None:
    """End the project's worker, then its server: the given ones, and whatever else still lives.

    A worker that has not ended after `grace` seconds is killed, its agents with it. Only for whoever holds the
    supervisor's lock.
    """
    for one in (worker, workers.adopt(project)):
        if one is not None:
            await workers.shut_down(project, one, grace=grace)
    for each in (server, servers.living(project)):
        if each is not None:
            await servers.shut_down(each)
            with suppress(OSError):  # the folder may be gone; the port is kept
                project.write(servers.RECORD, {"port": each.port, "ready": False})


async def end_ours(project: Project, worker: workers.WorkerProcess | None, server: servers.Server | None) -> None:
    """End these two and nothing else, when the folder that they worked in has gone.

    What is found at its place may be a new project with a supervisor, a server and a worker of its own.
    """
    if worker is not None:
        await workers.shut_down(project, worker)
    if server is not None:
        await servers.shut_down(server)


async def take_over(project: Project, *, patience: float) -> int | None:
    """The supervisor's lock, once whoever holds it lets go; None when that takes longer than `patience` seconds."""
    until = time.monotonic() + patience
    while (lock := take_lock(project.file(LOCK))) is None:
        if time.monotonic() > until:
            return None
        await asyncio.sleep(0.02)
    return lock
