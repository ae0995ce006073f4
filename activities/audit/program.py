"""External tools, run so that nothing in the audited repository can configure them or be executed by them.

They start in an empty directory, with absolute paths as arguments, a home of their own and a minimal environment.
"""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from activities.audit.finding import printable
from activities.audit.tree import SourceFile

TIMEOUT = 900.0
BATCH_FILES = 400
BATCH_BYTES = 100_000
"""A command line stays far under the system's limit, and one bad file costs one batch."""


class NotRunError(Exception):
    """Raised when a tool gave no usable answer; the text is the reason, fit for the report."""


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
                raise NotRunError(f"{self.name} did not finish within {timeout:.0f} s") from None
            except OSError as error:
                raise NotRunError(f"{self.name} cannot be started ({error.strerror})") from None
        if done.returncode not in ok:
            raise NotRunError(f"{self.name} ended with {_ending(done.returncode, done.stderr)}")
        return done.stdout.decode("utf-8", "replace")


def locate(name: str) -> Program:
    """The tool beside this interpreter, else on the absolute entries of PATH; NotRunError where there is none."""
    beside = Path(sys.executable).parent / name
    if os.access(beside, os.X_OK) and beside.is_file():
        return Program(name, str(beside))
    # A relative entry of PATH would be looked up in the audited repository.
    entries = [entry for entry in os.environ.get("PATH", os.defpath).split(os.pathsep) if Path(entry).is_absolute()]
    found = shutil.which(name, path=os.pathsep.join(entries)) if entries else None
    if found is None:
        raise NotRunError(f"{name} is not installed (pip install 'phaseloom[audit]')")
    return Program(name, found)


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
