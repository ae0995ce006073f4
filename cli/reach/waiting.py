"""Waiting for what a message has begun: agents that end, a run that closes."""

from __future__ import annotations

import asyncio
from typing import Any

from cli.reach.runs import ServerRun, closed_as, described_run

Json = dict[str, Any]

POLL = 0.1


async def until_closed(run: ServerRun) -> None:
    """Return when the server has closed the run: its agents are gone then."""
    while True:
        described = await described_run(run.connection, run.id)
        if described is None or closed_as(described) is not None:
            return
        await asyncio.sleep(POLL)


async def until_restored(run: ServerRun) -> None:
    """Return when the run has gone back: what it left has ended then."""
    while True:
        view = await run.view(limit=0)
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
