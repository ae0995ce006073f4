"""The lengths of time in a run's ledger: who worked from when to when, who was waited for, and what came of it.

A projection of the facts: the same facts yield the same spells, of an open run and of one that has ended.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from engine.facts import Fact
from engine.phase_state import PhaseState
from engine.plan import Plan
from engine.state import State

Json = dict[str, Any]

Kind = Literal["running", "agent", "checks", "review", "person", "gate", "decision", "items", "queue"]
"""`running` is the phase itself; the others say what it does meanwhile, or what it waits for."""

WORK: tuple[Kind, ...] = ("agent", "checks", "review")
"""What takes a worker slot; reviewers take one together, however many gates they look at."""

PEOPLE: tuple[Kind, ...] = ("person", "gate", "decision")
"""What waits for somebody: a phase that a person works on, an approval, a decision about a failure."""


ABOUT_THE_RUN = frozenset(
    {
        "run_started", "workers_counted", "run_paused", "run_resumed", "run_stopping", "group_cancelled",
        "signal_reported", "message_refused", "message_signed", "notice_undelivered", "checkpoint_created", "restoring",
        "consultation_stopping", "review_settled",
    }
)  # fmt: skip
"""Facts that change no phase by themselves: others tell of each phase that follows them."""


@dataclass(slots=True, kw_only=True)
class Spell:
    """One length of time of one phase in one epoch, in seconds since 1970; `end` is None while it goes on.

    `who` is a role, or the name of a gate. `outcome` says in a word what ended it, `told` what an agent's end has
    told: its result without the outputs, or its error.
    """

    phase: int
    epoch: int
    kind: Kind
    who: str
    start: float
    end: float | None = None
    outcome: str = ""
    told: Json | None = None

    def seconds(self, at: float) -> float:
        """How long it has lasted at the moment `at`."""
        return max(0.0, (at if self.end is None else self.end) - self.start)


Place = tuple[Kind, int]


class Spells:
    """Takes facts in order. `done` are the spells that ended, in the order of their ends; `paused` the run's pauses.

    A phase begins to wait in the `queue` when everything that it needs has settled. From the second turn on an agent's
    spell, and that of a gate's checks, begins when its work could: the ledger does not tell a wait for a slot there.
    """

    def __init__(self, plan: Plan) -> None:
        self.state = State(plan)
        self.done: list[Spell] = []
        self.paused: list[tuple[float, float | None]] = []
        self._open: dict[int, dict[Place, Spell]] = {}
        self._ready: set[int] = set()

    @classmethod
    def of(cls, plan: Plan, facts: Iterable[Fact]) -> Spells:
        """The spells of these facts."""
        spells = cls(plan)
        for fact in facts:
            spells.take(fact)
        return spells

    def all(self) -> list[Spell]:
        """Every spell, also those that go on, in the order of their beginnings."""
        going_on = (spell for places in self._open.values() for spell in places.values())
        return sorted([*self.done, *going_on], key=lambda each: (each.start, each.phase))

    def going_on(self, index: int) -> list[Spell]:
        """The spells of one phase that have not ended."""
        return list(self._open.get(index, {}).values())

    def take(self, fact: Fact) -> set[int]:
        """Take in the next fact; the indexes of the phases that it may have changed."""
        state = self.state
        state.apply(fact)
        if fact.kind == "run_seeded":  # what was before is of another run
            self.done, self.paused, self._open = [], [], {}
        touched: set[int] = set() if fact.phase is None else {fact.phase}
        if fact.kind == "jumped":
            touched.update(fact.data["reset"])
            self._ready.difference_update(fact.data["reset"])
        elif fact.phase is None and fact.kind not in ABOUT_THE_RUN:
            touched.update(range(len(state.phases)))
        while state.newly_open:
            index = state.newly_open.popleft()
            self._ready.add(index)
            touched.add(index)
        for index in sorted(touched):
            self._follow(state.phases[index], fact)
        self._follow_pause(fact.at)
        return touched

    def _follow_pause(self, at: float) -> None:
        is_paused = bool(self.paused) and self.paused[-1][1] is None
        if self.state.pause is not None and not is_paused:
            self.paused.append((at, None))
        elif self.state.pause is None and is_paused:
            self.paused[-1] = (self.paused[-1][0], at)

    def _follow(self, phase: PhaseState, fact: Fact) -> None:
        index = phase.plan.index
        wanted = {} if self.state.ended else self._wanted(phase)
        going_on = self._open.get(index, {})
        for place, spell in list(going_on.items()):
            if place not in wanted or spell.epoch != phase.epoch:
                del going_on[place]
                self._close(spell, fact)
        for place, who in wanted.items():
            if place not in going_on:
                new = Spell(phase=index, epoch=phase.epoch, kind=place[0], who=who, start=fact.at)
                self._open.setdefault(index, {})[place] = new
        if not self._open.get(index, True):
            del self._open[index]

    def _close(self, spell: Spell, fact: Fact) -> None:
        spell.end = fact.at
        if spell.kind == "queue" and spell.end <= spell.start:
            return  # it did not wait
        spell.outcome = _outcome(spell, fact)
        if spell.kind == "agent":
            spell.told = fact.data.get("result") or fact.data.get("error")
        self.done.append(spell)

    def _wanted(self, phase: PhaseState) -> dict[Place, str]:
        """What goes on in a phase now."""
        index, plan = phase.plan.index, phase.plan
        if phase.status == "pending":
            waits = index in self._ready and (phase.jumped_to or not phase.open_needs)
            return {("queue", 0): ""} if waits else {}
        self._ready.discard(index)
        if phase.status == "paused" or phase.held:
            return {("decision", 0): ""}
        if phase.status != "running":
            return {}
        found: dict[Place, str] = {("running", 0): ""}
        for position in sorted(phase.active):
            number = position - len(plan.agents)
            if number < len(plan.gates):  # what is behind is a merge of the shared context
                found["agent" if number < 0 else "checks", position] = (
                    plan.agents[position].role if number < 0 else plan.gates[number].id
                )
        found |= {("person", position): plan.agents[position].role for position in phase.persons}
        if phase.gate is not None and phase.gate.status == "waiting":
            found["gate", phase.at_gate or 0] = phase.gate.plan.id
        if phase.gate is not None and phase.gate.status == "reviewing":
            found["review", phase.at_gate or 0] = phase.gate.plan.id
        if index in self.state.expanding:
            found["items", 0] = ""
        return found


def _outcome(spell: Spell, fact: Fact) -> str:
    match fact.kind:
        case "agent_settled":
            return "failed" if "error" in fact.data else "cancelled" if fact.data.get("cancelled") else "completed"
        case "phase_settled" | "gate_settled" | "gate_checked":
            return str(fact.data["status"])
        case "phase_paused":
            return "failed"
        case "intervened":
            return str(fact.data["action"])
        case "phase_started" | "turn_started":
            return "started"
        case _:
            return "cancelled" if spell.kind == "agent" else fact.kind
