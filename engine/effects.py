"""What the engine is told (events) and what it asks for in return (effects)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from engine.statuses import RunStatus

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkersCounted:
    """Event: `max_workers: auto` has been answered by the worker's host."""

    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFinished:
    """Event: an agent's activity returned `result` (an `AgentResult`)."""

    phase: int
    epoch: int
    position: int
    result: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFailed:
    """Event: an agent's activity failed for good; `error` has `code`, `message` and what else is known."""

    phase: int
    epoch: int
    position: int
    error: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentCancelled:
    """Event: an agent's activity was cancelled and its processes are gone."""

    phase: int
    epoch: int
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFired:
    """Event: the time of an earlier `WakeAt` has come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticesLost:
    """Event: these messages could not be delivered, however often it was tried: `[{key, to, text, why}]`."""

    lost: list[Json]


Event = WorkersCounted | AgentFinished | AgentFailed | AgentCancelled | TimerFired | NoticesLost


@dataclass(frozen=True, slots=True, kw_only=True)
class CountWorkers:
    """Effect: ask the worker's host for its CPU count and answer with `WorkersCounted`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAgent:
    """Effect: start the activity of one agent. `task` is its input, an `AgentTask`."""

    phase: int
    epoch: int
    position: int
    uses: str
    task: Json = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAgents:
    """Effect: cancel the phase's activities of this epoch and report each with `AgentCancelled` (or as it ended)."""

    phase: int
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AbandonAgents:
    """Effect: await the phase's activities of this epoch no longer; they were cancelled and do not end."""

    phase: int
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeAt:
    """Effect: send `TimerFired` at `due` (seconds since 1970) or soon after."""

    due: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliver:
    """Effect: see to it that these messages (`engine.notices`) are delivered, however the run goes on."""

    messages: list[Json] = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """Effect: the run has ended with `status`."""

    status: RunStatus


Effect = CountWorkers | RunAgent | CancelAgents | AbandonAgents | WakeAt | Deliver | Finish
