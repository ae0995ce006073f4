"""What a server knows, read through Temporal's service alone.

Its client is twice the import: a command that only looks would spend a third of its time on it (docs/adr/0018).
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp
    from temporalio.api.common.v1 import Payload
    from temporalio.api.history.v1 import HistoryEvent
    from temporalio.api.workflow.v1 import WorkflowExecutionInfo
    from temporalio.converter import DataConverter
    from temporalio.service import ServiceClient

Json = dict[str, Any]

KEYWORD, KEYWORD_LIST = 2, 7  # temporalio.api.enums.v1.IndexedValueType
ATTRIBUTES = {
    "PhaseloomDefinition": KEYWORD,
    "PhaseloomStatus": KEYWORD,
    "PhaseloomWaitingFor": KEYWORD_LIST,
}
CONTINUED = "continued_as_new"
CLOSED = frozenset({"completed", "failed", "canceled", "terminated", "timed_out"})
STATUS = "WORKFLOW_EXECUTION_STATUS_"
NOT_FOUND = 5  # gRPC status code
RPC_SECONDS = 3.0
JSON_PLAIN = b"json/plain"


class QueryFailedError(Exception):
    """Raised when a workflow refuses a query, with its own words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """What the server keeps beside one history of a workflow.

    `status`: Temporal's name of it in small letters, without its prefix. `workers`: the identities of those that work
    on its activities now, where the server was asked for one execution.
    """

    id: str
    run_id: str
    task_queue: str
    status: str
    started_at: datetime | None
    closed_at: datetime | None
    memo: Json
    attributes: Json
    workers: tuple[str, ...] = ()

    @property
    def closed(self) -> str | None:
        """The status in words of a workflow that is over for the server; None while it is open."""
        return self.status if self.status in CLOSED else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Questions to one namespace of a server. All raise temporalio.service.RPCError when it does not answer them.

    `converter` makes what reads payloads that are not plain JSON, such as those that are kept in the artifact store.
    """

    service: ServiceClient
    namespace: str
    converter: Callable[[], DataConverter]
    page: int = 1000
    """How many executions or events are asked for at once."""

    async def query(self, workflow: str, name: str, payload: Json, *, seconds: float) -> Json:
        """The answer of a workflow's query, from a worker. Raises QueryFailedError when it refuses."""
        from temporalio.api.common.v1 import Payload, WorkflowExecution  # noqa: PLC0415 - the fast path starts without
        from temporalio.api.workflowservice.v1 import QueryWorkflowRequest  # noqa: PLC0415
        from temporalio.service import RPCError, RPCStatusCode  # noqa: PLC0415

        request = QueryWorkflowRequest(namespace=self.namespace, execution=WorkflowExecution(workflow_id=workflow))
        request.query.query_type = name
        asked = json.dumps(payload, separators=(",", ":")).encode()
        request.query.query_args.payloads.append(Payload(metadata={"encoding": JSON_PLAIN}, data=asked))
        try:
            answer = await self.service.workflow_service.query_workflow(
                request, retry=True, timeout=timedelta(seconds=seconds)
            )
        except RPCError as error:
            if error.status == RPCStatusCode.INVALID_ARGUMENT:
                raise QueryFailedError(error.message) from error
            raise
        [found] = await self.decoded(answer.query_result.payloads)
        assert isinstance(found, dict), f"{name} answers with an object"
        return found

    async def described(self, workflow: str, *, seconds: float) -> Execution:
        """What the server knows of the newest history of a workflow; no worker is asked."""
        from temporalio.api.common.v1 import WorkflowExecution  # noqa: PLC0415 - as above
        from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest  # noqa: PLC0415

        answer = await self.service.workflow_service.describe_workflow_execution(
            DescribeWorkflowExecutionRequest(
                namespace=self.namespace, execution=WorkflowExecution(workflow_id=workflow)
            ),
            retry=True,
            timeout=timedelta(seconds=seconds),
        )
        workers = tuple(each.last_worker_identity for each in answer.pending_activities)
        return await self._execution(answer.workflow_execution_info, workers)

    async def listed(
        self, query: str, *, limit: int | None = None, seconds: float | None = None
    ) -> AsyncIterator[Execution]:
        """The executions that a condition is true of, the newest first, at most `limit`."""
        from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest  # noqa: PLC0415 - as above

        token, left = b"", limit
        timeout = timedelta(seconds=seconds) if seconds is not None else None
        while left is None or left > 0:
            answer = await self.service.workflow_service.list_workflow_executions(
                ListWorkflowExecutionsRequest(
                    namespace=self.namespace,
                    query=query,
                    page_size=self.page if left is None else min(left, self.page),
                    next_page_token=token,
                ),
                retry=True,
                timeout=timeout,
            )
            found = answer.executions if left is None else answer.executions[:left]
            for each in found:
                yield await self._execution(each)
            left = None if left is None else left - len(found)
            token = answer.next_page_token
            if not token:
                return

    async def count(self, query: str) -> int:
        """How many executions a condition is true of."""
        from temporalio.api.workflowservice.v1 import CountWorkflowExecutionsRequest  # noqa: PLC0415 - as above

        request = CountWorkflowExecutionsRequest(namespace=self.namespace, query=query)
        answer = await self.service.workflow_service.count_workflow_executions(request, retry=True)
        return int(answer.count)

    async def first_event(self, workflow: str) -> HistoryEvent:
        """The event that began the newest history of a workflow."""
        return await anext(replace(self, page=1).events(workflow))

    async def events(self, workflow: str, run_id: str = "") -> AsyncIterator[HistoryEvent]:
        """The events of a history, the first one first; without `run_id` of the newest."""
        from temporalio.api.common.v1 import WorkflowExecution  # noqa: PLC0415 - as above
        from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest  # noqa: PLC0415

        token = b""
        while True:
            answer = await self.service.workflow_service.get_workflow_execution_history(
                GetWorkflowExecutionHistoryRequest(
                    namespace=self.namespace,
                    execution=WorkflowExecution(workflow_id=workflow, run_id=run_id),
                    maximum_page_size=self.page,
                    next_page_token=token,
                ),
                retry=True,
            )
            for event in answer.history.events:
                yield event
            token = answer.next_page_token
            if not token:
                return

    async def decoded(self, payloads: Sequence[Payload]) -> list[Any]:
        """What payloads hold."""
        if all(payload.metadata.get("encoding") == JSON_PLAIN for payload in payloads):
            return [json.loads(payload.data) for payload in payloads]
        return await self.converter().decode(payloads)

    async def missing_attributes(self) -> dict[str, int]:
        """Which search attributes of runs are not registered in the namespace; all, when the server won't say."""
        from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest  # noqa: PLC0415 - as above
        from temporalio.service import RPCError  # noqa: PLC0415

        try:
            listed = await self.service.operator_service.list_search_attributes(
                ListSearchAttributesRequest(namespace=self.namespace)
            )
        except RPCError:
            return dict(ATTRIBUTES)
        return {name: kind for name, kind in ATTRIBUTES.items() if listed.custom_attributes.get(name) != kind}

    async def is_served(self) -> bool:
        """Whether the server answers for the namespace; a stranger on the port does not know it."""
        return await self._asked_for_namespace() is None

    async def lacks_namespace(self) -> bool:
        """Whether the server says that it has no such namespace (it may also refuse to talk about it)."""
        return await self._asked_for_namespace() == NOT_FOUND

    async def _asked_for_namespace(self) -> int | None:
        """The gRPC status of the question for the namespace; None when it is answered."""
        from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest  # noqa: PLC0415 - as above
        from temporalio.service import RPCError  # noqa: PLC0415

        request = DescribeNamespaceRequest(namespace=self.namespace)
        try:
            await self.service.workflow_service.describe_namespace(request, timeout=timedelta(seconds=RPC_SECONDS))
        except RPCError as error:
            return error.status.value
        return None

    async def _execution(self, info: WorkflowExecutionInfo, workers: tuple[str, ...] = ()) -> Execution:
        from temporalio.api.enums.v1 import WorkflowExecutionStatus  # noqa: PLC0415 - as above

        return Execution(
            id=info.execution.workflow_id,
            run_id=info.execution.run_id,
            task_queue=info.task_queue,
            status=WorkflowExecutionStatus.Name(info.status).removeprefix(STATUS).lower(),
            started_at=_moment(info.start_time) if info.HasField("start_time") else None,
            closed_at=_moment(info.close_time) if info.HasField("close_time") else None,
            memo=await self._named(info.memo.fields),
            attributes=await self._named(info.search_attributes.indexed_fields),
            workers=workers,
        )

    async def _named(self, fields: Any) -> Json:
        return dict(zip(fields, await self.decoded(list(fields.values())), strict=True))


def _moment(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(tzinfo=UTC)
