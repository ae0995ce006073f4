"""What is running on this host, on disk: `.phaseloom/attempts/<hash of the key>.json`, beside a lock.

A record is written before its command starts and removed when the command has ended, so whatever a dead worker left can
be found, killed and handed back to the server. The lock is held by the worker *and* by the keeper: as long as either
lives, no second process starts for the same key, on this host, by any worker of the project.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from activities.finishing import to_the_end
from activities.leftovers import Trace, identity, sweep, this_host

if TYPE_CHECKING:
    from temporalio.client import Client

POLL = 0.05
"""Seconds between two tries for a lock that somebody holds."""

FAREWELL = 5.0
"""Seconds that the record of an attempt outlives it: by then the server knows the result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One attempt that is running, or was when its worker died. `pgid` and `started` are its keeper's."""

    key: str
    run: str
    phase: str
    agent: str
    attempt: int
    attempt_id: str
    task_token: str
    host: str
    worker_pid: int
    worker_started: str | None
    created_at: str
    scheduled: float
    """When the server scheduled the attempt, by its clock: of two attempts of a key the later one counts."""
    pgid: int | None = None
    started: str | None = None
    ended: bool = False
    """Its processes are gone; the server may not know yet."""

    @property
    def trace(self) -> Trace:
        """By what its processes are found."""
        return Trace(attempt_id=self.attempt_id, host=self.host, pgid=self.pgid, started=self.started)

    @property
    def token(self) -> bytes:
        """The server's name for the attempt."""
        return base64.b64decode(self.task_token)

    def has_worker(self) -> bool:
        """Whether the worker that started it lives (those of other hosts cannot be asked, and count as living)."""
        return self.host != this_host() or (
            self.worker_started is not None and identity(self.worker_pid) == self.worker_started
        )


def new_record(
    *, key: str, run: str, phase: str, agent: str, attempt: int, attempt_id: str, token: bytes, scheduled: float
) -> Record:
    """The record of an attempt of this worker that starts now."""
    return Record(
        key=key,
        run=run,
        phase=phase,
        agent=agent,
        attempt=attempt,
        attempt_id=attempt_id,
        task_token=base64.b64encode(token).decode(),
        host=this_host(),
        worker_pid=os.getpid(),
        worker_started=_worker_identity(os.getpid()),
        created_at=datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        scheduled=scheduled,
    )


class Claim:
    """The right to run the attempt of a record; `lock` is the descriptor that its keepers hold too."""

    def __init__(self, path: Path, record: Record, lock: int, farewell: float) -> None:
        self.path = path
        self.record = record
        self.lock = lock
        self.farewell = farewell

    async def started(self, pgid: int) -> None:
        """Put the process group on disk; returns when it would survive even a crash of the machine."""
        self.record = replace(self.record, pgid=pgid, started=identity(pgid))
        await to_the_end(asyncio.to_thread(write, self.path, self.record, durable=True))

    def end(self) -> None:
        """Give the key back. The record stays for a moment: the worker may die before it has told the server."""
        self.record = replace(self.record, ended=True)
        with contextlib.suppress(OSError):
            write(self.path, self.record)
        _release(self.path, self.lock)
        asyncio.get_running_loop().call_later(self.farewell, _forget, self.path, self.record)


@asynccontextmanager
async def claim(
    root: Path, record: Record, before: Sequence[Trace] = (), *, farewell: float = FAREWELL
) -> AsyncIterator[Claim]:
    """Hold the key of `record` while an attempt of it runs.

    An earlier attempt of the key that still has processes here is killed first: the server starts an attempt only when
    it has given up the one before. `before` adds traces of such attempts that come from elsewhere. Should this attempt
    be the one given up, it waits here until it is cancelled. Its record is removed `farewell` seconds after its end.
    """
    path = _path(root, record.key)
    await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
    while (lock := _try_lock(path)) is None:
        await _clear(path, record, before)
        await asyncio.sleep(POLL)
    held = Claim(path, record, lock, farewell)
    try:
        await _clear(path, record, before)
        write(path, record)
        yield held
    finally:
        held.end()


def write(path: Path, record: Record, *, durable: bool = False) -> None:
    """Put a record on disk, whole; `durable` waits for the disk."""
    new = path.with_suffix(".new")
    with new.open("w", encoding="utf-8") as file:
        json.dump(asdict(record), file)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    new.replace(path)


