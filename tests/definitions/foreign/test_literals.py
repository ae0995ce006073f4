"""Object literals and JSON: what is accepted, what it means, and where exactly an error stands."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from definitions import foreign
from definitions.nodes import Mark, Node


def read(text: str) -> Node:
    node, found = foreign.read(text, "object-literal")
    assert [d.text for d in found] == []
    assert node is not None
    return node


def errors(text: str) -> list[tuple[str, int, int]]:
    return [(d.code, d.line, d.column) for d in foreign.read(text, "json")[1]]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{}", {}),
        ("{name: 'Tea', 'kind': \"green\", `pot`: `big`}", {"name": "Tea", "kind": "green", "pot": "big"}),
        ("{a: [1, 2, 3,], b: {c: true,},}", {"a": [1, 2, 3], "b": {"c": True}}),
        ("{a: 0xFF, b: 0b101, c: 0o17, d: 1_000, e: 7n}", {"a": 255, "b": 5, "c": 15, "d": 1000, "e": 7}),
        ("{a: .5, b: 5., c: -1e3, d: +2, e: 1.5E-1}", {"a": 0.5, "b": 5.0, "c": -1000.0, "d": 2, "e": 0.15}),
        ("{a: null, b: undefined, c: false}", {"a": None, "c": False}),
        ("{a: 'one ' + 'two'}", {"a": "one two"}),
        (r"{a: 'it\'s', b: '\x41\u0042\u{1F375}', c: '\ud83c\udf75', d: 'x\ty'}",
         {"a": "it's", "b": "AB🍵", "c": "🍵", "d": "x\ty"}),
        ("{a: 'goes \\\non', b: `two\nlines`}", {"a": "goes on", "b": "two\nlines"}),
        ("{a: `${env.CI == 'debug'} stays`}", {"a": "${env.CI == 'debug'} stays"}),
        ("// first\n{ /* inside */ a: 1, // after\n b: 2 /* last */ } // end", {"a": 1, "b": 2}),
        ("{a: 'no // comment', b: \"/* nor */ this\"}", {"a": "no // comment", "b": "/* nor */ this"}),
        ("{1: 'number', $x_1: 'name', ключ: 'letters', if: 'word', 'a-b': 'text'}",
         {"1": "number", "$x_1": "name", "ключ": "letters", "if": "word", "a-b": "text"}),
        ("\ufeff{a:\r\n 1}", {"a": 1}),
    ],
)  # fmt: skip
def test_what_people_write_is_read(text: str, value: dict[str, Any]) -> None:
    assert read(text).plain() == value


@pytest.mark.parametrize(
    "text",
    [
        "const plan = {phases: []};",
        "const plan: Plan = {phases: []} as const;\nexport default plan;",
        "let plan = {phases: []}\nmodule.exports = plan",
        "var plan = {phases: []}; export { plan };",
        "export default {phases: []}",
        "export const plan = {phases: []} satisfies Plan;",
        "'use strict';\nmodule.exports = {phases: []};",
        "exports.plan = {phases: []}",
        "({phases: []})",
        "export default defineWorkflow({phases: []});",
        "await orchestra.define({phases: []},);",
    ],
)
def test_the_code_around_a_literal_is_skipped(text: str) -> None:
    assert read(text).plain() == {"phases": []}


def test_the_text_before_a_literal_in_a_call_is_its_id() -> None:
    assert read("conductor.defineWorkflow('night-shift', {phases: []});").plain() == {"id": "night-shift", "phases": []}
    assert read("define('ignored', {id: 'own'})").plain() == {"id": "own"}


def test_every_key_and_value_knows_its_place() -> None:
    node = read("{\n  name: 'A',\r\n\tphases: [\n    { id: 'x' }, 'é', 7]\n}")
    assert node.mark == Mark(1, 1)
    assert node.key_marks == {"name": Mark(2, 3), "phases": Mark(3, 2)}
    assert node.value_mark_of(("name",)) == Mark(2, 9)
    assert node.value_mark_of(("phases",)) == Mark(3, 10)
    assert node.value_mark_of(("phases", 0)) == Mark(4, 5)
    assert node.mark_of(("phases", 0, "id")) == Mark(4, 7)
    assert node.value_mark_of(("phases", 1)) == Mark(4, 18)
    assert node.value_mark_of(("phases", 2)) == Mark(4, 23)


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("", "PL008", 1, 1),
        ("  // nothing\n", "PL008", 1, 1),
        ("{\n  a: 1,\n", "PL005", 1, 1),
        ("{a: [1, {b: 2}", "PL005", 1, 5),
        ("{a: [1, 2}", "PL005", 1, 10),
        ("{\n a: 'open\n}", "PL005", 2, 5),
        ("{a: `open", "PL005", 1, 5),
        ("{a: 1} /* open", "PL005", 1, 8),
        ("{a: 1 b: 2}", "PL005", 1, 7),
        ("{a: [1 2]}", "PL005", 1, 8),
        ("{a: 1,, b: 2}", "PL005", 1, 7),
        ("{a 1}", "PL005", 1, 4),
        ("{a}", "PL005", 1, 3),
        ("{a: }", "PL005", 1, 5),
        ("{a: yes}", "PL005", 1, 5),
        ("{a: True}", "PL005", 1, 5),
        ("{a: build()}", "PL005", 1, 5),
        ("{...rest}", "PL005", 1, 2),
        ("{[x]: 1}", "PL005", 1, 2),
        ("{a: 12abc}", "PL005", 1, 5),
        ("{a: 0x}", "PL005", 1, 5),
        ("{a: 1e999}", "PL005", 1, 5),
        ("{a: 9999999999999999999}", "PL005", 1, 5),
        ("{a: 'x' + 1}", "PL005", 1, 11),
        (r"{a: '\ud83c'}", "PL005", 1, 5),
        (r"{a: '\u12'}", "PL005", 1, 5),
        (r"{a: '\0'}", "PL003", 1, 5),
        ("{a: “x”}", "PL005", 1, 5),
        ("# no\n{}", "PL005", 1, 1),
        ("{a: 1} {b: 2}", "PL005", 1, 8),
        ("const plan", "PL005", 1, 11),
        ("define({a: 1}", "PL005", 1, 7),
        ("hello world", "PL005", 1, 1),
        ("{a: 1,\n b: 2,\n a: 3}", "PL006", 3, 2),
        ("[" * 100, "PL011", 1, 65),
    ],
)
def test_an_error_stands_where_it_was_made(text: str, code: str, line: int, column: int) -> None:
    assert errors(text) == [(code, line, column)]


def test_small_slips_are_all_reported_at_once() -> None:
    assert errors("{a: 1 b: 2,, a: 3,\n c: [1 2]}") == [
        ("PL005", 1, 7), ("PL005", 1, 12), ("PL006", 1, 14), ("PL005", 2, 8),
    ]  # fmt: skip


def test_hints_say_what_to_write() -> None:
    hints = {text: foreign.read(text, "json")[1][0].hint for text in ("{a: None}", "{a}", "{a: “x”}")}
    assert hints == {"{a: None}": "write null", "{a}": "write a: …", "{a: “x”}": "use straight quotes: ' or \""}


def test_a_large_literal_is_read_in_time() -> None:
    phase = "{{ name: 'P{0}', agents: ['a', 'b'], parallel: true, depends_on: [] }}"
    text = "{phases: [" + ",\n".join(phase.format(number) for number in range(10_000)) + "]}"
    before = time.process_time()
    assert len(read(text).plain()["phases"]) == 10_000
    assert time.process_time() - before < 5


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc\n'\"/", max_size=5), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(JSON_VALUES, st.sampled_from([None, 1]), st.booleans())
def test_all_json_is_read_as_json_reads_it(value: object, indent: int | None, escaped: bool) -> None:  # noqa: FBT001
    text = json.dumps({"v": value}, indent=indent, ensure_ascii=escaped)
    node, found = foreign.read(text, "json")
    assert found == []
    assert node is not None
    assert node.plain() == {"v": value}
