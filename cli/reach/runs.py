"""A run on the server: questions to it, and messages that answer at once or wait for a worker as signals."""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from cli.exits import NotFoundError
from cli.reach.contact import PATIENCE, NoWorkerError, patiently
from cli.reach.ended import archived
from engine.errors import PhaseloomError, RefusedError, UnreachableError

if TYPE_CHECKING:
    from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError

    from cli.embedded.connect import Connection
    from cli.embedded.reader import Execution
    from engine.plan import Plan

Json = dict[str, Any]
T = TypeVar("T")

COMING_SECONDS = 20.0
"""After so long no more is waited for a worker of our own that is on its way."""


class Run(Protocol):
    """An open or ended run."""

    id: str

    @property
    def ended(self) -> str | None:
        """The status it has ended with; None while it is open."""

    async def plan(self) -> Plan:
        """Its plan."""

    async def started(self) -> Json:
        """What it was started with: `{plan, inputs, env, run, …}`."""

    async def view(self, offset: int = 0, limit: int = 100) -> Json:
        """Its state, with a page of phases."""

    async def phase(self, word: int | str) -> Json:
        """Everything about one phase."""

    async def context(self, which: Json) -> Json:
        """The shared context, or its versions."""

    async def journal(self, since: int, limit: int = 500) -> Json:
        """Facts after number `since`."""

    async def checkpoints(self, offset: int, limit: int) -> Json:
        """A page of its checkpoints."""

    async def metrics(self) -> Json:
        """What it has taken so far."""

    async def send(self, name: str, payload: Json) -> Json | None:
        """The answer to a message; None when it waits for a worker."""


