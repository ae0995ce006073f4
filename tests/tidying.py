"""Ends what a test has started, soon. That `down` ends everything in order is a promise with tests of its own."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from cli.embedded import server as servers
from cli.embedded import workers
from cli.embedded.condition import stop
from cli.embedded.processes import gone
from cli.embedded.project import open_project


async def tidy(root: Path) -> None:
    """End the processes of the project at `root`.

    The worker gets the time that its agents need. The server, which takes more than a second for an orderly end, does
    not: nobody reads its database any more.
    """
    if not (root / ".phaseloom").is_dir():
        return
    project = open_project(root)
    server, worker = servers.living(project), workers.adopt(project)
    ending = asyncio.create_task(stop(root, force=True))
    if server is not None and worker is not None:
        ended = asyncio.create_task(gone(worker.process))
        await asyncio.wait({ending, ended}, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        server.process.send(signal.SIGKILL)
    await ending
