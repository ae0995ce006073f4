"""The circuit breakers of a project's tools: one workflow for each tool that attempts have asked about lately."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from activities.places import breaker_id
from cli.exits import NotFoundError
from cli.reach.contact import PATIENCE, patiently

if TYPE_CHECKING:
    from cli.embedded.connect import Connection

Json = dict[str, Any]

MOST = 200


async def states(connection: Connection, patience: float | None = None) -> list[Json]:
    """The state of each, by name; a worker answers for them."""
    query = f"WorkflowType='ToolBreaker' AND TaskQueue='{connection.task_queue}' AND ExecutionStatus='Running'"
    ids = [execution.id async for execution in connection.reader.listed(query, limit=MOST)]
    found = [await _asked(connection, each, patience) for each in dict.fromkeys(ids)]
    return sorted((state for state in found if state is not None), key=lambda state: state["tool"])


async def reset(connection: Connection, tool: str, patience: float | None = None) -> Json:
    """Close the circuit of a tool; its state before. Raises NotFoundError where it has no breaker."""
    from datetime import timedelta  # noqa: PLC0415 - only here

    from temporalio.service import RPCError, RPCStatusCode  # noqa: PLC0415 - a connection has loaded it

    handle = connection.client.get_workflow_handle(breaker_id(connection.task_queue, tool))

    async def send(seconds: float) -> Json:
        before: Json = await handle.execute_update("reset", result_type=dict, rpc_timeout=timedelta(seconds=seconds))
        return before

    try:
        return await patiently(send, patience=PATIENCE if patience is None else patience)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        raise NotFoundError(
            f"there is no circuit breaker of {tool!r}", hint="phaseloom breakers list shows those that there are"
        ) from None


async def _asked(connection: Connection, workflow: str, patience: float | None) -> Json | None:
    """The state of one; None where it has ended meanwhile, or is none of ours."""
    from temporalio.service import RPCError, RPCStatusCode  # noqa: PLC0415 - a connection has loaded it

    async def ask(seconds: float) -> Json:
        return await connection.reader.query(workflow, "state", {}, seconds=seconds)

    try:
        return await patiently(ask, patience=PATIENCE if patience is None else patience)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
