"""Consultations: the gates that are put before the same reviewers, or the same people, at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.gates.plans import ReviewPlan
from engine.gates.records import Gate

if TYPE_CHECKING:
    from engine.facts import Fact
    from engine.phase_state import PhaseState
    from engine.state import State

Json = dict[str, Any]

HISTORY = 30
"""Comments of reviewers that a phase keeps."""


class Member(NamedTuple):
    """A gate in a consultation: it counts only while its phase stands at it in this epoch and round."""

    phase: int
    gate: int
    epoch: int
    round: int


@dataclass(slots=True)
class Consultation:
    """Reviewers at work on some gates, in plan order; `active` are the positions of those who have not answered."""

    number: int
    members: tuple[Member, ...]
    review: ReviewPlan
    active: set[int]
    stopping: bool = False


@dataclass(slots=True)
class Reviews:
    """What is put before whom. A *desk* is where gates wait that ask the same reviewers the same.

    `queued` are phases by desk, `open` the one consultation that a desk may have. `people` has the batch that gates
    join which ask the same people: the latest about which nobody has decided anything.
    """

    desks: dict[tuple[object, ...], int] = field(default_factory=dict)
    queued: dict[int, set[int]] = field(default_factory=dict)
    open: dict[int, Consultation] = field(default_factory=dict)
    people: dict[tuple[str, ...], int] = field(default_factory=dict)
    count: int = 0

    def forget(self) -> None:
        """Nobody waits at a desk or is at work there any more; only numbers are never given twice."""
        self.queued, self.open, self.people = {}, {}, {}

    def desk(self, review: ReviewPlan) -> int:
        """The number of the desk, from 1 on; facts alone ask for a new one, so that their fold gives the same."""
        return self.desks.setdefault(_asked(review), len(self.desks) + 1)

    def known(self, review: ReviewPlan) -> int | None:
        """The number of the desk where a gate has waited already."""
        return self.desks.get(_asked(review))

    def queue(self, phase: int, gate: Gate) -> None:
        """A phase waits for the reviewers of its gate."""
        assert gate.plan.review is not None
        self.queued.setdefault(self.desk(gate.plan.review), set()).add(phase)

    def gather(self, gate: Gate) -> None:
        """Put a gate that begins to wait for people to the others that ask the same ones."""
        if gate.people not in self.people:
            self.count += 1
            self.people[gate.people] = self.count
        gate.batch = self.people[gate.people]

    def close(self, gate: Gate) -> None:
        """Something was decided about a gate: what comes from now on forms the next batch."""
        approval = gate.plan.approval
        if approval is not None and gate.batch is not None and self.people.get(approval.people) == gate.batch:
            del self.people[approval.people]


def _asked(review: ReviewPlan) -> tuple[object, ...]:
    """What is the same for gates that ask the same reviewers the same."""
    return tuple(agent.role for agent in review.reviewers), review.prompt, review.timeout


def seat(desk: int) -> int:
    """What stands for a desk's reviewers where phases have their index: a negative number."""
    return -1 - desk


def name_of(number: int) -> str:
    """A consultation as people name it: `c1`."""
    return f"c{number}"


def standing(state: State, member: Member) -> tuple[PhaseState, Gate] | None:
    """The phase and its gate, while the gate is still reviewed as it was when the consultation began."""
    phase = state.phases[member.phase]
    gate = phase.gate
    if gate is None or phase.status != "running" or phase.epoch != member.epoch or phase.at_gate != member.gate:
        return None
    return (phase, gate) if gate.status == "reviewing" and gate.round == member.round else None


def opened(state: State, fact: Fact) -> None:
    """The gates leave the queue of their desk."""
    data, reviews = fact.data, state.reviews
    reviews.count = data["number"]
    members = tuple(Member(*(told[name] for name in Member._fields)) for told in data["gates"])
    review = state.phases[members[0].phase].plan.gates[members[0].gate].review
    assert review is not None
    reviews.open[data["desk"]] = Consultation(
        number=data["number"], members=members, review=review, active=set(range(len(review.reviewers)))
    )
    for member in members:
        state.phases[member.phase].gates[member.gate].batch = data["number"]
    left = {i for i in reviews.queued.pop(data["desk"]) if (gate := state.phases[i].gate) and _waits(gate)}
    if left:
        reviews.queued[data["desk"]] = left


def _waits(gate: Gate) -> bool:
    return gate.status == "reviewing" and gate.batch is None


def queued(state: State, desk: int) -> list[PhaseState]:
    """The phases that wait for the desk's reviewers now, in plan order."""
    phases = (state.phases[index] for index in sorted(state.reviews.queued.get(desk, ())))
    return [phase for phase in phases if phase.status == "running" and phase.gate is not None and _waits(phase.gate)]


def answered(state: State, fact: Fact) -> None:
    """Keep what a reviewer said of each gate that it still counts for; with the last answer the desk is free."""
    data = fact.data
    consultation = state.reviews.open[data["desk"]]
    consultation.active.difference_update(data["positions"])
    for told in data.get("verdicts", ()):
        found = standing(state, Member(*(told[name] for name in Member._fields)))
        if found is None:
            continue
        phase, gate = found
        said = {key: told[key] for key in ("verdict", "comment", "error") if key in told}
        gate.reviews.append({"reviewer": data["reviewer"], **said, "at": fact.at})
        order = [agent.role for agent in consultation.review.reviewers]
        gate.reviews.sort(key=lambda review: order.index(review["reviewer"]))
        if "verdict" in said:
            where = {"gate": gate.plan.id, "epoch": phase.epoch, "round": gate.round, "reviewer": data["reviewer"]}
            phase.review_history = [*phase.review_history, {**where, **said}][-HISTORY:]
    if not consultation.active:
        del state.reviews.open[data["desk"]]
