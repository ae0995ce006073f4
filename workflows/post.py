"""What a run has to tell, handed to children that deliver it: one for all that came together in a workflow task."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError, ChildWorkflowError, WorkflowAlreadyStartedError
from temporalio.workflow import ChildWorkflowCancellationType, ParentClosePolicy

Json = dict[str, Any]

TOGETHER = 100
"""Messages that one child is given: its input has to stay far below what a server takes."""


class Post:
    """The outgoing messages of one run. `lost` is called with what could not be delivered, while the run is open."""

    def __init__(self, lost: Callable[[list[Json]], None]) -> None:
        self._lost = lost
        self._waiting: list[Json] = []
        self._sending: asyncio.Task[None] | None = None
        self._followed: set[asyncio.Task[None]] = set()

    @property
    def idle(self) -> bool:
        """Whether all that was to be sent is in the hands of children that the server knows of."""
        return self._sending is None and not self._waiting

    def send(self, messages: list[Json]) -> None:
        """Let a child deliver these; nobody waits for it."""
        self._waiting += messages
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())

    async def _send(self) -> None:
        while self._waiting:
            messages, self._waiting = self._waiting[:TOGETHER], self._waiting[TOGETHER:]
            run = messages[0]["body"]["run"]
            # Runs may follow each other under one id, and the children of the last one may still be at work.
            history = workflow.info().first_execution_run_id[:8]
            try:
                handle = await workflow.start_child_workflow(
                    "Deliver",
                    {"run": run, "messages": messages},
                    id=f"{run}/tell/{history}/{messages[0]['key'].removeprefix(f'{run}/')}",
                    result_type=dict,
                    parent_close_policy=ParentClosePolicy.ABANDON,
                    cancellation_type=ChildWorkflowCancellationType.ABANDON,
                    static_summary=f"{len(messages)} for {run}",
                )
            except WorkflowAlreadyStartedError:
                workflow.logger.warning("%s is being delivered already", messages[0]["key"])
                continue
            following = asyncio.create_task(self._follow(handle))
            self._followed.add(following)
            following.add_done_callback(self._followed.discard)
        self._sending = None

    async def _follow(self, handle: workflow.ChildWorkflowHandle[Any, Json]) -> None:
        try:
            await handle
        except ChildWorkflowError as error:
            cause = error.cause
            details = cause.details if isinstance(cause, ApplicationError) else ()
            told = details[0].get("undelivered", []) if details and isinstance(details[0], dict) else []
            self._lost(told)
