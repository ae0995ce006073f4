"""What holds for every test: it leaves no process behind, and the workers of xdist get what takes long first.

A process is the test's if it descends from the test run, or if it is a daemon that works in the run's temporary
directories (by its marker, its arguments, or its working directory). Servers that fixtures of a wider scope started
before the test are not its own.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # it tells no types

PATIENCE = 60.0
"""Seconds in which what is about to end may end."""

OF_PYTHON = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")
"""Helpers that the interpreter starts once and keeps."""


# How long an example takes says more about the machine than about the code. CI judges every change by the same
# examples; whoever works on the code looks for new ones with each run.
settings.register_profile(
    "phaseloom", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=bool(os.environ.get("CI"))
)
settings.load_profile("phaseloom")


LONG = ("tests/cli/program/", "tests/acceptance/", "tests/cli/test_embedded_", "tests/project/")
"""Where servers are started and processes are waited for."""

APART = ("tests/acceptance/", "tests/cli/test_embedded_", "tests/project/test_docs.py")
"""Where each test starts all it needs, and takes seconds: any worker of xdist may have the next one of these."""

# Here and in every process that a test starts: compiling these files and ours anew takes each of them seconds.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # as above
    """The tests of a file run one after the other in one process, so that what a module shares is started once.

    Every other worker begins with what waits for processes, the rest with what only computes, so that they need the
    processor at different times. Whoever is done with its kind goes on with the other; single tests come last.
    """

    def _split_scope(self, nodeid: str) -> str:
        file, _, _ = nodeid.partition("::")
        return nodeid if file.startswith(APART) else file

    def _assign_work_unit(self, node: Any) -> None:
        prefers_long = self.nodes.index(node) % 2 == 0
        preferred = (scope for scope in self.workqueue if scope.startswith(LONG) is prefers_long)
        self.workqueue.move_to_end(next(preferred, next(iter(self.workqueue))), last=False)
        super()._assign_work_unit(node)

    def _reschedule(self, node: Any) -> None:
        """Give a worker more when it has one test left: a long one that it holds back would be missing elsewhere."""
        if not self.workqueue or self._pending_of(self.assigned_work[node]) < 2:
            super()._reschedule(node)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)


@pytest.fixture(autouse=True)
def no_process_is_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    before = set(psutil.pids())
    yield
    left = _ours(before, tmp_path_factory.getbasetemp())
    waited = 0.0
    while left and waited < PATIENCE:
        threading.Event().wait(0.05)
        waited += 0.05
        left = _ours(before, tmp_path_factory.getbasetemp())
    if left:
        told = [f"{process.pid} {_words(process)[:160]}" for process in left]
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        pytest.fail("left processes behind:\n" + "\n".join(told))


def _ours(before: set[int], place: Path) -> list[psutil.Process]:
    new = [pid for pid in psutil.pids() if pid not in before]
    if not new:
        return []
    family = {process.pid for process in psutil.Process().children(recursive=True)}
    found = []
    for pid in new:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            if process.status() == psutil.STATUS_ZOMBIE or any(helper in _words(process) for helper in OF_PYTHON):
                continue
            if pid in family or _works_in(process, str(place)):
                found.append(process)
    return found


def _works_in(process: psutil.Process, place: str) -> bool:
    """Whether a process has to do with a directory, and not with one whose name only begins alike."""
    with contextlib.suppress(psutil.Error, OSError):
        told = [process.environ().get("PHASELOOM_WORKSPACE", ""), process.cwd(), *process.cmdline()]
        return any(f"{place}/" in f"{text}/" for text in told)
    return False


def _words(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""
