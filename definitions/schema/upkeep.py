"""What a project says about the worker that serves it: where it tells its metrics, how long it keeps logs."""

from __future__ import annotations

from typing import Annotated

from pydantic import PlainValidator, WithJsonSchema

from definitions import addresses, sizes
from definitions.schema.scalars import Exact, Limit, found, refusal

LEAST_LOG = 64 * 1024
"""Bytes that an attempt may write to its log at least."""


def _address(value: object) -> str:
    try:
        return addresses.listening(value)
    except ValueError as error:
        raise refusal("PL102", str(error), f"write {addresses.FORMS}") from None


def _log_size(value: object) -> int:
    try:
        size = sizes.size(value)
    except ValueError as error:
        raise refusal("PL102", f"{error}, found {found(value)}") from None
    if size < LEAST_LOG:
        raise refusal("PL110", f"a log of {size} bytes tells too little", f"at least {LEAST_LOG} bytes")
    return size


Address = Annotated[str, PlainValidator(_address), WithJsonSchema({"type": ["string", "integer"]})]
LogSize = Annotated[int, PlainValidator(_log_size), WithJsonSchema({"type": ["string", "integer"]})]


class Logs(Exact):
    """How long the logs of ended runs are kept (default: until somebody removes them), and how large one may become."""

    keep: Limit | None = None
    max_size: LogSize | None = None
