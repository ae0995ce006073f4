"""What a client tells of the project's files when it starts a run."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

from activities.artifacts import ArtifactStore
from activities.workfiles import read
from cli.reach.beginning import files_at_start


def test_the_list_of_the_files_is_stored_and_named_in_a_hundred_bytes(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("x", encoding="utf-8")
    told = asyncio.run(files_at_start(tmp_path))
    assert list(read(told["files"], ArtifactStore(tmp_path))) == ["notes.md"]
    assert len(str(told)) <= 100


def test_where_all_is_committed_only_the_commit_is_told(tmp_path: Path) -> None:
    git = ("git", "-c", "user.name=t", "-c", "user.email=t@example.org")
    for words in (("init", "-q"), ("commit", "-q", "--allow-empty", "-m", "it")):
        subprocess.run([*git, *words], cwd=tmp_path, check=True)
    assert list(asyncio.run(files_at_start(tmp_path))) == ["git"]
    assert not (tmp_path / ".phaseloom").exists()


def test_a_start_does_not_wait_longer_for_the_files_than_it_may(tmp_path: Path) -> None:
    told = asyncio.run(files_at_start(tmp_path, seconds=0))
    assert told == {"files": {"unknown": "looking at the files took longer than 0 s"}}
