"""`phaseloom up`: supervising in the foreground, in place of the background supervisor if there is one."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

from cli.embedded import server as servers
from cli.embedded import supervision
from cli.embedded.ending import take_over
from cli.embedded.project import open_project
from cli.embedded.supervisor import Ending, Supervisor
from engine.errors import RefusedError, UnreachableError

TAKE_OVER_SECONDS = 45.0
"""As long as a background supervisor that is just stopping everything may take."""


async def up(
    root: Path,
    *,
    ui: bool = False,
    metrics: str | None = None,
    on_ready: Callable[[servers.Server], None] = lambda _: None,
) -> Ending:
    """Keep the server and the worker of the project at `root` alive until Ctrl-C or SIGTERM, which stop both in order.

    Server and worker that run already are taken over as they are; with `ui` (Temporal's own page) a server without it
    is replaced, which its worker outlives; with `metrics` (`IP:PORT`) a worker that does not tell them there is
    replaced when no agent runs. `on_ready` is called once, with the server. When the terminal goes away
    (SIGHUP) both go on in the background. Raises RefusedError while another `up` runs, UnreachableError when the
    server is not installed.
    """
    project = open_project(root)
    servers.binary()
    other = supervision.living(project)
    if other is not None and other.foreground:
        raise RefusedError(f"`phaseloom up` runs already (process {other.process.pid})")
    if other is not None:
        other.process.send(signal.SIGUSR1)
    lock = await take_over(project, patience=TAKE_OVER_SECONDS)
    if lock is None:
        raise UnreachableError(
            "another supervisor does not end", hint=f"see {project.file(supervision.LOG)}, or `phaseloom down`"
        )
    supervisor = Supervisor(project, lock, ui=ui, foreground=True, metrics=metrics)
    announcing = asyncio.create_task(_announce(supervisor, on_ready))
    try:
        return await supervisor.run()
    finally:
        announcing.cancel()


async def _announce(supervisor: Supervisor, on_ready: Callable[[servers.Server], None]) -> None:
    await supervisor.ready.wait()
    assert supervisor.server is not None
    on_ready(supervisor.server)
