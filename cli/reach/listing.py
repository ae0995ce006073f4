"""Runs in a list: from what the server keeps beside each run; no worker is asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from cli.embedded.reader import CONTINUED
from cli.reach.place import current_run
from cli.reach.runs import described_run
from cli.reach.selection import of_project

if TYPE_CHECKING:
    from cli.embedded.connect import Connection
    from cli.embedded.reader import Execution

Json = dict[str, Any]

HOW = ("restarted", "restored", "forked")
"""How a run may come from another one."""


async def listed(connection: Connection, *, ended_too: bool, limit: int) -> list[Json]:
    """Summaries of this project's runs, the newest first; `restarted_as` is a later one of them that repeats it.

    So are `restored_as` and `forked_as` later ones that go on from it. Last come those that the server does not know:
    ended ones from their archives in this project, and `lost` ones from what their workers wrote down.
    """
    query = of_project(connection)
    if not ended_too:
        query = f"ExecutionStatus='Running' AND {query}"
    found: list[Json] = []
    async for execution in connection.reader.listed(query, limit=limit * 2):
        if execution.status == CONTINUED:
            continue  # an earlier history of a run that is listed anyway
        found.append(summary_of(execution, connection))
        if len(found) == limit:
            break
    if ended_too and len(found) < limit:
        found += await _forgotten(connection, {run["run"] for run in found}, limit - len(found))
    later: dict[str, dict[str, str]] = {how: {} for how in HOW}
    for run in reversed(found):
        for how, runs in later.items():
            if run[f"{how}_from"] is not None:
                runs[run[f"{how}_from"]] = run["run"]
    return [{**run, **{f"{how}_as": runs.get(run["run"]) for how, runs in later.items()}} for run in found]


async def _forgotten(connection: Connection, known: set[str], limit: int) -> list[Json]:
    """Runs that only files here tell of, in the form of `summary_of`."""
    from cli.reach.ended import archived, left_behind  # noqa: PLC0415 - only for ended runs
    from cli.reach.history import remembered  # noqa: PLC0415

    root = connection.project.root
    found: list[Json] = []
    for run in await asyncio.to_thread(remembered, root):
        if run in known:
            continue
        past = await asyncio.to_thread(archived, root, run)
        if past is None and await described_run(connection, run) is None:  # a list may be a moment behind
            past = await asyncio.to_thread(left_behind, root, run)
        if past is None:
            continue
        view = await past.view(limit=0)
        told = {key: view[key] for key in ("definition", "name", "status", "started_at", "ended_at")}
        links = {f"{how}_from": view.get(f"{how}_from") for how in HOW}
        found.append({"run": run, **told, "waiting_for": [], "current": run == current_run(root), **links})
        if len(found) == limit:
            break
    return found


def summary_of(execution: Execution, connection: Connection) -> Json:
    """One run: `{run, definition, name, status, waiting_for, started_at, ended_at, current, restarted_from, …}`."""
    memo, attributes, closed = execution.memo, execution.attributes, execution.closed
    status = memo.get("status", "running") if closed else attributes.get("PhaseloomStatus") or memo.get("status")
    if closed in {"terminated", "timed_out"}:
        status = closed
    waiting = [] if closed else attributes.get("PhaseloomWaitingFor", memo.get("waiting_for")) or []
    return {
        "run": execution.id,
        "definition": memo.get("definition", ""),
        "name": memo.get("name", ""),
        "status": status or "running",
        "waiting_for": list(waiting) if not isinstance(waiting, str) else [waiting],
        "started_at": execution.started_at.isoformat() if execution.started_at else None,
        "ended_at": execution.closed_at.isoformat() if execution.closed_at else None,
        "current": execution.id == current_run(connection.project.root),
        **{f"{how}_from": memo.get(f"{how}_from") for how in HOW},
    }
