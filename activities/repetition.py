"""The hook `on_retry` when an attempt is repeated: only the worker that repeats it knows, so it starts the delivery.

The workflow that delivers is the one that a run starts for its other hooks; the attempt is held up by one request.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from temporalio import activity
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import TemporalError, WorkflowAlreadyStartedError

from activities.agent_task import AgentTask
from activities.logs import LogFile

PATIENCE = 5.0
"""Seconds in which the server has to take it; the attempt itself matters more."""


async def tell(task: AgentTask, attempt: int, log: LogFile) -> None:
    """Have the hook run if this attempt follows one that failed; once, however often its worker is lost."""
    if task.on_retry is None or attempt == 1:
        return
    info = activity.info()
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    key = f"{task.on_retry['key']}/{attempt}"
    message = {**task.on_retry, "key": key, "body": {**task.on_retry["body"], "at": at, "attempt": attempt}}
    run = str(info.workflow_run_id)[:8]
    try:
        async with asyncio.timeout(PATIENCE):
            await activity.client().start_workflow(
                "Deliver",
                {"run": task.run, "messages": [message]},
                id=f"{task.run}/tell/{run}/{key.removeprefix(f'{task.run}/')}",
                task_queue=info.task_queue,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            )
    except WorkflowAlreadyStartedError:
        return
    except (TemporalError, TimeoutError) as error:
        await log.say("WARNING", f"Hook: on_retry ({key}) - Not run: {str(error) or 'the server does not answer'}")
