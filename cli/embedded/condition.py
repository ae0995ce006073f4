"""What `doctor` tells about the server and the worker of a project, and how `down` ends them."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cli.embedded import server as servers
from cli.embedded import supervision, workers
from cli.embedded.connect import Target, shared_config, shared_reader
from cli.embedded.deliveries import missing_services, undelivered
from cli.embedded.ending import end_all, take_over
from cli.embedded.processes import stop as end_process
from cli.embedded.project import Json, Project, open_project
from cli.embedded.protection import protection
from cli.embedded.reader import ATTRIBUTES, Reader
from cli.embedded.version import described, differs, installation
from definitions.storage import store_url
from engine.errors import PhaseloomError, UnreachableError, WorkspaceError

END_SECONDS = 60.0
TURN_SECONDS = 1.0
"""How long the lock is waited for before it is looked who holds it."""

NO_PROJECT = "none"
"""In place of the identity of a folder that is no project and cannot be made one."""

LOW_DISK = 1_000_000_000
ANSWER = timedelta(seconds=3)
KINDS_OF_WORK = ("workflow", "activity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """What `stop` did. `agents`: those that ran when it was asked, as JSON; `refused` because of them."""

    was_running: bool
    refused: bool
    agents: tuple[Json, ...]


async def stop(root: Path, *, force: bool = False, grace: float = workers.STOP_GRACE) -> Stopped:
    """End the supervisor, the worker and the server of the project at `root`; none of them is left afterwards.

    While agents run, nothing is done without `force`. Agents that are ended get their time between TERM and KILL, and
    run again, without losing an attempt, when a command starts the worker next. A worker that no supervisor is there to
    end, and that does not end when asked, is killed after `grace` seconds.
    """
    from activities import attempts  # noqa: PLC0415 - no command pays for it that does not ask

    project = open_project(root)
    agents = tuple(attempts.to_json(record) for record in workers.running_agents(project))
    supervisor = supervision.living(project)
    running = bool(supervisor or workers.adopt(project) or servers.living(project))
    if agents and not force:
        return Stopped(was_running=running, refused=True, agents=agents)
    lock = await _without_supervisor(project)
    try:
        await end_all(project, grace=grace)
        supervision.note_stop(project)
    finally:
        os.close(lock)
    return Stopped(was_running=running, refused=False, agents=agents)


async def _without_supervisor(project: Project) -> int:
    """The supervisor's lock, once there is none any more.

    Also when there was none: what it would have stopped may live, and a worker may be starting one now. When one ends,
    another that waited for its place may come, and is ended too.
    """
    until = time.monotonic() + END_SECONDS
    while True:
        supervisor = supervision.living(project)
        if supervisor is not None:
            await end_process(supervisor.process, grace=END_SECONDS)
        lock = await take_over(project, patience=TURN_SECONDS)
        if lock is not None:
            return lock
        if time.monotonic() > until:
            raise UnreachableError("the supervisor does not end", hint=f"see {project.file(supervision.LOG)}")


async def status(root: Path, target: Target | None = None) -> Json:
    """What there is of the server and the worker of the project at `root`. Starts nothing.

    `{mode, root, client, address, namespace, queue, reachable, supervisor, server, worker, pollers, attributes, agents,
    disk, store, problems, protection, unprotected}`; `problems` and `unprotected` are sentences, `disk` is bytes,
    `store` the URL of artifacts.
    """
    problems: list[str] = []
    try:
        project = open_project(root)
    except WorkspaceError as error:
        project = Project(root, NO_PROJECT)
        problems.append(f"{_first_line(error)}; no run can be started here")
    config = shared_config(target or Target())
    report: Json = {
        "mode": "embedded" if config is None else "shared",
        "root": str(project.root),
        "client": installation(),
        "queue": (target and target.task_queue) or project.queue,
        "agents": len(workers.running_agents(project)),
        "disk": _disk(project),
        "problems": problems,
        "unprotected": [],
    }
    if config is None:
        report |= _embedded(project, report["problems"])
    else:
        report |= {"address": config["target_host"], "namespace": config["namespace"]}
    try:
        if config is not None:
            reader = await shared_reader(project, config)
        else:
            reader = await _reach(project, report)
    except PhaseloomError as error:
        report |= {"reachable": False, "pollers": None, "attributes": None}
        report["problems"].append(_first_line(error))
    else:
        report |= {"reachable": True, **await _ask(reader, report)}
    report["problems"] += missing_services(root)
    report["store"] = await asyncio.to_thread(_store, project, problems)
    if report["disk"]["free"] < LOW_DISK:
        report["problems"].append(
            f"only {report['disk']['free'] // 1_000_000} MB are free on the disk of {project.folder}"
        )
    guard = protection(project.root, report.get("worker"))
    problems += guard.pop("problems")
    report["unprotected"] += _unprotected(report, guard.pop("unprotected"))
    report["protection"] = guard
    return report


def _store(project: Project, problems: list[str]) -> str | None:
    """Where artifacts are kept besides the project's directory; trouble with it is a problem."""
    from cli.reach.store import project_store  # noqa: PLC0415 - only `doctor` asks

    told = None
    try:
        remote = project_store(project.root).remote
        if remote is not None:
            told = remote.shown
            next(remote.contents(), None)
    except PhaseloomError as error:
        problems.append(_first_line(error))
    return told


