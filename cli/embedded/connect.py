"""How a command reaches its server: a configured cluster, or this project's embedded server, started if need be."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from cli.embedded import server as servers
from cli.embedded import supervision, workers
from cli.embedded.processes import Process
from cli.embedded.project import Project, open_project
from cli.embedded.reader import Reader
from cli.embedded.version import described, differs, is_older
from definitions.storage import store_url
from engine.errors import UnreachableError

if TYPE_CHECKING:
    from temporalio.client import Client
    from temporalio.converter import DataConverter
    from temporalio.envconfig import ClientConnectConfig

START_SECONDS = 20.0
"""How long a command waits for a server that is being started."""

TROUBLE_SECONDS = 3.0
"""How long trouble may last before a command gives up; a server that was killed is back much sooner."""

WORKER_SECONDS = 10.0
"""How long an agent's own command waits for its worker to start a supervisor: much longer than a busy machine takes."""

SHARED_SECONDS = 10.0
POLL = 0.02
STARTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What the options of a command say about where to connect; everything may be left open."""

    address: str | None = None
    profile: str | None = None
    namespace: str | None = None
    task_queue: str | None = None


@dataclass(frozen=True, kw_only=True)
class Connection:
    """A connection and where it leads. `notices` are sentences that the user should read.

    `attributes`: whether the search attributes of runs are registered there; a run must not set them otherwise.
    """

    project: Project
    reader: Reader
    """Answers what can be asked without the SDK's client, which is slow to import."""

    address: str
    task_queue: str
    embedded: bool
    attributes: bool
    notices: tuple[str, ...] = ()

    @property
    def namespace(self) -> str:
        """The namespace of the project's runs."""
        return self.reader.namespace

    @cached_property
    def client(self) -> Client:
        """Temporal's client, on the same connection; made where something is to be done and not only looked at."""
        from temporalio.client import Client  # noqa: PLC0415 - what only looks does not pay for it

        return Client(self.reader.service, namespace=self.namespace, data_converter=self.reader.converter())


async def connect(root: Path, target: Target | None = None, *, patience: float = START_SECONDS) -> Connection:
    """A connection for the project at `root`.

    Where an option, `TEMPORAL_*` or a `temporal.toml` profile names an address, that cluster; otherwise the project's
    own server, which is started in the background together with a worker if it does not run. Returns when the server
    answers; the worker may still be a moment away. Raises UnreachableError, with the reason, at the latest when our own
    server has not been ready for `patience` seconds.
    """
    target = target or Target()
    project = open_project(root)
    config = shared_config(target)
    if config is not None:
        return await _shared(project, target, config)
    return await _embedded(project, target, patience)


# ---- a configured cluster


def shared_config(target: Target) -> ClientConnectConfig | None:
    """How to connect to the configured cluster; None when none is configured."""
    if not (target.address or target.profile or _is_configured()):
        return None
    from temporalio.envconfig import ClientConfigProfile  # noqa: PLC0415 - only where it may say something

    try:
        profile = ClientConfigProfile.load(profile=target.profile)
        config = profile.to_client_connect_config()
    except Exception as error:  # the SDK raises bare RuntimeError and ValueError, its native part others
        raise UnreachableError(
            f"Temporal's client configuration cannot be used: {error}",
            hint="see TEMPORAL_* in the environment and `temporal config list`",
        ) from error
    if target.address:
        config["target_host"] = target.address
    if target.namespace:
        config["namespace"] = target.namespace
    if not (target.profile or config.get("target_host")):
        return None
    config.setdefault("target_host", "localhost:7233")
    config.setdefault("namespace", "default")
    return config


def _is_configured() -> bool:
    """Whether anything could name an address: a variable of Temporal's, or its configuration file where it belongs."""
    if any(name.startswith("TEMPORAL_") for name in os.environ):
        return True
    if sys.platform == "darwin":
        folder = Path.home() / "Library" / "Application Support"
    else:
        folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return (folder / "temporalio" / "temporal.toml").exists()


async def _shared(project: Project, target: Target, config: ClientConnectConfig) -> Connection:
    reader = await shared_reader(project, config)
    return Connection(
        project=project,
        reader=reader,
        address=config["target_host"],
        task_queue=target.task_queue or project.queue,
        embedded=False,
        attributes=not await reader.missing_attributes(),
    )


async def shared_reader(project: Project, config: ClientConnectConfig) -> Reader:
    """A reader of the configured cluster. Raises UnreachableError when none answers, or has no such namespace."""
    from temporalio.client import Client  # noqa: PLC0415 - the embedded way starts processes first

    address, namespace = config["target_host"], config["namespace"]
    try:
        client = await asyncio.wait_for(Client.connect(**config), SHARED_SECONDS)
    except (RuntimeError, TimeoutError) as error:
        raise UnreachableError(
            f"no Temporal server answers at {address} ({_reason(error)})",
            hint="without TEMPORAL_*, --address and --profile, Phaseloom starts a server of its own",
        ) from error
    reader = Reader(service=client.service_client, namespace=namespace, converter=_converter(project))
    if await reader.lacks_namespace():
        raise UnreachableError(
            f"the Temporal server at {address} has no namespace {namespace!r}",
            hint=f"--namespace names another; `temporal operator namespace create -n {namespace}` makes it",
        )
    return reader


# ---- the embedded server