def read(path: Path) -> Record | None:
    """The record in a file; None if there is none, or none that makes sense."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return Record(**{field.name: data[field.name] for field in fields(Record)})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def records(root: Path) -> list[Record]:
    """The attempts on disk, those of living workers and those left by dead ones, oldest first."""
    found = (read(path) for path in (root / ".phaseloom" / "attempts").glob("*.json"))
    return sorted((record for record in found if record), key=lambda record: (record.created_at, record.key))


class Handle(Protocol):
    """The part of the client's handle of an activity that recovering needs."""

    async def fail(self, error: Exception, *, rpc_timeout: timedelta | None = None) -> None:
        """Report the failure of an attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What became of one attempt of a dead worker: `killed` processes; whether its retry has been asked for.

    `told` is False when the server no longer knows the attempt (it has already retried or given up) and when it did not
    answer; then `kept` says that the record stays for the next time.
    """

    record: Record
    killed: int
    told: bool
    kept: bool


async def recover(root: Path, client: Client) -> list[Recovered]:
    """Kill what dead workers of this host left running, and have the server retry it at once.

    To be called when a worker starts, before it polls. Attempts of living workers, and of other hosts, are left alone.
    """
    lost = [record for record in await asyncio.to_thread(records, root) if not record.has_worker()]
    recovered = await asyncio.gather(*(_recover(_path(root, record.key), record, client) for record in lost))
    return [one for one in recovered if one is not None]


async def _recover(path: Path, record: Record, client: Client) -> Recovered | None:
    killed = await sweep([record.trace])
    lock = _try_lock(path)
    if lock is None:  # a living worker has the key
        return None
    try:
        if read(path) != record:
            return None
        told, kept = await _hand_back(client.get_async_activity_handle(task_token=record.token))
        if not kept:
            _remove(path)
        return Recovered(record=record, killed=killed, told=told, kept=kept)
    finally:
        _release(path, lock)


async def _hand_back(handle: Handle) -> tuple[bool, bool]:
    # Imported here: reading records must not cost the command line the SDK.
    from temporalio.exceptions import ApplicationError  # noqa: PLC0415
    from temporalio.service import RPCError, RPCStatusCode  # noqa: PLC0415

    lost = ApplicationError("worker lost", type="WorkerLost", next_retry_delay=timedelta(milliseconds=1))
    try:
        await handle.fail(lost, rpc_timeout=timedelta(seconds=5))
    except RPCError as error:
        return False, error.status not in {RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT}
    return True, False


def _path(root: Path, key: str) -> Path:
    return root / ".phaseloom" / "attempts" / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"


async def _clear(path: Path, ours: Record, before: Sequence[Trace]) -> None:
    """Kill the attempts that ours comes after."""
    other = await asyncio.to_thread(read, path)
    traces = {trace.attempt_id: trace for trace in before}
    if other and other.ended:
        traces.pop(other.attempt_id, None)
    elif other and not (other.scheduled > ours.scheduled and other.has_worker()):
        traces[other.attempt_id] = other.trace
    if traces:
        await sweep(list(traces.values()))


def _try_lock(path: Path) -> int | None:
    """Lock a key, if it is free. Not in a thread: a descriptor that arrives after a cancellation would stay locked."""
    lock = path.with_suffix(".lock")
    fd = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever held it before may have removed the file under us.
        if os.fstat(fd).st_ino == lock.stat().st_ino:
            return fd
    except OSError:
        pass
    os.close(fd)
    return None


def _release(path: Path, lock: int) -> None:
    with contextlib.suppress(OSError):
        path.with_suffix(".lock").unlink(missing_ok=True)
    os.close(lock)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _forget(path: Path, record: Record) -> None:
    """Remove the record of an attempt that has ended, unless the key is in use again."""
    with contextlib.suppress(OSError):
        lock = _try_lock(path)
        if lock is not None:
            if read(path) == record:
                _remove(path)
            _release(path, lock)


@cache
def _worker_identity(pid: int) -> str | None:
    return identity(pid)


def to_json(record: Record) -> dict[str, Any]:
    """A record as JSON values, without the token."""
    values = asdict(record)
    del values["task_token"]
    return values
