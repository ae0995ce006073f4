"""The message `restore`: to a checkpoint, to the start of a phase, to the beginning."""

from __future__ import annotations

from typing import Any

from engine import restoring
from engine.answers import started_since
from engine.checkpoints import find, start_of
from engine.engine import Engine
from engine.errors import RefusedError
from engine.requests import Request

Json = dict[str, Any]


def check_restore(engine: Engine, request: Request) -> None:
    """Refuse what is no place to go back to, agents, and all while the run is being cancelled."""
    if engine.state.stopping == "cancelled":
        raise RefusedError("the run is being cancelled")
    if request.by_agent:
        raise RefusedError(f"{request.actor}: what an agent runs takes no run back")
    place(engine, request)


def refuse_while_restoring(engine: Engine, name: str) -> None:
    """Refuse every message but `cancel` while agents of what is being left are still ending."""
    restore = engine.state.restoring
    if restore is not None and name != "cancel":
        raise RefusedError(
            f"the run is going back to {restore['checkpoint']!r}; until its agents have ended it takes only 'cancel'",
            hint="look on with: phaseloom workflow watch",
        )


def place(engine: Engine, request: Request) -> tuple[int, str]:
    """The position that a restore goes back to, and its name; refuses what is no place to go back to."""
    fields = request.fields
    if ("checkpoint" in fields) == ("phase" in fields):
        raise RefusedError(
            "say where to go back to: a 'checkpoint', or the 'phase' before whose start",
            hint="phaseloom workflow checkpoints list",
        )
    if "phase" in fields:
        return start_of(engine.state, fields["phase"])
    return find(engine.state, fields["checkpoint"])


def act_restore(engine: Engine, request: Request, at: float) -> Json:
    """Cancel what runs, and once that has ended be where the run was then. The answer comes before that.

    `stopping`: how many phases' agents are awaited; 0: it has been carried out.
    """
    position, name = place(engine, request)
    before = len(engine.ledger)
    restoring.begin(engine, position, name, at, actor=request.actor, note=request.note)
    engine.advance(at)
    waits = engine.state.restoring is not None
    return {
        "success": True,
        "checkpoint": name,
        "number": position,
        "stopping": len(engine.state.running - engine.state.expanding) if waits else 0,
        "started": [] if waits else started_since(engine, before),
    }
