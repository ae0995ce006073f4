"""Measurements of the program as a user starts it: from nothing, and after a worker is lost."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench.report import Row

PROGRAM = str(Path(sys.executable).parent / "phaseloom")
PATIENCE = 20.0
"""Seconds that the work of another process may take before the measurement is given up."""

AGENT = """\
id: cold
agents: {a: {uses: command, run: [sh, -c, 'date +%s.%N >> began; sleep 3']}}
phases: [{name: One, agents: [a]}]
"""

WAITING = """\
id: lost
agents: {a: {uses: command, run: [sh, -c, 'date +%s.%N >> began; until test -e go; do sleep 0.02; done']}}
phases: [{name: One, agents: [a]}, {name: Two, agents: [a]}]
"""


def _phaseloom(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # As an installation has it: with bytecode that is cached after the first start.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run(
        [PROGRAM, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def help_time(folder: Path) -> list[Row]:
    """`--help`, and `status` against a running server."""
    (folder / "cold.yaml").write_text("id: cold\nphases: [{name: One, agents: [somebody]}]\n", encoding="utf-8")
    helped = _median(lambda: _phaseloom(folder, "--help"))
    _phaseloom(folder, "workflow", "start", "cold.yaml")
    status = _median(lambda: _phaseloom(folder, "workflow", "status"))
    _phaseloom(folder, "down", "--force")
    return [
        Row(what="--help", value=helped, unit="s", budget=0.2),
        Row(what="workflow status, server running", value=status, unit="s", budget=0.5),
    ]


def _median(what: Callable[[], object]) -> float:
    times = []
    for _ in range(7):
        began = time.perf_counter()
        what()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def first_agent(folder: Path) -> list[Row]:
    """With nothing running: from the command to the first agent's first line of work."""
    (folder / "cold.yaml").write_text(AGENT, encoding="utf-8")
    began = time.time()
    _phaseloom(folder, "run", "cold.yaml")
    first = float((folder / "began").read_text(encoding="ascii").split()[0])
    _phaseloom(folder, "down", "--force")
    return [Row(what="nothing running -> first agent started", value=first - began, unit="s", budget=3)]


def losses(folder: Path) -> list[Row]:
    """From SIGKILL to a process, or for all of them from the command that starts them again, until the run goes on."""
    return [_lost(folder, "worker"), _lost(folder, "server"), _lost(folder, "worker", "server", "supervisor")]


def _lost(folder: Path, *names: str) -> Row:
    """A worker that dies takes its agent with it, which begins again; without one the next phase has to begin."""
    folder = folder / "-".join(names)
    folder.mkdir()
    (folder / "lost.yaml").write_text(WAITING, encoding="utf-8")
    _phaseloom(folder, "run", "lost.yaml", "--detach")
    began = folder / "began"
    _until(began.exists)
    pids = [json.loads((folder / ".phaseloom" / f"{name}.json").read_text(encoding="utf-8"))["pid"] for name in names]
    killed = time.time()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    if "worker" not in names:
        (folder / "go").touch()
    if "supervisor" in names:
        _phaseloom(folder, "workflow", "status")
    _until(lambda: len(began.read_text(encoding="ascii").split()) >= 2)
    again = float(began.read_text(encoding="ascii").split()[1])
    (folder / "go").touch()
    _phaseloom(folder, "down", "--force")
    lost = names[0] if len(names) == 1 else "all"
    return Row(what=f"{lost} killed -> the run goes on", value=again - killed, unit="s", budget=5)


def _until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing after {PATIENCE:.0f} s")
        time.sleep(0.05)  # noqa: TID251 - a measurement may wait for another process
