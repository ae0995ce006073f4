from __future__ import annotations

import os
from pathlib import Path

import pytest

from activities.audit.repository import history
from activities.audit.tree import MAX_BYTES, list_tree
from tests.audit.repository import Repository


def names(repository: Repository) -> set[str]:
    return {file.name for file in list_tree(repository.root).files}


LEFT_OUT = {
    ".venv/lib/a.py": "",
    "odd-name/pyvenv.cfg": "",
    "odd-name/lib/a.py": "",
    "node_modules/x/a.py": "",
    "pkg/_vendor/six.py": "",
    "build/lib/a.py": "",
    "pkg/dist/a.py": "",
    "x.egg-info/a.py": "",
    ".phaseloom/artifacts/a.py": "",
    "pkg/__pycache__/a.py": "",
    "{{cookiecutter.name}}/a.py": "",
}


@pytest.mark.parametrize("in_git", [True, False], ids=["git", "plain directory"])
def test_only_the_projects_own_files_are_looked_at(repository: Repository, *, in_git: bool) -> None:
    repository.write({"pkg/a.py": "", "src/build/__init__.py": "", ".github/tool.py": "", **LEFT_OUT})
    if in_git:
        repository.commit()
    assert names(repository) == {"pkg/a.py", "src/build/__init__.py", ".github/tool.py"}
    assert list_tree(repository.root).left_out["directories: vendored"] == 2


def test_what_git_ignores_is_left_out_and_what_is_not_yet_added_is_not(repository: Repository) -> None:
    repository.write({".gitignore": "local/\n*.log\n", "a.py": "", "local/b.py": ""})
    repository.commit()
    repository.write({"new.py": "", "x.log": ""})
    assert names(repository) == {".gitignore", "a.py", "new.py"}


def test_a_directory_that_an_outer_repository_ignores_is_walked(repository: Repository) -> None:
    repository.write({".gitignore": "inner/\n", "inner/a.py": ""})
    repository.commit()
    assert names(Repository(repository.root / "inner")) == {"a.py"}
    assert history(repository.root / "inner")["reason"] == "not a git repository"


def test_links_are_not_followed_and_loops_end(repository: Repository, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.py").write_text("x = 1")
    repository.write({"a.py": "", "pkg/b.py": ""})
    (repository.root / "pkg" / "loop").symlink_to(repository.root)
    (repository.root / "there").symlink_to(outside)
    (repository.root / "link.py").symlink_to(outside / "secret.py")
    (repository.root / "self.py").symlink_to("self.py")
    assert names(repository) == {"a.py", "pkg/b.py"}
    repository.commit()
    assert names(repository) == {"a.py", "pkg/b.py"}
    (repository.root / "pkg").rename(repository.root / "moved")
    (repository.root / "pkg").symlink_to(outside)  # a tracked directory has become a link out of the tree
    (outside / "b.py").write_text("x = 1")
    assert names(repository) == {"a.py", "moved/b.py"}


def test_names_of_any_kind_and_files_of_any_kind(repository: Repository) -> None:
    odd = ["sp ace.py", "quo'te\".py", "-rf.py", "@arg.py", "uni-ü.py", "new\nline.py", "*.py", "a:b.py"]
    repository.write(dict.fromkeys(odd, "x = 1\n"))
    (repository.root / os.fsdecode(b"bytes-\xff.py")).write_text("x = 1\n")
    os.mkfifo(repository.root / "pipe.py")
    walked = names(repository)
    assert {"sp ace.py", "uni-ü.py", "new\\x0aline.py", "bytes-\\xff.py"} <= walked
    assert len(walked) == len(odd) + 1
    repository.commit()
    assert names(repository) == walked


def test_deep_and_unreadable_places_are_counted_not_fatal(repository: Repository) -> None:
    deep = repository.root
    for _ in range(300):
        deep /= "d"
    deep.mkdir(parents=True)
    (deep / "a.py").write_text("")
    repository.write({"large.py": b"#" * (MAX_BYTES + 1)})
    tree = list_tree(repository.root)
    assert len(tree.python) == 2
    assert [file.name for file in tree.code] == [f"{'d/' * 300}a.py"]
    assert tree.left_out["files: larger than 1 MiB (not read)"] == 1


def test_git_runs_nothing_that_the_repository_has_configured(repository: Repository, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\necho yes > {ran}\n")
    script.chmod(0o755)
    repository.write({"a.py": "x = 1\n", ".gitattributes": "*.py diff=evil filter=evil\n"})
    repository.commit()
    for key in (
        "core.fsmonitor",
        "diff.external",
        "diff.evil.textconv",
        "gpg.program",
        "core.pager",
        "filter.evil.clean",
    ):
        repository.git("config", key, str(script))
    repository.git("config", "log.showSignature", "true")
    repository.git("config", "core.hooksPath", str(tmp_path))
    ran.unlink(missing_ok=True)
    repository.write({"a.py": "x = 2\n"})
    assert len(list_tree(repository.root).files) == 2
    assert history(repository.root)["commits"] == 1
    assert not ran.exists()


def test_commits_with_impossible_dates_and_authors_are_counted(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_COMMITTER_DATE", "@99999999999999 +0000")
    repository.write({"a.py": "1"})
    repository.git("init", "-q")
    repository.git("add", "-A")
    repository.git("-c", "user.email=odd\x1c\x85e", "commit", "-q", "-m", "x")
    past = history(repository.root)
    assert (past["commits"], past["authors"], past["last_commit"]) == (1, 1, "an impossible date")


def test_history_counts_commits_authors_and_changes(repository: Repository) -> None:
    assert history(repository.root) == {"available": False, "reason": "not a git repository"}
    repository.git("init", "-q")
    assert history(repository.root) == {"available": False, "reason": "no commits yet"}
    repository.write({"a.py": "1", "ü b.py": "1", "gone.py": "1"}).commit()
    repository.write({"a.py": "2"}).commit()
    (repository.root / "gone.py").unlink()
    repository.commit()
    past = history(repository.root)
    assert (past["commits"], past["authors"], past["shallow"]) == (3, 1, False)
    assert past["most_changed"] == [{"file": "a.py", "commits": 2}, {"file": "ü b.py", "commits": 1}]
