"""Projects with a real embedded server, cleaned up whatever happens; and people at a shell in one."""

from __future__ import annotations

import asyncio
import shutil
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import psutil
import pytest
from temporalio.client import WorkflowHandle

from cli.embedded import server as servers
from cli.embedded import supervision, workers
from cli.embedded.connect import Connection, connect
from cli.embedded.processes import Process, gone
from cli.embedded.project import Project, open_project
from engine.agents import AgentPlan
from engine.plan import Execution, PhasePlan, Plan
from tests.cli.program.person import Person
from tests.cli.program.person import until as sees
from tests.tidying import tidy

Run = WorkflowHandle[Any, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Family:
    """The three processes of a project."""

    supervisor: Process
    server: Process
    worker: Process

    @property
    def all(self) -> tuple[Process, ...]:
        return (self.supervisor, self.server, self.worker)

    @property
    def living(self) -> list[Process]:
        return [process for process in self.all if process.alive]


class Place:
    """One project in a directory of its own, as a user and a saboteur see it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def project(self) -> Project:
        return open_project(self.root)

    async def connect(self) -> Connection:
        return await connect(self.root)

    async def family(self) -> Family:
        """The processes, once all of them work."""

        def complete() -> Family | None:
            supervisor = supervision.living(self.project)
            record = self.project.read(servers.RECORD)
            server, worker = servers.Server.from_json(record), workers.adopt(self.project)
            if not (supervisor and worker and workers.polled(self.project, worker)):
                return None
            if server is None or not record.get("ready") or not server.process.alive:
                return None
            return Family(supervisor.process, server.process, worker.process)

        return await until(complete)

    async def run(self, *scripts: str, **phase: Any) -> Run:
        """Start a run whose phases, all at once, are these shell scripts (`-`: a person)."""
        connection = await self.connect()
        phases = tuple(
            PhasePlan(
                id=f"p{index}",
                name=f"P{index}",
                index=index,
                agents=(AgentPlan(role="r", uses="command", config={"tasks": [script]}),)
                if script != "-"
                else (AgentPlan(role="r"),),
                **phase,
            )
            for index, script in enumerate(scripts)
        )
        plan = Plan(id="t", name="T", phases=phases, execution=Execution(max_workers=len(phases)))
        start = {"plan": plan.to_json(), "search_attributes": True}
        handle: Run = await connection.client.start_workflow(
            "PhaseRun", start, id=f"wf_{uuid4().hex[:6]}", task_queue=connection.task_queue
        )
        return handle

    def lines(self, name: str) -> list[str]:
        """The lines of a file that an agent writes to; none before it exists."""
        path = self.root / name
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


async def kill(*processes: Process) -> float:
    """Kill at once, and return when they are gone; when it was done.

    A process takes its signal when the processor comes to it: until then it looks as alive as before.
    """
    for process in processes:
        process.send(signal.SIGKILL)
    when = time.monotonic()
    for process in processes:
        await gone(process)
    return when


async def halt(process: Process) -> None:
    """Stop the process, as if it hung: nothing of it runs any more when this returns."""
    process.send(signal.SIGSTOP)
    await until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)


async def remove(folder: Path) -> None:
    """Remove a folder in which something may be written at this very moment."""

    def removed() -> bool:
        shutil.rmtree(folder, ignore_errors=True)
        return not folder.exists()

    await until(removed)


async def until(look: Callable[[], T | None], *, seconds: float = 60.0) -> T:
    """What `look` finds, as soon as it finds something."""
    ends = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < ends, f"nothing after {seconds} s"
        await asyncio.sleep(0.01)
    return found


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "TEMPORAL_PROFILE", "TEMPORAL_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("PHASELOOM_IDLE_EXIT", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no-config"))


@pytest.fixture
async def places(tmp_path: Path) -> AsyncIterator[Callable[[str], Place]]:
    """Makes projects; whatever runs in any directory beside them is ended afterwards."""

    def make(name: str) -> Place:
        root = tmp_path / name
        root.mkdir(exist_ok=True)
        return Place(root)

    yield make
    for root in sorted(tmp_path.iterdir()):
        await tidy(root)


@pytest.fixture
def place(places: Callable[[str], Place]) -> Place:
    return places("project")


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """A person in a project whose server and worker run, for all tests of a module: starting it is the slow part."""
    person = Person(tmp_path_factory.mktemp("project"))
    try:
        person.types("runs")
        sees(person.has_worker)
        yield person
    finally:
        asyncio.run(tidy(person.root))


@pytest.fixture
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """A person in a project of the test's own, where nothing runs yet."""
    person = Person(tmp_path_factory.mktemp("alone"))
    try:
        yield person
    finally:
        asyncio.run(tidy(person.root))


@pytest.fixture
def offline(tmp_path_factory: pytest.TempPathFactory) -> Person:
    """A person who only reads and checks files; no server is ever started."""
    return Person(tmp_path_factory.mktemp("offline"))
