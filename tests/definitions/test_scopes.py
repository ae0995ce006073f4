"""File scopes collide where two phases may run at once and one path fits both, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from definitions import load_text
from definitions.scopes import overlap, segments_of


def meet(one: str, other: str) -> bool:
    results = {overlap(a, b) for a in segments_of(one) for b in segments_of(other)}
    assert results == {overlap(b, a) for a in segments_of(one) for b in segments_of(other)}
    return True in results


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a.py", "./a.py"),
        ("src", "src/a.py"),
        ("src/", "src/a.py"),
        ("src/*.py", "src/a.py"),
        ("src/**", "src/a/b.py"),
        ("**/*.py", "x/y.py"),
        ("**/*.py", "y.py"),
        ("src/a*.py", "src/*b.py"),
        ("src/**/t.py", "src/t.py"),
        ("src/[ab].py", "src/a.py"),
        ("**", "x"),
        (".", "deep/x"),
        ("src/{api,ui}.py", "src/ui.py"),
        ("src/api", "src/**"),
    ],
)
def test_overlaps(one: str, other: str) -> None:
    assert meet(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a.py", "b.py"),
        ("src", "src2"),
        ("src/*.py", "src/a/b.py"),
        ("src/*.py", "src/a.js"),
        ("**/*.py", "x/y.js"),
        ("src/a*", "src/b*"),
        ("src/[ab].py", "src/c.py"),
        ("src/{api,ui}.py", "src/db.py"),
        ("a/**/b", "a/**/c"),
        ("docs/*.md", "src/*.md"),
    ],
)
def test_no_overlap(one: str, other: str) -> None:
    assert not meet(one, other)


@given(st.text("ab*?/[]{,}.", max_size=12), st.text("ab*?/[]{,}.", max_size=12))
def test_overlap_is_symmetric_and_ends(one: str, other: str) -> None:
    meet(one, other)


def codes(text: str) -> list[str]:
    return [diagnostic.code for diagnostic in load_text(text).diagnostics]


PARALLEL = "phases:\n  - {id: a, parallel: true, files_scope: [x]}\n  - {id: b, parallel: true, files_scope: [x]}\n"


def test_phases_one_after_another_never_collide() -> None:
    assert codes("phases:\n  - {id: a, files_scope: [x]}\n  - {id: b, files_scope: [x]}\n") == []
    chain = "".join(
        f"  - {{id: p{i}, depends_on: [{f'p{i - 1}' if i else ''}], files_scope: [x]}}\n" for i in range(50)
    )
    assert codes("phases:\n" + chain) == []


def test_phases_of_a_group_collide() -> None:
    assert codes(PARALLEL) == ["PL403"]


@pytest.mark.parametrize(
    "more",
    [
        "execution: {parallel: false}\n",
        "execution: {max_workers: 1}\n",
        "step_groups: [{id: g, steps: [a, b], execute: sequential}]\n",
        "step_groups: [{id: g, steps: [a, b], max_workers: 1}]\n",
    ],
)
def test_what_forces_one_after_another_avoids_the_collision(more: str) -> None:
    assert codes(PARALLEL + more) == []


def test_parallel_by_expression_counts_as_parallel() -> None:
    assert codes(PARALLEL + "execution: {parallel: \"${env.CI != 'x'}\"}\n") == ["PL403"]


def test_with_workspaces_of_their_own_it_is_a_warning() -> None:
    (diagnostic,) = load_text(PARALLEL + "builders: worktree\n").diagnostics
    assert diagnostic.severity == "warning"


def test_a_path_outside_the_project_is_refused() -> None:
    assert codes("phases: [{id: a, files_scope: ['../x']}]\n") == ["PL109"]
    assert codes("phases: [{id: a, files_scope: ['/etc/x']}]\n") == ["PL109"]


@given(
    st.lists(
        st.sampled_from(["a", "a/b", "a/b/c.py", "a/*", "*/b", "a/**", "**/c.py", "x/*.py", "a/b/*", "."]), max_size=6
    )
)
def test_every_overlap_of_siblings_is_found(scopes: list[str]) -> None:
    text = "phases:\n" + "".join(
        f"  - {{id: p{i}, depends_on: [], files_scope: ['{scope}']}}\n" for i, scope in enumerate(scopes)
    )
    collide = any(meet(one, other) for i, one in enumerate(scopes) for other in scopes[:i])
    assert load_text(text + "  - {id: last}\n").ok is not collide
