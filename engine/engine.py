"""The engine: one run's decisions, as a state machine without I/O, clock or randomness.

Events go in, effects come out; every change of the run's state is a fact in the ledger (`engine.facts`), and the
work per event is proportional to what the event touches. The workflow shell, the simulator and the property tests
drive the same class.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine import breaker_step, deadlines, items, judging, jumps, launching, restoring
from engine.context import sharing
from engine.diversion import diverting, unwinding
from engine.effects import (
    AgentCancelled,
    AgentFailed,
    AgentFinished,
    CancelAgents,
    CountWorkers,
    Effect,
    Event,
    NoticesLost,
    TimerFired,
    WakeAt,
    WorkersCounted,
)
from engine.errors import PhaseError
from engine.facts import Fact, FactKind
from engine.failing import CIRCUIT_OPEN, classified
from engine.gates import flow, reviewing
from engine.gates.consultations import seat
from engine.notices import Outbox
from engine.phase_state import PhaseState
from engine.plan import Plan
from engine.readylist import ReadyList
from engine.reports import Reports
from engine.saved import passed_over
from engine.state import State
from engine.statuses import RunStatus
from engine.timers import Timers
from engine.values import gathered

Json = dict[str, Any]


class Engine:
    """One run. Start it once with `start`, or bring it back with `engine.snapshots.restore`; then feed it events.

    `handle` and `flush` return the effects that the shell has to carry out, in order. With `launching` false the
    engine starts nothing new (the shell is about to continue as new); what may start then waits in the ready list.
    `verify` tells of a public key, a signature and a text whether they belong together; a plan with keys needs it.
    """

    def __init__(self, plan: Plan, *, verify: Callable[[bytes, bytes, bytes], bool] | None = None) -> None:
        self.plan = plan
        self.verify = verify
        self.state = State(plan)
        self.ledger = self.state.facts  # the same list: `State.apply` adds to it
        self.ready = ReadyList(plan, plan.execution.max_workers)
        self.timers = Timers()
        self.launching = True
        self.next_start_at = 0.0
        self.reports = Reports()
        self.patience = restoring.PATIENCE
        self.answers: dict[str, Json] = {}
        self.answer_bytes = 0
        self._wake_at: float | None = None
        self.effects: list[Effect] = []
        self.outbox = Outbox(plan)

    def start(
        self,
        at: float,
        *,
        inputs: Json,
        env: dict[str, str],
        run: Json,
        actor: str | None = None,
        files: Json | None = None,
    ) -> None:
        """Begin the run: inputs get their defaults, and the first phases start at once where the limits are known."""
        given = {name: declared.default for name, declared in self.plan.inputs.items()} | inputs
        self.record("run_started", at, actor=actor, data={"inputs": given, "env": env, "run": run, **(files or {})})
        if self.plan.execution.max_workers == 0:
            self.effects.append(CountWorkers())
        self.advance(at)

    def handle(self, event: Event, at: float) -> list[Effect]:
        """Take in what happened; late news of an older epoch changes nothing."""
        match event:
            case AgentFinished() | AgentFailed() | AgentCancelled():
                self._agent_ended(event, at)
            case WorkersCounted(count=count):
                if self.state.max_workers == 0:
                    self.record("workers_counted", at, data={"count": max(1, count)})
                    self.ready.max_workers = self.state.max_workers
            case TimerFired():
                self._wake_at = None
                while (moment := self.timers.take(at)) is not None:
                    deadlines.due(self, moment, at)
            case NoticesLost(lost=lost):
                for message in lost:
                    self.record("notice_undelivered", at, data=message)
        self.advance(at)
        return self.flush()

    def flush(self) -> list[Effect]:
        """The effects asked for since the last call."""
        effects, self.effects = [*self.effects, *self.outbox.flush()], []
        return effects

    @property
    def in_flight(self) -> bool:
        """Whether any agent's activity runs now."""
        waits = self.ready.waits_for_slot
        agents = any(self.state.phases[i].active and not waits(i) for i in self.state.running)
        return agents or any(not waits(seat(desk)) for desk in self.state.reviews.open)

    def record(
        self,
        kind: FactKind,
        at: float,
        *,
        phase: PhaseState | None = None,
        actor: str | None = None,
        note: str | None = None,
        data: Json | None = None,
    ) -> Fact:
        """Append a fact and apply it: the only way in which anything changes."""
        index, epoch = (None, None) if phase is None else (phase.plan.index, phase.epoch)
        n = len(self.ledger) + 1
        fact = Fact(n=n, at=round(at, 3), kind=kind, phase=index, epoch=epoch, actor=actor, note=note, data=data or {})
        self.state.apply(fact)
        if self.outbox.wanted:
            self.outbox.take(self, fact)
        return fact

    # Agents and settlements

    def _agent_ended(self, event: AgentFinished | AgentFailed | AgentCancelled, at: float) -> None:
        if event.phase < 0:
            reviewing.ended(self, event, at)
            return
        phase = self.state.phases[event.phase]
        if phase.status != "running" or phase.epoch != event.epoch or event.position not in phase.active:
            return
        if phase.merging is not None or event.position >= len(phase.plan.agents):
            self._help_ended(phase, event, at)
            return
        match event:
            case AgentFinished(result=result):
                sharing.finished(self, phase, event.position, result, at)
            case AgentFailed(error=error):
                self.agent_lost(phase, event.position, at, error)
            case AgentCancelled():
                self.agent_lost(phase, event.position, at, {"code": "cancelled", "message": "it was cancelled"})

    def _help_ended(self, phase: PhaseState, event: AgentFinished | AgentFailed | AgentCancelled, at: float) -> None:
        """What was done for a phase beside its agents has ended: a merge of writes, or the checks of a gate."""
        if phase.cancelling is not None:
            phase.active.clear()
            self.cancelled(phase, at)
        elif phase.merging is not None:
            sharing.merge_ended(self, phase, event, at)
        else:
            flow.ended(self, phase, event, at)

    def agent_lost(self, phase: PhaseState, position: int, at: float, error: Json) -> None:
        """An agent has failed for good, or is gone: so has its phase."""
        cancelling = phase.cancelling is not None
        error = classified(error)
        lost: Json = {"cancelled": True} if cancelling else {"error": error}
        self.record("agent_settled", at, phase=phase, data={"positions": [position], **lost})
        if not cancelling:
            self.fail(phase, error, at)
        elif not phase.active:
            self.cancelled(phase, at)

    def agents_settled(
        self, phase: PhaseState, positions: list[int], at: float, *, outputs: Json, data: Json, actor: str | None = None
    ) -> None:
        """Agents of the present turn are done; with the last of them the next turn begins or the phase completes."""
        busy = phase.active.difference(positions) or set(phase.persons).difference(positions)
        last_turn = phase.turn + 1 >= len(phase.plan.turns)
        if last_turn and not busy and phase.cancelling is None:
            gathered_outputs = gathered(phase, dict.fromkeys(positions, outputs))
            if phase.plan.gates or phase.conflicts:
                settled: Json = {"positions": positions, "outputs": outputs, **data}
                self.record("agent_settled", at, phase=phase, actor=actor, data=settled)
                self.ready.release_slot(phase.plan.index)
                if phase.conflicts:
                    sharing.reconcile(self, phase, at)
                else:
                    flow.reach(self, phase, at, gathered_outputs)
            else:
                self.complete(phase, gathered_outputs, at, actor=actor, data={"outputs": gathered_outputs, **data})
            return
        self.record(
            "agent_settled", at, phase=phase, actor=actor, data={"positions": positions, "outputs": outputs, **data}
        )
        self.reports.drop(phase.plan.index, positions)
        if phase.active:
            return
        if phase.cancelling is not None:
            self.cancelled(phase, at)
            return
        self.ready.release_slot(phase.plan.index)
        if not phase.persons:
            self.record("turn_started", at, phase=phase, data={"turn": phase.turn + 1})
            self._begin_turn(phase)

    def _begin_turn(self, phase: PhaseState) -> None:
        """Let the turn's agents wait for a worker slot; people can begin at once."""
        if phase.active:
            self.ready.add(phase.plan.index, worker=True)

    def cancelled(self, phase: PhaseState, at: float) -> None:
        """The phase's processes are gone: it becomes what its cancellation was for."""
        then = phase.cancelling
        if then == "fail":
            self.failed(phase, phase.error or {}, at)
        elif then in diverting(self.state):
            self.settle(phase, "cancelled", at, data={"held": True, "reason": then})
        elif then == "hold" and self.state.stopping is None:
            self.settle(phase, "cancelled", at, data={"held": True, "reason": "parallel execution cancelled"})
        else:
            self.settle(phase, "cancelled", at, data={"reason": then})

    def settle(
        self,
        phase: PhaseState,
        status: str,
        at: float,
        *,
        actor: str | None = None,
        note: str | None = None,
        data: Json | None = None,
    ) -> None:
        """End a phase; its dependents may go on."""
        told = {"status": status, **(data or {})}
        if phase.started_at is not None and phase.status == "running":
            told["seconds"] = round(at - phase.started_at, 3)
        if phase.plan.breaker is not None or "error" in told:
            told = breaker_step.ended(phase, told, at)
        if status == "completed" and passed_over(self.state, phase):
            told["checkpoint"] = False
        self.record("phase_settled", at, phase=phase, actor=actor, note=note, data=told)
        self.ready.leave(phase.plan.index)
        self.reports.drop(phase.plan.index)
        if phase.plan.item is not None:
            items.settled(self, phase, phase.plan.item, at)

    def done(self, phase: PhaseState, at: float, outputs: Json, *, actor: str | None = None) -> None:
        """The phase's work is done without an agent that says so: its gates come, or it completes."""
        if phase.plan.gates:
            flow.reach(self, phase, at, outputs, actor=actor)
        else:
            self.complete(phase, outputs, at, actor=actor, data={"outputs": outputs})

    def complete(
        self, phase: PhaseState, outputs: Json, at: float, *, actor: str | None = None, data: Json | None = None
    ) -> None:
        """The phase has completed; control goes on, or where its `next` says."""
        try:
            way = jumps.chosen(self, phase, "completed", outputs)
        except PhaseError as error:
            self.failed(phase, {"code": error.code, "message": error.message, "hint": error.hint}, at, actor)
            return
        self.settle(phase, "completed", at, actor=actor, data=data)
        if way is not None:
            jumps.begin(self, phase, phase.plan.jumps[way].to, at, way=way)

    def fail(self, phase: PhaseState, error: Json, at: float, actor: str | None = None) -> None:
        """The phase's work has failed for good: stop its other agents, then act by its `on_failure`."""
        if phase.active and phase.status == "running":
            self.cancel_agents(phase, "fail", at, error=classified(error))
        else:
            self.failed(phase, error, at, actor)

    def failed(self, phase: PhaseState, error: Json, at: float, actor: str | None = None) -> None:
        """Nothing of the phase runs any more and it has failed: act by its `on_failure`."""
        policy = "isolate" if unwinding(self.state) else phase.plan.on_failure
        error = breaker_step.told(phase, error, at)
        # What was not even started has nothing new to say: were control to go back by that, it would go in circles.
        way = jumps.chosen(self, phase, "failed", phase.outputs) if error.get("code") != CIRCUIT_OPEN else None
        if way is not None:
            self.settle(phase, "failed", at, actor=actor, data={"error": error})
            jumps.begin(self, phase, phase.plan.jumps[way].to, at, way=way)
            return
        if policy == "pause":
            self.record("phase_paused", at, phase=phase, actor=actor, data={"error": error})
            self.ready.leave(phase.plan.index)
            self.reports.drop(phase.plan.index)
            return
        self.settle(phase, "failed", at, actor=actor, data={"error": error})
        if policy == "fail_fast":
            self.stop("failed", at, actor=actor)

    def cancel_agents(self, phase: PhaseState, then: str, at: float, error: Json | None = None) -> None:
        """Stop a running phase; `then` says what it becomes once its processes are gone."""
        if phase.cancelling is None:
            data: Json = {"then": then} | ({"error": error} if error else {})
            self.record("phase_cancelling", at, phase=phase, data=data)
            if phase.plan.index in self.state.expanding:
                items.cancel(self, phase, at)
                return
            if phase.active and not self.ready.waits_for_slot(phase.plan.index):
                self.effects.append(CancelAgents(phase=phase.plan.index, epoch=phase.epoch))
                return
            phase.active.clear()
            self.cancelled(phase, at)

    def stop(self, then: RunStatus, at: float, *, actor: str | None = None, note: str | None = None) -> None:
        """Bring the run to its end as `then`: running phases are cancelled and awaited, the rest never starts.

        After a failure phases with `always: true` still run; after a cancellation nothing does.
        """
        if self.state.stopping in {then, "cancelled"}:
            return
        self.record("run_stopping", at, actor=actor, note=note, data={"then": then})
        for phase in self.state.phases:
            waits = phase.status in {"pending", "running"}
            if phase.settled or (then == "failed" and phase.plan.always and waits):
                continue
            if phase.status == "running":
                self.cancel_agents(phase, "the run was stopped", at)
            else:
                self.settle(phase, "cancelled", at, data={"reason": "the run was stopped"})

    # Moving on

    def advance(self, at: float) -> None:
        """Start what may start, pause or end the run if nothing can move."""
        while True:
            restoring.go_on(self, at)
            launching.look(self, at)
            moved = launching.launch(self, at) or reviewing.void(self, at) or jumps.go_on(self, at)
            if not moved and not reviewing.call(self):
                break
        judging.judge(self, at)
        if not self.state.ended and (due := self.timers.next()) is not None:
            self.wake(due)

    def queue(self, phase: PhaseState) -> None:
        """Let a phase wait for its start."""
        self.ready.add(phase.plan.index, worker=phase.plan.begins_with_worker)

    def wake(self, due: float) -> None:
        """Ask for a `TimerFired` at `due`, or earlier."""
        if self._wake_at is None or due < self._wake_at:
            self._wake_at = due
            self.effects.append(WakeAt(due=due))
