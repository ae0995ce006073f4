"""A world for the engine to run in: agents that end when told, a clock that moves, invariants after each step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine import operations
from engine.agents import AgentPlan
from engine.context.merging import ABSENT, merged
from engine.context.tasks import MERGE
from engine.context.writes import plain
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
    RunAgent,
    TimerFired,
    WakeAt,
    WorkersCounted,
)
from engine.engine import Engine
from engine.errors import RefusedError
from engine.expansion import Expansion
from engine.gates.consultations import seat
from engine.gates.plans import GATE
from engine.interventions import available
from engine.plan import Execution, Need, PhasePlan, Plan

Json = dict[str, Any]
Key = tuple[int, int, int]

COMMAND = AgentPlan(role="builder", uses="command", config={"run": ["true"]})
PERSON = AgentPlan(role="lead")


def phase(index: int, *needs: int, **fields: Any) -> PhasePlan:
    """A command phase `p<index>` that needs the phases `needs`."""
    values: Json = {"agents": (COMMAND,), "needs": tuple(Need(phase=n) for n in needs), **fields}
    return PhasePlan(id=f"p{index}", name=f"Phase {index}", index=index, **values)


def plan_of(*phases: PhasePlan, execution: Execution | None = None, **fields: Any) -> Plan:
    """A plan of `phases`."""
    return Plan(id="plan", name="Plan", phases=phases, execution=execution or Execution(), **fields)


def reported(task: Json, *, passed: bool) -> Json:
    """What the worker says of the commands of a gate: all of them passed, or the first one failed."""
    results = []
    for number, check in enumerate(task["agent"]["config"]["checks"]):
        good = passed or number > 0
        result = {"name": check["name"], "gate": check["gate"], "status": "passed" if good else "failed"}
        results.append(result if good else {**result, "message": "exit code 1"})
    return {"results": results, "tree": "sha256:tree"}


def merge(task: Json) -> Json:
    """What the worker makes of the writes that it is to merge."""
    sides = task["context"].items()
    made = {key: merged(side.get("base", ABSENT), side["theirs"], side["mine"]) for key, side in sides}
    return {
        "merged": {key: {"value": one.value} for key, one in made.items() if not one.conflicts},
        "conflicts": {key: "both changed it" for key, one in made.items() if one.conflicts},
        "theirs": task["theirs"],
    }


class World:
    """Carries out effects, and checks after each step what must always hold."""

    def __init__(self, plan: Plan, *, engine: Engine | None = None) -> None:
        self.plan = plan
        self.now = 1_000_000.0
        self.running: dict[Key, RunAgent] = {}
        self.cancelled: set[Key] = set()
        self.wake_at: float | None = None
        self.finished: str | None = None
        self.counting = False
        self.started: list[str] = []
        self.told: list[Json] = []
        self.lost: dict[Key, RunAgent] = {}
        self.verdict: Callable[[World], Json] = lambda _world: {"verdict": "APPROVE"}
        self.slow_reviewers = False
        if engine is None:
            engine = Engine(plan)
            engine.start(self.now, inputs={}, env={}, run={"id": "wf_test00"})
        self.engine = engine
        self.engine.patience = 6.0
        self.perform(engine.flush())

    def perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case RunAgent(phase=index, epoch=epoch, position=position):
                    assert (index, epoch, position) not in self.running
                    self.running[index, epoch, position] = effect
                    self.started.append(self.engine.state.plans[index].id if index >= 0 else f"review {epoch}")
                case CancelAgents(phase=index, epoch=epoch):
                    self.cancelled |= {k for k in self.running if k[:2] == (index, epoch)}
                case AbandonAgents(phase=index, epoch=epoch):
                    for key in [k for k in self.running if k[:2] == (index, epoch)]:
                        self.lost[key] = self.running.pop(key)
                        self.cancelled.discard(key)
                case WakeAt(due=due):
                    self.wake_at = due
                case CountWorkers():
                    self.counting = True
                case Deliver(messages=messages):
                    self.told += messages
                case Finish(status=status):
                    assert self.finished is None
                    self.finished = status
        self.check()

    def check(self) -> None:
        state = self.engine.state
        busy = {key[0] for key in self.running}
        assert state.max_workers == 0 or len(busy) <= state.max_workers
        assert not busy or state.max_workers, "agents run before the workers are counted"
        for number, group in enumerate(self.plan.step_groups):
            limit = group.max_workers or len(group.phases)
            members = [i for i in self.working() if number in state.plans[i].limits]
            assert len(members) <= limit
        if not self.plan.execution.parallel:
            assert len(self.working()) <= 1
        for index in state.running:
            current = state.phases[index]
            circuit = current.circuit
            closed = circuit is None or circuit.opened_at is None or circuit.probing
            assert closed or current.gate is not None, "started with an open circuit"
            if current.status == "running" and not current.jumped_to:
                for need in current.plan.needs:
                    if need.kind == "data":
                        assert state.phases[need.phase].settled
                        assert current.plan.always or state.phases[need.phase].satisfied
            late = current.deadline_at is not None and current.deadline_at <= self.now
            assert not late or current.cancelling is not None
        assert [f.n for f in self.engine.ledger] == list(range(1, len(self.engine.ledger) + 1))
        counted: dict[str, int] = dict.fromkeys(state.counts, 0)
        for current in state.planned:
            counted[current.status] += 1
        assert counted == state.counts
        assert state.restoring is None or state.running or state.reviews.open
        for index, expansion in state.expansions.items():
            self.check_items(index, expansion)
        self.check_reviews()
        if self.finished:
            assert not self.running
            assert state.ended

    def check_reviews(self) -> None:
        """Reviewers at work are those of open consultations, and at a gate each of them has one voice."""
        state = self.engine.state
        at_work = {key for key in self.running if key[0] < 0}
        called = {(seat(d), c.number, p) for d, c in state.reviews.open.items() for p in c.active}
        assert at_work <= called
        assert called == at_work or any(self.engine.ready.waits_for_slot(key[0]) for key in called - at_work)
        for index in state.running:
            gate = state.phases[index].gate
            if gate is not None and gate.plan.review is not None:
                said = [review["reviewer"] for review in gate.reviews]
                assert len(said) == len(set(said))
                assert gate.status != "waiting" or len(said) == len(gate.plan.review.reviewers)

    def working(self) -> list[int]:
        """The phases that agents, people or checks work on; one that only waits at a gate takes nobody's time."""
        state = self.engine.state
        busy = {key[0] for key in self.running}
        return [i for i in state.running - state.expanding if i in busy or state.phases[i].gate is None]

    def check_items(self, index: int, expansion: Expansion) -> None:
        state = self.engine.state
        items = [state.phases[i] for i in expansion.phases]
        counted: dict[str, int] = dict.fromkeys(expansion.counts, 0)
        for item in items:
            counted[item.status] += 1
        assert counted == expansion.counts
        parent = state.phases[index]
        at_work = parent.status == "running" and parent.gate is None
        assert (index in state.expanding) == at_work
        assert at_work == any(not item.settled for item in items)
        at_once = sum(item.status == "running" for item in items)
        assert parent.plan.max_parallel is None or at_once <= parent.plan.max_parallel
        if parent.status == "completed" and "items" in parent.outputs:
            assert all(item.satisfied for item in items)
            assert len(parent.outputs["items"]) == len(items)

    def feed(self, event: Event) -> None:
        self.perform(self.engine.handle(event, self.now))

    def end_agent(
        self, key: Key, *, error: Json | None = None, outputs: Json | None = None, context: Json | None = None
    ) -> None:
        """The agent ends: cancelled if that was asked, else with `error` or `outputs` and what it writes."""
        effect = self.running.pop(key)
        where = {"phase": effect.phase, "epoch": effect.epoch, "position": effect.position}
        if key in self.cancelled:
            self.cancelled.discard(key)
            self.feed(AgentCancelled(**where))
        elif effect.uses == GATE and (error is None or error["code"] == "exit_code"):
            self.feed(AgentFinished(**where, result={"gate": reported(effect.task, passed=error is None)}))
        elif error is not None:
            self.feed(AgentFailed(**where, error=error))
        elif effect.uses == MERGE:
            self.feed(AgentFinished(**where, result={"context": merge(effect.task)}))
        else:
            answer = self.verdict(self) if effect.phase < 0 and outputs is None else outputs or {}
            written: Json = {} if context is None or effect.phase < 0 else {"context": plain(context)}
            self.feed(AgentFinished(**where, result={"outputs": answer, "exit_code": 0, **written}))

    def finish(self, index: int, **outputs: Any) -> None:
        """The (first) running agent of a phase finishes."""
        self.end_agent(min(k for k in self.running if k[0] == index), outputs=outputs)

    def write(self, index: int, **context: Any) -> None:
        """The (first) running agent of a phase finishes with writes to the shared context."""
        self.end_agent(min(k for k in self.running if k[0] == index), context=context)

    def fail(self, index: int, code: str = "exit_code") -> None:
        """The (first) running agent of a phase fails."""
        key = min(k for k in self.running if k[0] == index)
        self.end_agent(key, error={"code": code, "message": "exit code 1"})

    def operate(self, name: str, /, **payload: Any) -> Json:
        """Send an operator's message; raises `RefusedError`, after which nothing may have changed."""
        before = len(self.engine.ledger)
        try:
            answer = operations.act(self.engine, name, payload, self.now)
        except RefusedError:
            assert len(self.engine.ledger) == before
            assert not self.engine.flush()
            raise
        self.perform(self.engine.flush())
        return answer

    def tick(self, seconds: float) -> None:
        """Time passes; a timer that is due fires."""
        self.now += seconds
        if self.wake_at is not None and self.wake_at <= self.now:
            self.wake_at = None
            self.feed(TimerFired())

    def statuses(self) -> list[str]:
        return [p.status for p in self.engine.state.phases]

    def drive_to_end(self) -> str:
        """Let everybody do their part until the run has ended; fails if it gets stuck."""
        for _ in range(40 * len(self.plan.phases) + 500):  # items have reviewers and rounds too
            if self.finished:
                return self.finished
            self._one_step()
        raise AssertionError(f"stuck: {self.statuses()} {self.engine.state.status}")

    def _one_step(self) -> None:
        state = self.engine.state
        if self.counting:
            self.counting = False
            self.feed(WorkersCounted(count=2))
        elif self.running:
            self.end_agent(max(self.running) if self.slow_reviewers else min(self.running))
        elif state.pause is not None and (state.pause["code"] == "operator" or not state.held):
            self.operate("resume")
        elif undecided := sorted(state.paused_phases | state.held):
            possible = available(state.phases[undecided[0]])
            # What cannot say where control goes next says so again each time.
            lost = (state.phases[undecided[0]].error or {}).get("code") == "expression"
            ways = ("cancel",) if lost else ("skip", "skip_gate", "cancel")
            action = next(action for action in ways if action in possible)
            self.operate("intervene", phase=undecided[0], action=action, reason="not needed")
        elif waiting := sorted(state.at_gates):
            gate = state.phases[waiting[0]].gate
            assert gate is not None
            voter = f"voter {gate.approvals}"
            who = next((name for name in gate.people if name not in gate.votes), voter)
            where = {"gate": gate.plan.id, "phase": waiting[0], "evidence": gate.evidence}
            self.operate("decide_gate", **where, decision="approve", actor=who)
        elif manual := [i for i in sorted(state.running) if state.phases[i].persons]:
            self.operate("complete_phase", phase=manual[0])
        elif self.wake_at is not None:
            self.tick(self.wake_at - self.now)
        elif state.missing_signals and not state.counts["pending"]:
            self.operate("report_signal", signal=state.missing_signals[0])
        else:
            raise AssertionError(f"nothing can be done: {self.statuses()} {state.status}")


def full_stack() -> Plan:
    """Design; Backend and Frontend in parallel; Integration; Review: all done by people."""
    phases = (
        phase(0, agents=(PERSON,)),
        phase(1, 0, agents=(PERSON,), group=0),
        phase(2, 0, agents=(PERSON,), group=0),
        phase(3, agents=(PERSON,), after_group=0),
        phase(4, 3, agents=(PERSON,)),
    )
    return plan_of(*phases)
