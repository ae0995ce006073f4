"""What a run answers to messages. Each is the answer of `engine.operations`, typed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cli.api.results import PLAIN, Result, one, several

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class RunRef(Result):
    """The run that answers, with its status right after the message; None where no worker has answered."""

    id: str
    status: str | None = None


@dataclass(frozen=True, kw_only=True)
class PhaseRef(Result):
    """A phase as answers name it. `group` is its parallel group where the answer tells that, else None."""

    id: str
    name: str
    index: int
    group: int | None = None
    epoch: int | None = None
    status: str | None = None


@dataclass(frozen=True, kw_only=True)
class Queued(Result):
    """No worker answered: the message waits on the server as a signal and counts when a worker is back.

    Whether the run takes it shows later, in its journal.
    """

    run: RunRef = field(metadata=one(RunRef))
    message: str
    sent_as: str


@dataclass(frozen=True, kw_only=True)
class Answer(Result):
    """The run has taken a message: `success` is true, a refusal is raised as RefusedError."""

    success: bool
    run: RunRef = field(metadata=one(RunRef))


@dataclass(frozen=True, kw_only=True)
class Completed(Answer):
    """A phase was completed; `started` follow it, `queued` wait for a place. `remaining` counts its parallel group."""

    phase: PhaseRef = field(metadata=one(PhaseRef))
    in_group: bool
    all_parallel_complete: bool
    remaining: int
    started: tuple[PhaseRef, ...] = field(default=(), metadata=several(PhaseRef))
    queued: tuple[PhaseRef, ...] = field(default=(), metadata=several(PhaseRef))
    missing_signals: tuple[str, ...] = field(default=(), metadata=PLAIN)


@dataclass(frozen=True, kw_only=True)
class CompletedParallel(Result):
    """A phase of a parallel group was completed; `remaining` of the group are not settled yet."""

    success: bool
    all_parallel_complete: bool
    remaining: int


@dataclass(frozen=True, kw_only=True)
class FailureReported(Answer):
    """A phase was reported as failed; its `on_failure` has decided its `status`."""

    phase: PhaseRef = field(metadata=one(PhaseRef))
    started: tuple[PhaseRef, ...] = field(default=(), metadata=several(PhaseRef))


@dataclass(frozen=True, kw_only=True)
class ProgressReported(Answer):
    """Progress was noted; it shows in the view."""


@dataclass(frozen=True, kw_only=True)
class StartedParallel(Answer):
    """The open phases of the group, which of them have just started, and which wait for a place."""

    parallel_phases: tuple[PhaseRef, ...] = field(default=(), metadata=several(PhaseRef))
    started: tuple[PhaseRef, ...] = field(default=(), metadata=several(PhaseRef))
    queued: tuple[PhaseRef, ...] = field(default=(), metadata=several(PhaseRef))


@dataclass(frozen=True, kw_only=True)
class CancelledParallel(Answer):
    """The group was cancelled and the run paused; `options` are the decisions that are possible now."""

    cancelled: tuple[PhaseRef, ...] = field(default=(), metadata=several(PhaseRef))
    options: tuple[str, ...] = field(default=(), metadata=PLAIN)


@dataclass(frozen=True, kw_only=True)
class Decided(Answer):
    """A decision about a phase was carried out."""

    phase: PhaseRef = field(metadata=one(PhaseRef))
    action: str
    started: tuple[PhaseRef, ...] = field(default=(), metadata=several(PhaseRef))


@dataclass(frozen=True, kw_only=True)
class GateRef(Result):
    """A gate as answers name it: how many have approved of how many that have to."""

    id: str
    status: str
    approvals: int
    need: int


@dataclass(frozen=True, kw_only=True)
class GateAnswered(Answer):
    """Something was done at a gate; `started` are the phases that could go on for it."""

    gate: GateRef = field(metadata=one(GateRef))
    phase: PhaseRef = field(metadata=one(PhaseRef))
    started: tuple[PhaseRef, ...] = field(default=(), metadata=several(PhaseRef))


@dataclass(frozen=True, kw_only=True)
class BatchAnswered(Answer):
    """A batch of gates was decided: `gates` are `{gate, phase}` in plan order, with `refused` where one was gone."""

    batch: str
    gates: tuple[Json, ...] = field(default=(), metadata=PLAIN)
    started: tuple[PhaseRef, ...] = field(default=(), metadata=several(PhaseRef))


@dataclass(frozen=True, kw_only=True)
class Paused(Answer):
    """Nothing new starts; `running` phases may still end."""

    running: int


@dataclass(frozen=True, kw_only=True)
class Resumed(Answer):
    """The run goes on; `started` have started at once."""

    started: tuple[PhaseRef, ...] = field(default=(), metadata=several(PhaseRef))


@dataclass(frozen=True, kw_only=True)
class Cancelling(Answer):
    """The run is being cancelled; the agents of `stopping` phases are being stopped."""

    stopping: int


@dataclass(frozen=True, kw_only=True)
class SignalReported(Answer):
    """A completion signal counts; `missing` ones have to be reported before the run may complete."""

    signal: str
    missing: tuple[str, ...] = field(default=(), metadata=PLAIN)


@dataclass(frozen=True, kw_only=True)
class CheckpointCreated(Answer):
    """This moment of the run has a name now; `checkpoint` is as in the list of checkpoints."""

    checkpoint: Json


@dataclass(frozen=True, kw_only=True)
class Restoring(Answer):
    """The run goes back. `stopping` phases' agents are awaited first; with 0 it has gone back, and `started` these."""

    checkpoint: str
    number: int
    stopping: int
    started: tuple[PhaseRef, ...] = field(default=(), metadata=several(PhaseRef))
