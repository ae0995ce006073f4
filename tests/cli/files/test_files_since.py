"""What is said of the project's files before a run goes back, from what a result told of them."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from activities import filereader
from cli.reach.files import shown
from tests.cli.files.place import Place

Json = dict[str, Any]


def test_a_clean_work_tree_at_the_same_commit_is_the_same(repository: Place) -> None:
    told = repository.told()
    repository.write(**{"x.log": "ignored"})
    assert repository.differences(told) == []
    assert repository.known(told) == {"git": True, "clean": True}


def test_a_file_that_was_dirty_already_is_named_when_it_changes_again(repository: Place) -> None:
    repository.write(a="1", fresh="1")
    told = repository.told()
    assert repository.differences(told) == []
    repository.write(a="2", fresh="2", other="1")
    (repository.root / "b").unlink()
    (found,) = repository.differences(told)
    assert found["text"].endswith("others than then: changed: a, fresh; new: other; gone: b")
    assert found["files"] == {"changed": ["a", "fresh"], "new": ["other"], "gone": ["b"], "count": 4}
    assert (found["kind"], found["what"], found["then"]) == ("files", "uncommitted", told["files"]["digest"])
    assert found["now"] == repository.told()["files"]["digest"]
    shown = repository.known(told)
    assert shown == {"git": True, "clean": False, "changed": ["a"], "new": ["fresh"], "gone": [], "count": 2}


def test_a_clean_tree_that_became_dirty_and_the_way_back_are_told(repository: Place) -> None:
    clean = repository.told()
    repository.write(a="1")
    dirty = repository.told()
    assert repository.differences(clean)[0]["files"]["changed"] == ["a"]
    repository.write(a="a")
    assert repository.differences(dirty)[0]["files"]["changed"] == ["a"]
    assert repository.differences(clean) == []


def test_between_two_commits_the_files_are_named(repository: Place) -> None:
    repository.write(a="1")
    told = repository.told()
    then = repository.git("rev-parse", "HEAD")
    now = repository.commit()
    (found,) = repository.differences(told)
    assert (found["what"], found["then"], found["now"]) == ("commit", then, now)
    assert found["text"] == f"the files are at commit {now[:12]}, and were at {then[:12]}: no file differs"
    repository.write(b="1", fresh="1")
    repository.commit()
    assert repository.differences(told)[0]["files"] == {"changed": ["b"], "new": ["fresh"], "gone": [], "count": 2}


def test_a_commit_that_is_no_longer_there_is_said(repository: Place) -> None:
    told = {"git": {"commit": "1" * 40, "dirty": None}}
    (found,) = repository.differences(told)
    assert "which files is not known: this repository does not have commit 111111111111" in found["text"]


def test_paths_begin_at_the_project_also_where_git_begins_above_it(repository: Place, inner: Place) -> None:
    told = inner.told()
    inner.write(mine="2")
    repository.write(a="1")
    (found,) = inner.differences(told)
    assert found["files"]["changed"] == ["../a", "mine"]


def test_without_git_all_files_are_compared(plain: Place) -> None:
    told = plain.told()
    assert plain.differences(told) == []
    plain.write(a="1", fresh="1")
    (plain.root / "b").unlink()
    (found,) = plain.differences(told)
    assert (found["what"], found["text"]) == ("contents", "the files differ: changed: a; new: fresh; gone: b")
    assert plain.known(told)["count"] == 2
    plain.git("init", "-q")  # a repository that came later changes nothing of it
    assert plain.differences(told) == [found]


def test_many_names_are_cut_and_counted(plain: Place) -> None:
    told = plain.told()
    plain.write(**{f"n{number:03}": "" for number in range(120)})
    (found,) = plain.differences(told)
    assert found["text"] == "the files differ: new: n000, n001, n002, n003, n004 and 115 more"
    assert (len(found["files"]["new"]), found["files"]["count"]) == (100, 120)


def test_a_lost_list_still_tells_that_something_differs_or_nothing(plain: Place) -> None:
    told = plain.told()
    shutil.rmtree(plain.store.directory)
    assert plain.differences(told) == []
    plain.write(a="1")
    (found,) = plain.differences(told)
    assert found["text"] == "the files differ; which is not known: the list of them is no longer kept"
    assert "files" not in found
    assert plain.known(told)["unknown"] == "the list of them is no longer kept"


def test_a_lost_list_in_git_still_tells_that_something_differs(repository: Place) -> None:
    repository.write(a="1")
    told = repository.told()
    shutil.rmtree(repository.store.directory)
    assert repository.differences(told) == []
    repository.write(a="2")
    (found,) = repository.differences(told)
    assert found["text"].endswith("which files is not known: the list of them is no longer kept")


def as_it_was_told_once(told: Json) -> Json:
    return {"git": told["git"]}


@pytest.mark.parametrize(
    "change", [lambda _: {}, lambda told: {**told, "files": {"unknown": "more than 10,000 files"}}], ids=["none", "cap"]
)
def test_what_was_not_known_then_is_not_said_to_be_the_same(plain: Place, change: Callable[[Json], Json]) -> None:
    assert plain.unknown(change(plain.told())).startswith("whether the files are as they were is not known: ")


def test_a_result_without_contents_is_compared_as_far_as_it_goes(repository: Place) -> None:
    repository.write(a="1")
    told = as_it_was_told_once(repository.told())
    assert "what they held was not told then" in repository.unknown(told)
    repository.write(fresh="1")
    (found,) = repository.differences(told)
    assert "which files is not known: what they held was not told then" in found["text"]
    assert repository.known(told) == {"git": True, "clean": False, "unknown": "what they held was not told then"}


def test_too_many_files_now_are_not_said_to_be_the_same(plain: Place) -> None:
    told = plain.told()
    assert plain.differences(told) == []
    for number in range(filereader.MOST_FILES):
        (plain.root / str(number)).touch()
    assert plain.unknown(told).endswith("is not known: more than 10,000 files now")


def test_without_git_now_nobody_says_that_the_files_are_the_same(repository: Place) -> None:
    told = repository.told()
    shutil.rmtree(repository.root / ".git")
    assert "and there is no git here" in repository.unknown(told)


@pytest.mark.parametrize("commit", ["--output=taken", "HEAD", 7, ["x"]])
def test_what_a_message_calls_a_commit_is_no_option_of_git(repository: Place, commit: object) -> None:
    text = repository.unknown({"git": {"commit": commit, "dirty": "x"}, "files": {"digest": "0" * 64}})
    assert "makes no sense" in text
    assert not (repository.root / "taken").exists()


@pytest.mark.parametrize(
    "told",
    [
        {"git": "x"},
        {"files": ["x"]},
        {"files": {"digest": "../../x"}},
        {"files": {"digest": 7}},
        {"files": {"digest": "0" * 64, "kept": 1, "base": None}},
        {"files": {"digest": "0" * 64, "kept": "0" * 64}},
        {"files": {"digest": hashlib.sha256(b"[1]").hexdigest()}},
        {"files": {"digest": hashlib.sha256(b'{"a": [1]}').hexdigest()}},
    ],
)
def test_nonsense_in_a_message_breaks_nothing(plain: Place, told: Json) -> None:
    for text in (b"[1]", b'{"a": [1]}'):
        plain.store.put_bytes(text)
    found, unknown = plain.since(told)
    assert len(found) + len(unknown) == 1


def test_names_are_shown_as_text_whatever_they_are_made_of() -> None:
    assert shown("caf\udce9") == "caf\\xe9"
    assert shown("a\x1b[31mred\nline") == "a?red?line"
    assert shown("é 語") == "é 語"
