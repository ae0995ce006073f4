"""A project in a temporary directory, and an activity environment that remembers heartbeats."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from temporalio.testing import ActivityEnvironment

from activities.aider import AiderActivities
from activities.command import CommandActivities
from activities.gate import GateActivities
from activities.worker_context import Settings, WorkerContext

Json = dict[str, Any]

LONGER = (0.5, 4.0, 30.0)
"""Timeouts for what has to get going before it is stopped; the next one is for a machine that was too busy."""


class Project:
    """Runs tasks as attempts of one activity, as the server would."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.settings = Settings(grace=1.0, beat=0.05)
        self.environ = dict(os.environ)
        self.beats: list[Json] = []
        self.env = ActivityEnvironment()
        self.env.on_heartbeat = self.beats.append

    def task(self, config: Json, **changes: Any) -> Json:
        task: Json = {
            "run": "wf_test01",
            "definition": "demo",
            "phase": {"id": "build", "name": "Build It", "index": 2},
            "epoch": 0,
            "position": 0,
            "key": "wf_test01/build/0/builder#0",
            "agent": {"role": "builder", "uses": "command", "config": config},
            "prompt": None,
            "acceptance_tests": [],
            "files_scope": [],
            "timeout": 120.0,
            "retry": {},
            "values": {"inputs": {}, "phases": {}, "env": {}, "run": {"id": "wf_test01", "definition": "demo"}},
            "earlier": [],
            "failures": [],
            "edits": None,
        }
        if "outputs" in changes:
            task["agent"]["outputs"] = changes.pop("outputs")
        return task | changes

    async def command(self, config: Json, **changes: Any) -> Json:
        activities = CommandActivities(WorkerContext(self.root, self.settings, self.environ))
        return await self.env.run(activities.command, self.task(config, **changes))

    async def aider(self, config: Json, **changes: Any) -> Json:
        activities = AiderActivities(WorkerContext(self.root, self.settings, self.environ))
        return await self.env.run(activities.aider, self.task(config, **changes))

    async def gate(self, *checks: Json, **changes: Any) -> Json:
        """What the worker says of a gate with these checks: `{"results", "tree"}`."""
        given = [{"gate": "pre-push", **check} for check in checks]
        activities = GateActivities(WorkerContext(self.root, self.settings, self.environ))
        result = await self.env.run(activities.gate, self.task({"checks": given}, **changes))
        said: Json = result["gate"]
        return said

    def next_attempt(self, attempt: int) -> None:
        """A new environment, with the details that the last attempt left."""
        info = dataclasses.replace(
            ActivityEnvironment.default_info(), attempt=attempt, heartbeat_details=self.beats[-1:]
        )
        self.env = ActivityEnvironment()
        self.env.info = info
        self.env.on_heartbeat = self.beats.append

    @property
    def log(self) -> str:
        return (self.root / ".phaseloom/workflows/wf_test01/logs/phase-build.log").read_text()

    @property
    def scratch(self) -> Path:
        return self.root / ".phaseloom/workflows/wf_test01/scratch"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture
def eventually() -> Callable[..., Any]:
    async def wait(condition: Callable[[], object], seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not happen in time"
            await asyncio.sleep(0.01)

    return wait


@pytest.fixture
def processes_of(tmp_path: Path) -> Callable[[str], list[int]]:
    """The living processes whose arguments hold a word, in the test's own directory: others may have the same words."""

    def of(word: str) -> list[int]:
        return [process.pid for process in psutil.process_iter() if _says(process, word) and _is_in(process, tmp_path)]

    return of


def _says(process: psutil.Process, word: str) -> bool:
    with contextlib.suppress(psutil.Error):
        return word in " ".join(process.cmdline())
    return False


def _is_in(process: psutil.Process, place: Path) -> bool:
    with contextlib.suppress(psutil.Error):
        return process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()).is_relative_to(place)
    return False
