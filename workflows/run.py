"""`PhaseRun`: the one generic workflow that carries out what the engine decides.

It holds no policy. The engine starts in `__init__`, so a message that arrives with the first task finds it; handlers
call it synchronously and answer from it; its effects become activities and timers. Names and shapes are promises.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from engine import children, foreign, operations
    from engine.answers import waiting_for
    from engine.effects import (
        AbandonAgents,
        AgentCancelled,
        AgentFailed,
        AgentFinished,
        CancelAgents,
        CountWorkers,
        Deliver,
        Effect,
        Event,
        Finish,
        NoticesLost,
        RunAgent,
        TimerFired,
        WakeAt,
        WorkersCounted,
    )
    from engine.engine import Engine
    from engine.errors import PhaseError, RefusedError
    from engine.plan import Plan
    from engine.snapshots import restore, snapshot
    from engine.starting import begin
    from engine.view import view
    from workflows import journal
    from workflows.archive import archive_run
    from workflows.children import Children
    from workflows.failures import error_of
    from workflows.foreign import start_foreign
    from workflows.messages import decoded, refusal, sender
    from workflows.post import Post
    from workflows.queries import Queries
    from workflows.verifying import verifier
    from workflows.visible import STATUS, WAITING_FOR, fitting

Json = dict[str, Any]

DRAIN_EVENTS = 20_000
DRAIN_BYTES = 20 * 1024 * 1024
"""From here on a run starts nothing new until what runs has ended and a fresh history can begin."""

HEARTBEAT_TIMEOUT = timedelta(seconds=30)
BACKSTOP = timedelta(seconds=90)
"""Added to an agent's own timeout: grace and clean-up, before Temporal itself gives an attempt up."""

UNLIMITED = timedelta(days=365)
LOST_WORKERS = 100
"""Attempts beyond the declared ones: how often an agent may lose its worker."""

FACTS_PER_ANSWER = 500


