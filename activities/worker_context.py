"""What the activities of one worker share: the project, its store, and the limits they keep."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from weakref import WeakValueDictionary

from activities.agent_task import AgentTask
from activities.artifacts import ArtifactStore
from activities.board import Board, Room, RunBoard
from activities.circuit import Desk
from activities.processes import GRACE
from activities.telemetry import AttemptMeters
from activities.workfiles import Workfiles

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Limits, in bytes and seconds."""

    log_limit: int = 10 * MIB
    """What an attempt may add to its phase's log."""
    stdout_limit: int = 4 * MIB
    """How much of stdout output expressions can see."""
    output_limit: int = 16 * MIB
    """How large `$PHASELOOM_OUTPUT` may become."""
    grace: float = GRACE
    """Between TERM and KILL. A worker's graceful shutdown has to last longer."""
    beat: float = 0.5
    """Between heartbeats; the SDK passes on fewer."""
    durable: bool = True
    """Whether artifacts wait for the disk."""
    store: str = ""
    """The URL where artifacts are kept besides the project's directory; empty for nowhere else."""
    patience: float = 60.0
    """Seconds for which an attempt waits for a store that does not answer. Less than what Temporal adds to its time."""
    copy_logs: bool = False
    """Whether the log of a phase also goes to the artifact store when an agent has ended."""


@dataclass(frozen=True)
class WorkerContext:
    """The project at `root` as one worker sees it. `environ` is where commands' variables come from."""

    root: Path
    settings: Settings = field(default_factory=Settings)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)

    meters: AttemptMeters = field(default_factory=AttemptMeters)

    boards: Callable[[AgentTask, Room], Board] = RunBoard
    """What connects agents with their runs."""

    @cached_property
    def _rooms(self) -> WeakValueDictionary[str, Room]:
        return WeakValueDictionary()

    def board(self, task: AgentTask) -> Board:
        """The board of a task's run; those of one run share what they know of its history."""
        return self.boards(task, self._rooms.setdefault(task.run, Room()))

    @cached_property
    def _desks(self) -> dict[str, Desk]:
        return {}

    def desk(self, breaker: str) -> Desk:
        """Where attempts ask the breaker with this workflow id."""
        return self._desks.setdefault(breaker, Desk())

    @cached_property
    def store(self) -> ArtifactStore:
        """The project's artifacts."""
        return ArtifactStore(self.root, url=self.settings.store, durable=self.settings.durable)

    @cached_property
    def workfiles(self) -> Workfiles:
        """What the project's files hold; what has been read is remembered for the next attempt."""
        return Workfiles(self.root, self.store)
