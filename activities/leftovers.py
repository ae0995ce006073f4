"""Finds and kills what is left of an attempt when its worker, and maybe its keeper, are gone."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

from activities.keeper import below, parents_first, processes

MARKER = "PHASELOOM_ATTEMPT_ID"
"""The variable that every process of an attempt inherits."""

PATIENCE = 5.0
"""Seconds that killed processes get to vanish."""

CHANGING_SECONDS = 1.0
"""How long one look at all processes waits for those that are just becoming another program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """By what the processes of an attempt can be told: the marker, and its keeper's id and start."""

    attempt_id: str
    host: str
    pgid: int | None = None
    started: str | None = None


@cache
def this_host() -> str:
    """The name under which this host's process ids mean something."""
    return socket.gethostname()


@cache
def _boot() -> str:
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return ""


def identity(pid: int) -> str | None:
    """What tells a process from a later one with the same id: its start, to the clock tick; None if it is dead."""
    if not _boot():
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            return None if process.status() == psutil.STATUS_ZOMBIE else repr(process.create_time())
        return None
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return None if fields[0] in {b"Z", b"X"} else f"{_boot()}:{fields[19].decode()}"
    return None


def find(traces: Iterable[Trace]) -> list[int]:
    """The living processes of these attempts on this host, keepers included, parents first.

    A process group counts only while its leader is provably the keeper, because a free process id is used again;
    everything else is known by the marker in its environment, or by descending from a process that is.
    """
    here = [trace for trace in traces if trace.host == this_host()]
    if not here:
        return []
    table = processes()
    markers = {f"{MARKER}={trace.attempt_id}".encode() for trace in here}
    until = time.monotonic() + CHANGING_SECONDS
    found = {pid for pid in table if markers.intersection(_environment(pid, until))}
    found.update(trace.pgid for trace in here if trace.pgid and trace.started and identity(trace.pgid) == trace.started)
    for pid in tuple(found):
        found |= below(table, pid)
    return parents_first(table, found - _ourselves())


async def sweep(traces: Sequence[Trace]) -> int:
    """Kill the processes of these attempts, and wait until they are gone; how many there were."""
    killed: set[int] = set()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while pids := await asyncio.to_thread(find, traces):
                for pid in pids:
                    with contextlib.suppress(OSError):
                        os.kill(pid, signal.SIGKILL)
                killed.update(pids)
                await asyncio.sleep(0.01)
    return len(killed)


def _environment(pid: int, until: float) -> list[bytes]:
    if _boot():
        with contextlib.suppress(OSError):
            return _settled(Path(f"/proc/{pid}"), until).split(b"\0")
        return []
    with contextlib.suppress(psutil.Error, OSError):
        return [f"{name}={value}".encode() for name, value in psutil.Process(pid).environ().items()]
    return []


def _settled(process: Path, until: float) -> bytes:
    """The environment of a process. One that is just becoming another program has none for a moment, and no words.

    Some processes have wiped out both for good, so this waits `until` a moment of the monotonic clock at most.
    """
    while True:
        found = (process / "environ").read_bytes()
        if found or (process / "cmdline").read_bytes() or time.monotonic() > until:
            return found
        (process / "exe").readlink()  # raises for what runs no program: threads of the kernel, and the dead
        time.sleep(0.005)  # noqa: TID251 - in a thread, for what another process does


def _ourselves() -> set[int]:
    with contextlib.suppress(psutil.Error):
        return {os.getpid(), *(process.pid for process in psutil.Process().parents())}
    return {os.getpid()}
