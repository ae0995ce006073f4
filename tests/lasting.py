"""What of a history is there to stay, however busy the machine was that made it."""

from __future__ import annotations

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory


def lasting(history: WorkflowHistory) -> list[HistoryEvent]:
    """The events of a history, without those of workflow tasks that came to nothing and were tried again.

    A worker that does not get the processor for two seconds has such tasks; they tell nothing of the run.
    """
    lost: set[int] = set()
    for event in history.events:
        kind = event.WhichOneof("attributes")
        if kind in {"workflow_task_failed_event_attributes", "workflow_task_timed_out_event_attributes"}:
            task = getattr(event, kind)
            lost |= {event.event_id, task.scheduled_event_id, task.started_event_id}
    return [event for event in history.events if event.event_id not in lost]
