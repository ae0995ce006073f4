"""The program as a user has it: real processes in an empty directory, everything stopped afterwards."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.tidying import tidy

BIN = Path(sys.executable).parent
Json = dict[str, Any]


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


class Desk:
    """A directory and somebody who types commands in it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("TEMPORAL_", "PHASELOOM_"))}
        return {**kept, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "PHASELOOM_ACTOR": "ann", "NO_COLOR": "1"}

    def type(self, *words: str, code: int | None = 0, timeout: float = 120) -> str:
        """Run `phaseloom` with these words; its output, after checking the exit code."""
        done = subprocess.run(
            [str(BIN / "phaseloom"), *words],
            cwd=self.root,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if code is not None:
            assert done.returncode == code, f"{words} -> {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Start `phaseloom` with these words and leave it running."""
        return subprocess.Popen(
            [str(BIN / "phaseloom"), *words],
            cwd=self.root,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.write_text(text, encoding="utf-8")
        return path

    def record(self, name: str) -> Json:
        """One of the JSON files that say what runs: server, supervisor, worker."""
        loaded: Json = json.loads((self.root / ".phaseloom" / f"{name}.json").read_text(encoding="utf-8"))
        return loaded

    def kill(self, *names: str) -> float:
        """SIGKILL to these processes of the project, and wait until they are gone; when it was done."""
        pids = [self.record(name)["pid"] for name in names]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        when = time.monotonic()
        self.until(lambda: not any(alive(pid) for pid in pids), "the end of what was killed")
        return when

    def has_worker(self) -> bool:
        """Whether the project's worker lives and asks for work."""
        try:
            record = self.record("worker")
        except (OSError, ValueError):
            return False
        return record.get("state") == "polling" and alive(record["pid"])

    def lines(self, name: str) -> list[str]:
        path = self.root / name
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def until(self, seen: Callable[[], object], what: str, seconds: float = 60) -> None:
        """Wait until `seen()`; fails with what was waited for."""
        deadline = time.monotonic() + seconds
        while not seen():
            assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
            PAUSE.wait(0.05)


PAUSE = threading.Event()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """An empty directory; what was started in it is stopped at the end."""
    at = Desk(tmp_path)
    yield at
    asyncio.run(tidy(tmp_path))
