"""Calls to the server that ride out short troubles, and troubles in words.

A query before a run's first task, an update while a worker restarts, a server that is just being started again: all
of these pass within seconds, so a call is repeated for `PATIENCE` seconds before it is given up.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from cli.command import Where
from cli.console import Console
from cli.reach.place import here
from engine.errors import UnreachableError, WorkspaceError

if TYPE_CHECKING:
    from temporalio.service import RPCStatusCode

    from cli.embedded.connect import Connection, Target

T = TypeVar("T")

PATIENCE = 8.0
"""Seconds for a worker to answer: more than it takes to be started or replaced."""

NOTICE_SECONDS = 3.0
"""After so long without an answer the user is told what is waited for, once."""

PAUSE = 0.1

NO_WORKER = "no worker answers"


class _Waiting:
    """Says once that an answer takes long, to whoever wants to be told."""

    def __init__(self) -> None:
        self.tell: Callable[[str], None] | None = None
        self._told: Callable[[str], None] | None = None

    def say(self) -> None:
        """Tell it, the first time: each command of a process that carries out several has a console of its own."""
        if self.tell is not None and self.tell != self._told:
            self._told = self.tell
            self.tell("waiting for a worker to answer…")


WAITING = _Waiting()
"""Of this process: commands have themselves told, the Python interface says nothing."""


class NoWorkerError(UnreachableError):
    """Raised when the server answers and no worker does: nothing can be asked of the run itself now."""


def target(where: Where) -> Target:
    """What the options say about where to connect."""
    from cli.embedded.connect import Target  # noqa: PLC0415 - commands without a server do not pay for it

    return Target(address=where.address, profile=where.profile, task_queue=where.task_queue)


async def connected(where: Where, console: Console) -> Connection:
    """A connection for the project here, its notices told."""
    from cli.embedded.connect import connect  # noqa: PLC0415 - as above

    WAITING.tell = console.note
    connection = await connect(here(), target(where))
    for notice in connection.notices:
        console.note(notice)
    return connection


async def connected_to_read(where: Where, console: Console) -> Connection | None:
    """As `connected`; None where there can be no run: the folder is no project, and cannot be made one."""
    from cli.embedded.project import is_project  # noqa: PLC0415 - commands without a server do not pay for it

    try:
        return await connected(where, console)
    except WorkspaceError:
        if is_project(here()):
            raise
        return None


async def patiently(call: Callable[[float], Awaitable[T]], *, patience: float = PATIENCE) -> T:
    """What `call(seconds it may take)` answers, repeated through passing troubles.

    Raises NoWorkerError or UnreachableError when `patience` is at its end; other RPC errors as they are.
    """
    from temporalio.service import RPCStatusCode  # noqa: PLC0415 - as above

    passing = {
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.FAILED_PRECONDITION,  # before the first workflow task
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.ABORTED,
        RPCStatusCode.UNKNOWN,
    }
    ends = time.monotonic() + patience
    notice = asyncio.get_running_loop().call_later(NOTICE_SECONDS, WAITING.say)
    try:
        return await _repeatedly(call, ends, passing)
    finally:
        notice.cancel()


async def _repeatedly(call: Callable[[float], Awaitable[T]], ends: float, passing: set[RPCStatusCode]) -> T:
    from temporalio.service import RPCError, RPCStatusCode  # noqa: PLC0415 - loaded by then

    while True:
        remaining = max(0.1, ends - time.monotonic())
        trouble: UnreachableError
        try:
            return await asyncio.wait_for(call(remaining), remaining + 1.0)
        except TimeoutError:
            raise no_worker() from None
        except RPCError as error:
            if error.status in {RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED}:
                raise no_worker() from error
            if error.status not in passing:
                raise
            trouble = UnreachableError(
                f"the Temporal server does not answer: {error.message}", hint="phaseloom doctor says what is wrong"
            )
        if time.monotonic() + PAUSE > ends:
            raise trouble
        await asyncio.sleep(PAUSE)


def no_worker() -> NoWorkerError:
    """The error that says so."""
    return NoWorkerError(NO_WORKER, hint="phaseloom doctor says whether one runs; phaseloom worker starts one")
