"""Which positions of a run's ledger are its checkpoints: after each completed phase, and where somebody made one.

None of them is a thing of its own: an automatic one is the settlement of a phase, so it costs no fact and no event.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from engine.facts import Fact
    from engine.phase_state import PhaseState
    from engine.plan import PhasePlan
    from engine.state import State

Json = dict[str, Any]

CREATED: Final = "checkpoint_created"


def passed_over(state: State, phase: PhaseState, status: str) -> Json:
    """What a settlement says that is no checkpoint although it completes a phase.

    The run is on its way to an end, or the phase's group counts as one and others of it have not settled.
    """
    if status != "completed" or phase.plan.item is not None:
        return {}
    group = phase.plan.group
    alone = phase.plan.checkpoint != "group" or group is None or state.needs.open_in(group) == 1
    return {} if alone and state.stopping is None else {"checkpoint": False}


def is_checkpoint(phase: PhasePlan, fact: Fact) -> bool:
    """Whether the settlement of this phase is a checkpoint."""
    if phase.item is not None or phase.checkpoint == "never":
        return False
    return fact.data["status"] == "completed" and bool(fact.data.get("checkpoint", True))


class Saved:
    """The positions of a run's checkpoints in order. Of automatic ones the oldest go where only so many are kept."""

    def __init__(self) -> None:
        self.positions: list[int] = []
        self._automatic: list[int] = []
        self._of_phase: dict[int, list[int]] = {}

    def take_in(self, state: State, fact: Fact) -> None:
        """A fact has been applied; it may be a checkpoint."""
        if fact.kind == CREATED:
            self.positions.append(fact.n)
        elif fact.kind == "phase_settled" and is_checkpoint(phase := state.phase_of(fact).plan, fact):
            self.positions.append(fact.n)
            if (keep := phase.keep_checkpoints) is not None:
                own = self._of_phase.setdefault(phase.index, [])
                own.append(fact.n)
                if len(own) > keep:
                    self._drop(own.pop(0))
            if (keep := state.plan.keep_checkpoints) is not None:
                self._automatic.append(fact.n)
                while len(self._automatic) > keep:
                    self._drop(self._automatic.pop(0))

    def _drop(self, position: int) -> None:
        place = bisect_left(self.positions, position)
        if place < len(self.positions) and self.positions[place] == position:
            del self.positions[place]

    def __contains__(self, position: int) -> bool:
        """Whether there is a checkpoint at this position."""
        place = bisect_left(self.positions, position)
        return place < len(self.positions) and self.positions[place] == position
