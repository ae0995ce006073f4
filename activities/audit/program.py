"""External tools, run so that nothing in the audited repository can configure them or be executed by them.

They start in an empty directory, with absolute paths as arguments, a home of their own and a minimal environment.
"""

from __future__ import annotations

import os
import site
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from activities.audit.executables import installed
from activities.audit.finding import NOT_RUN, PARTIAL, printable
from activities.audit.tree import SourceFile

TIMEOUT = 900.0
BATCH_FILES = 400
BATCH_BYTES = 100_000
"""A command line stays far under the system's limit."""


UNNAMEABLE = "their names are not printable"

MAX_FAILURES = 40
"""How often a tool may fail while the file that it cannot take is looked for."""

T = TypeVar("T")


class NotRunError(Exception):
    """Raised when a tool gave no usable answer; the text is the reason, fit for the report.

    `final`: fewer files would not help.
    """

    def __init__(self, message: str, *, final: bool = False) -> None:
        super().__init__(message)
        self.final = final


@dataclass(slots=True)
class Coverage(Generic[T]):
    """A tool's answers, one per batch, and how many files none of them covers, by reason."""

    answers: list[T] = field(default_factory=list)
    missed: dict[str, int] = field(default_factory=dict)

    def miss(self, files: int, reason: str) -> None:
        """So many more files are not covered, and why."""
        if files:
            self.missed[reason] = self.missed.get(reason, 0) + files

    def status(self, files: int) -> str:
        """The status of a tool that was given so many files."""
        missed = sum(self.missed.values())
        if not missed:
            return ""
        several = len(self.missed) > 1
        why = "; ".join(f"{number}: {reason}" if several else reason for reason, number in self.missed.items())
        if missed >= files:
            return f"{NOT_RUN}{why}"
        return f"{PARTIAL}{missed} of {files} files missed ({why})"


@dataclass(frozen=True, slots=True)
class Program:
    """An installed tool: its name and where it is."""

    name: str
    path: str

    def run(self, *args: str, ok: Sequence[int] = (0,), timeout: float = TIMEOUT) -> str:
        """What the tool prints. Any exit code that is not in `ok`, and no answer in time, raise NotRunError."""
        with tempfile.TemporaryDirectory(prefix="phaseloom-audit-") as home:
            try:
                done = subprocess.run(
                    [self.path, *args],
                    cwd=home,
                    env=_environment(home),
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=timeout,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                raise NotRunError(f"{self.name} did not finish within {timeout:.0f} s", final=True) from None
            except OSError as error:
                raise NotRunError(f"{self.name} cannot be started ({error.strerror})", final=True) from None
        if done.returncode not in ok:
            raise NotRunError(f"{self.name} ended with {_ending(done.returncode, done.stderr)}")
        return done.stdout.decode("utf-8", "replace")


def locate(name: str) -> Program:
    """The installed tool; NotRunError where there is none."""
    path = installed(name)
    if path is None:
        raise NotRunError(f"{name} is not installed (pip install 'phaseloom[audit]')")
    return Program(name, path)


def in_batches(files: Sequence[SourceFile], run: Callable[[list[SourceFile]], T]) -> Coverage[T]:
    """What `run` answers for the files, batch by batch.

    A batch that a tool fails on is halved until the file that it cannot take is alone: one such file costs itself only.
    """
    coverage: Coverage[T] = Coverage()
    pending = deque(batches(files))
    failures = 0
    while pending:
        batch = pending.popleft()
        try:
            coverage.answers.append(run(batch))
        except NotRunError as error:
            failures += 1
            if len(batch) == 1 or error.final or failures > MAX_FAILURES:
                coverage.miss(len(batch), str(error))
            else:
                middle = len(batch) // 2
                pending.extendleft((batch[middle:], batch[:middle]))
    return coverage


def batches(files: Sequence[SourceFile]) -> Iterator[list[SourceFile]]:
    """The files in portions that fit a command line."""
    batch: list[SourceFile] = []
    size = 0
    for file in files:
        length = len(os.fsencode(file.path)) + 1
        if batch and (len(batch) >= BATCH_FILES or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += length
    if batch:
        yield batch


def nameable(files: Sequence[SourceFile]) -> list[SourceFile]:
    """The files whose path every tool can take and give back: printable, in UTF-8."""
    return [f for f in files if printable(str(f.path)) == str(f.path)]


def _environment(home: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return kept | {
        "HOME": home,
        "XDG_CONFIG_HOME": home,
        "TMPDIR": home,
        "LC_ALL": "C.UTF-8",
        "PYTHONUTF8": "1",
        "PYTHONSAFEPATH": "1",
        "PYTHONUSERBASE": site.getuserbase(),  # tools installed with `pip install --user` live there
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONWARNINGS": "ignore",
        "NO_COLOR": "1",
    }


def _ending(code: int, errors: bytes) -> str:
    lines = [line for line in errors.decode("utf-8", "replace").splitlines() if line.strip()]
    said = printable(lines[-1].strip()[:200]) if lines else ""
    ended = f"signal {-code}" if code < 0 else f"exit code {code}"
    return f"{ended}: {said}" if said else ended
