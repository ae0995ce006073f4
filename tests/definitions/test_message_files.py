"""Messages about files that are no definition: missing, no UTF-8, too large, too deep, no YAML mapping."""

from __future__ import annotations

from pathlib import Path

import pytest

from definitions import load
from definitions.source import MAX_BYTES
from definitions.yaml_reader import MAX_DEPTH
from tests.definitions.finding import found, only, place


def test_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    (diagnostic,) = load(path).diagnostics
    assert (diagnostic.code, diagnostic.file, place(diagnostic)) == ("PL001", str(path), (1, 1))
    (diagnostic,) = load(tmp_path).diagnostics
    assert diagnostic.code == "PL001"


def test_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes("phases:\n  - name: ü".encode() + b"\xff\xfe\n")
    (diagnostic,) = load(path).diagnostics
    assert (diagnostic.code, place(diagnostic)) == ("PL002", (2, 12))
    path.write_bytes("phases: [{id: a}]\n".encode("utf-16"))
    assert [d.code for d in load(path).diagnostics] == ["PL002"]


def test_control_character() -> None:
    assert place(only("phases:\n  - name: a\0b\n", "PL003")) == (2, 12)


def test_too_large(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    with path.open("wb") as stream:
        stream.truncate(MAX_BYTES + 1)
    assert [d.code for d in load(path).diagnostics] == ["PL004"]


def test_more_than_one_document() -> None:
    assert place(only("phases: [{id: a}]\n---\nphases: [{id: b}]\n", "PL007")) == (2, 1)


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "~\n", "\ufeff"])
def test_empty_file(text: str) -> None:
    assert place(only(text, "PL008")) == (1, 1)


def test_top_level_is_no_mapping() -> None:
    assert place(only("- a\n- b\n", "PL009")) == (1, 1)


def test_alias_bomb() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    diagnostic = only("\n".join(lines), "PL010")
    assert diagnostic.line <= 10
    assert diagnostic.column > 1


def test_an_alias_that_contains_itself() -> None:
    assert place(only("phases: &p [*p]\n", "PL010")) == (1, 13)


@pytest.mark.parametrize("brackets", ["[", "{a: "])
def test_deep_nesting(brackets: str) -> None:
    diagnostic = only("x: " + brackets * 100_000, "PL011")
    assert diagnostic.line == 1
    assert diagnostic.column > MAX_DEPTH


def test_deep_nesting_by_indentation_and_by_aliases() -> None:
    text = "".join(f"{' ' * depth}a:\n" for depth in range(1000))
    assert place(only(text, "PL011")) == (MAX_DEPTH + 1, MAX_DEPTH + 1)
    text = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 1000))
    assert found(text, "PL011")


def test_a_key_that_is_no_text() -> None:
    assert place(only("phases: [{id: a}]\n? [x]\n: y\n", "PL012")) == (2, 3)
    assert '"${…}"' in only("name: {{ inputs.x }}\nphases: [{id: a}]\n", "PL012").hint


def test_a_tag() -> None:
    assert place(only("phases: [{id: a}]\nname: !!python/name:os.system x\n", "PL013")) == (2, 7)
