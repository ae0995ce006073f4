"""Processes known by more than their number: is it still the same one, when is it gone, how is it stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

POLL = 0.1
"""Seconds between two looks at a process where the system cannot tell us that it has ended."""

_children: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True, slots=True)
class Process:
    """One process: its number and its `birth`, which a later process with the same number does not share."""

    pid: int
    birth: str

    @property
    def alive(self) -> bool:
        """Whether this very process still runs; one that has ended and waits for its parent does not."""
        reap()
        return birth(self.pid) == self.birth

    def send(self, number: signal.Signals) -> None:
        """Send a signal, unless the process has ended."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


def recorded(record: Mapping[str, Any]) -> Process | None:
    """The process that wrote its `pid` and `birth` into a record, while it lives."""
    try:
        process = Process(int(record["pid"]), str(record["birth"]))
    except (KeyError, TypeError, ValueError):
        return None
    return process if process.alive else None


def current() -> Process:
    """This process."""
    mark = birth(os.getpid())
    assert mark is not None
    return Process(os.getpid(), mark)


def birth(pid: int) -> str | None:
    """The mark of the process that has this number now: boot and start in ticks; None without a living process.

    Not a wall-clock time: that moves when the clock is set, and a server would no longer be recognised.
    """
    if sys.platform != "linux":
        return _birth_elsewhere(pid)
    state, mark = _status(pid)
    return None if state in {"Z", "X"} else mark


def _status(pid: int) -> tuple[str, str | None]:
    """State and mark of a process on Linux, of one that has ended and was not buried too."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return "X", None
    fields = status.rpartition(")")[2].split()
    return fields[0], f"{_boot()}/{fields[19]}"


@cache
def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()[:8]


def _birth_elsewhere(pid: int) -> str | None:
    import psutil  # noqa: PLC0415 - only where there is no /proc

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
    except psutil.Error:
        return None


def spawn(
    command: Sequence[str], *, folder: Path, log: Path, environ: Mapping[str, str], keep: Sequence[int] = ()
) -> Process:
    """Start `command` in a session of its own, its output appended to `log`, with no input.

    It outlives this process. `keep` are descriptors that it inherits; all others are closed.
    """
    with log.open("ab") as output:
        child = subprocess.Popen(
            list(command),
            cwd=folder,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=list(keep),
        )
    _children.append(child)
    # A child that has already ended is a zombie of ours until `reap`, so it has a number and never a successor yet.
    return Process(child.pid, birth(child.pid) or "ended")


def reap() -> None:
    """Take the exit status of children that have ended, so that none is left as a zombie."""
    _children[:] = [child for child in _children if child.poll() is None]


async def gone(process: Process) -> None:
    """Return as soon as the process has ended."""
    if sys.platform == "linux":
        try:
            descriptor = os.pidfd_open(process.pid)
        except OSError:  # ended already, or a kernel before 5.3
            pass
        else:
            try:
                await _readable(process, descriptor)
            finally:
                os.close(descriptor)
    while process.alive:  # noqa: ASYNC110 - nothing tells of the end here
        await asyncio.sleep(POLL)


async def _readable(process: Process, descriptor: int) -> None:
    """A process descriptor becomes readable when the last thread of its process has ended.

    Until then ports and locks are held, though the process may look like a zombie already.
    """
    if _status(process.pid)[1] != process.birth:
        return
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)


async def stop(process: Process, *, grace: float) -> bool:
    """Ask the process to end, kill it after `grace` seconds; returns whether it ended by itself. It is gone then."""
    process.send(signal.SIGTERM)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(gone(process), grace)
        return True
    process.send(signal.SIGKILL)
    await gone(process)
    return False
