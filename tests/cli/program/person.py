"""Somebody at a shell, in a project of their own: runs the real console program and reads what it says."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]

PROGRAM = str(Path(sys.executable).parent / "phaseloom")
SECONDS = 60.0


@dataclass(frozen=True)
class Said:
    """What one command has said."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Person:
    """One project and its environment."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "PHASELOOM_"))}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
        self.environ = {**kept, "XDG_CONFIG_HOME": str(root / "no-config"), "PHASELOOM_ACTOR": "ana"}

    def write(self, name: str, text: str) -> str:
        """A file of the project; returns its name."""
        (self.root / name).write_text(text, encoding="utf-8")
        return name

    def tries(self, *arguments: str, **environ: str) -> Said:
        """Run a command, however it ends."""
        done = subprocess.run(
            [PROGRAM, *arguments],
            cwd=self.root,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Said(done.returncode, done.stdout, done.stderr)

    def types(self, *arguments: str, **environ: str) -> Said:
        """Run a command that must succeed."""
        said = self.tries(*arguments, **environ)
        assert said.code == 0, f"{arguments}: {said}"
        return said

    def begins(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command and stay able to interrupt it."""
        return subprocess.Popen(
            [PROGRAM, *arguments],
            cwd=self.root,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def on_terminal(self, *arguments: str, columns: int, typed: str = "", **environ: str) -> str:
        """What a command shows on a terminal of so many columns where this is typed, with its control characters."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
        process = subprocess.Popen(
            [PROGRAM, *arguments],
            cwd=self.root,
            env={**self.environ, "TERM": "xterm", **environ},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        os.write(ours, typed.encode())
        shown = b""
        with contextlib.suppress(OSError):  # the terminal's other end is closed
            while part := os.read(ours, 65536):
                shown += part
        os.close(ours)
        assert process.wait(30) == 0
        return shown.decode(errors="replace")

    def view(self) -> Json:
        """The current run as `status --json` prints it."""
        view: Json = self.types("workflow", "status", "--json").json
        return view

    @property
    def current(self) -> str:
        """The current run."""
        return (self.root / ".phaseloom" / "current").read_text(encoding="utf-8").strip()

    def record(self, name: str) -> Json:
        """What a background process of the project says about itself."""
        record: Json = json.loads((self.root / ".phaseloom" / f"{name}.json").read_text(encoding="utf-8"))
        return record

    def has_worker(self) -> bool:
        """Whether the worker asks for work."""
        try:
            return self.record("worker").get("state") == "polling"
        except (OSError, ValueError):
            return False


def interrupt(process: subprocess.Popen[str], number: signal.Signals = signal.SIGINT) -> Said:
    """Send a signal and wait for the end."""
    process.send_signal(number)
    out, err = process.communicate(timeout=SECONDS)
    return Said(process.returncode, out, err)


def until(look: Callable[[], object], *, seconds: float = 30.0) -> None:
    """Wait until `look` finds something."""
    ends = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < ends, f"nothing after {seconds} s"
        threading.Event().wait(0.02)
