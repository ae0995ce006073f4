"""One attempt as its executor sees it: the task, the values, and a way to run commands in it."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from temporalio import activity

from activities import processes
from activities.agent_task import AgentTask
from activities.attempts import Claim
from activities.environment import Environment
from activities.exchange import Exchange
from activities.failures import AttemptError, Code, History
from activities.output import AttemptLog, Output
from activities.processes import Command, Ended
from activities.results import Printed, Yielded
from activities.scratch import Scratch
from activities.usage import Usage
from activities.worker_context import WorkerContext
from engine.errors import WorkspaceError
from engine.expressions import render, text_of
from engine.plan import Json

SHELL = "/bin/sh"


@dataclass(slots=True, kw_only=True)
class Job:
    """What one attempt has at hand. `deadline` is a time of the loop's clock."""

    context: WorkerContext
    task: AgentTask
    claim: Claim
    history: History
    scratch: Scratch
    scope: Mapping[str, Any]
    environment: Environment
    log: AttemptLog
    deadline: float | None
    exchange: Exchange
    printed: Printed = field(default_factory=Printed)
    """What the commands of the agent have printed so far, not those of its tests."""
    tail: str = ""
    """The last lines of the last of them."""
    yielded: Yielded | None = None
    """What output expressions see, where that is not what was printed."""
    verdict: Json = field(default_factory=dict)
    """What the executor adds to the result besides outputs."""
    usage: Usage = field(default_factory=Usage)
    """What its commands have used so far, those of its tests too."""

    def text(self, template: str) -> str:
        """A template rendered to text that can be an argument or a variable."""
        return rendered(template, self.scope)

    def directory(self) -> Path:
        """Where the commands run."""
        place = (self.context.root / str(self.task.config.get("cwd") or ".")).resolve()
        if not place.is_relative_to(self.context.root.resolve()):
            raise WorkspaceError(f"cwd leads out of the project: {self.task.config['cwd']}")
        if not place.is_dir():
            raise WorkspaceError(f"cwd is not a directory: {self.task.config['cwd']}")
        return place

    async def run(self, argv: Sequence[str], *, title: str, ok: Collection[int] = (0,)) -> int:
        """Run one of the agent's commands; its exit code, which is one of `ok`.

        Raises:
            AttemptError: it could not be started, took too long, was killed, or ended with another exit code.
        """
        room = self.context.settings.stdout_limit - len(self.printed.stdout)
        ended, output = await self.try_out(argv, capture=room)
        tail = self.tail = output.tail()
        self.printed = Printed(
            stdout=self.printed.stdout + bytes(output.stdout),
            truncated=self.printed.truncated or output.truncated,
            exit_code=ended.exit_code or 0,
        )
        self.require_end(ended, title, tail)
        assert ended.exit_code is not None
        if ended.exit_code not in ok:
            message = f"{title} exited with {ended.exit_code}"
            if said := output.complaint():
                message = f"{said}; {message}"
            raise AttemptError("exit_code", message, exit_code=ended.exit_code, tail=tail)
        return ended.exit_code

    async def try_out(self, argv: Sequence[str], *, capture: int = 0) -> tuple[Ended, Output]:
        """Run a command, however it ends."""
        output = Output(self.log, self.environment.secrets, capture=capture)
        if any("\0" in text for text in (*argv, *self.environment.variables.values())):
            raise AttemptError("expression", "an argument or a variable holds a NUL character")
        command = Command(
            argv=argv,
            env=self.environment.variables,
            cwd=self.directory(),
            grace=self.context.settings.grace,
            held=(self.claim.lock,),
        )
        async with self.exchange.watching():
            ended = await processes.run(command, output, started=self._started, deadline=self.deadline)
        self.usage.add(ended.usage)
        if ended.left:
            await self.log.log.say("INFO", f"{self.log.label} - Ended what it left behind: {_processes(ended.left)}")
        if ended.alive:
            await self.log.log.say("ERROR", f"{self.log.label} - Could not be killed: {_processes(ended.alive)}")
        return ended, output

    def require_end(self, ended: Ended, title: str, tail: str) -> None:
        """Raise AttemptError unless a command ended by itself."""
        if ended.errno is not None:
            code, reason = _unstartable(ended.errno)
            raise AttemptError(code, f"{title}: {reason}")
        if ended.timed_out:
            raise AttemptError(
                "timeout", f"{title} did not end within {self.task.timeout:g}s and was killed", tail=tail
            )
        if ended.signal is not None:
            message = f"{title} was killed by {signal_name(ended.signal)}"
            raise AttemptError("signal", message, exit_code=-ended.signal, tail=tail)

    async def _started(self, pgid: int) -> None:
        await self.claim.started(pgid)
        self.history.trace = self.claim.record.trace
        activity.heartbeat(self.history.details())


def rendered(template: str, scope: Mapping[str, Any]) -> str:
    """A template as text."""
    return text_of(render(template, scope))


def signal_name(number: int) -> str:
    """The name of a signal, or its number where it has none."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _processes(count: int) -> str:
    return "1 process" if count == 1 else f"{count} processes"


def _unstartable(number: int) -> tuple[Code, str]:
    if number == errno.E2BIG:
        return "expression", "the arguments and variables are too long for this system"
    if number == errno.ENOENT:
        return "not_found", "command not found"
    return "not_found", os.strerror(number).lower()
