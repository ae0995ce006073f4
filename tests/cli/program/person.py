"""Somebody at a shell, in a project of their own: types commands and reads what is said."""

from __future__ import annotations

import contextlib
import fcntl
import io
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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.main import execute

Json = dict[str, Any]

PROGRAM = str(Path(sys.executable).parent / "phaseloom")
SECONDS = 120.0
"""How long anything may take on a busy machine; what takes longer hangs."""


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
        self.environ = {**kept, "XDG_CONFIG_HOME": str(root / "no-config"), "PHASELOOM_ACTOR": "ana"}

    def write(self, name: str, text: str) -> str:
        """A file of the project; returns its name."""
        (self.root / name).write_text(text, encoding="utf-8")
        return name

    def tries(self, *arguments: str, **environ: str) -> Said:
        """Carry out a command, however it ends: in this process, which spares the start of an interpreter.

        With variables of its own it is a process of its own, as it is for `begins` and `on_terminal`, and for every
        command of `TYPED` pages of the docs and of `tests/acceptance`.
        """
        said = self._in_a_process(arguments, environ) if environ else self._here(arguments)
        assert "Traceback" not in said.err, said.err
        return said

    def _in_a_process(self, arguments: Sequence[str], environ: dict[str, str]) -> Said:
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
        return Said(done.returncode, done.stdout, done.stderr)

    def fed(self, text: str, *arguments: str) -> Said:
        """As `tries`, with this text on the standard input."""
        source = self.root / ".stdin"
        source.write_text(text, encoding="utf-8")
        said = self._here(arguments, source)
        assert "Traceback" not in said.err, said.err
        return said

    def _here(self, arguments: Sequence[str], source: Path = Path(os.devnull)) -> Said:
        out, err, outside = io.StringIO(), io.StringIO(), dict(os.environ)
        stdin = sys.stdin
        try:
            os.environ.clear()
            os.environ.update(self.environ)
            with (
                source.open(encoding="utf-8") as sys.stdin,
                contextlib.chdir(self.root),
                contextlib.redirect_stdout(out),
                contextlib.redirect_stderr(err),
            ):
                code = execute(list(arguments))
        finally:
            sys.stdin = stdin
            os.environ.clear()
            os.environ.update(outside)
        return Said(code, out.getvalue(), err.getvalue())

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

    def on_terminal(
        self,
        *arguments: str,
        columns: int,
        typed: str = "",
        seeing: Callable[[str], object] = lambda _shown: None,
        **environ: str,
    ) -> str:
        """What a command shows on a terminal of so many columns where this is typed, with its control characters.

        `seeing` is told, again and again, what has been shown so far; a text that it returns is typed then.
        """
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
                if isinstance(more := seeing(shown.decode(errors="replace")), str):
                    os.write(ours, more.encode())
        os.close(ours)
        assert process.wait(SECONDS) == 0
        return shown.decode(errors="replace")

    def view(self) -> Json:
        """The current run as `status --json` prints it."""
        view: Json = self.types("workflow", "status", "--json").json
        return view

    def runs(self, *options: str) -> dict[str, Json]:
        """The runs of the list by their ids; it learns of a run's start, and of its end, a moment later."""
        return {run["run"]: run for run in self.types("runs", *options, "--json").json["runs"]}

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


def until(look: Callable[[], object], *, seconds: float = 60.0) -> None:
    """Wait until `look` finds something.

    The longer it takes, the rarer the looks: most are commands, and take the processor from what is waited for.
    """
    began = time.monotonic()
    while not look():
        waited = time.monotonic() - began
        assert waited < seconds, f"nothing after {seconds} s"
        threading.Event().wait(min(0.02 + waited / 20, 0.1))