class ServerRun:
    """A run on a server. `closed` is its status there in words, once it has ended without an archive of ours."""

    def __init__(self, connection: Connection, run: str, *, closed: str | None = None) -> None:
        self.connection = connection
        self.id = run
        self.closed = closed
        self.patience = PATIENCE
        self._started: Json | None = None

    @property
    def ended(self) -> str | None:
        """The status it has ended with; None while it is open."""
        return self.closed

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        """Temporal's handle of the run, whichever of its histories is the newest."""
        return self.connection.client.get_workflow_handle(self.id)

    async def view(self, offset: int = 0, limit: int = 100) -> Json:
        """Its state, with a page of phases.

        A query knows no later moment than the run's last event, which may be days ago: `now` is told here.
        """
        from datetime import UTC, datetime  # noqa: PLC0415 - only here

        from engine.moments import iso  # noqa: PLC0415

        found = await self._query("view", {"offset": offset, "limit": limit})
        found["now"] = max(found["now"], iso(datetime.now(UTC).timestamp()) or "")
        return found

    async def phase(self, word: int | str) -> Json:
        """Everything about one phase."""
        return await self._query("phase", {"phase": word})

    async def context(self, which: Json) -> Json:
        """The shared context, or its versions."""
        return await self._query("context", which)

    async def journal(self, since: int, limit: int = 500) -> Json:
        """Facts after number `since`."""
        return await self._query("journal", {"since": since, "limit": limit})

    async def to_sign(self, message: str, payload: Json) -> Json:
        """Whether it takes a message only signed, and what of it the signature is for."""
        return await self._query("to_sign", {"message": message, "payload": payload})

    async def checkpoints(self, offset: int, limit: int) -> Json:
        """A page of its checkpoints."""
        return await self._query("checkpoints", {"offset": offset, "limit": limit})

    async def metrics(self) -> Json:
        """What it has taken so far, up to this moment: of all its phases, page by page."""
        from datetime import UTC, datetime  # noqa: PLC0415 - only here

        at = datetime.now(UTC).timestamp()
        found = await self._query("metrics", {"at": at})
        while len(found["phases"]) < found["page"]["total"]:
            page = (await self._query("metrics", {"at": at, "offset": len(found["phases"])}))["phases"]
            if not page:
                break
            found["phases"] += page
        return found

    async def plan(self) -> Plan:
        """Its plan, from what it was started with."""
        from engine.plan import Plan  # noqa: PLC0415 - commands that only act need none

        return Plan.from_json((await self.started())["plan"])

    async def started(self) -> Json:
        """What it was started with: `{plan, inputs, env, run, …}`."""
        from temporalio.service import RPCError, RPCStatusCode  # noqa: PLC0415 - loaded by then

        if self._started is None:
            try:
                self._started = await self._first_input()
            except RPCError as error:
                if error.status not in {RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT}:
                    raise UnreachableError(f"the Temporal server refused: {error.message}") from error
                raise no_such_run(self.id) from error
        return self._started

    async def _first_input(self) -> Json:
        event = await self.connection.reader.first_event(self.id)
        given: list[Json] = await self.connection.reader.decoded(
            event.workflow_execution_started_event_attributes.input.payloads
        )
        return given[0]

    async def _query(self, name: str, payload: Json) -> Json:
        from cli.embedded.reader import QueryFailedError  # noqa: PLC0415 - loaded by then

        reader = self.connection.reader
        try:
            return await self._call(lambda seconds: reader.query(self.id, name, payload, seconds=seconds))
        except QueryFailedError as error:
            hint = f"phaseloom workflow status --run {self.id} shows the phases"
            raise RefusedError(str(error), hint=hint) from error

    async def send(self, name: str, payload: Json) -> Json | None:
        """The answer to a message; None when no worker answers: then it is sent as a signal and counts later.

        Both carry one `request_id`, so that the run takes only the first of them to arrive. The signal is up to the
        server alone, which gets its time however little a worker was given.
        """
        payload = {"request_id": f"cli-{secrets.token_hex(8)}", **payload}
        try:
            return await self._update(name, payload)
        except NoWorkerError:
            await self._call(
                lambda seconds: self.handle.signal(name, payload, rpc_timeout=timedelta(seconds=seconds)),
                patience=max(self.patience, PATIENCE),
            )
            return None

    async def _update(self, name: str, payload: Json) -> Json:
        from temporalio.client import (  # noqa: PLC0415 - loaded by then
            WorkflowUpdateFailedError,
            WorkflowUpdateRPCTimeoutOrCancelledError,
        )

        async def ask(seconds: float) -> Json:
            try:
                answer: Json = await self.handle.execute_update(
                    name, payload, result_type=dict, rpc_timeout=timedelta(seconds=seconds)
                )
            except WorkflowUpdateRPCTimeoutOrCancelledError as error:
                raise TimeoutError from error
            return answer

        try:
            return await self._call(ask)
        except WorkflowUpdateFailedError as error:
            raise _refusal(error) from error

    async def _call(self, ask: Callable[[float], Awaitable[T]], *, patience: float | None = None) -> T:
        """A call with patience; what is not there is said in words."""
        from temporalio.service import RPCError, RPCStatusCode  # noqa: PLC0415 - loaded by then

        try:
            return await self._answered(ask, self.patience if patience is None else patience)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise UnreachableError(f"the Temporal server refused: {error.message}") from error
            raise await self._not_there() from error

    async def _answered(self, ask: Callable[[float], Awaitable[T]], patience: float) -> T:
        """What is answered, waiting longer while our own worker is on its way: a busy machine takes time."""
        ends = time.monotonic() + COMING_SECONDS
        while True:
            try:
                return await patiently(ask, patience=patience)
            except NoWorkerError:
                if time.monotonic() > ends or patience != PATIENCE or not self._worker_comes():
                    raise

    def _worker_comes(self) -> bool:
        from cli.embedded.workers import is_coming  # noqa: PLC0415 - loaded by then

        return self.connection.embedded and is_coming(self.connection.project)

    async def _not_there(self) -> PhaseloomError:
        """Why the server takes nothing for this run; the archive knows better than it how the run ended."""
        if (ended := archived(self.connection.project.root, self.id)) is not None:
            return RefusedError(f"the run is {ended.ended}", hint="phaseloom runs lists the open ones")
        described = await described_run(self.connection, self.id)
        if described is None:
            return no_such_run(self.id)
        return RefusedError(f"the run is {described.closed or 'not there'}")


def _refusal(error: WorkflowUpdateFailedError) -> PhaseloomError:
    from temporalio.exceptions import ApplicationError  # noqa: PLC0415 - loaded by then

    cause = error.cause
    if not isinstance(cause, ApplicationError):
        return RefusedError(str(cause))
    details = cause.details[0] if cause.details else {}
    return RefusedError(cause.message, hint=details.get("hint", "") if isinstance(details, dict) else "")


def no_such_run(run: str) -> NotFoundError:
    """The error for a run that nobody knows."""
    return NotFoundError(f"there is no run {run!r}", hint="phaseloom runs --all lists them")


async def described_run(connection: Connection, run: str) -> Execution | None:
    """What the server knows of the run, no worker needed; None when there is no such run."""
    from temporalio.service import RPCError, RPCStatusCode  # noqa: PLC0415 - loaded by then

    try:
        return await patiently(lambda seconds: connection.reader.described(run, seconds=seconds))
    except RPCError as error:
        if error.status in {RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT}:
            return None
        raise UnreachableError(f"the Temporal server refused: {error.message}") from error
