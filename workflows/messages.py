"""Messages as Temporal brings them: one JSON value in, a refusal that the caller can read out."""

from __future__ import annotations

from collections.abc import Sequence

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from engine.errors import RefusedError


def decoded(args: Sequence[RawValue]) -> object:
    """The one JSON value of a message, None for none; raises `RefusedError` for anything else."""
    if len(args) > 1:
        raise RefusedError(f"the message has {len(args)} values; send one JSON object")
    if not args:
        return None
    try:
        value: object = workflow.payload_converter().from_payload(args[0].payload)
    except Exception as error:  # whatever a stranger sent must not harm the run
        raise RefusedError("the message is not valid JSON") from error
    return value


def refusal(why: RefusedError) -> ApplicationError:
    """What the sender of an update is told: the type is the refusal's code, the detail its hint."""
    return ApplicationError(why.message, {"hint": why.hint}, type=why.code, non_retryable=True)


def sender(args: Sequence[RawValue]) -> str | None:
    """Who says to have sent a message, as far as that can be read from it."""
    try:
        payload = decoded(args)
    except RefusedError:
        return None
    actor = payload.get("actor") if isinstance(payload, dict) else None
    return actor[:80] if isinstance(actor, str) else None
