"""`Deliver`: a child that brings a run's notices to where they belong and runs its hooks, until that is done.

It is abandoned by its run, so neither waits for the other: a run ends when its work ends, and what could not be
delivered then is tried for a day. Names and shapes are promises.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from workflows.failures import error_of

Json = dict[str, Any]

PATIENCE = timedelta(days=1)
"""How long a notice is tried for."""

ATTEMPT = timedelta(hours=1)
"""Most of it is for waiting: a worker does only so many at once, and says meanwhile that it lives."""

NOTICE_HEARTBEAT, HOOK_HEARTBEAT = timedelta(seconds=5), timedelta(seconds=15)
"""Without a word for so long a worker is taken for dead, and it is delivered again: twice is better than never."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=1), timedelta(minutes=15)


@workflow.defn(name="Deliver")
class Deliver:
    """Delivers `{run, messages}` (`engine.notices`), each for itself."""

    @workflow.run
    async def run(self, given: Json) -> Json:
        """How many were delivered.

        Raises:
            ApplicationError: `undelivered`, with `{"undelivered": [{key, to, text, why}]}`, once all have been tried.
        """
        outcomes = await asyncio.gather(*(self._deliver(message) for message in given["messages"]))
        lost = [outcome for outcome in outcomes if outcome is not None]
        if lost:
            message = f"{len(lost)} of {len(outcomes)} could not be delivered"
            raise ApplicationError(message, {"undelivered": lost}, type="undelivered", non_retryable=True)
        return {"delivered": len(outcomes)}

    async def _deliver(self, message: Json) -> Json | None:
        """What is to be said of a message that could not be delivered; None for one that was."""
        try:
            if message["kind"] == "hook":
                await self._run_hook(message)
            else:
                await self._notify(message)
        except ActivityError as error:
            why = error_of(error)["message"]
            workflow.logger.error("%s could not be delivered: %s", message["key"], why)
            to = message["to"]["name"] if "to" in message else f"on_{message['body']['kind']}"
            return {"key": message["key"], "to": to, "text": message["body"]["text"], "why": why}
        return None

    def _notify(self, message: Json) -> workflow.ActivityHandle[Any]:
        return workflow.start_activity(
            "notify",
            message,
            start_to_close_timeout=ATTEMPT,
            schedule_to_close_timeout=PATIENCE,
            heartbeat_timeout=NOTICE_HEARTBEAT,
            retry_policy=RetryPolicy(initial_interval=FIRST_PAUSE, maximum_interval=LONGEST_PAUSE),
            summary=message["key"],
        )

    def _run_hook(self, message: Json) -> workflow.ActivityHandle[Any]:
        timeout = timedelta(seconds=message.get("hook", {}).get("timeout", 0)) + ATTEMPT
        return workflow.start_activity(
            "run_hook",
            message,
            start_to_close_timeout=timeout,
            schedule_to_close_timeout=PATIENCE,
            heartbeat_timeout=HOOK_HEARTBEAT,
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=LONGEST_PAUSE),
            summary=message["key"],
        )
