"""Logs of ended runs go when they are old enough; those of open runs stay."""

from __future__ import annotations

import os
from pathlib import Path

from activities.places import run_directory
from activities.retention import prunable, prune


def a_run(root: Path, name: str, *, ended: float | None) -> Path:
    folder = run_directory(root, name)
    (folder / "logs").mkdir(parents=True)
    (folder / "logs" / "orchestrator.log").write_text("x" * 100)
    (folder / "logs" / "phase-a.log").write_text("y" * 50)
    (folder / "journal.jsonl").write_text("{}")
    if ended is not None:
        (folder / "archive.json").write_text("{}")
        os.utime(folder / "archive.json", (ended, ended))
    return folder


def test_only_the_logs_of_runs_that_ended_before_the_moment_are_removed(tmp_path: Path) -> None:
    old = a_run(tmp_path, "wf_old", ended=1000.0)
    new = a_run(tmp_path, "wf_new", ended=3000.0)
    open_one = a_run(tmp_path, "wf_open", ended=None)
    assert [(each.run, each.ended, each.size) for each in prunable(tmp_path, 2000.0)] == [("wf_old", 1000.0, 150)]
    assert (old / "logs").exists(), "looking changes nothing"
    assert [each.run for each in prune(tmp_path, 2000.0)] == ["wf_old"]
    assert not (old / "logs").exists()
    assert (old / "journal.jsonl").exists()
    assert (old / "archive.json").exists()
    for kept in (new, open_one):
        assert len(list((kept / "logs").iterdir())) == 2
    assert prune(tmp_path, 2000.0) == []


def test_a_project_without_runs_has_nothing_to_remove(tmp_path: Path) -> None:
    assert prune(tmp_path, 1e12) == []
