"""The keeper outlives nobody: when its worker is killed, everything goes at once."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from activities import keeper
from activities.leftovers import MARKER, identity
from activities.logs import LogFile
from activities.output import AttemptLog, Output
from activities.processes import Command, run

Eventually = Callable[..., Any]
ProcessesOf = Callable[[str], list[int]]

WORKER = """
import asyncio, os, sys
from pathlib import Path
from activities.leftovers import MARKER
from activities.logs import LogFile
from activities.output import AttemptLog, Output
from activities.processes import Command, run

async def main(root):
    async def started(pgid):
        print(pgid, flush=True)
    async with LogFile(root / "a.log") as log:
        env = {"PATH": os.environ["PATH"], MARKER: "kept", "PHASELOOM_WORKSPACE": str(root)}
        script = "trap '' TERM; setsid sleep 86421 & sleep 86422 & echo up; while :; do sleep 1; done"
        command = Command(argv=["sh", "-c", script], env=env, cwd=root, grace=600)
        await run(command, Output(AttemptLog(log, limit=1000, label="x"), ()), started=started)

asyncio.run(main(Path(sys.argv[1])))
"""


async def test_all_is_gone_soon_after_the_workers_death(
    tmp_path: Path, eventually: Eventually, processes_of: ProcessesOf
) -> None:
    worker = start_worker(tmp_path)
    with worker:
        await eventually(lambda: (tmp_path / "a.log").exists() and (tmp_path / "a.log").read_text() == "up\n")
        assert worker.stdout is not None
        group = int(worker.stdout.readline())
        assert processes_of("sleep 86421")
        worker.kill()
        # Much sooner than with the grace that this worker would give if it lived, however busy the machine is.
        await eventually(lambda: identity(group) is None and not processes_of("sleep 8642"))
    assert keeper.ORPHANED_GRACE == 0.25, "so the docs say"


def start_worker(place: Path) -> subprocess.Popen[bytes]:
    env = os.environ | {"PYTHONPATH": str(Path(keeper.__file__).parent.parent)}
    return subprocess.Popen([sys.executable, "-c", WORKER, str(place)], env=env, stdout=subprocess.PIPE)


def test_a_keeper_without_anything_to_run_ends(tmp_path: Path) -> None:
    assert start_and_close(tmp_path).wait(60) == 0


def test_starting_a_keeper_is_cheap(tmp_path: Path) -> None:
    """Told by the processor's time, which is the same however many others want the processor."""
    times = []
    for _ in range(7):
        process = start_and_close(tmp_path)
        _, process.returncode, used = os.wait4(process.pid, 0)
        assert process.returncode == 0
        times.append(used.ru_utime + used.ru_stime)
    assert min(times) < 0.15, "20 ms on an idle machine"


def start_and_close(place: Path) -> subprocess.Popen[bytes]:
    reader, writer = os.pipe()
    command = [sys.executable, "-I", "-S", keeper.__file__, str(reader), "2"]
    process = subprocess.Popen(command, pass_fds=(reader,), cwd=place, env={})
    os.close(reader)
    os.close(writer)
    return process


def test_the_table_of_processes_is_the_same_from_ps() -> None:
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as child:
        for table in (keeper.processes(), keeper.from_ps()):
            assert table[child.pid] == (os.getpid(), child.pid)
            assert child.pid in keeper.below(table, os.getpid())
            assert os.getpid() not in keeper.below(table, os.getpid())
        child.kill()
    assert child.returncode == -signal.SIGKILL


def test_parents_are_ended_before_their_children() -> None:
    """Else a shell that is about to be killed goes on with its next command."""
    table = {9: (1, 9), 5: (9, 9), 70: (5, 9), 6: (70, 9), 71: (6, 9), 3: (9, 9), 4: (3, 4), 8: (2, 8)}
    found = keeper.parents_first(table, keeper.below(table, 9))
    assert sorted(found) == [3, 4, 5, 6, 70, 71]
    assert all(found.index(pid) > found.index(table[pid][0]) for pid in found if table[pid][0] in found)
    assert keeper.parents_first({1: (2, 1), 2: (1, 1)}, {1, 2}), "a table that tells a circle has an order too"


async def test_an_unharmed_environment_reaches_the_command(tmp_path: Path) -> None:
    """Not even the variable that Python sets for itself in a bare locale."""

    async def started(_: int) -> None:
        await asyncio.sleep(0)

    odd = os.fsdecode(b"\xff\xfe=x y\n")
    async with LogFile(tmp_path / "a.log") as log:
        output = Output(AttemptLog(log, limit=1000, label="x"), (), capture=10_000)
        env = {MARKER: "m", "PATH": "/usr/bin:/bin", "ODD": odd, "EMPTY": ""}
        await run(Command(argv=["env", "-0"], env=env, cwd=tmp_path), output, started=started)
    pairs = dict(item.split(b"=", 1) for item in bytes(output.stdout).split(b"\0") if item)
    assert pairs == {os.fsencode(name): os.fsencode(value) for name, value in env.items()}
