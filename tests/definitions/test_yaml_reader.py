"""YAML means what it says: words of YAML 1.1 stay text, places are exact, nothing is executed or expands for ever."""

from __future__ import annotations

import pytest

from definitions.nodes import Mark
from definitions.yaml_reader import MAX_NODES, read_yaml


def plain(text: str) -> object:
    node, findings = read_yaml(text)
    assert findings == []
    assert node is not None
    return node.plain()


@pytest.mark.parametrize(
    "word",
    ["on", "off", "yes", "no", "y", "n", "12:30", "0777", "0x1F", "0o17", "2024-01-01", "1_000", ".inf", ".nan",
     "2024-01-01T00:00:00Z", "1e999", "+1", "1.2.3", "9" * 30, "=", "a"],
)  # fmt: skip
def test_words_of_yaml_1_1_stay_text(word: str) -> None:
    assert plain(f"- x {word}\n- {word}\n") == [f"x {word}", word]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-12", -12),
        ("1.50", 1.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("'true'", "true"),
        ('"12"', "12"),
        ("!!str 12", "12"),
        ("!!int 12", 12),
        ("! 12", "12"),
        ("|\n  12\n", "12\n"),
    ],
)
def test_values(written: str, value: object) -> None:
    result = plain(f"a: {written}\n")
    assert result == {"a": value}
    assert isinstance(result, dict)
    assert type(result["a"]) is type(value)


def test_a_version_keeps_its_zeros() -> None:
    assert plain("version: 1.10\nother: 1.10\nx: {version: 1.10}\n") == {
        "version": "1.10",
        "other": 1.1,
        "x": {"version": 1.1},
    }


def test_keys_are_texts() -> None:
    assert plain("1: a\ntrue: b\nnull: c\n'': d\n".replace("'': d\n", "")) == {"1": "a", "true": "b", "null": "c"}


def test_places_of_keys_and_values() -> None:
    node, _ = read_yaml("é: ü\nlist:\n  - a\n  - {k: 'v'}\n")
    assert node is not None
    assert node.mark_of(["list", 1, "k"]) == Mark(4, 6)
    assert node.value_mark_of(["list", 1, "k"]) == Mark(4, 9)
    assert node.value_mark_of(["é"]) == Mark(1, 4)
    assert node.value_mark_of(["list", 7]) == Mark(3, 3)
    assert node.at(["list", 7]) is None


def test_aliases_and_merge_keys() -> None:
    text = "base: &b {x: 1, y: 2}\nmore: &m {z: 3}\nc: {<<: [*b, *m], y: 9}\nd: *b\n'<<': plain\n"
    assert plain(text) == {
        "base": {"x": 1, "y": 2},
        "more": {"z": 3},
        "c": {"y": 9, "x": 1, "z": 3},
        "d": {"x": 1, "y": 2},
        "<<": "plain",
    }


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: *b", "PL005"),
        ("a: &a {b: *a}", "PL010"),
        ("<<: 3", "PL102"),
        ("a: !!python/object/apply:os.system [x]", "PL013"),
        ("a: !include x", "PL013"),
        ("%YAML 9.9\n---\na: 1", "PL005"),
        ("a: 1\n*b : 2", "PL005"),
        ("a: &b x\n*b : 2", "PL012"),
        ("'': x", "PL012"),
    ],
)
def test_what_is_refused(text: str, code: str) -> None:
    _, findings = read_yaml(text)
    assert [finding.code for finding in findings] == [code]


def test_too_many_values_are_refused() -> None:
    assert MAX_NODES == 1_000_000  # reading so many takes six seconds
    assert read_yaml("-\n" * 99, most=100)[1] == []
    node, findings = read_yaml("-\n" * 100, most=100)
    assert node is None
    assert [finding.code for finding in findings] == ["PL004"]
