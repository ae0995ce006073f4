"""The state of a run: the fold of its facts, and nothing else.

`State.apply` is the only place where it changes. Counters (open needs, statuses, group members) are kept as facts
arrive, so that no question asked per event costs more than what the event touches.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from engine import about_run, breaker_step, restored, rewinding
from engine.agents import MANUAL
from engine.context import folding as sharing
from engine.context.records import SharedContext
from engine.expansion import Expansion, PhasePlans
from engine.facts import Fact
from engine.failing import classified
from engine.gates import folding
from engine.gates.consultations import Reviews
from engine.gates.records import Gate
from engine.moments import next_after
from engine.needs import Needs
from engine.phase_state import PhaseState
from engine.plan import Plan
from engine.saved import Saved
from engine.statuses import ENDED, SHOWN, PhaseStatus, RunStatus, check_phase, check_run

Json = dict[str, Any]


class State:
    """A run as its facts tell it. `stopping` is set once a run is on its way to end as failed or cancelled.

    `phases` are those of the plan, and after them the items of those that run once per item, as they come up;
    `counts` is about the plan's phases alone. `expansions` tells of the items by the index of their phase, and
    `expanding` are the running phases that only wait for theirs.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.facts: list[Fact] = []
        """All facts that have been applied: a restore folds the first ones of them again."""
        self.saved = Saved()
        self.restoring: Json | None = None
        """A restore that waits until nothing runs any more: `{to, checkpoint, until}`, and `at` and `by`."""
        self.item_epochs: dict[tuple[int, int], int] = {}
        """The least epochs of items, by phase and number, that a restore has taken back."""
        self.plans = PhasePlans(plan)
        self.phases = [PhaseState(plan=phase) for phase in plan.phases]
        self.expansions: dict[int, Expansion] = {}
        self.expanding: set[int] = set()
        self.status: RunStatus = "pending"
        self.inputs: Json = {}
        self.env: dict[str, str] = {}
        self.run: Json = {}
        self.max_workers = plan.execution.max_workers
        self.counts: dict[PhaseStatus, int] = dict.fromkeys(SHOWN, 0)
        self.counts["pending"] = len(plan.phases)
        self.held: set[int] = set()
        self.running: set[int] = set()
        self.paused_phases: set[int] = set()
        self.pause: Json | None = None
        self.stopping: RunStatus | None = None
        self.signals: dict[str, Json] = {}
        self.started_at: float | None = None
        self.ended_at: float | None = None
        self.roles_awaited: Counter[str] = Counter()
        self.at_gates: set[int] = set()
        """Phases whose gate waits for people."""
        self.digests: dict[int, str] = {}
        """Of settled phases: what `engine.gates.evidence` makes of their outputs and of those before them."""
        self.jump: Json | None = None
        """A jump that waits until nothing runs any more of what it starts anew."""
        self.rounds: dict[tuple[int, int], int] = {}
        """How often control has gone each way of a phase's `next`."""
        self.returning: dict[int, int] = {}
        """Phases to which control returns, and after which phase that was jumped to."""
        self.waivers: dict[tuple[str, str], Json] = {}
        """What need not hold, by gate and check (an empty check: the whole gate): `{reason, by, at, expires}`."""
        self.signed: dict[str, str] = {}
        """Signed messages that have counted: the digest of each, by its request's id."""
        self.reviews = Reviews()
        self.context = SharedContext(plan)
        self.needs = Needs(self.phases)
        self.group_of = self.needs.group_of
        self.newly_open: deque[int] = deque()
        self.index_of = {phase.id: phase.index for phase in plan.phases}
        self.newly_open.extend(p.plan.index for p in self.phases if not p.open_needs)
        self._appliers = self._by_kind()

    def _by_kind(self) -> dict[str, Callable[[Fact], None]]:
        """What each kind of fact changes."""
        return {
            "run_started": partial(about_run.started, self),
            "workers_counted": self._workers_counted,
            "phase_started": self._phase_started,
            "phase_expanded": self._phase_expanded,
            "turn_started": self._turn_started,
            "agent_settled": self._agent_settled,
            "phase_paused": self._phase_paused,
            "phase_reminded": self._phase_reminded,
            "phase_cancelling": self._phase_cancelling,
            "phase_settled": self._phase_settled,
            "intervened": partial(rewinding.intervened, self),
            "context_written": partial(sharing.written, self),
            "context_conflicted": partial(sharing.conflicted, self),
            "context_merging": partial(sharing.merging, self),
            "context_dropped": partial(sharing.dropped, self),
            "gate_opened": partial(folding.opened, self),
            "gate_checked": partial(folding.checked, self),
            "gate_decided": partial(folding.decided, self),
            "gate_delegated": partial(folding.delegated, self),
            "gate_reminded": partial(folding.reminded, self),
            "gate_escalated": partial(folding.escalated, self),
            "gate_settled": partial(folding.settled, self),
            "gate_waived": partial(folding.waived, self),
            "gate_reviewed": partial(folding.reviewed, self),
            "consultation_opened": partial(folding.consultation_opened, self),
            "consultation_stopping": partial(folding.consultation_stopping, self),
            "review_settled": partial(folding.review_settled, self),
            "jump_begun": partial(rewinding.begun, self),
            "jumped": partial(rewinding.jumped, self),
            "group_cancelled": partial(about_run.group_cancelled, self),
            "signal_reported": partial(about_run.signal_reported, self),
            "run_paused": partial(about_run.paused, self),
            "run_resumed": partial(about_run.resumed, self),
            "run_stopping": partial(about_run.stopping, self),
            "message_signed": partial(about_run.message_signed, self),
            "checkpoint_created": self.saved.made,
            "restoring": partial(restored.restoring, self),
            "agent_abandoned": lambda _fact: None,
            "reviewers_abandoned": lambda _fact: None,
            "restored": partial(restored.restored, self),
            "run_seeded": partial(restored.seeded, self),
            "message_refused": lambda _fact: None,
            "notice_undelivered": lambda _fact: None,
            "run_settled": partial(about_run.settled, self),
        }

    def apply(self, fact: Fact) -> None:
        """Change the state by one fact; facts come in the order of their numbers."""
        self.facts.append(fact)
        self._appliers[fact.kind](fact)

    @property
    def ended(self) -> bool:
        """The run has ended, however."""
        return self.status in ENDED

    @property
    def planned(self) -> list[PhaseState]:
        """The phases of the plan, without items."""
        return self.phases[: len(self.plan.phases)]

    def place(self, index: int) -> tuple[int, int]:
        """Where a phase stands among the others: items stand behind their phase."""
        item = self.phases[index].plan.item
        return (index, -1) if item is None else (item.parent, item.number)

    def in_order(self, indexes: Iterable[int]) -> list[int]:
        """Phases by their places."""
        return sorted(indexes, key=self.place)

    @property
    def missing_signals(self) -> list[str]:
        """Completion signals that nobody has reported yet, in the definition's order."""
        return [signal for signal in self.plan.completion_signals if signal not in self.signals]

    @property
    def open_groups(self) -> list[int]:
        """Parallel groups with a member that is running, in plan order."""
        groups = {g for i in self.running if (g := self.phases[i].plan.group) is not None}
        return sorted(g for g in groups if len(self.group_of[g]) > 1)

    def unsettled_needs(self, phase: PhaseState) -> Iterable[int]:
        """Indexes of the phases that `phase` still waits for."""
        for need in phase.plan.needs:
            if need.kind == "data" and not self.phases[need.phase].settled:
                yield need.phase
        for index in self.group_of.get(phase.plan.after_group, ()) if phase.plan.after_group is not None else ():
            if not self.phases[index].settled:
                yield index
        if (after := self.returning.get(phase.plan.index)) is not None:
            yield after

    def set_status(self, phase: PhaseState, status: PhaseStatus) -> None:
        """Let a phase go from its status to another, if there is such a transition."""
        check_phase(phase.status, status)
        item = phase.plan.item
        counts = self.counts if item is None else self.expansions[item.parent].counts
        counts[phase.status] -= 1
        counts[status] += 1
        index = phase.plan.index
        if phase.status == "running":
            self.running.discard(index)
            self.expanding.discard(index)
        elif phase.status == "paused":
            self.paused_phases.discard(index)
        phase.status = status
        if status == "running":
            self.running.add(index)
            return
        phase.deadline_at = None
        if status == "paused":
            self.paused_phases.add(index)
        else:
            phase.remind_at = None

    def set_run(self, status: RunStatus) -> None:
        """Change the run's status, along the table of its transitions."""
        check_run(self.status, status)
        self.status = status

    def _workers_counted(self, fact: Fact) -> None:
        self.max_workers = fact.data["count"]

    def phase_of(self, fact: Fact) -> PhaseState:
        """The phase that a fact is about."""
        assert fact.phase is not None
        return self.phases[fact.phase]

    def _phase_started(self, fact: Fact) -> None:
        phase = self.phase_of(fact)
        self.set_status(phase, "running")
        breaker_step.follow(phase, fact)
        phase.started_at = fact.at
        phase.finished_at = None
        phase.error = None
        phase.outputs = {}
        phase.deadline_at = None if phase.plan.deadline is None else fact.at + phase.plan.deadline
        phase.remind_at = None if phase.plan.remind is None else fact.at + phase.plan.remind
        self.forget_gates(phase)
        sharing.forget(phase)
        if phase.plan.for_each is None:
            self._enter_turn(phase, 0, fact.at)

    def _phase_expanded(self, fact: Fact) -> None:
        parent = self.phase_of(fact)
        index = parent.plan.index
        values = fact.data["items"]
        before = self.expansions.get(index)
        expansion = Expansion(values=values, phases=(before.phases if before else [])[: len(values)])
        self.expansions[index] = expansion
        expansion.phases += [-1] * (len(values) - len(expansion.phases))
        for plan in self.plans.follow(fact):
            assert plan.item is not None
            number = plan.item.number
            old = expansion.phases[number]
            least = self.item_epochs.get((index, number), 0)
            epoch = least if old < 0 else max(least, self.phases[old].epoch + 1)
            self.phases.append(PhaseState(plan=plan, epoch=epoch, edits=parent.edits, feedback=parent.feedback))
            expansion.phases[number] = self.index_of[plan.id] = plan.index
            self.newly_open.append(plan.index)
        for item in expansion.phases:
            expansion.counts[self.phases[item].status] += 1
        self.expanding.add(index)

    def _turn_started(self, fact: Fact) -> None:
        self._enter_turn(self.phase_of(fact), fact.data["turn"], fact.at)

    def _enter_turn(self, phase: PhaseState, turn: int, at: float) -> None:
        phase.turn = turn
        phase.turn_at = at
        phase.base = self.context.version
        positions = phase.plan.turns[turn] if phase.plan.turns else ()
        persons = [p for p in positions if phase.plan.agents[p].uses == MANUAL]
        phase.active = set(positions).difference(persons)
        self.await_persons(phase, tuple(persons))

    def await_persons(self, phase: PhaseState, positions: tuple[int, ...]) -> None:
        """Let a phase wait for the people at these positions, and for nobody else."""
        if positions == phase.persons:
            return
        agents = phase.plan.agents
        for position in positions:
            self.roles_awaited[agents[position].role] += 1
        for position in phase.persons:
            role = agents[position].role
            self.roles_awaited[role] -= 1
            if not self.roles_awaited[role]:
                del self.roles_awaited[role]
        phase.persons = positions

    def _agent_settled(self, fact: Fact) -> None:
        phase = self.phase_of(fact)
        positions: list[int] = fact.data["positions"]
        phase.active.difference_update(positions)
        self.await_persons(phase, tuple(p for p in phase.persons if p not in positions))
        for position in positions:
            phase.agent_outputs[position] = fact.data.get("outputs", {})
        if fact.actor is not None:
            phase.actor = fact.actor
        if result := fact.data.get("result"):
            phase.results.append(result)
        phase.stale |= fact.data.get("stale", {})

    def _leave(self, phase: PhaseState, fact: Fact) -> None:
        phase.active = set()
        phase.merging = None
        self.at_gates.discard(phase.plan.index)
        self.await_persons(phase, ())
        phase.cancelling = None
        phase.finished_at = fact.at
        if result := fact.data.get("result"):
            phase.results.append(result)
        phase.results += fact.data.get("results", ())  # of the run that this one is a fork of
        if error := fact.data.get("error"):
            phase.error = error
            phase.troubled = True
            brief = classified({key: error[key] for key in ("code", "message", "class") if key in error})
            phase.failures = [*phase.failures, *(error.get("failures") or [brief])][-10:]
        breaker_step.follow(phase, fact)

    def _phase_paused(self, fact: Fact) -> None:
        phase = self.phase_of(fact)
        self._leave(phase, fact)
        self.set_status(phase, "paused")

    def _phase_reminded(self, fact: Fact) -> None:
        phase = self.phase_of(fact)
        assert phase.remind_at is not None
        assert phase.plan.remind is not None
        phase.remind_at = next_after(phase.remind_at, phase.plan.remind, fact.at)

    def _phase_cancelling(self, fact: Fact) -> None:
        phase = self.phase_of(fact)
        phase.cancelling = fact.data["then"]
        self.await_persons(phase, ())
        if error := fact.data.get("error"):
            phase.error = error

    def _phase_settled(self, fact: Fact) -> None:
        phase = self.phase_of(fact)
        self._leave(phase, fact)
        self.set_status(phase, fact.data["status"])
        phase.reason = fact.data.get("reason")
        phase.outputs = self._outputs_told(phase, fact)
        phase.stale |= fact.data.get("stale", {})
        phase.conflicts = {}
        self.digests.pop(phase.plan.index, None)
        phase.actor = fact.actor or phase.actor
        if phase.status == "completed":
            phase.error = None
            phase.recovered = phase.troubled or any(result.get("failures") for result in phase.results)
            phase.troubled = False
            self.saved.completed(self.plan, phase.plan, fact)
        phase.held = bool(fact.data.get("held"))
        if phase.held:
            self.held.add(phase.plan.index)
            return
        self.held.discard(phase.plan.index)
        self._release(phase)

    def _outputs_told(self, phase: PhaseState, fact: Fact) -> Json:
        """What the fact says; of a phase with items nothing is said twice: they have their own facts."""
        expansion = self.expansions.get(phase.plan.index)
        if expansion is None or phase.status != "completed" or "outputs" in fact.data:
            told: Json = fact.data.get("outputs", {})
            return told
        return self.outputs_of_items(phase)

    def outputs_of_items(self, phase: PhaseState) -> Json:
        """What the items of a phase have yielded, in their order; None for one that did not complete."""
        items = (self.phases[index] for index in self.expansions[phase.plan.index].phases)
        return {"items": [item.outputs if item.status == "completed" else None for item in items]}

    def _release(self, phase: PhaseState) -> None:
        if (item := phase.plan.item) is not None:
            if not phase.satisfied:
                self.expansions[item.parent].bad.append(item.number)
            return
        self.newly_open += self.needs.settled(phase)
        for waiting in [index for index, after in self.returning.items() if after == phase.plan.index]:
            del self.returning[waiting]
            if self.needs.met(waiting, bad=not phase.satisfied):
                self.newly_open.append(waiting)

    def forget_gates(self, phase: PhaseState) -> None:
        """Arm the gates of a phase anew."""
        self.at_gates.discard(phase.plan.index)
        phase.at_gate = None
        if phase.plan.gates:
            phase.gates = [Gate(plan=plan) for plan in phase.plan.gates]
