"""Which files are said to differ between two moments of a run, from what results told of them."""

from __future__ import annotations

import asyncio
import shutil
from typing import Any

import pytest

from cli.reach.filesbetween import files_between, files_until_now
from cli.words.checkpoints import diff
from tests.cli.files.place import Place

Json = dict[str, Any]

SAME = {"changed": [], "new": [], "gone": [], "count": 0}


def between(place: Place, before: Json, after: Json) -> Json:
    return asyncio.run(files_between(place.root, place.store, ("one", before), ("two", after)))


def test_without_git_all_that_differs_is_named_in_both_directions(plain: Place) -> None:
    one = plain.told()
    plain.write(a="1", fresh="1")
    (plain.root / "b").unlink()
    two = plain.told()
    assert between(plain, one, two) == {"changed": ["a"], "new": ["fresh"], "gone": ["b"], "count": 3}
    assert between(plain, two, one) == {"changed": ["a"], "new": ["b"], "gone": ["fresh"], "count": 3}
    assert between(plain, two, two) == SAME


def test_against_one_commit_what_was_dirty_at_either_moment_is_compared(repository: Place) -> None:
    clean = repository.told()
    repository.write(a="1", fresh="1")
    dirty = repository.told()
    assert between(repository, clean, dirty) == {"changed": ["a"], "new": ["fresh"], "gone": [], "count": 2}
    repository.write(a="a", fresh="2")
    assert between(repository, dirty, repository.told())["changed"] == ["a", "fresh"]
    assert between(repository, clean, clean) == SAME


def test_what_was_dirty_and_has_been_committed_as_it_was_is_the_same(repository: Place) -> None:
    repository.write(a="1", fresh="1", run="x")
    (repository.root / "run").chmod(0o755)
    (repository.root / "link").symlink_to("a")
    (repository.root / "b").unlink()
    dirty = repository.told()
    repository.commit()
    assert between(repository, dirty, repository.told()) == SAME


def test_over_two_commits_what_differs_is_named(repository: Place) -> None:
    repository.write(kept="1", turned="1", edited="1", dropped="1", moved="1")
    repository.commit()
    repository.write(edited="2", dropped="2", mine="1")
    (repository.root / "turned").chmod(0o755)
    one = repository.told()
    repository.write(a="1", edited="3", turned="1", **{"odd\nname": "1"})
    (repository.root / "turned").chmod(0o644)
    for gone in ("dropped", "moved", "mine"):
        (repository.root / gone).unlink()
    repository.commit()
    repository.write(late="1")
    found = between(repository, one, repository.told())
    assert found == {
        "changed": ["a", "edited", "turned"],
        "new": ["late", "odd?name"],
        "gone": ["dropped", "mine", "moved"],
        "count": 8,
    }


def test_the_first_commit_of_a_repository_changes_no_file(plain: Place) -> None:
    plain.write(**{".gitignore": ".phaseloom\n"})
    plain.git("init", "-q")
    one = plain.told()
    plain.commit()
    assert between(plain, one, plain.told()) == SAME


def test_paths_begin_at_the_project_also_where_git_begins_above_it(repository: Place, inner: Place) -> None:
    one = inner.told()
    inner.write(mine="2")
    repository.write(a="1")
    assert between(inner, one, inner.told())["changed"] == ["../a", "mine"]
    repository.commit()
    assert between(inner, one, inner.told())["changed"] == ["../a", "mine"]


def test_a_repository_within_that_was_dirty_and_is_committed_now_is_not_compared(repository: Place) -> None:
    inner = Place(repository.root / "inner")
    inner.root.mkdir()
    inner.git("init", "-q")
    inner.commit()
    one = repository.told()
    repository.git("-c", "advice.addEmbeddedRepo=false", "add", ".")
    repository.commit()
    found = between(repository, one, repository.told())
    assert found == {**SAME, "unread": ["inner"]}


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ({}, {"files": {"digest": "0" * 64}}, "one: nothing until then tells what they were"),
        ({"files": {"digest": "0" * 64}}, {}, "two: nothing until then tells what they were"),
        ({"files": {"unknown": "too many"}}, {"files": {"digest": "0" * 64}}, "one: too many then"),
        ({"git": {"commit": None}}, {"files": {"digest": "0" * 64}}, "there was git at one of them only"),
        ({"git": {"commit": "--output=x"}}, {"git": {}}, "one: what is told of their commit makes no sense"),
        (
            {"files": {"digest": "0" * 64}},
            {"files": {"digest": "1" * 64}},
            "they differ; which is not known: one: the list of them is no longer kept",
        ),
        (
            {"git": {"commit": "a" * 40}},
            {"git": {"commit": "b" * 40}},
            "this repository does not have commit aaaaaaaaaaaa",
        ),
    ],
)
def test_what_is_not_known_is_said_with_the_reason(repository: Place, before: Json, after: Json, why: str) -> None:
    assert between(repository, before, after) == {"unknown": why}


def test_lists_of_one_name_are_alike_also_where_they_are_lost(plain: Place) -> None:
    told = plain.told()
    shutil.rmtree(plain.store.directory)
    assert between(plain, told, told) == SAME


def test_until_now_it_is_what_the_project_holds(plain: Place) -> None:
    def until_now(told: Json) -> Json:
        return asyncio.run(files_until_now(plain.root, plain.store, told))

    told = plain.told()
    assert until_now(told) == SAME
    plain.write(a="1")
    assert until_now(told)["changed"] == ["a"]
    assert "nothing until then tells" in until_now({})["unknown"]
    shutil.rmtree(plain.store.directory)
    assert until_now(told) == {"unknown": "the files differ; which is not known: the list of them is no longer kept"}


def words(files: Json) -> list[str]:
    told = {"from": "a", "to": "b", "phases": [], "outputs": [], "artifacts": [], "git_commit": ["x", "x"]}
    return diff({**told, "files": files})


def test_in_words_there_is_a_line_per_file_and_no_more_than_twenty() -> None:
    assert words(SAME) == ["Nothing differs between a and b."]
    assert words({**SAME, "gone": ["x"], "count": 1}) == ["From a to b:", "  file x: gone"]
    many = words({**SAME, "new": [f"n{number}" for number in range(100)], "count": 120})
    assert (len(many), many[-1]) == (22, "  and 100 more files")
    assert words({"unknown": "why"})[1:] == ["  files: not known (why)"]
    assert words({**SAME, "unread": ["x"]})[1:] == ["  files that cannot be read: x"]
