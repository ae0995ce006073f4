"""What the engine is told of a failed activity: one small JSON object, whatever Temporal wraps it in."""

from __future__ import annotations

from typing import Any

from temporalio import exceptions
from temporalio.exceptions import ActivityError, ApplicationError, TimeoutType

Json = dict[str, Any]

_TIMEOUTS = {
    TimeoutType.START_TO_CLOSE: ("timeout", "the attempt took too long"),
    TimeoutType.HEARTBEAT: ("worker_lost", "the worker was lost and nothing was heard of the attempt"),
    TimeoutType.SCHEDULE_TO_START: ("no_worker", "no worker took the work"),
    TimeoutType.SCHEDULE_TO_CLOSE: ("timeout", "all attempts together took too long"),
}


def error_of(error: ActivityError) -> Json:
    """`{code, message, …}`: the details an executor gave, else what can be said of the cause."""
    cause = error.cause
    if isinstance(cause, ApplicationError):
        given = cause.details[0] if cause.details and isinstance(cause.details[0], dict) else {}
        return {"code": cause.type or "error", "message": cause.message, **given}
    if isinstance(cause, exceptions.TimeoutError):
        code, message = (
            _TIMEOUTS.get(cause.type, ("timeout", "timed out")) if cause.type is not None else ("timeout", "")
        )
        return {"code": code, "message": message}
    return {"code": "error", "message": str(cause or error)}
