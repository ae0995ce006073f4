"""What an attempt has used is what the system accounts for its commands, and nothing is made up."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from activities.leftovers import MARKER
from activities.logs import LogFile
from activities.output import AttemptLog, Output
from activities.processes import Command, Ended, run
from activities.usage import CommandUsage, Usage
from tests.activities.conftest import Project

BUSY = "import time\nends = time.process_time() + 0.3\nwhile time.process_time() < ends: pass"
LARGE = "held = b'x' * 64_000_000"
WRITE = "import os\nfile = open('data', 'wb')\nfile.write(b'x' * 4_000_000)\nfile.flush()\nos.fsync(file.fileno())"


async def ended(place: Path, script: str) -> Ended:
    async def started(_: int) -> None:
        await asyncio.sleep(0)

    async with LogFile(place / "a.log") as log:
        output = Output(AttemptLog(log, limit=1000, label="x"), ())
        env = {MARKER: "m", "PATH": os.environ["PATH"], "SCRIPT": script, "PYTHON": sys.executable}
        command = Command(argv=["/bin/sh", "-c", '"$PYTHON" -S -c "$SCRIPT" & wait'], env=env, cwd=place)
        return await run(command, output, started=started)


async def test_the_processor_time_of_a_commands_children_counts(tmp_path: Path) -> None:
    usage = (await ended(tmp_path, BUSY)).usage
    assert usage is not None
    assert 0.3 <= usage.cpu_seconds < 3


async def test_memory_is_that_of_the_largest_process(tmp_path: Path) -> None:
    usage = (await ended(tmp_path, LARGE)).usage
    assert usage is not None
    assert usage.memory_peak is not None
    assert 64_000_000 < usage.memory_peak < 200_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="no other system accounts bytes")
async def test_what_reaches_a_disk_is_counted_in_bytes(tmp_path: Path) -> None:
    usage = (await ended(tmp_path, WRITE)).usage
    assert usage is not None
    assert usage.write_bytes is not None
    if "tmpfs" not in _kind(tmp_path):
        assert 4_000_000 <= usage.write_bytes < 40_000_000


def _kind(place: Path) -> str:
    """The kind of file system that a place is on."""
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    return max((point, kind) for point, kind in mounts if place.is_relative_to(point))[1]


async def test_an_attempts_result_sums_up_its_commands_and_tests(project: Project) -> None:
    result = await project.command({"tasks": ["true", "true"]}, acceptance_tests=["true"])
    usage = result["usage"]
    assert usage["calls"] == 3
    assert 0 <= usage["cpu_seconds"] < 5
    assert usage["memory_peak"] > 0


def test_a_sum_that_misses_a_command_is_not_told() -> None:
    usage = Usage()
    assert usage.to_json() is None
    usage.add(CommandUsage(cpu_seconds=1.5, memory_peak=10))
    usage.add(CommandUsage(cpu_seconds=0.25, memory_peak=30, read_bytes=1))
    assert usage.to_json() == {"calls": 2, "cpu_seconds": 1.75, "memory_peak": 30}
    usage.add(None)
    assert usage.to_json() == {"calls": 3}


def test_what_a_keeper_cannot_know_is_absent() -> None:
    assert CommandUsage.told([1500, 2048, -1, -1]) == CommandUsage(cpu_seconds=1.5, memory_peak=2048)
