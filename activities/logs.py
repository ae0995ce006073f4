"""The log of a phase: `.phaseloom/workflows/<run>/logs/phase-<id>.log`.

Lines about the work read `[2024-02-19T10:00:00Z] [INFO] Agent: architecture-expert - Invoked (attempt 1)`; between them
stand the lines of the agents, as they are. Each write is one `write` of whole lines on a descriptor that appends, so
agents working at once on one phase never tear each other's lines.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Self

from activities.finishing import to_the_end
from activities.places import run_directory

Level = Literal["INFO", "WARNING", "ERROR"]


def entry(level: Level, text: str, at: datetime | None = None) -> str:
    """One line of a log, without its end; now, unless `at` says otherwise."""
    when = (at or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"[{when}] [{level}] {' '.join(text.splitlines())}"


def phase_log(root: Path, run: str, phase: str) -> Path:
    """Where the log of a phase is."""
    return run_directory(root, run) / "logs" / f"phase-{phase}.log"


class LogFile:
    """A log open for appending. What cannot be written (a full disk) is dropped: it must not stop the work."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd: int | None = None
        self._lock = threading.Lock()  # a write that nobody awaits any more must not meet a closed descriptor

    async def __aenter__(self) -> Self:
        try:
            await to_the_end(asyncio.to_thread(self._open))
        except BaseException:
            self._close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self._close()

    async def say(self, level: Level, text: str) -> None:
        """Append a line about the work."""
        await self.write(entry(level, text).encode(errors="replace") + b"\n")

    async def write(self, lines: bytes) -> None:
        """Append whole lines."""
        if lines:
            await asyncio.to_thread(self._write, lines)

    def _open(self) -> None:
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def _close(self) -> None:
        with self._lock:
            if self.fd is not None:
                os.close(self.fd)
                self.fd = None

    def _write(self, lines: bytes) -> None:
        with self._lock, contextlib.suppress(OSError):
            while lines and self.fd is not None:
                lines = lines[os.write(self.fd, lines) :]
