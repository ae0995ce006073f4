"""Whether control is about to go elsewhere than on: by a jump, a restore, or because the run is being stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.state import State

BY_JUMP = "jump"
"""What a phase is cancelled for when control goes to it, or to one before it."""

BY_RESTORE = "restore"
"""What a phase is cancelled for when the run goes back to a checkpoint."""


def diverting(state: State) -> tuple[str, ...]:
    """For what nothing starts now: what runs is being cancelled, and waits, cancelled, for what comes then."""
    if state.restoring is not None:
        return (BY_RESTORE,) if state.jump is None else (BY_JUMP, BY_RESTORE)
    return () if state.jump is None else (BY_JUMP,)


def unwinding(state: State) -> bool:
    """Whether no outcome of a phase decides any more what the run does: it is being stopped, or goes back."""
    return state.stopping is not None or state.restoring is not None
