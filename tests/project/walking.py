"""Walks through a page as a reader would: its files written, its commands run, in one shell, in an empty directory.

A reader types more slowly than this, and looks again: agents have come further then. So a command that only looks, or
that is refused, which changes nothing, is typed again until it prints what the page shows.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import select
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.project.markdown import ROOT, Command, as_shown, blocks, commands
from tests.tidying import tidy

BIN = Path(sys.executable).parent
LONGEST = 400
"""Seconds for a page: more than any takes on a machine that is busy, for what hangs."""
PATIENCE = 60
"""Seconds in which a reader looks again."""
PAUSE = threading.Event()
MARK = "@@phaseloom-docs@@"
_ENDED = re.compile(rf"{MARK}(\d+)\n".encode())
_LOOKS = (
    *("artifacts list", "breakers list", "checkpoints list", "checkpoints show", "checkpoints diff", "compare"),
    *("context show", "context history", "context diff", "gate list", "gate show", "inbox", "logs", "parallel-status"),
    *("runs", "status", "timeline", "why"),
)
_LOOK = re.compile(rf"phaseloom (?:workflow )?(?:{'|'.join(_LOOKS)})(?: [^;&>]*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command and the exit code it should have."""

    command: Command
    code: int


def walk(page: Path, place: Path, programs: Path = BIN) -> None:
    """Run a page below `place`; AssertionError, with line and output, where it does not go as printed.

    `phaseloom` is the one in `programs`.
    """
    home, project = place / "home", place / "project"
    home.mkdir()
    project.mkdir()
    try:
        with Shell(home, project, programs) as shell:
            for step in _steps(page):
                if isinstance(step, Step):
                    _take(step, shell, page)
                else:
                    shell.types(step)
    finally:
        for state in place.rglob(".phaseloom"):
            asyncio.run(tidy(state.parent))


def _steps(page: Path) -> Iterator[Step | str]:
    """What is done in order: commands as steps, files as commands that write them."""
    for block in blocks(page):
        if name := block.options.get("file"):
            folder = shlex.quote(os.path.dirname(name) or ".")  # noqa: PTH120 - a text, not a file here
            yield f"mkdir -p {folder}\ncat >{shlex.quote(name)} <<'{MARK}'\n{block.text}{MARK}"
        if block.language != "console" or "skip" in block.options:
            continue
        every = commands(block)
        for command in every:
            yield Step(command=command, code=int(block.options.get("exit", 0)) if command is every[-1] else 0)


def _take(step: Step, shell: Shell, page: Path) -> None:
    """Type one command until it prints what is shown, as often as a reader may."""
    where = f"{page.relative_to(ROOT)}:{step.command.line}: {step.command.text}"
    ends = time.monotonic() + PATIENCE
    while True:
        output, code = shell.types(f"{{ {step.command.text}\n}} </dev/null")
        assert code is not None, f"{where}\ndid not end:\n{output}"
        right = as_shown(step.command.expected, output)
        if code == step.code and right:
            return
        refused = step.code == 0 != code and step.command.text.startswith("phaseloom workflow ")
        if time.monotonic() > ends or not (refused or _LOOK.fullmatch(step.command.text)):
            break
        PAUSE.wait(0.2)
    assert code == step.code, f"{where}\nended with {code}, not {step.code}:\n{output}"
    shown = "\n".join(step.command.expected).strip("\n")
    assert right, f"{where}\nis shown with:\n{shown}\n\nbut printed:\n{output}"


class Shell:
    """A shell in an empty directory, of somebody who has configured nothing."""

    def __init__(self, home: Path, project: Path, programs: Path) -> None:
        variables = {
            "PATH": os.pathsep.join(map(str, (programs, BIN, os.environ["PATH"]))),
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "USER": "ana",
            "LOGNAME": "ana",
            "TERM": "dumb",
            "TMPDIR": str(home),
            "GIT_CONFIG_GLOBAL": os.devnull,
        }
        self._process = subprocess.Popen(
            ["sh"],
            cwd=project,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._ends = time.monotonic() + LONGEST
        self._read = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()

    def types(self, text: str) -> tuple[str, int | None]:
        """What a command prints, and its exit code; None if it does not end."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{text}\necho {MARK}$?\n".encode())
        self._process.stdin.flush()
        while (ended := _ENDED.search(self._read)) is None:
            if not (more := self._more()):
                return self._read.decode(errors="replace"), None
            self._read += more
        printed, self._read = self._read[: ended.start()], self._read[ended.end() :]
        return printed.decode(errors="replace"), int(ended[1])

    def _more(self) -> bytes:
        """What the shell prints next; nothing if it has ended, or takes too long."""
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        ready, _, _ = select.select([descriptor], [], [], max(0.0, self._ends - time.monotonic()))
        return os.read(descriptor, 65536) if ready else b""
