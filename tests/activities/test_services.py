"""The small activities, the log of a phase, and what may become part of a path."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from temporalio import activity
from temporalio.testing import ActivityEnvironment

import activities
from activities import hosts
from activities.archive import ArchiveActivities
from activities.artifacts import ArtifactStore
from activities.logs import LogFile, entry, phase_log
from activities.places import file_name
from activities.worker_context import WorkerContext
from engine.errors import WorkspaceError


async def test_cpus_are_counted_within_what_a_container_is_given(tmp_path: Path) -> None:
    limit = tmp_path / "cpu.max"
    assert await ActivityEnvironment().run(hosts.count_cpus) >= 1
    limit.write_text("50000 100000\n")
    assert hosts.usable_cpus(limit) == 1
    for unlimited in ("max 100000\n", "", "99999999 100000"):
        limit.write_text(unlimited)
        assert hosts.usable_cpus(limit) == hosts.usable_cpus(tmp_path / "none")


async def test_a_run_is_archived_once_however_often_it_is_asked_for(tmp_path: Path) -> None:
    archive = ArchiveActivities(WorkerContext(tmp_path)).archive_run
    given = {"run": "wf_1", "ledger": {"facts": [{"é": 1}], "a": None}}
    first = await ActivityEnvironment().run(archive, given)
    assert await ActivityEnvironment().run(archive, given) == first
    assert ArtifactStore(tmp_path).get_json(first["sha256"]) == given
    pointer = json.loads((tmp_path / ".phaseloom/workflows/wf_1/archive.json").read_text())
    assert pointer == {"run": "wf_1", **first}
    assert len([path for path in (tmp_path / ".phaseloom/artifacts").rglob("*") if path.is_file()]) == 1


def test_a_worker_gets_all_activities_under_their_frozen_names(tmp_path: Path) -> None:
    definitions = [activity._Definition.must_from_callable(one) for one in activities.all_activities(tmp_path)]
    names = [definition.name for definition in definitions]
    expected = [
        *("command", "aider", "python", "http", "gate", "merge_context"),
        *("archive_run", "notify", "run_hook", "count_cpus"),
    ]
    assert names == expected


def test_an_entry_is_one_line_with_time_and_level() -> None:
    at = datetime(2024, 2, 19, 10, 0, 0, tzinfo=UTC)
    assert entry("INFO", "Agent: a - Invoked", at) == "[2024-02-19T10:00:00Z] [INFO] Agent: a - Invoked"
    assert "\n" not in entry("ERROR", "two\nlines", at)


async def test_writers_of_one_log_never_tear_each_others_lines(tmp_path: Path) -> None:
    path = phase_log(tmp_path, "wf_1", "p")

    async def write(letter: str) -> None:
        async with LogFile(path) as log:
            for _ in range(50):
                await log.write((letter * 3000 + "\n").encode() * 5)

    await asyncio.gather(*(write(letter) for letter in "abcd"))
    lines = path.read_text().splitlines()
    assert len(lines) == 1000
    assert all(len(line) == 3000 and len(set(line)) == 1 for line in lines)


async def test_a_log_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    async with LogFile(tmp_path / "file" / "a.log") as log:
        await log.say("INFO", "lost")


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "a\0b", ".hidden", "x" * 300])
def test_a_runs_id_never_leads_out_of_its_directory(name: str) -> None:
    with pytest.raises(WorkspaceError):
        file_name(name)
    with pytest.raises(WorkspaceError):
        phase_log(Path("root"), name, "p")
