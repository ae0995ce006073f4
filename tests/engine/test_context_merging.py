"""Three-way merges of values: by key, by list item, by line; whatever is not clear is a conflict."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.context.merging import ABSENT, LONGEST, merged

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "b", "one\ntwo\n", "one\nthree\n"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


def same(one: Any, other: Any) -> bool:
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


@pytest.mark.parametrize(
    ("base", "theirs", "mine", "value"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, {"a": 1, "c": 3}, {"a": 1, "b": 2, "c": 3}),
        ({"a": 1, "b": 2}, {"b": 2}, {"a": 1, "b": 3}, {"b": 3}),
        ({"a": {"x": 1, "y": 1}}, {"a": {"x": 2, "y": 1}}, {"a": {"x": 1, "y": 2}}, {"a": {"x": 2, "y": 2}}),
        (["a", "b"], ["a", "b", "c"], ["z", "a", "b"], ["z", "a", "b", "c"]),
        (["a"], ["a", "theirs"], ["a", "mine"], ["a", "theirs", "mine"]),
        (["a"], ["a", "both"], ["a", "both"], ["a", "both"]),
        (["a", "b", "c"], ["a", "c"], ["a", "b", "c", "d"], ["a", "c", "d"]),
        ([{"n": 1, "to": "x"}], [{"n": 1, "to": "y"}], [{"n": 2, "to": "x"}], [{"n": 2, "to": "y"}]),
        (ABSENT, ["a"], ["b"], ["a", "b"]),
        (ABSENT, {"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ("one\ntwo\nthree\n", "ONE\ntwo\nthree\n", "one\ntwo\nTHREE\n", "ONE\ntwo\nTHREE\n"),
        ("one\ntwo\n", "one\nand\ntwo\n", "one\ntwo\nthree\n", "one\nand\ntwo\nthree\n"),
    ],
)
def test_what_each_side_changed_by_itself_is_in_the_result(base: Any, theirs: Any, mine: Any, value: Any) -> None:
    merge = merged(base, theirs, mine)
    assert not merge.conflicts
    assert same(merge.value, value)


@pytest.mark.parametrize(
    ("base", "theirs", "mine", "places"),
    [
        (1, 2, 3, [""]),
        (1, True, 2, [""]),
        (ABSENT, 1, 2, [""]),
        ({"a": 1}, {"a": 2}, {"a": 3}, ["a"]),
        ({"a": 1}, {}, {"a": 2}, ["a"]),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, {"a": {"b": 3}}, ["a.b"]),
        (["a", "b"], ["a", "c"], ["a"], ["[1]"]),
        ([{"n": 1}], [{"n": 2}], [{"n": 3}], ["[0].n"]),
        ("one\ntwo\n", "one\nTWO\n", "one\n2\n", [":2"]),
        ("one line", "another", "a third", [""]),
        ([], list(range(LONGEST + 1)), [1], [""]),
    ],
)
def test_what_both_sides_changed_is_a_conflict_at_its_place(
    base: Any, theirs: Any, mine: Any, places: list[str]
) -> None:
    assert merged(base, theirs, mine).conflicts == places


@given(JSON, JSON)
def test_a_change_of_one_side_alone_is_always_taken(base: Any, changed: Any) -> None:
    assert same(merged(base, changed, base).value, changed)
    assert same(merged(base, base, changed).value, changed)
    assert same(merged(base, changed, changed).value, changed)
    assert same(merged(ABSENT, changed, changed).value, changed)


@given(JSON, JSON, JSON)
def test_a_merge_is_a_value_or_names_its_conflicts_whichever_side_comes_first(
    base: Any, theirs: Any, mine: Any
) -> None:
    one, other = merged(base, theirs, mine), merged(base, mine, theirs)
    assert bool(one.conflicts) == bool(other.conflicts)
    if not one.conflicts:
        json.dumps(one.value)


@given(
    st.lists(st.sampled_from("abcdef"), max_size=8), st.lists(st.sampled_from("uvw")), st.lists(st.sampled_from("xyz"))
)
def test_items_that_were_added_on_either_side_are_never_lost(base: list[str], one: list[str], other: list[str]) -> None:
    value = merged(base, [*one, *base], [*base, *other]).value
    assert value == [*one, *base, *other] or not base
    assert {*one, *base, *other} <= set(value)
