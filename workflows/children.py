"""Child runs: started by a phase, listed like every run, cancelled, paused and resumed with their parent."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import ApplicationError, ChildWorkflowError, WorkflowAlreadyStartedError
from temporalio.workflow import ChildWorkflowCancellationType, ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from engine import children
    from engine.errors import PhaseError

Json = dict[str, Any]


class Children:
    """The open child runs of one run."""

    def __init__(self) -> None:
        self.open: dict[str, workflow.ChildWorkflowHandle[Any, Json]] = {}
        self.paused = False
        self._told: set[asyncio.Task[None]] = set()

    async def run(self, task: Json, parent: Json) -> Json | None:
        """Run the child of a task to its end; its outputs, or None when it was cancelled with its phase.

        Raises:
            PhaseError: it failed, took too long, was cancelled by somebody, or cannot be started.
        """
        name = children.child_id(task)
        start = children.child_start(task, parent)
        try:
            handle = await workflow.start_child_workflow(
                "PhaseRun",
                start,
                id=name,
                result_type=dict,
                cancellation_type=ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
                parent_close_policy=ParentClosePolicy.REQUEST_CANCEL,
                memo={
                    "definition": start["plan"]["id"],
                    "name": start["plan"]["name"],
                    "status": "running",
                    "waiting_for": [],
                    "parent": task["run"],
                },
                search_attributes=_attributes(start) if start["search_attributes"] else None,
                static_summary=start["plan"]["name"],
            )
        except WorkflowAlreadyStartedError:
            raise PhaseError(f"there is a run {name} already", code="child") from None
        self.open[name] = handle
        try:
            if self.paused:
                await handle.signal("pause", {"note": f"with {task['run']}"})
            return await _end(task, handle)
        finally:
            del self.open[name]

    def follow(self, *, paused: bool) -> None:
        """Pause or resume the children when their parent has been."""
        if paused == self.paused:
            return
        self.paused = paused
        word = "pause" if paused else "resume"
        for handle in self.open.values():
            telling = asyncio.create_task(_tell(handle, word))
            self._told.add(telling)
            telling.add_done_callback(self._told.discard)


async def _tell(handle: workflow.ChildWorkflowHandle[Any, Json], word: str) -> None:
    try:
        await handle.signal(word, {"note": "with its parent"})
    except ApplicationError:
        workflow.logger.info("the child has ended before it could be told to %s", word)


async def _end(task: Json, handle: workflow.ChildWorkflowHandle[Any, Json]) -> Json | None:
    limit = task.get("timeout")
    try:
        async with asyncio.timeout(limit) as clock:
            summary = await handle
    except TimeoutError:
        raise _late(task) from None
    except ChildWorkflowError as error:
        cause = error.cause
        details = cause.details if isinstance(cause, ApplicationError) else ()
        if details:
            return children.ended(task, details[0])
        raise PhaseError(f"the run {children.child_id(task)} ended: {cause}", code="child") from None
    if clock.expired():
        raise _late(task)
    unwanted = asyncio.current_task()
    if summary["status"] == "cancelled" and unwanted is not None and unwanted.cancelling():
        return None
    return children.ended(task, summary)


def _late(task: Json) -> PhaseError:
    return PhaseError(f"the run {children.child_id(task)} did not end within {task['timeout']:g}s", code="timeout")


def _attributes(start: Json) -> TypedSearchAttributes:
    return TypedSearchAttributes(
        [
            SearchAttributePair(SearchAttributeKey.for_keyword("PhaseloomDefinition"), start["plan"]["id"]),
            SearchAttributePair(SearchAttributeKey.for_keyword("PhaseloomStatus"), "running"),
            SearchAttributePair(SearchAttributeKey.for_keyword_list("PhaseloomWaitingFor"), list[str]()),
        ]
    )
