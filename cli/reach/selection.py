"""Which run a command means: the one it names, else the current one, else the only one that is open."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from cli.command import Look
from cli.console import Console
from cli.exits import NotFoundError
from cli.reach.contact import connected, connected_to_read
from cli.reach.ended import LOST, EndedRun, again, archived, left_behind
from cli.reach.place import current_run, here
from cli.reach.runs import Run, ServerRun, described_run, no_such_run
from engine.errors import RefusedError

if TYPE_CHECKING:
    from cli.embedded.connect import Connection

RUN_VARIABLE = "PHASELOOM_RUN"
"""Names the run of an agent in its environment; what the agent asks is about its own run."""


async def run_to_look_at(look: Look, console: Console) -> Run:
    """The run to look at; the current one may have ended."""
    return await _chosen(look, console, ended_too=True)


async def run_to_act_on(look: Look, console: Console) -> ServerRun:
    """The open run to act on. A run that is named and has ended is returned too: it refuses in its own words."""
    chosen = await _chosen(look, console, ended_too=False)
    assert isinstance(chosen, ServerRun)
    return chosen


async def _chosen(look: Look, console: Console, *, ended_too: bool) -> Run:
    root = here()
    named = look.run or os.environ.get(RUN_VARIABLE)
    if named is not None:
        if ended_too and (ended := archived(root, named)) is not None:
            return ended
        connection = await connected(look, console)
        return await known(connection, named, ended_too=ended_too)
    reached = await connected_to_read(look, console) if ended_too else await connected(look, console)
    if reached is None:
        raise _none_open(None)
    return await current(reached, tell=console.note, ended_too=ended_too)


async def current(connection: Connection, *, tell: Callable[[str], None], ended_too: bool) -> Run:
    """The current run; to look at (`ended_too`) also the only one that is open, of which `tell` is told.

    Nothing is ever done to a run that was not meant: once the run that was started last has ended, the next one has
    to be named. Raises NotFoundError then, and when there is none, or several.
    """
    last = current_run(connection.project.root)
    described = await described_run(connection, last) if last is not None else None
    if last is not None and described is not None and described.closed is None:
        return ServerRun(connection, last)
    # The list learns of an end a moment later than the run itself.
    opened = [each for each in await open_runs(connection) if each[0] != last]
    if len(opened) == 1 and (ended_too or last is None):
        run = opened[0][0]
        if last is not None:
            tell(f"the current run {last} has ended; this is about {run}. To act on it, add: --run {run}")
        return ServerRun(connection, run)
    if opened:
        which = f"the current run {last} has ended" if last is not None else "there is no current run"
        lines = "\n".join(f"  {run}  {definition}" for run, definition in opened)
        raise NotFoundError(
            f"{which}; open {'is' if len(opened) == 1 else 'are'}:\n{lines}",
            hint=f"say which one by adding to the command: --run {opened[0][0]}",
        )
    if ended_too and last is not None:
        return await known(connection, last, ended_too=True)
    raise _none_open(last)


def _none_open(last: str | None) -> NotFoundError:
    which = f" (the last one was {last})" if last is not None else ""
    return NotFoundError(f"no run is open{which}", hint="start one with: phaseloom workflow start <definition>")


async def known(connection: Connection, run: str, *, ended_too: bool) -> Run:
    """A run by its id.

    Raises NotFoundError when there is no such run, and RefusedError to act on one that the server has forgotten.
    """
    ended = archived(connection.project.root, run) if ended_too else None
    if ended is not None:
        return ended
    described = await described_run(connection, run)
    if described is None:
        left = archived(connection.project.root, run) or left_behind(connection.project.root, run)
        if left is None:
            raise no_such_run(run)
        if not ended_too:
            hint = again(run) if left.ended == LOST else "phaseloom runs lists the open ones"
            raise RefusedError(f"the run is {left.ended}", hint=hint)
        return left
    return ServerRun(connection, run, closed=described.closed)


async def open_runs(connection: Connection) -> list[tuple[str, str]]:
    """The ids of this project's open runs with their definitions, the newest first."""
    query = f"ExecutionStatus='Running' AND {of_project(connection)}"
    return [(each.id, str(each.memo.get("definition", ""))) async for each in connection.reader.listed(query, limit=50)]


def of_project(connection: Connection) -> str:
    """The condition, for a list on the server, that a run is one of ours and not of another project."""
    return f"WorkflowType='PhaseRun' AND TaskQueue='{connection.task_queue}'"


__all__ = ["EndedRun", "current", "known", "open_runs", "run_to_act_on", "run_to_look_at"]