@workflow.defn(name="PhaseRun")
class PhaseRun(Queries):
    """One run of a plan."""

    @workflow.init
    def __init__(self, start: Json) -> None:
        """Start the engine, or bring it back from the predecessor's snapshot.

        `start`: `{plan, inputs, env, run, actor, search_attributes, git?, files?, drain_events?, abandon_after?,
        seed?}`; after continue-as-new also `snapshot`.
        """
        self.start = start
        self.tasks: dict[tuple[int, int, int], asyncio.Task[None]] = {}
        self.begun: set[tuple[int, int, int]] = set()
        self.unwanted: set[tuple[int, int, int]] = set()
        self.abandoned: set[asyncio.Task[None]] = set()
        self.children = Children()
        self.post = Post(self._lost)
        self.timer: asyncio.Task[None] | None = None
        self.finished = False
        self.told = 0
        self.shown: tuple[str, tuple[str, ...]] = ("", ())
        plan = Plan.from_json(start["plan"])
        verify = verifier(plan)
        if (taken := start.get("snapshot")) is not None:
            self.engine = restore(plan, taken, self.now(), verify=verify)
        else:
            self.engine = Engine(plan, verify=verify)
            info = workflow.info()
            begin(self.engine, start, self.now(), name=info.workflow_id, execution=info.first_execution_run_id)
        self.engine.patience = float(start.get("abandon_after", self.engine.patience))

    @workflow.run
    async def run(self, start: Json) -> Json:  # noqa: ARG002 - taken in by __init__
        """Carry out effects until the run has ended or needs a fresh history; returns the run's summary."""
        self._perform(self.engine.flush())
        try:
            await self._until_it_may_leave()
        except asyncio.CancelledError:
            # From here on the run ends by itself; a second request changes nothing that the first has not asked for.
            self._operate_cancel()
            await asyncio.shield(
                asyncio.ensure_future(workflow.wait_condition(lambda: self.finished and self.post.idle))
            )
            await workflow.wait_condition(workflow.all_handlers_finished)
        if self.timer is not None:
            self.timer.cancel()
        if not self.finished:
            kept = {name: value for name, value in self.start.items() if name != "seed"}
            workflow.continue_as_new({**kept, "snapshot": snapshot(self.engine)})
        return await self._finish()

    async def _until_it_may_leave(self) -> None:
        while True:
            await workflow.wait_condition(lambda: self._may_leave() and workflow.all_handlers_finished())
            # A message may have come in before this line runs again; an agent it started must not be left behind.
            if self._may_leave():
                return

    # Messages

    @workflow.signal(dynamic=True)
    def message(self, name: str, args: Sequence[RawValue]) -> None:
        """Any signal: an operator's message, or something to journal and refuse."""
        try:
            payload = decoded(args)
            operations.check(self.engine, name, payload, self.now())
        except RefusedError as why:
            operations.refuse(self.engine, name, why, self.now(), sender(args))
        except Exception:  # noqa: BLE001 - a check changes nothing; what it stumbles over must not stop the run for ever
            operations.refuse(self.engine, name, RefusedError("the message cannot be understood"), self.now())
        else:
            operations.act(self.engine, name, payload, self.now())
        self._perform(self.engine.flush())

    @workflow.update(dynamic=True)
    def answered_message(self, name: str, args: Sequence[RawValue]) -> Json:
        """Any update: an operator's message with its answer."""
        try:
            answer = operations.act(self.engine, name, decoded(args), self.now())
        except RefusedError as why:
            if operations.journalled(self.engine, name):
                operations.refuse(self.engine, name, why, self.now(), sender(args))
                self._perform(self.engine.flush())
            raise refusal(why) from None
        self._perform(self.engine.flush())
        return answer

    @answered_message.validator
    def check_message(self, name: str, args: Sequence[RawValue]) -> None:
        """Refuse, before anything is written to the history, what makes no sense now and needs no entry."""
        if operations.journalled(self.engine, name):
            return
        try:
            operations.check(self.engine, name, decoded(args), self.now())
        except RefusedError as why:
            raise refusal(why) from None

    # Effects

    def _feed(self, event: Event) -> None:
        """Tell the engine what happened and carry out what it asks for.

        Where a fresh history is wanted nothing new starts, unless other agents run on and the wait could be long.
        """
        wanted = self._wants_fresh_history()
        self.engine.launching = not wanted
        effects = self.engine.handle(event, self.now())
        if wanted and not self._must_drain() and self.engine.in_flight:
            self.engine.launching = True
            self.engine.advance(self.now())
            effects += self.engine.flush()
        self._perform(effects)

    def _perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case RunAgent():
                    key = (effect.phase, effect.epoch, effect.position)
                    self.tasks[key] = asyncio.create_task(self._run_agent(effect))
                case CancelAgents() | AbandonAgents():
                    self._part_with(effect)
                case WakeAt(due=due):
                    self._set_timer(due)
                case CountWorkers():
                    self.tasks[(-1, 0, 0)] = asyncio.create_task(self._count_workers())
                case Deliver(messages=messages):
                    self.post.send(messages)
                case Finish():
                    self.finished = True
        self.children.follow(paused=self.engine.state.pause is not None)
        self._show()
        self._tell()

    def _part_with(self, effect: CancelAgents | AbandonAgents) -> None:
        for key in [key for key in self.tasks if key[:2] == (effect.phase, effect.epoch)]:
            if isinstance(effect, CancelAgents):
                self._cancel_agent(key)
            else:
                self.abandoned.add(self.tasks.pop(key))

    def _cancel_agent(self, key: tuple[int, int, int]) -> None:
        if key in self.begun:
            self.tasks[key].cancel()
        else:
            self.unwanted.add(key)  # asyncio would never enter its coroutine, and nobody would hear of its end

    async def _run_agent(self, effect: RunAgent) -> None:
        key = (effect.phase, effect.epoch, effect.position)
        where = {"phase": effect.phase, "epoch": effect.epoch, "position": effect.position}
        event: Event
        if key in self.unwanted:
            self.unwanted.discard(key)
            self.tasks.pop(key, None)
            self._feed(AgentCancelled(**where))
            return
        self.begun.add(key)
        try:
            if effect.uses == foreign.FOREIGN:
                answer = await start_foreign(effect.task)
                event = AgentFinished(**where, result={"outputs": foreign.outputs(effect.task, answer)})
            elif effect.uses == children.CHILD:
                given = await self.children.run(effect.task, self.start)
                event = (
                    AgentFinished(**where, result={"outputs": given}) if given is not None else AgentCancelled(**where)
                )
            else:
                event = AgentFinished(**where, result=await self._start_activity(effect))
        except asyncio.CancelledError:
            event = AgentCancelled(**where)
        except PhaseError as error:
            event = AgentFailed(**where, error={"code": error.code, "message": error.message, "hint": error.hint})
        except ActivityError as error:
            cancelled = is_cancelled_exception(error)
            event = AgentCancelled(**where) if cancelled else AgentFailed(**where, error=error_of(error))
        finally:
            self.begun.discard(key)
            self.tasks.pop(key, None)
        self._feed(event)

    def _start_activity(self, effect: RunAgent) -> workflow.ActivityHandle[Json]:
        task = effect.task
        timeout = timedelta(seconds=task["timeout"]) + BACKSTOP if task.get("timeout") else UNLIMITED
        declared = int(task.get("retry", {}).get("max_attempts", 3))
        return workflow.start_activity(
            effect.uses,
            task,
            result_type=dict,
            start_to_close_timeout=timeout,
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            retry_policy=RetryPolicy(
                initial_interval=timedelta(seconds=1),
                # Attempts that a tool's open circuit puts off count here too; the activity itself counts the real ones.
                maximum_attempts=0 if "breaker" in task.get("agent", {}) else declared + LOST_WORKERS,
            ),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            summary=task["phase"]["id"],
        )

    def _lost(self, lost: list[Json]) -> None:
        if not self.finished:
            self._feed(NoticesLost(lost=lost))

    async def _count_workers(self) -> None:
        count = await workflow.execute_local_activity(
            "count_cpus", result_type=int, start_to_close_timeout=timedelta(seconds=10)
        )
        self.tasks.pop((-1, 0, 0), None)
        self._feed(WorkersCounted(count=count))

    def _set_timer(self, due: float) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.timer = asyncio.create_task(self._wait_until(due))

    async def _wait_until(self, due: float) -> None:
        await workflow.sleep(max(0.0, due - self.now()))
        self.timer = None
        self._feed(TimerFired())

    # What the outside sees

    def _show(self) -> None:
        """Keep search attributes and memo at what the run is and waits for; an event only when that changes."""
        state = self.engine.state
        shown = (str(state.status), fitting(waiting_for(self.engine)))
        if shown == self.shown or self.finished:
            return  # the end is shown together with the archive
        first = self.shown == ("", ())
        self.shown = shown
        if first and shown == ("running", ()):
            return  # what the client has written at start
        if self.start.get("search_attributes"):
            workflow.upsert_search_attributes([STATUS.value_set(shown[0]), WAITING_FOR.value_set(list(shown[1]))])
        else:
            workflow.upsert_memo({"status": shown[0], "waiting_for": list(shown[1])})

    def _tell(self) -> None:
        """Pass new facts to the worker's journal."""
        if len(self.engine.ledger) > self.told:
            self.told = len(self.engine.ledger)
            if not workflow.unsafe.is_replaying():
                with workflow.unsafe.sandbox_unrestricted():
                    journal.tell(workflow.info().workflow_id, self.engine.plan, self.engine.ledger)

    # The end

    def _may_leave(self) -> bool:
        return self.post.idle and (self.finished or (not self.tasks and self._wants_fresh_history()))

    def _wants_fresh_history(self) -> bool:
        return workflow.info().is_continue_as_new_suggested() or self._must_drain()

    def _must_drain(self) -> bool:
        info = workflow.info()
        events = self.start.get("drain_events", DRAIN_EVENTS)
        return info.get_current_history_length() >= events or info.get_current_history_size() >= DRAIN_BYTES

    def _operate_cancel(self) -> None:
        try:
            operations.act(self.engine, "cancel", {"note": "cancelled through Temporal"}, self.now())
        except RefusedError:
            return
        self._perform(self.engine.flush())

    async def _finish(self) -> Json:
        """Archive the run and end; a failed run is a failed workflow, with the same summary in its details."""
        run = workflow.info().workflow_id
        status = self.engine.state.status
        final = view(self.engine, self.now())
        archive = await archive_run(run, self.start["plan"], self.engine.ledger)
        workflow.upsert_memo({"archive": archive, "status": status, "waiting_for": []})
        if self.start.get("search_attributes"):
            workflow.upsert_search_attributes([STATUS.value_set(str(status)), WAITING_FOR.value_set([])])
        summary: Json = {"status": status, "run": run, "archive": archive, "view": final}
        if self.start.get("parent"):
            try:
                summary["outputs"] = children.outputs_of(self.engine.state)
            except PhaseError as error:
                summary["problem"] = error.message
        if status == "failed":
            raise ApplicationError(f"run {run} failed", summary, type="run_failed", non_retryable=True)
        return summary
