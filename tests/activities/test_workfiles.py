"""A result names what the files held; the list behind it is kept, and can be read as long as it is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from activities import filereader
from activities.artifacts import ArtifactStore
from activities.filelist import digest_of
from activities.upkeep import named, needed
from activities.workfiles import Workfiles, read
from engine.errors import WorkspaceError
from tests.activities.conftest import Project

Json = dict[str, Any]


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path, durable=False)


@pytest.fixture
def files(tmp_path: Path, store: ArtifactStore) -> Workfiles:
    return Workfiles(tmp_path, store)


def git(root: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    subprocess.run(["git", "-C", str(root), *identity, *arguments], check=True, capture_output=True)


def stored(store: ArtifactStore) -> int:
    return len(list(store.directory.glob("??/*")))


async def test_an_attempt_tells_the_contents_of_what_is_not_committed(project: Project) -> None:
    git(project.root, "init", "-q")
    (project.root / ".gitignore").write_text(".phaseloom/\n")
    git(project.root, "add", ".")
    git(project.root, "commit", "-qm", "one")
    clean = await project.command({"run": ["true"]})
    assert clean["git"]["dirty"] is None
    assert "files" not in clean
    told = [await project.command({"run": ["sh", "-c", f"echo {text} > new"]}) for text in ("x", "y", "x")]
    assert len({each["git"]["dirty"] for each in told}) == 1  # git's list is the same
    assert told[0]["files"] == told[2]["files"] != told[1]["files"]
    assert read(told[1]["files"], ArtifactStore(project.root)).keys() == {"new"}


async def test_without_git_an_attempt_tells_the_contents_of_all_files(project: Project) -> None:
    result = await project.command({"run": ["sh", "-c", "mkdir sub; echo x > sub/new"]})
    assert result["git"] is None
    assert read(result["files"], ArtifactStore(project.root)).keys() == {"sub/new"}


async def test_too_many_files_are_said_to_be_unknown_and_nothing_is_kept(project: Project) -> None:
    for number in range(filereader.MOST_FILES + 1):
        (project.root / str(number)).touch()
    result = await project.command({"run": ["true"]})
    assert result["files"] == {"unknown": "more than 10,000 files"}
    assert stored(ArtifactStore(project.root)) == 0


async def test_a_git_that_does_not_tell_in_time_makes_the_files_unknown(
    files: Workfiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-qm", "one", "--allow-empty")
    (tmp_path / "bin").mkdir()
    slow = tmp_path / "bin" / "git"
    slow.write_text(f'#!/bin/sh\ncase "$*" in *status*) sleep 60;; *) exec {shutil.which("git")} "$@";; esac\n')
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}:{os.environ['PATH']}")
    told = await files.told()
    assert (told["git"]["dirty"], told["files"]) == ("unknown", {"unknown": "git did not tell in time"})


async def test_where_git_cannot_be_asked_the_files_are_walked(
    files: Workfiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "a").write_text("1")
    monkeypatch.setenv("PATH", str(tmp_path))
    told = await files.told()
    assert told["git"] is None
    assert read(told["files"], files.store).keys() == {"a"}


async def test_a_long_list_is_kept_as_what_differs_from_an_earlier_one(
    files: Workfiles, store: ArtifactStore, tmp_path: Path
) -> None:
    for number in range(300):
        (tmp_path / f"file-{number}").write_text(str(number))
    first = await files.told()
    assert first["files"].keys() == {"digest"}
    assert await files.told() == first
    (tmp_path / "file-0").unlink()
    (tmp_path / "file-1").write_text("other")
    (tmp_path / "fresh").write_text("1")
    second = (await files.told())["files"]
    assert second["base"] == first["files"]["digest"]
    assert store.path(second["kept"]).stat().st_size < 400
    now = await files.now(None)
    assert read(second, store) == now
    assert second["digest"] == digest_of(now)
    for number in range(200):
        (tmp_path / f"file-{number}").write_text("other")
    assert (await files.told())["files"].keys() == {"digest"}  # no longer worth it


async def test_the_same_files_are_kept_once(files: Workfiles, store: ArtifactStore, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    told = [await files.told() for _ in range(3)]
    assert told[0] == told[1] == told[2]
    assert stored(store) == 1


@pytest.mark.parametrize("lost", ["digest", "kept", "base"])
async def test_a_list_that_is_lost_is_not_read_as_another_one(
    files: Workfiles, store: ArtifactStore, tmp_path: Path, lost: str
) -> None:
    for number in range(300):
        (tmp_path / f"file-{number}").write_text(str(number))
    told = (await files.told())["files"]
    if lost != "digest":
        (tmp_path / "file-1").write_text("other")
        told = (await files.told())["files"]
    store.path(told[lost]).unlink()
    with pytest.raises(WorkspaceError, match="is not in"):
        read(told, store)


async def test_a_full_disk_or_a_lost_store_fails_no_work(
    files: Workfiles, store: ArtifactStore, tmp_path: Path
) -> None:
    (tmp_path / "a").write_text("1")
    (tmp_path / ".phaseloom").mkdir()
    store.directory.write_text("not a directory")
    told = await files.told()
    assert told["files"] == {"digest": digest_of(await files.now(None))}


async def test_prune_keeps_the_lists_that_a_result_names(
    files: Workfiles, store: ArtifactStore, tmp_path: Path
) -> None:
    for number in range(300):
        (tmp_path / f"file-{number}").write_text(str(number))
    results = [await files.told()]
    (tmp_path / "file-1").write_text("other")
    results.append(await files.told())
    text = json.dumps(results[1]).encode()
    assert {path.name for path in store.directory.glob("??/*")} <= named(text)
    assert needed(text) == set()  # nothing breaks without them, so `artifacts verify` does not miss them
