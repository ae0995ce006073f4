"""What a project says about its server and its worker: where they listen, how long logs are kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PlainValidator, WithJsonSchema

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


class Server(Exact):
    """The server that commands start for the project by themselves."""

    port: Annotated[int, Field(ge=1, le=addresses.LAST_PORT)] | None = None
    """Where a server that is started listens; by default where the last one was, else at a free port."""


class Logs(Exact):
    """How long the logs of ended runs are kept (default: until somebody removes them), and how large one may become."""

    keep: Limit | None = None
    max_size: LogSize | None = None
