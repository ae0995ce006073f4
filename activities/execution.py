"""How an agent's work becomes one attempt of an activity, whatever the executor is.

Around the executor: the key's lock and record, heartbeats, the phase's log, scratch files, environment, acceptance
tests, outputs, artifacts; and the three ends an attempt can have: a result, a failure that the server retries or not,
or being stopped (by a cancellation, or because the worker shuts down).
"""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import environment, repetition, scratch
from activities.acceptance import run_tests
from activities.agent_task import AgentTask
from activities.artifacts import resolve
from activities.attempts import Claim, claim, new_record
from activities.circuit import Refused, Ticket, admitted
from activities.context import split
from activities.environment import Environment
from activities.exchange import Exchange
from activities.failures import AttemptError, History, circuit_open, to_application_error, worker_stopped
from activities.finishing import to_the_end
from activities.job import Job, rendered
from activities.leftovers import MARKER, Trace, this_host
from activities.logs import LogFile, phase_log
from activities.masking import mask_json
from activities.output import AttemptLog
from activities.results import collect, externalise, outputs, read_output, said
from activities.scratch import Scratch
from activities.storing import bring_files, patiently
from activities.worker_context import WorkerContext
from engine.errors import UnreachableError, WorkspaceError
from engine.expressions import ExpressionError
from engine.failing import verdict
from engine.plan import Json

T = TypeVar("T")
Executor = Callable[[Job], Awaitable[None]]
"""Does the agent's own work with `Job.run`; raises AttemptError when it fails."""

SCARCE = frozenset({errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM})
"""Errors of a host that is short of something: nobody's failure, the server tries again."""


async def perform(context: WorkerContext, raw: Json, executor: Executor) -> Json:
    """Do the task `raw` as an attempt of the current activity; the result in its wire form.

    Raises:
        ApplicationError: the attempt failed, or its worker shuts down.
        asyncio.CancelledError: the activity was cancelled; none of its processes lives any more.
    """
    try:
        task = AgentTask.from_json(raw)
    except WorkspaceError as error:
        raise ApplicationError(error.message, type=error.code, non_retryable=True) from None
    with context.meters.counted(raw, activity.info().activity_type):
        return await _performed(context, task, executor)


