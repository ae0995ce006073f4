"""What the facts about the shared context change in the state of a run, called by `State.apply`.

`context_written`: `{version, position, agent, base, writes: {key: {hash, value}}, …}`. `context_conflicted`: the same
without a version, and `{kind, keys: {key: version}, tried?, invariants?}`: what is not in the context yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.context.records import Entry

if TYPE_CHECKING:
    from engine.facts import Fact
    from engine.phase_state import PhaseState
    from engine.state import State


def written(state: State, fact: Fact) -> None:
    """A new version."""
    phase = state.phase_of(fact)
    version = state.context.commit(fact.n)
    for key, write in fact.data["writes"].items():
        entry = Entry(
            version=version,
            fact=fact.n,
            at=fact.at,
            phase=phase.plan.index,
            epoch=phase.epoch,
            by=writer(fact),
            hash=write["hash"],
            value=write["value"],
        )
        state.context.write(key, entry)
    _merged(phase)
    phase.conflicts.pop(fact.data["position"], None)


def writer(fact: Fact) -> str:
    """Whose values a version has: the role's, or the person's; one who only chose among them is not their writer."""
    return str(fact.data.get("by") or fact.actor or fact.data["agent"])


def conflicted(state: State, fact: Fact) -> None:
    """What an agent has written waits: for a merge, or for somebody's decision."""
    phase = state.phase_of(fact)
    _merged(phase)
    # In the order in which they came up, also those that come up again.
    phase.conflicts.pop(fact.data["position"], None)
    phase.conflicts[fact.data["position"]] = {**fact.data, "by": writer(fact)}


def merging(state: State, fact: Fact) -> None:
    """What one agent has written is being merged with what the others have."""
    phase = state.phase_of(fact)
    phase.merging = fact.data["position"]
    phase.active = {merge_place(phase)}
    state.await_persons(phase, ())


def dropped(state: State, fact: Fact) -> None:
    """What an agent has written is in the context already, by a merge."""
    phase = state.phase_of(fact)
    _merged(phase)
    phase.conflicts.pop(fact.data["position"], None)


def merge_place(phase: PhaseState) -> int:
    """The position that merging has among a phase's activities: behind its agents and gates."""
    return len(phase.plan.agents) + len(phase.plan.gates)


def _merged(phase: PhaseState) -> None:
    if phase.merging is not None:
        phase.merging = None
        phase.active = set()


def forget(phase: PhaseState) -> None:
    """The phase begins anew: what it had written and what is not in the context is dropped."""
    phase.conflicts = {}
    phase.merging = None
    phase.stale = {}
