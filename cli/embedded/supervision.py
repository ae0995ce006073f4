"""The supervisor of one project as others see it: whether it lives, what it says, how it is started and asked."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from cli.embedded import boot
from cli.embedded.processes import Process, recorded, spawn
from cli.embedded.project import Json, Project, take_lock
from cli.embedded.server import trim
from definitions.storage import VARIABLE as STORE_VARIABLE

RECORD = "supervisor.json"
LOCK = "supervisor.lock"
STOPPED = "stopped.json"
LOG = "supervisor.log"
ACTIVITY = "activity"
"""A client touches this file when it comes; its time tells the supervisor that the project is in use."""

IDLE_VARIABLE = "PHASELOOM_IDLE_EXIT"
ATTEMPT_VARIABLE = "PHASELOOM_ATTEMPT_ID"
"""Marks everything that runs for an agent; what carries it ends with the agent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervision:
    """A living supervisor and what it wrote about itself."""

    process: Process
    record: Json

    @property
    def stopping(self) -> bool:
        """Whether it is about to stop everything."""
        return self.record.get("state") != "running"

    @property
    def foreground(self) -> bool:
        """Whether it is somebody's `phaseloom up`."""
        return bool(self.record.get("foreground"))

    @property
    def trouble(self) -> dict[str, str]:
        """What keeps the server or the worker from running, if anything."""
        return dict(self.record.get("trouble") or {})


def living(project: Project) -> Supervision | None:
    """The project's supervisor, if it lives."""
    record = project.read(RECORD)
    process = recorded(record)
    return Supervision(process=process, record=record) if process is not None else None


def is_taken(project: Project) -> bool:
    """Whether a process has the supervisor's place: one that lives, comes, or has not yet left a folder since moved."""
    try:
        lock = take_lock(project.file(LOCK))
    except OSError:  # where nothing can be written nobody has a place
        return False
    if lock is None:
        return True
    os.close(lock)
    return False


def start(project: Project) -> Process:
    """Start a supervisor in the background.

    Should there be one already, the new one ends by itself; so does one that gets its turn only after somebody has
    stopped everything.

    Raises:
        UnreachableError: the project asks for a port that its server cannot have.
    """
    from cli.embedded import ports  # noqa: PLC0415 - a command that finds one at work does without

    ports.settle(project)
    log = project.file(LOG)
    trim(log)
    line = boot.command("supervisor", project.root, repr(time.time()))
    return spawn(line, folder=project.root, log=log, environ=surroundings())


def note_stop(project: Project) -> None:
    """Remember that everything was stopped now, for those that were started before and come later."""
    project.write(STOPPED, {"at": time.time()})


def is_outdated(project: Project, asked_at: float) -> bool:
    """Whether everything has been stopped since a supervisor was asked for."""
    at = project.read(STOPPED).get("at", 0.0)
    return isinstance(at, float) and at > asked_at


def surroundings() -> dict[str, str]:
    """The environment of the background processes.

    Ours, without what points Temporal elsewhere, and without what belongs to an agent that happens to run us.
    """
    return {name: value for name, value in os.environ.items() if not _is_foreign(name)}


def inside_agent() -> bool:
    """Whether this process runs for an agent: whatever it starts ends with that agent."""
    return ATTEMPT_VARIABLE in os.environ


def _is_foreign(name: str) -> bool:
    return name.startswith("TEMPORAL_") or (
        name.startswith("PHASELOOM_") and name not in {IDLE_VARIABLE, STORE_VARIABLE}
    )
