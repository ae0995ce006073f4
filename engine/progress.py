"""`report_progress`: what somebody at work on a phase says of it while it runs."""

from __future__ import annotations

import json
from typing import Any

from engine.engine import Engine
from engine.errors import RefusedError
from engine.lookup import find_phase
from engine.phase_state import PhaseState
from engine.reports import ANYBODY
from engine.requests import Request, read

Json = dict[str, Any]

PROGRESS_LIMIT = 16 * 1024
"""Bytes of JSON of one report; each is an event in Temporal's history."""

FIELDS: dict[str, tuple[type, ...]] = {
    "phase": (int, str),
    "epoch": (int,),
    "agent": (int, str),
    "progress": (str, int, float, bool, dict, list),
}
REQUIRED = ("phase", "progress")


def check_progress(engine: Engine, request: Request) -> None:
    """Refuse what is too large, about a phase that does not run, or from an agent that the phase does not have."""
    phase = find_phase(engine.state, request.fields["phase"])
    if phase.status != "running":
        raise RefusedError(f"{phase.plan.name} is {phase.status}, not running")
    _position(phase, request.fields.get("agent"))
    _check_size(request.fields["progress"])


def act_progress(engine: Engine, request: Request, at: float) -> Json:
    """Keep the report as the agent's last."""
    phase = find_phase(engine.state, request.fields["phase"])
    report = {"at": at, "progress": request.fields["progress"], "by": request.actor}
    engine.reports.put(phase.plan.index, _position(phase, request.fields.get("agent")), report)
    return {"success": True}


def check_value(progress: object) -> None:
    """Raise `RefusedError` where no run would take `progress` as a report; for those who have to send it unanswered."""
    read({"phase": 0, "progress": progress}, FIELDS, REQUIRED)
    _check_size(progress)


def _check_size(progress: object) -> None:
    if len(json.dumps(progress)) > PROGRESS_LIMIT:
        raise RefusedError(
            f"'progress' is larger than {PROGRESS_LIMIT // 1024} KiB",
            hint="report the name of a file that has the rest",
        )


def _position(phase: PhaseState, agent: int | str | None) -> int:
    """Whose report it is, by position or by role; where the phase has one agent, it is that one's."""
    roles = [each.role for each in phase.plan.agents]
    if agent is None:
        return 0 if len(roles) == 1 else ANYBODY
    if isinstance(agent, int) and 0 <= agent < len(roles):
        return agent
    if agent in roles:
        return roles.index(str(agent))
    raise RefusedError(f"{phase.plan.name} has no agent {agent!r}", hint=f"agents: {', '.join(roles[:20])}")
