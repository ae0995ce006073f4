"""Asking a tool's circuit breaker before an attempt, and telling it afterwards what came of it.

Only agents whose role declares one do so. A breaker that cannot be reached keeps nobody from working: the attempt goes
on without it, and says so in its log. A workflow has room for ten updates at a time, so the attempts of a worker that
ask at once do so in one (`Desk`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio import activity
from temporalio.client import WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import TemporalError

from activities.agent_task import AgentTask
from activities.failures import AttemptError
from activities.finishing import to_the_end
from activities.places import breaker_id
from engine.agents import ToolBreaker
from engine.breaker import BY_CLASS, Outcome
from engine.plan import Json

WORKFLOW = "ToolBreaker"

PATIENCE = 5.0
"""Seconds in which the breaker has to answer."""

TOGETHER = 500
"""The most questions that are asked in one go."""

UNREACHABLE = (TimeoutError, TemporalError, RuntimeError)
"""What a call raises that nobody answers; the last is a client's that has never been connected."""

SHORTEST_LEASE, LONGEST_LEASE = 1.0, 30.0
"""Seconds. A probe renews its lease three times in that; when its worker dies, the next one waits no longer."""

Warn = Callable[[str], Coroutine[Any, Any, None]]


class Refused(Exception):  # noqa: N818 - no error: the attempt is put off
    """Raised when a tool's circuit is open: the attempt may ask again after `pause` seconds."""

    def __init__(self, tool: str, pause: float) -> None:
        super().__init__(f"the circuit of {tool} is open")
        self.tool = tool
        self.pause = pause

    @property
    def words(self) -> str:
        """What `status` should say of the phase meanwhile."""
        until = datetime.now(UTC) + timedelta(seconds=self.pause)
        return f"the circuit of {self.tool} is open: waits until {until:%H:%M:%S} UTC"


@dataclass(slots=True)
class Ticket:
    """The right of an attempt to use its tool; what it sets as `outcome` is told at its end."""

    outcome: Outcome = "neutral"
    error: str = ""

    def failed(self, error: Exception) -> None:
        """Say how the attempt has failed; a bug of ours says nothing of the tool."""
        if isinstance(error, AttemptError):
            self.outcome, self.error = BY_CLASS[error.error_class], error.message


Send = Callable[[list[Json]], Coroutine[Any, Any, list[Json] | None]]
"""Sends questions; the answers in their order, or None where there are none."""


class Desk:
    """Where the attempts of one worker ask one breaker: while one question is under way the next ones gather."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Json, asyncio.Future[Json | None]]] = []
        self._asking: asyncio.Task[None] | None = None

    async def ask(self, question: Json, send: Send) -> Json | None:
        """The answer to one question; None where there is none."""
        answer: asyncio.Future[Json | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask(send))
        return await answer

    async def _ask(self, send: Send) -> None:
        while self._waiting:
            together, self._waiting = self._waiting[:TOGETHER], self._waiting[TOGETHER:]
            answers = None
            try:
                answers = await send([question for question, _ in together])
            finally:
                for number, (_, answer) in enumerate(together):
                    if not answer.done():  # its attempt was cancelled meanwhile
                        answer.set_result(None if answers is None else answers[number])


@asynccontextmanager
async def admitted(task: AgentTask, lease: str, warn: Warn, desk: Callable[[str], Desk]) -> AsyncIterator[Ticket]:
    """Go on with an attempt as far as its tool's breaker lets it.

    Raises:
        Refused: its circuit is open.
    """
    ticket = Ticket()
    breaker = task.agent.breaker
    if breaker is None:
        yield ticket
        return
    call = _Call(breaker, lease, f"{task.run}/{task.phase_id}")
    answer = await desk(call.workflow).ask(call.question, call.ask)
    if answer is None:
        await warn(f"The circuit breaker of {breaker.tool} cannot be reached; working without it")
        yield ticket
        return
    if not answer["granted"]:
        wait, failures = answer["wait"], answer["failures"]
        await warn(f"Waits {wait:.0f}s: the circuit of {breaker.tool} is open ({failures} failures in a row)")
        raise Refused(breaker.tool, wait)
    renewing = asyncio.create_task(call.renew()) if answer["probe"] else None
    try:
        yield ticket
    finally:
        if renewing is not None:
            renewing.cancel()
        if (answer["probe"] or ticket.outcome != "neutral") and not await to_the_end(call.report(ticket, answer)):
            await to_the_end(warn(f"The circuit breaker of {breaker.tool} cannot be told of this attempt"))


class _Call:
    """The way to one breaker."""

    def __init__(self, breaker: ToolBreaker, lease: str, by: str) -> None:
        self.breaker = breaker
        self.lease = lease
        self.by = by
        self.lasts = min(max(breaker.recovery, SHORTEST_LEASE), LONGEST_LEASE)
        self.queue = activity.info().task_queue
        self.workflow = breaker_id(self.queue, breaker.tool)
        self.client = activity.client()

    @property
    def question(self) -> Json:
        """Whether this attempt may go on."""
        return {"lease": self.lease, "by": self.by, "lasts": self.lasts}

    async def ask(self, questions: list[Json]) -> list[Json] | None:
        """The breaker's answers; None where there is none."""
        start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            WORKFLOW,
            {"tool": self.breaker.tool},
            id=self.workflow,
            task_queue=self.queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary=f"circuit breaker of {self.breaker.tool}",
        )
        try:
            async with asyncio.timeout(PATIENCE):
                answer: Json = await self.client.execute_update_with_start_workflow(
                    "ask",
                    {"asks": questions},
                    start_workflow_operation=start,
                    result_type=dict,
                )
        except UNREACHABLE:
            return None
        answers: list[Json] = answer["answers"]
        return answers

    async def renew(self) -> None:
        """Keep the probe's lease until cancelled."""
        while True:
            await asyncio.sleep(self.lasts / 3)
            await self._signal("renew", {"lasts": self.lasts})

    async def report(self, ticket: Ticket, answer: Json) -> bool:
        """Tell what came of the attempt; whether the server has taken it."""
        rule = {"threshold": self.breaker.threshold, "recovery": self.breaker.recovery}
        told = {"era": answer["era"], "outcome": ticket.outcome, "error": ticket.error, **rule}
        return await self._signal("report", told)

    async def _signal(self, name: str, told: Json) -> bool:
        handle = self.client.get_workflow_handle(self.workflow)
        try:
            async with asyncio.timeout(PATIENCE):
                await handle.signal(name, {"lease": self.lease, **told})
        except UNREACHABLE:
            return False
        return True
