"""Which positions of a run's ledger are its checkpoints: after each completed phase, and where somebody made one.

None of them is a thing of its own: an automatic one is the settlement of a phase, so it costs no fact and no event.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from engine.facts import Fact
    from engine.phase_state import PhaseState
    from engine.plan import PhasePlan, Plan
    from engine.state import State

CREATED: Final = "checkpoint_created"


def passed_over(state: State, phase: PhaseState) -> bool:
    """Whether the settlement that is about to complete a phase is no checkpoint.

    The run is on its way to an end, or the phase's group counts as one and others of it have not settled.
    """
    plan = phase.plan
    if state.stopping is not None:
        return plan.item is None
    return plan.checkpoint == "group" and plan.group is not None and state.needs.open_in(plan.group) > 1


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

    def made(self, fact: Fact) -> None:
        """Somebody has made a checkpoint."""
        self.positions.append(fact.n)

    def completed(self, plan: Plan, phase: PhasePlan, fact: Fact) -> None:
        """A phase has completed, which may be a checkpoint."""
        if not is_checkpoint(phase, fact):
            return
        self.positions.append(fact.n)
        if (keep := phase.keep_checkpoints) is not None:
            own = self._of_phase.setdefault(phase.index, [])
            own.append(fact.n)
            if len(own) > keep:
                self._drop(own.pop(0))
        if (keep := plan.keep_checkpoints) is not None:
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
