"""Activities of other workers: any type, on any task queue, in any language."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType

with workflow.unsafe.imports_passed_through():
    from engine import foreign

Json = dict[str, Any]

UNLIMITED = timedelta(days=365)


def start_foreign(task: Json) -> workflow.ActivityHandle[Any]:
    """Schedule the activity that the task's agent names, on its queue, or on the run's own where it names none.

    Temporal's rules for failures hold: each is tried again unless the worker says it is final, `retry.max_attempts`
    times. Only a worker that heartbeats hears of a cancellation, so one without `heartbeat_timeout` is not waited for.

    Raises:
        PhaseError: the input cannot be evaluated.
    """
    config = foreign.agent_of(task).config
    retry = foreign.retry_of(task)
    beat = config.get("heartbeat_timeout")
    return workflow.start_activity(
        config["activity"],
        foreign.request(task),
        task_queue=config.get("task_queue"),
        start_to_close_timeout=timedelta(seconds=task["timeout"]) if task.get("timeout") else UNLIMITED,
        heartbeat_timeout=timedelta(seconds=beat) if beat else None,
        retry_policy=RetryPolicy(
            initial_interval=timedelta(seconds=retry.initial),
            backoff_coefficient=max(1.0, retry.factor),
            maximum_interval=timedelta(seconds=max(retry.maximum, retry.initial)),
            maximum_attempts=retry.max_attempts,
        ),
        cancellation_type=(
            ActivityCancellationType.WAIT_CANCELLATION_COMPLETED if beat else ActivityCancellationType.TRY_CANCEL
        ),
        summary=task["phase"]["id"],
    )