async def _embedded(project: Project, target: Target, patience: float) -> Connection:
    with contextlib.suppress(OSError):  # a folder that cannot be written can still be looked at
        project.file(supervision.ACTIVITY).touch()
    wait = _Wait(project, patience)
    while True:
        server = wait.look()
        if server is not None:
            reader = await _reader(project, server)
            if reader is not None:
                break
            wait.limit("the embedded server answers, and not for this project")
        await asyncio.sleep(POLL)
    return Connection(
        project=project,
        reader=reader,
        address=server.address,
        task_queue=target.task_queue or project.queue,
        embedded=True,
        attributes=True,
        notices=wait.told(),
    )


async def _reader(project: Project, server: servers.Server) -> Reader | None:
    """A reader of the server; None when it does not answer (it may just have been killed) or is not ours."""
    try:
        reader = await servers.connect(server.address, project.namespace, _converter(project))
    except (RuntimeError, TimeoutError):
        return None
    return reader if await reader.is_served() else None


def _converter(project: Project) -> Callable[[], DataConverter]:
    """What makes the project's converter. Raises DefinitionError at once where the store's URL is written wrong."""
    url = store_url(project.root, os.environ)

    def make() -> DataConverter:
        from activities import payloads  # noqa: PLC0415 - what only looks seldom meets a payload in the store

        return payloads.data_converter(project.root, url=url)

    return make


class _Wait:
    """Waiting for a ready server, starting a supervisor where there is none, until it makes no sense any more."""

    def __init__(self, project: Project, patience: float) -> None:
        self.project = project
        self.patience = patience
        self.notices: list[str] = []
        self.worker_trouble = ""
        self.began = time.monotonic()
        self.started: Process | None = None
        self.superseded: Process | None = None
        """A supervisor of another installation that we told to leave: ours is waited for, and started."""
        self.starts = 0
        self.troubled_since: float | None = None
        self.next_start = self.began + (WORKER_SECONDS if self.leaves_it_to_worker() else 0.0)

    def leaves_it_to_worker(self) -> bool:
        """What an agent starts dies with it. Its own worker lives, and starts a supervisor that does not."""
        return supervision.inside_agent() and workers.adopt(self.project) is not None

    def look(self) -> servers.Server | None:
        """The server that should answer now, or None: look again in a moment. Raises UnreachableError."""
        supervisor = supervision.living(self.project)
        if supervisor is None:
            self.start()
        else:
            if supervisor.process != self.superseded:
                self.weigh(supervisor)
            data = self.project.read(servers.RECORD)
            server = servers.Server.from_json(data)
            stays = not supervisor.stopping and supervisor.process != self.superseded
            if server is not None and data.get("ready") and stays and server.process.alive:
                return server
        self.limit(f"the embedded server is not ready after {self.patience:.0f} s")
        return None

    def limit(self, why: str) -> None:
        """Raise UnreachableError once it has been waited for too long."""
        if time.monotonic() - self.began > self.patience:
            raise self.unreachable(why)

    def start(self) -> None:
        """Start a supervisor, unless one is still on its way, or still there: a moved project's takes time to end."""
        now = time.monotonic()
        if (self.started is not None and self.started.alive) or now < self.next_start:
            return
        if supervision.is_taken(self.project):
            return
        servers.binary()
        if self.starts == STARTS:
            raise self.unreachable("the supervisor of the embedded server does not stay alive")
        self.started = supervision.start(self.project)
        self.starts += 1
        self.next_start = now + 0.5

    def weigh(self, supervisor: supervision.Supervision) -> None:
        """Take over from another installation; give up when the supervisor has been in trouble for long."""
        if differs(supervisor.record) and not self.notices:
            self.notices.append(self.supersede(supervisor))
        self.worker_trouble = supervisor.trouble.get("worker", "")
        if "server" not in supervisor.trouble:
            self.troubled_since = None
            return
        self.troubled_since = self.troubled_since or time.monotonic()
        if time.monotonic() - self.troubled_since > TROUBLE_SECONDS:
            raise self.unreachable(supervisor.trouble["server"])

    def supersede(self, supervisor: supervision.Supervision) -> str:
        """Have a supervisor of our installation follow the other one; it replaces the worker when no agent runs."""
        theirs = described(supervisor.record)
        if is_older(supervisor.record):
            return f"the background worker is {theirs}, newer than this command"
        if supervisor.foreground or supervision.inside_agent():
            return f"the background worker is {theirs}, not the installation of this command; it stays"
        supervisor.process.send(signal.SIGUSR1)
        self.superseded = supervisor.process
        return f"the background worker is {theirs}; this installation takes its place as soon as no agent runs"

    def told(self) -> tuple[str, ...]:
        """What the user should read, though there is a server."""
        if not self.worker_trouble:
            return tuple(self.notices)
        return (*self.notices, f"the worker does not run: {self.worker_trouble}")

    def unreachable(self, message: str) -> UnreachableError:
        """The error that ends the waiting, with what the log says."""
        log = self.project.file(supervision.LOG)
        return UnreachableError(f"{message}\n{servers.last_lines(log, 5)}", hint=f"`phaseloom doctor`, and {log}")


def _reason(error: BaseException) -> str:
    """What the native client says, without the names of its own types."""
    text = str(error).casefold()
    for word in ("connection refused", "dns error", "certificate", "permission denied"):
        if word in text:
            return word
    return "it took too long" if isinstance(error, TimeoutError) else "it is no Temporal server, or cannot be reached"
