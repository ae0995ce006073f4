"""`phaseloom up`: supervising in the foreground, in place of the background supervisor if there is one."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

from cli.embedded import ports, supervision, workers
from cli.embedded import server as servers
from cli.embedded.ending import take_over
from cli.embedded.project import Project, open_project
from cli.embedded.supervisor import Ending, Supervisor
from engine.errors import RefusedError, UnreachableError

TAKE_OVER_SECONDS = 45.0
"""As long as a background supervisor that is just stopping everything may take."""


async def up(
    root: Path,
    *,
    ui: bool = False,
    metrics: str | None = None,
    port: int | None = None,
    on_ready: Callable[[servers.Server], None] = lambda _: None,
) -> Ending:
    """Keep the server and the worker of the project at `root` alive until Ctrl-C or SIGTERM, which stop both in order.

    Server and worker that run already are taken over as they are; with `ui` (Temporal's own page) a server without it
    is replaced, which its worker outlives; with `metrics` (`IP:PORT`) a worker that does not tell them there is
    replaced when no agent runs. The server listens on `port`, if given, and keeps to it as long as that is free; one
    that listens elsewhere is replaced, and its worker follows. Without it a server that is started listens where the
    project says. `on_ready` is called once, with the server. When the
    terminal goes away (SIGHUP) both go on in the background.

    Raises RefusedError while another `up` runs, or agents that would be stopped for another port, UnreachableError
    when the server is not installed or the port is in use.
    """
    project = open_project(root)
    servers.binary()
    other = supervision.living(project)
    if other is not None and other.foreground:
        raise RefusedError(f"`phaseloom up` runs already (process {other.process.pid})")
    if port is None:
        ports.settle(project)
    else:
        _check_port(project, port)
    if other is not None:
        other.process.send(signal.SIGUSR1)
    lock = await take_over(project, patience=TAKE_OVER_SECONDS)
    if lock is None:
        raise UnreachableError(
            "another supervisor does not end", hint=f"see {project.file(supervision.LOG)}, or `phaseloom down`"
        )
    supervisor = Supervisor(project, lock, ui=ui, foreground=True, metrics=metrics, port=port)
    announcing = asyncio.create_task(_announce(supervisor, on_ready))
    try:
        return await supervisor.run()
    finally:
        announcing.cancel()


def _check_port(project: Project, port: int) -> None:
    """Refuse a port that cannot be had before anything is changed."""
    living = servers.living(project)
    if living is not None and living.port == port:
        return
    servers.require_free(port)
    if living is not None and (agents := workers.running_agents(project)):
        raise RefusedError(
            f"{'1 agent is' if len(agents) == 1 else f'{len(agents)} agents are'} at work, and would be stopped: the"
            " worker follows the server to its port",
            hint="wait for them; phaseloom down --force stops them",
        )


async def _announce(supervisor: Supervisor, on_ready: Callable[[servers.Server], None]) -> None:
    await supervisor.ready.wait()
    assert supervisor.server is not None
    on_ready(supervisor.server)
