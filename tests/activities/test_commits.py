"""Comparing what two commits hold takes no more than it may."""

from __future__ import annotations

import asyncio
import re
import subprocess
from pathlib import Path

import pytest

from activities.commits import changes_between
from activities.filelist import Files
from activities.filereader import Limits, UnknownFilesError

GIT = ("git", "-c", "user.name=t", "-c", "user.email=t@example.org")


def commit(root: Path, **files: str) -> str:
    for name, text in files.items():
        (root / name).write_text(text, encoding="ascii")
    for words in (("init", "-q"), ("add", "."), ("commit", "-qm", "it")):
        subprocess.run([*GIT, *words], cwd=root, check=True)
    found = subprocess.run([*GIT, "rev-parse", "HEAD"], cwd=root, check=True, capture_output=True, text=True)
    return found.stdout.strip()


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        ({"size": 7}, "more than 0 MiB of files"),
        ({"files": 1}, "more than 1 files"),
        ({"seconds": 0}, "reading the files takes longer than 0 s"),
    ],
)
def test_what_takes_too_much_is_not_compared(tmp_path: Path, limits: dict[str, int], why: str) -> None:
    commits = [commit(tmp_path, a="1234", b="5678"), commit(tmp_path, c="1")]
    listed: Files = {"a": "0" * 64, "b": "0" * 64}
    with pytest.raises(UnknownFilesError, match=re.escape(why)):
        asyncio.run(changes_between(tmp_path, (commits[0], listed), (commits[1], {}), Limits(**limits)))


def test_files_of_which_no_list_tells_are_not_read(tmp_path: Path) -> None:
    commits = [commit(tmp_path, a="1234", b="1"), commit(tmp_path, a="5678", c="1")]
    nothing = Limits(files=0, size=0)
    found = asyncio.run(changes_between(tmp_path, (commits[0], {}), (commits[1], {"b": None}), nothing))
    assert (found.changed, found.new, found.gone) == (["a"], ["c"], ["b"])


def test_a_commit_that_git_does_not_have_is_not_known(tmp_path: Path) -> None:
    known = commit(tmp_path, a="1")
    with pytest.raises(UnknownFilesError, match="git did not tell what the commits hold"):
        asyncio.run(changes_between(tmp_path, ("a" * 40, {}), (known, {}), Limits()))
