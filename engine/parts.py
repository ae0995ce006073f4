"""The parts of a running phase: who has one, which are done, and what somebody at work is doing."""

from __future__ import annotations

from typing import Any, Literal

from engine.agents import MANUAL, AgentPlan
from engine.phase_state import PhaseState

Json = dict[str, Any]
Part = Literal["done", "open", "at work", "later"]

WORK_SHOWN = 60
SHOWN = 6
"""The most parts that are told of one phase."""

_NAMED_BY = {"aider": "", "python": "function", "http": "url", "activity": "activity", "workflow": "definition"}
"""The key of an executor's configuration that says best what it does."""


def parts(phase: PhaseState) -> list[Json]:
    """Who works on the phase, in order: `{who, state, does}`; `open` is a person's part, `does` is empty for people."""
    told = []
    turns = {position: number for number, turn in enumerate(phase.plan.turns) for position in turn}
    for position, agent in enumerate(phase.plan.agents[:SHOWN]):
        part: Json = {"who": _cut(agent.role), "state": _state(phase, position, turns.get(position, 0))}
        if does := doing(agent):
            part["does"] = does
        told.append(part)
    return told


def _state(phase: PhaseState, position: int, turn: int) -> Part:
    if phase.status != "running":
        return "done" if phase.status == "completed" else "later"
    if position in phase.persons:
        return "open"
    if position in phase.active:
        return "at work"
    return "done" if position in phase.agent_outputs or turn < phase.turn else "later"


def doing(agent: AgentPlan) -> str:
    """What an agent does, in a few words: `command make test`; nothing for a person."""
    config = agent.config
    if agent.uses == MANUAL:
        return ""
    if agent.uses == "command":
        what = " ".join(config.get("run") or (config.get("tasks") or ["its acceptance tests"])[:1])
    else:
        what = str(config.get(_NAMED_BY.get(agent.uses, ""), ""))
    return _cut(f"{agent.uses} {' '.join(what.split())}".strip())


def at_work(phase: PhaseState, at: float | None = None) -> str:
    """A clause about the parts of a phase that nobody has to report.

    `frontend-expert's part is done; backend-expert works on it: command make test, for 2m`
    """
    told = parts(phase)
    clauses = [f"{part['who']}'s part is done" for part in told if part["state"] == "done"]
    lasts = f", for {lasting(at - phase.turn_at)}" if at is not None and phase.turn_at is not None else ""
    clauses += [f"{p['who']} works on it: {p['does']}{lasts}" for p in told if p["state"] == "at work"]
    return "; ".join(clauses)


def lasting(seconds: float) -> str:
    """A length of time in its largest unit: `40s`, `2m`, `3h`, `2d`."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{max(0, int(seconds))}s"


def _cut(text: str) -> str:
    return text if len(text) <= WORK_SHOWN else text[: WORK_SHOWN - 1] + "…"
