"""What text with `${ … }` in it becomes: its parts, its rendering, and how values become text and fit fields."""

from __future__ import annotations

import math
from typing import Any

import pytest

from engine.agents import OutputType
from engine.expressions import Expr, ExpressionError, Literal, coerce, parts, render, render_all, single, text_of

SCOPE: dict[str, Any] = {
    "inputs": {
        "n": 3,
        "half": 0.5,
        "one": 1.0,
        "text": "hi",
        "list": [1, 2, 3],
        "words": ["b", "a"],
        "object": {"a": 1, "k": "v"},
        "nothing": None,
        "yes": True,
    },
    "env": {},
    "phases": {"design-contract": {"outputs": {"contract": "C", "big": {"$artifact": "sha256:0"}}}},
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ()),
        ("plain $5 $$ {{ x }} {% y %} \\", (Literal("plain $5 $$ {{ x }} {% y %} \\"),)),
        ("${inputs.n}", (Expr("inputs.n", 2),)),
        ("${  inputs.n }", (Expr("inputs.n", 4),)),
        ("a ${b} c", (Literal("a "), Expr("b", 4), Literal(" c"))),
        ("${a}${b}", (Expr("a", 2), Expr("b", 6))),
        ("$${a} ${b}", (Literal("${a} "), Expr("b", 8))),
        ("$$${a}", (Literal("$${a}"),)),
        ("${ {'a': {'b': 1}} }", (Expr("{'a': {'b': 1}}", 3),)),
        ("${ '}' ~ \"}\" ~ '\\'}' }", (Expr("'}' ~ \"}\" ~ '\\'}'", 3),)),
        ("${env.A:-it's} x", (Expr("env.A:-it's", 2), Literal(" x"))),
        ('${env.A:-{"a": 1}}', (Expr('env.A:-{"a": 1}', 2),)),
        ("${env.A:-'}'}", (Expr("env.A:-'}'", 2),)),
        ("${}", (Expr("", 2),)),
        ("é😀${a}", (Literal("é😀"), Expr("a", 4))),
    ],
)
def test_parts_of_a_text(text: str, found: tuple[Literal | Expr, ...]) -> None:
    assert parts(text) == found
    assert single(text) == (found[0].source if len(found) == 1 and isinstance(found[0], Expr) else None)


@pytest.mark.parametrize(
    ("text", "offset"), [("${", 0), ("a ${b", 2), ("a ${'}'", 2), ("${ {'a': 1}", 0), ("${a} ${", 5)]
)
def test_an_unclosed_expression_is_an_error_at_its_start(text: str, offset: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        parts(text)
    assert (caught.value.kind, caught.value.offset) == ("syntax", offset)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${inputs.n}", 3),
        ("${inputs.list}", [1, 2, 3]),
        ("${inputs.yes}", True),
        ("${inputs.nothing}", None),
        ("${phases.design-contract.outputs.big}", {"$artifact": "sha256:0"}),
        (" ${inputs.n}", " 3"),
        ("${inputs.n}\n", "3\n"),
        ("${inputs.n}${inputs.n}", "33"),
        ("Build ${inputs.text}: ${phases.design-contract.outputs.contract}!", "Build hi: C!"),
        ("-${inputs.yes}-${inputs.half}-${inputs.one}-", "-true-0.5-1-"),
        ("-${inputs.object}-${inputs.words}-", '-{"a": 1, "k": "v"}-["b", "a"]-'),
        ("$${inputs.n} {{ inputs.n }} {% x %} -%} $", "${inputs.n} {{ inputs.n }} {% x %} -%} $"),
        ("${env.WORKERS:-3}", "3"),
        ("n=${env.WORKERS:-3}", "n=3"),
        ("", ""),
        ("\ttext\n\n", "\ttext\n\n"),
    ],
)
def test_rendering_keeps_the_type_of_one_part_and_the_text_of_the_rest(text: str, expected: Any) -> None:
    value = render(text, SCOPE)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("text", "kind", "offset"),
    [
        ("a ${inputs.absent}", "undefined", 4),
        ("a ${ 1 + }", "syntax", 8),
        ("a ${inputs.nothing}", "type", 4),
        ("a ${phases.design-contract.outputs.big}", "value", 4),
        ("ab ${inputs.text < 1}", "type", 17),
    ],
)
def test_an_error_in_a_template_has_its_place_in_the_whole_text(text: str, kind: str, offset: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        render(text, SCOPE)
    assert (caught.value.kind, caught.value.offset) == (kind, offset)


def test_rendering_is_bounded() -> None:
    nested: Any = 1
    for _ in range(10_000):
        nested = [nested]
    scope = {"inputs": {"big": "x" * 300_000}}
    assert len(render("${inputs.big}${inputs.big}", scope)) == 600_000
    for template in ("${inputs.big}" * 4, ["${inputs.big}"] * 4):
        with pytest.raises(ExpressionError) as caught:
            render_all(template, scope)
        assert caught.value.kind == "limit"
    with pytest.raises(ExpressionError):
        render_all(nested, scope)


def test_rendering_all_copies_lists_and_objects_and_leaves_the_rest() -> None:
    template = {
        "run": ["do", "${inputs.n}", "a${inputs.text}"],
        "env": {"${k}": "${inputs.yes}"},
        "n": 1.5,
        "none": None,
    }
    rendered = render_all(template, SCOPE)
    assert rendered == {"run": ["do", 3, "ahi"], "env": {"${k}": True}, "n": 1.5, "none": None}
    assert template["run"] == ["do", "${inputs.n}", "a${inputs.text}"]


@pytest.mark.parametrize(
    ("value", "to", "expected"),
    [
        (None, "any", None),
        ("a", "string", "a"),
        ("", "string", ""),
        (3, "string", "3"),
        (0.5, "string", "0.5"),
        (True, "string", "true"),
        (3, "integer", 3),
        (3.0, "integer", 3),
        (" 3 ", "integer", 3),
        ("-3", "integer", -3),
        ("3.0", "integer", 3),
        (0.5, "number", 0.5),
        ("0.5", "number", 0.5),
        ("3", "number", 3),
        ("1e3", "number", 1000.0),
        (False, "boolean", False),
        ("true", "boolean", True),
        ("False", "boolean", False),
        ([1], "list", [1]),
        ((1,), "list", [1]),
        ({"a": 1}, "object", {"a": 1}),
    ],
)
def test_coercion(value: Any, to: OutputType, expected: Any) -> None:
    result = coerce(value, to)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("value", "to"),
    [
        (None, "string"), ([1], "string"), ({}, "string"),
        (True, "integer"), (0.5, "integer"), ("0.5", "integer"), ("", "integer"), ("x", "integer"), (None, "integer"),
        (math.inf, "integer"), ("1_000", "integer"), ("٣", "integer"),
        (True, "number"), ("nan", "number"), ("inf", "number"), ("1e999", "number"), ("", "number"),
        (math.nan, "number"),
        (1, "boolean"), ("yes", "boolean"), ("", "boolean"), (None, "boolean"),
        ("[1]", "list"), ({}, "list"), ("{}", "object"), ([], "object"), (None, "object"),
    ],
)  # fmt: skip
def test_what_cannot_be_coerced_is_refused(value: Any, to: OutputType) -> None:
    with pytest.raises(ExpressionError) as caught:
        coerce(value, to)
    assert caught.value.kind == "type"


def test_text_of_a_value() -> None:
    assert text_of({"é": [1, None, True]}) == '{"é": [1, null, true]}'
    assert text_of(2**64) == "18446744073709551616"
    with pytest.raises(ExpressionError):
        text_of(None)