def _embedded(project: Project, problems: list[str]) -> Json:
    """What the records say of the three processes, and what is wrong with them."""
    supervisor, worker = supervision.living(project), workers.adopt(project)
    record = project.read(servers.RECORD)
    server = servers.Server.from_json(record)
    lives = server is not None and server.process.alive
    if supervisor is not None:
        problems += [f"{part}: {what}" for part, what in supervisor.trouble.items()]
    elif worker is not None or lives:
        problems.append("the supervisor is gone; the next command starts a new one")
    if worker is not None:
        problems += _worker_problems(worker.record)
        problems += _store_problems(project, worker.record)
    try:
        servers.binary()
    except UnreachableError as error:
        problems.append(f"{error.message} ({error.hint})")
    return {
        "address": record.get("address") if lives else None,
        "namespace": project.namespace,
        "supervisor": supervisor and _shown(supervisor.record),
        "server": {**_shown(record), "ui": _ui(record)} if lives else None,
        "worker": worker and _shown(worker.record),
    }


def _worker_problems(record: Json) -> list[str]:
    problems = []
    if differs(record):
        problems.append(f"the worker is {described(record)}, not the installation of this command")
    if record.get("path") != os.environ.get("PATH", ""):
        problems.append("the worker was started with another PATH: its commands may not find what this shell finds")
    if record.get("state") != "polling":
        problems.append("the worker has not begun to work yet")
    return problems


def _store_problems(project: Project, record: Json) -> list[str]:
    """Whether the worker keeps artifacts where the settings of now say."""
    try:
        wanted = store_url(project.root, os.environ)
    except PhaseloomError:
        return []  # told with the store
    if record.get("state") != "polling" or record.get("store", "") == wanted:
        return []
    theirs, ours = record.get("store") or "the project", wanted or "the project"
    return [f"the worker keeps artifacts in {theirs}, the settings of now say {ours}: phaseloom down ends it"]


def _shown(record: Json) -> Json:
    return {name: value for name, value in record.items() if name not in {"root", "birth"}}


def _ui(record: Json) -> str | None:
    return f"http://{servers.HOST}:{record['ui_port']}" if record.get("ui_port") else None


async def _reach(project: Project, report: Json) -> Reader:
    if report["address"] is None:
        raise UnreachableError("no server runs; the next command that needs one starts it")
    try:
        reader = await servers.connect(report["address"], project.namespace)
    except (RuntimeError, TimeoutError) as error:
        raise UnreachableError(f"no server answers at {report['address']}: {_first_line(error)}") from error
    if not await reader.is_served():
        raise UnreachableError(
            f"what answers there is not the server of this project: no namespace {project.namespace}"
        )
    return reader


async def _ask(reader: Reader, report: Json) -> Json:
    """What only the server knows: who polls, and which search attributes there are."""
    problems = report["problems"]
    missing = await reader.missing_attributes()
    if missing:
        problems.append(f"search attributes are not registered: {', '.join(missing)}; runs use the memo instead")
    pollers = {
        kind: await _pollers(reader, report["queue"], f"TASK_QUEUE_TYPE_{kind.upper()}") for kind in KINDS_OF_WORK
    }
    if not all(pollers.values()):
        problems.append(f"no worker asks for work on {report['queue']}")
    problems += await undelivered(reader, report["queue"])
    return {"pollers": pollers, "attributes": {name: name not in missing for name in ATTRIBUTES}}


async def _pollers(reader: Reader, queue: str, kind: str) -> list[Json]:
    """Who asked for work of a kind (Temporal's name of it) in the last minutes, and how many seconds ago."""
    from temporalio.api.enums.v1 import TaskQueueType  # noqa: PLC0415 - loaded by then
    from temporalio.api.taskqueue.v1 import TaskQueue  # noqa: PLC0415
    from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest  # noqa: PLC0415
    from temporalio.service import RPCError  # noqa: PLC0415

    request = DescribeTaskQueueRequest(
        namespace=reader.namespace,
        task_queue=TaskQueue(name=queue),
        task_queue_type=TaskQueueType.Value(kind),
    )
    try:
        answer = await reader.service.workflow_service.describe_task_queue(request, timeout=ANSWER)
    except RPCError:
        return []
    now = time.time()
    return [
        {"identity": poller.identity, "seconds_ago": round(now - poller.last_access_time.ToMicroseconds() / 1e6, 1)}
        for poller in answer.pollers
    ]


def _disk(project: Project) -> Json:
    """Bytes: free on the disk, taken by the database with its write-ahead log, by the artifacts."""
    database = sum(path.stat().st_size for path in project.folder.glob(f"{servers.DATABASE}*"))
    artifacts = sum(path.stat().st_size for path in project.file("artifacts").rglob("*") if path.is_file())
    place = project.folder if project.folder.is_dir() else project.root
    return {"free": shutil.disk_usage(place).free, "database": database, "artifacts": artifacts}


def _unprotected(report: Json, decisions: list[str]) -> list[str]:
    """What a user may believe to be safe and is not; `decisions` says it of those."""
    if report["mode"] == "shared":
        told = f"whoever may use namespace {report['namespace']} at {report['address']} can read and steer these runs"
        return [told, *decisions]
    return [
        *decisions,
        f"any program on this machine can use the server ({report['address'] or servers.HOST}): it has no password",
        "runs live on this disk alone: there is no copy of .phaseloom/ anywhere else",
        "after a restart of the machine, runs go on with the next phaseloom command, not before",
        "variables that agents get with pass_env are those of the shell that started the worker",
    ]


def _first_line(error: BaseException) -> str:
    return (str(error) or "timed out").splitlines()[0]
