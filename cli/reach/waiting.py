"""Waiting for what a message has begun: agents that end, a run that closes."""

from __future__ import annotations

import asyncio
from typing import Any

from cli.reach.runs import ServerRun, described_run
from engine.errors import RefusedError

Json = dict[str, Any]

POLL = 0.1


async def until_closed(run: ServerRun) -> None:
    """Return when the server has closed the run: its agents are gone then."""
    while True:
        described = await described_run(run.connection, run.id)
        if described is None or described.closed is not None:
            return
        await asyncio.sleep(POLL)


async def until_restored(run: ServerRun) -> None:
    """Return when the run has gone back: what it left has ended then.

    Raises RefusedError when somebody has cancelled it meanwhile: it ends, and does not go on from there.
    """
    while True:
        view = await run.view(limit=0)
        if view["stopping"] is not None or view["status"] == "cancelled":
            raise RefusedError(
                f"{run.id} was cancelled meanwhile",
                hint="restore it again once it has ended: it then goes on as a new run",
            )
        if "restoring" not in view:
            return
        await asyncio.sleep(POLL)


async def until_gone(run: ServerRun, phases: set[int]) -> Json:
    """The run's view once no agent of these phases is left."""
    while True:
        view = await run.view()
        if not any(row["index"] in phases and row.get("waits_for") == "cancellation" for row in view["active"]):
            return view
        await asyncio.sleep(POLL)
