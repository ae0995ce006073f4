"""What the facts about restores change in the state of a run: one function per kind of fact, called by `State.apply`.

After `restored {to: k}` the state is the fold of the first k facts, but for epochs, which only ever grow, and for what
ran at k: that starts again. Facts between k and the restore stay in the ledger and count no more. The first k facts may
hold restores themselves; `engine.lineage` finds the facts that count, so that each is folded once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.context import folding as sharing
from engine.lineage import segments
from engine.phase_state import PhaseState

if TYPE_CHECKING:
    from engine.facts import Fact
    from engine.state import State

LASTING = frozenset({"facts", "saved", "run", "started_at", "signed", "_appliers"})
"""What a restore does not take back; a signature that was used once is used for good."""


def restoring(state: State, fact: Fact) -> None:
    """The run goes back as soon as nothing runs any more."""
    state.restoring = {**fact.data, "at": fact.at, "by": fact.actor}


def restored(state: State, fact: Fact) -> None:
    """The run is where it was at an earlier fact, and goes on from there."""
    to = fact.data["to"]
    before = type(state)(state.plan)
    _fold(before, state.facts[:to])
    _skip(before, state.facts[to : fact.n - 1])
    before.reviews.count = state.reviews.count
    vars(state).update({name: value for name, value in vars(before).items() if name not in LASTING})
    _begin_again(state, fact)


def seeded(state: State, fact: Fact) -> None:
    """Another run takes over where one was that has ended; all facts so far are that one's."""
    state.run = fact.data["run"]
    state.started_at = fact.at
    _begin_again(state, fact)


def _fold(state: State, facts: Sequence[Fact]) -> None:
    for start, end in segments(facts):
        if start:
            fact = facts[start - 1]
            _skip(state, facts[fact.data["to"] : start - 1])
            _begin_again(state, fact)
        for fact in facts[start:end]:
            state.apply(fact)


def _skip(state: State, facts: Sequence[Fact]) -> None:
    """Take in facts that count no more: the items that they made keep their indexes, so that nobody else gets them."""
    for fact in facts:
        state.phases += [PhaseState(plan=plan, status="cancelled") for plan in state.plans.follow(fact)]


def _begin_again(state: State, fact: Fact) -> None:
    state.restoring = None
    state.reviews.forget()
    if state.pause is not None and state.pause["code"] == "operator":
        state.pause = None
    for index, epoch in fact.data["epochs"].items():
        phase = state.phases[int(index)]
        phase.epoch = epoch
        if (item := phase.plan.item) is not None:
            key = (item.parent, item.number)
            state.item_epochs[key] = max(epoch, state.item_epochs.get(key, 0))
    for index in sorted(state.running | state.paused_phases):
        _count_anew(state.phases[index], fact.at)
    for index in sorted(state.running):
        phase = state.phases[index]
        if phase.cancelling is None and index not in state.expanding:
            if phase.gate is None:
                _start_again(state, phase)
            else:
                phase.active = set()  # its checks will be asked for anew


def _count_anew(phase: PhaseState, at: float) -> None:
    """The time that a phase has begins with the restore: nobody is late for what was undone."""
    if phase.deadline_at is not None and phase.plan.deadline is not None:
        phase.deadline_at = at + phase.plan.deadline
    if phase.remind_at is not None and phase.plan.remind is not None:
        phase.remind_at = at + phase.plan.remind


def _start_again(state: State, phase: PhaseState) -> None:
    """A phase that ran is pending again; only its items go on by themselves, and what stands at a gate stays there."""
    state.await_persons(phase, ())
    state.set_status(phase, "pending")
    state.forget_gates(phase)
    sharing.forget(phase)
    phase.active = set()
    phase.turn = 0
    phase.agent_outputs, phase.outputs, phase.results = {}, {}, []
    phase.actor = phase.started_at = phase.turn_at = None
    state.newly_open.append(phase.plan.index)
