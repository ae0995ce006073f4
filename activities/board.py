"""The way between an agent's worker and its run: reports go there as signals, what others do comes back by query.

Reports cost events in the history of the run, and a history has an end. So the pause between two reports of an agent
grows with the history, and beyond a part of it nothing is reported: a run must never stop because its agents talk.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from temporalio import activity
from temporalio.client import WorkflowHandle
from temporalio.exceptions import TemporalError

from activities.agent_task import AgentTask
from engine.errors import UnreachableError
from engine.plan import Json

ROOM_EVENTS = 8_000
"""Events of a history up to which agents may report. Fewer than a run may get signals, and than make it drain."""

ROOM_BYTES = 8 * 1024 * 1024
EVENTS_OF_A_SIGNAL = 4
"""The signal, and the workflow task that takes it in, when it comes alone."""

INTERVAL = 2.0
"""Seconds between two reports of an agent while the history is short."""

LONGEST_INTERVAL = 120.0
FRESH = 10.0
"""Seconds for which a history's length is known well enough; our own reports are added."""

PATIENCE = 5.0
"""Seconds in which the server, or the run, has to answer."""


class Board(Protocol):
    """Where an agent's reports go, and where it looks at those of others. Raises `UnreachableError` at bad times."""

    async def report(self, progress: Any) -> float | None:
        """Pass on a report; seconds until the next may follow, None where there is no room for this one."""

    async def siblings(self) -> Json:
        """`engine.siblings.siblings` for the agent's phase, at this moment."""


@dataclass(slots=True, weakref_slot=True)
class Room:
    """How much of a run's history is used; shared by the agents of the run in a worker."""

    most_events: int = ROOM_EVENTS
    most_bytes: int = ROOM_BYTES
    events: int = 0
    size: int = 0
    known_at: float = float("-inf")

    async def used(self, run: WorkflowHandle[Any, Any]) -> float:
        """The used part of what is for reports, 1 and more when it is full."""
        now = time.monotonic()
        if now - self.known_at > FRESH:
            before, self.known_at = self.known_at, now  # whoever asks meanwhile is content with the last answer
            try:
                described = await run.describe()
            except BaseException:
                self.known_at = before
                raise
            self.events = described.history_length
            self.size = described.raw_description.workflow_execution_info.history_size_bytes
        return max(self.events / self.most_events, self.size / self.most_bytes)

    def add(self, size: int) -> None:
        """Count a report of so many bytes."""
        self.events += EVENTS_OF_A_SIGNAL
        self.size += size


class RunBoard:
    """The board of a run; without `run` of the one that the current activity belongs to."""

    def __init__(self, task: AgentTask, room: Room, run: WorkflowHandle[Any, Any] | None = None) -> None:
        self.task = task
        self.room = room
        self.given = run

    @cached_property
    def _run(self) -> WorkflowHandle[Any, Any]:
        if self.given is not None:
            return self.given
        # Exactly this run: an attempt that was given up must not speak in a later one of the same id.
        info = activity.info()
        assert info.workflow_id is not None
        return activity.client().get_workflow_handle(info.workflow_id, run_id=info.workflow_run_id)

    async def report(self, progress: Any) -> float | None:
        """Signal `report_progress`; the phase, its epoch and the agent are the worker's words, not the agent's."""
        async with _answering():
            used = await self.room.used(self._run)
            if used >= 1:
                return None
            message = {
                "phase": self.task.phase_id,
                "epoch": self.task.epoch,
                "agent": self.task.position,
                "progress": progress,
                "actor": self.task.agent.role,
            }
            await self._run.signal("report_progress", message)
        self.room.add(len(json.dumps(progress)))
        return min(INTERVAL / (1 - used), LONGEST_INTERVAL)

    async def siblings(self) -> Json:
        """Query `siblings`: no event in the history; any worker that runs workflows answers."""
        async with _answering():
            found: Json = await self._run.query("siblings", {"phase": self.task.phase_id}, result_type=dict)
        return found


@asynccontextmanager
async def _answering() -> AsyncIterator[None]:
    # The client of a worker tries again for ever, so the limit is ours.
    try:
        async with asyncio.timeout(PATIENCE):
            yield
    except TimeoutError:
        raise UnreachableError(f"no answer within {PATIENCE:g}s") from None
    except TemporalError as error:
        raise UnreachableError(str(error)) from error