async def _performed(context: WorkerContext, task: AgentTask, executor: Executor) -> Json:
    attempt = _Attempt(context, task)
    beating = asyncio.create_task(attempt.beat())
    shutdown = asyncio.create_task(activity.wait_for_worker_shutdown())
    work = asyncio.create_task(attempt.run(executor))
    try:
        await asyncio.wait({work, shutdown}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            attempt.reason = "the worker is shutting down"
            await to_the_end(_stopped(work))
        return work.result()
    except AttemptError as error:
        attempt.history.add(error)
        activity.heartbeat(attempt.history.details())
        follows = verdict(attempt.history.failures, task.retry, mends=task.mends, limits=task.limits)
        raise to_application_error(error, task.retry, task.key, attempt.history, follows) from None
    except Refused as refused:
        with suppress(UnreachableError):
            await context.board(task).report(refused.words)
        attempt.history.trace = None
        activity.heartbeat(attempt.history.details())
        raise circuit_open(refused.tool, refused.pause) from None
    except asyncio.CancelledError:
        if work.cancelled() and shutdown.done() and not _is_unwanted():
            raise worker_stopped() from None
        raise
    finally:
        await to_the_end(_stopped(work))
        beating.cancel()
        shutdown.cancel()


async def _stopped(work: asyncio.Task[Json]) -> None:
    """Cancel the work and wait until it has cleaned up; its outcome is for whoever asks for it."""
    work.cancel()
    await asyncio.wait({work})
    if not work.cancelled():
        work.exception()


def _is_unwanted() -> bool:
    """Whether the activity itself was cancelled (a worker that shuts down cancels its tasks too)."""
    details = activity.cancellation_details()
    return details is not None and not details.worker_shutdown


class _Attempt:
    def __init__(self, context: WorkerContext, task: AgentTask) -> None:
        info = activity.info()
        self.context = context
        self.task = task
        self.history = History.from_details(info.heartbeat_details)
        self.before = [self.history.trace] if self.history.trace else []
        self.id = uuid4().hex
        self.history.trace = Trace(attempt_id=self.id, host=this_host())
        self.number = info.attempt
        self.record = new_record(
            key=task.key,
            run=task.run,
            phase=task.phase_id,
            agent=task.agent.role,
            attempt=self.history.attempt,
            attempt_id=self.id,
            token=info.task_token,
            scheduled=info.current_attempt_scheduled_time.timestamp(),
        )
        self.label = f"Agent: {task.agent.role}"
        self.reason = "cancelled"

    async def beat(self) -> None:
        """Heartbeat until cancelled: only so does the server see life, and a cancellation arrive."""
        while True:
            activity.heartbeat(self.history.details())
            await asyncio.sleep(self.context.settings.beat)

    async def run(self, executor: Executor) -> Json:
        """The attempt, framed by what the log says of it."""
        path = phase_log(self.context.root, self.task.run, self.task.phase_id)

        async def warn(text: str) -> None:
            await log.say("WARNING", f"{self.label} - {text}")

        async with (
            claim(self.context.root, self.record, self.before) as held,
            LogFile(path) as log,
            admitted(self.task, self.id, warn, self.context.desk) as ticket,
        ):
            return await self._logged(executor, held, log, ticket, path)

    async def _logged(self, executor: Executor, held: Claim, log: LogFile, ticket: Ticket, path: Path) -> Json:
        await log.say("INFO", f"{self.label} - Invoked (attempt {self.history.attempt})")
        await repetition.tell(self.task, self.history.attempt, log)
        started_at, began = datetime.now(UTC), time.monotonic()
        output = AttemptLog(log, limit=self.context.settings.log_limit, label=self.label)
        try:
            try:
                result = await self._work(executor, held, output)
            finally:
                if output.holds_back:
                    await to_the_end(output.finish())
        except asyncio.CancelledError:
            await to_the_end(log.say("WARNING", f"{self.label} - Stopped ({self.reason})"))
            raise
        except Exception as error:  # noqa: BLE001 - logged and raised again
            failure = _failure(error, self.task)
            ticket.failed(failure)
            await log.say("ERROR", f"{self.label} - {self._failed_in_words(failure)}")
            if isinstance(failure, AttemptError):
                failure.log = await self._copied(path)
            raise failure from None
        ticket.outcome = "ok"
        duration = time.monotonic() - began
        await log.say("INFO", f"{self.label} - Completed ({duration:.1f}s)")
        copied = await self._copied(path)
        return {
            **({"log": copied} if copied is not None else {}),
            "started_at": started_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "duration": round(duration, 3),
            "attempts": self.history.attempt,
            "failures": self.history.failures,
            **result,
        }

    def _failed_in_words(self, failure: Exception) -> str:
        kind = f" [{failure.error_class}]" if isinstance(failure, AttemptError) else ""
        return f"Failed (attempt {self.history.attempt}): {failure}{kind}"

    async def _copied(self, path: Path) -> Json | None:
        """The phase's log as it is now, in the artifact store for readers on other hosts; None where it stays here."""
        if not self.context.settings.copy_logs:
            return None
        try:
            ref = await asyncio.to_thread(self.context.store.put_file, path, "text/plain")
        except (OSError, UnreachableError):  # a full disk, or a store that is away, must not fail work that is done
            return None
        return {"sha256": ref.sha256, "size": ref.size, "host": this_host()}

    async def _work(self, executor: Executor, held: Claim, log: AttemptLog) -> Json:
        files = Scratch(self.context.root, self.task, self.number)
        job = await self._job(held, files, log)
        for warning in job.environment.warnings if self.history.attempt == 1 else ():
            await log.log.say("WARNING", f"{self.label} - {warning}")
        try:
            await executor(job)
            tests = await run_tests(job)
            gathered = await self._patiently(lambda: self._gather(job), log)
        except AttemptError as error:
            raise error.masked(job.environment.secrets) from None
        files_now = await self.context.workfiles.told()
        await asyncio.to_thread(files.remove)
        return {
            **gathered,
            "exit_code": job.printed.exit_code,
            "tests": tests,
            **files_now,
            "usage": job.usage.to_json(),
            **({"said": said(job)} if self.task.review else {}),
            **job.verdict,
        }

    async def _job(self, held: Claim, files: Scratch, log: AttemptLog) -> Job:
        task, context = self.task, self.context
        timeout = task.timeout
        deadline = None if timeout is None else asyncio.get_running_loop().time() + timeout
        values = await self._patiently(lambda: self._prepare(files), log)
        scope = {**values["values"], "prompt_file": str(files.prompt)}
        prompt = "" if task.prompt is None else rendered(task.prompt, scope)
        await asyncio.to_thread(files.fill, prompt, self._given(values))
        own = scratch.variables(context.root, task, self.history.attempt, files) | scratch.item_variables(scope)
        variables = environment.build(
            context.environ,
            passed=task.config.get("pass_env") or (),
            given={name: rendered(text, scope) for name, text in (task.config.get("env") or {}).items()},
            own={**own, MARKER: self.id},
        )
        return Job(
            context=context,
            task=task,
            claim=held,
            history=self.history,
            scratch=files,
            scope=scope,
            environment=variables,
            log=log,
            deadline=deadline,
            exchange=self._exchange(files, variables, log),
        )

    def _exchange(self, files: Scratch, variables: Environment, log: AttemptLog) -> Exchange:
        async def say(text: str) -> None:
            await log.log.say("WARNING", f"{self.label} - {text}")

        board = self.context.board(self.task)
        return Exchange(files, board, store=self.context.store, secrets=variables.secrets, say=say)

    def _prepare(self, files: Scratch) -> Json:
        files.create()
        resolved = resolve({"values": self.task.values, "earlier": list(self.task.earlier)}, self.context.store)
        assert isinstance(resolved, dict)
        bring_files(resolved["values"], self.task.files, self.context.store, files.files)
        return resolved

    async def _patiently(self, call: Callable[[], T], log: AttemptLog) -> T:
        async def say(text: str) -> None:
            await log.log.say("WARNING", f"{self.label} - {text}")

        return await patiently(call, self.context.settings.patience, say)

    def _given(self, values: Json) -> dict[str, Any]:
        """What `$PHASELOOM_INPUT` holds."""
        task = self.task
        return {
            "definition": task.definition,
            "phase": {"id": task.phase_id, "name": task.phase_name, "index": task.phase_index},
            "epoch": task.epoch,
            "agent": task.agent.role,
            "attempt": self.history.attempt,
            "key": task.key,
            "files_scope": list(task.files_scope),
            **values["values"],
            "earlier": values["earlier"],
            "failures": [*task.failures, *self.history.failures],
            "feedback": list(task.feedback),
            **task.shared,
        }

    def _gather(self, job: Job) -> Json:
        """What the agent hands back: `{outputs, artifacts, context?}`."""
        written = read_output(job.scratch.output, self.context.settings.output_limit)
        found = outputs(self.task.agent.outputs, written, job.yielded or job.printed, job.scope)
        masked = mask_json(found, job.environment.secrets)
        store = self.context.store
        masked, writes = split(masked, store) if self.task.context else (masked, {})
        return {
            "outputs": externalise(masked, store, self.task.inline),
            "artifacts": collect(job.scratch.artifacts, store),
            **({"context": writes} if writes else {}),
        }


def _failure(error: Exception, task: AgentTask) -> Exception:
    """An error of the author, or of files, as a failure of the attempt; bugs and a host in need stay as they are."""
    if isinstance(error, AttemptError) and error.kind == "bad_output" and task.agent.uses == "http":
        error.error_class = "user_input"  # sent once more, a request that was answered could do its work twice
    if isinstance(error, ExpressionError):
        return AttemptError("expression", error.message)
    if isinstance(error, WorkspaceError):
        return AttemptError("workspace", error.message, error_class="deterministic")
    if isinstance(error, OSError) and error.errno not in SCARCE:
        return AttemptError("workspace", f"{error.strerror or error}: {error.filename or ''}".rstrip(": "))
    return error
