"""Whatever is written as an expression has a value or an ExpressionError, soon, and MiniJinja agrees on the value."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import minijinja
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.expressions import (
    Expr,
    ExpressionError,
    Literal,
    check,
    condition,
    evaluate,
    parts,
    references,
    render,
    render_all,
    yields,
)

SOON = 20_000  # milliseconds; a busy machine needs some of them, a hang all
FUZZ = settings(max_examples=400, deadline=SOON)


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


SCOPE: dict[str, Any] = {
    "inputs": {
        "n": 3, "half": 0.5, "text": "hi", "quotes": "'\\\"" * 2000, "list": list(range(1000)), "object": {"a": 1},
        "nothing": None, "yes": True, "deep": _nested(60), "int": 2**126, "odd": "😀é\0ß", "half_a": "\ud800",
        "nan": math.nan, "huge": 10**400,
    },
    "env": {"CI": "true"},
    "phases": {"a-b": {"status": "completed", "outputs": {"x": 1, "big": {"$artifact": "sha256:0"}}}},
    "status": "s",
}  # fmt: skip

PATHS = [
    *(f"inputs.{name}" for name in SCOPE["inputs"]), "inputs.gone", "env.CI", "env.GONE", "phases.a-b.outputs.x",
    "phases['a-b']", "phases.a-b.outputs.big", "status", "stdout",
]  # fmt: skip
LITERALS = ["0", "1", "-1", "2.5", "999999999999999999", "1e308", "''", "'a'", '"é"', "true", "none", "[]", "{}"]
FILTERS = [
    "abs", "bool", "capitalize", "count", "default(1)", "first", "float", "int", "last", "length", "lines", "lower",
    "max", "min", "reverse", "round", "round(99)", "round(-3)", "sort", "split", "split('')", "split(',')",
    "string", "sum", "title", "tojson", "trim", "unique", "upper",
]  # fmt: skip
TESTS = [
    "boolean", "defined", "divisibleby(2)", "endingwith('a')", "even", "false", "integer", "mapping", "none",
    "number", "odd", "sequence", "startingwith('a')", "string", "true", "undefined",
]  # fmt: skip
BINARY = [
    "+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", "<=", ">", ">=", "in", "and", "or",
]  # fmt: skip
RUBBISH = [
    "(", ")", "[", "]", "{", "}", ",", ":", ".", "|", "'", '"', "\\", "$", "#", "@", "?", "!", "=", "&&", "||",
    "**", "{{", "}}", "{%", "%}", "${", ":-", "not", "if", "else", "is", "\x00", "\ud800", "é", "|replace",
    "|indent", "|format", "|join", "|batch", "|slice", "|map", "|debug", "|pprint", "range(10**9)", "debug()",
    "namespace()", "loop", "self", "'a'*1000000000", "|center(1000000000)", "cycler()", "import", "macro",
    ".__class__", "[0]", "[-1]", "[1:]", "[inputs.n]", "'k':",
]  # fmt: skip


def _grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({})".format, inner),
        st.builds("{} {} {}".format, inner, st.sampled_from(BINARY), inner),
        st.builds("({}) {} ({})".format, inner, st.sampled_from(BINARY), inner),
        st.builds("not {}".format, inner),
        st.builds("-{}".format, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("{{'a': {}}}".format, inner),
        st.builds("{} if {} else {}".format, inner, inner, inner),
        st.builds("{}|{}".format, inner, st.sampled_from(FILTERS)),
        st.builds("{} is {}".format, inner, st.sampled_from(TESTS)),
        st.builds("{} is not {}".format, inner, st.sampled_from(TESTS)),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("{}[{}:{}]".format, inner, inner, inner),
        st.builds("({}).a".format, inner),
    )


EXPRESSIONS = st.recursive(st.sampled_from([*PATHS, *LITERALS]), _grow, max_leaves=20)
WORDS = st.lists(st.sampled_from([*PATHS, *LITERALS, *BINARY, *RUBBISH]), max_size=40).map(" ".join)
ANYTHING = st.one_of(EXPRESSIONS, WORDS, st.text(), WORDS.map(lambda words: words.replace(" ", "")))


def _tried(function: Callable[..., Any], *given: Any) -> Any:
    """What the call gives, or its ExpressionError; anything else it raises fails the test."""
    try:
        return function(*given)
    except ExpressionError as error:
        return error


def _shown(outcome: Any) -> str:
    return repr((outcome.kind, outcome.offset, outcome.message) if isinstance(outcome, ExpressionError) else outcome)


@FUZZ
@given(ANYTHING)
@example("(" * 500 + ")" * 500)
@example("-" * 1000)
@example("not " * 250)
@example("inputs" + ".a" * 500)
@example("inputs.object" + "[inputs.n]" * 90)
@example("1" + "+1" * 400)
@example("1 if 1 else " * 80 + "1")
@example("inputs.quotes" + "|tojson" * 9)
@example("'" + "\\'" * 500)
@example("'" * 1001)
@example("9" * 1000)
@example("inputs.n" + "*inputs.int" * 50)
def test_any_source_has_a_value_or_an_expression_error(source: str) -> None:
    outcome = _tried(evaluate, source, SCOPE)
    if isinstance(outcome, ExpressionError):
        assert 0 <= outcome.offset <= len(source)
        assert outcome.message != "the expression is nested too deeply"  # ours to refuse, before MiniJinja must
    assert _shown(_tried(evaluate, source, SCOPE)) == _shown(outcome)


@FUZZ
@given(ANYTHING)
def test_what_check_accepts_has_references_and_a_type_and_what_it_refuses_has_no_value(source: str) -> None:
    value = _tried(evaluate, source, SCOPE)
    refused = _tried(check, source)
    if refused is not None:
        assert _shown(value) == _shown(refused)
        return
    assert len(set(references(source))) == len(references(source))
    known = yields(source)
    if not isinstance(value, ExpressionError) and known != "any":
        expected: dict[str, Any] = {
            "number": int | float, "string": str, "boolean": bool, "list": list, "object": dict, "none": type(None),
        }  # fmt: skip
        assert isinstance(value, expected[known])


@FUZZ
@given(EXPRESSIONS)
def test_a_value_that_was_worked_on_is_json_of_bounded_size(source: str) -> None:
    value = _tried(evaluate, f"[{source}]", SCOPE)
    if isinstance(value, list):
        assert len(json.dumps(value, allow_nan=False).encode()) < 1_000_000


@FUZZ
@given(EXPRESSIONS)
def test_a_condition_is_a_boolean_or_an_error(source: str) -> None:
    assert isinstance(_tried(condition, source, SCOPE), bool | ExpressionError)


@FUZZ
@given(EXPRESSIONS)
def test_only_the_references_are_read(source: str) -> None:
    paths = _tried(references, source)
    narrow: dict[str, Any] = {}
    for path in paths if isinstance(paths, tuple) else ():
        _copy(SCOPE, narrow, path.split("."))
    assert _shown(_tried(evaluate, source, narrow)) == _shown(_tried(evaluate, source, SCOPE))


def _copy(source: Any, target: dict[str, Any], steps: list[str]) -> None:
    if not isinstance(source, dict) or steps[0] not in source:
        return
    if len(steps) == 1 or not isinstance(source[steps[0]], dict):
        target[steps[0]] = source[steps[0]]
    else:
        inner = target.setdefault(steps[0], {})
        if inner is not source[steps[0]]:
            _copy(source[steps[0]], inner, steps[1:])


@FUZZ
@given(
    st.lists(st.one_of(ANYTHING, st.sampled_from(["${", "}", "$${", "$", "{", "'", "${inputs.n}", "{{"]))).map("".join)
)
def test_any_text_has_parts_and_renders_or_is_refused(text: str) -> None:
    found = _tried(parts, text)
    if isinstance(found, ExpressionError):
        assert text[found.offset : found.offset + 2] == "${"
        return
    for part in found:
        if isinstance(part, Expr):
            assert text.startswith(part.source, part.offset)
    if all(isinstance(part, Literal) for part in found):
        assert render(text, {}) == text.replace("$${", "${")
    rendered = _tried(render_all, {"k": [text]}, SCOPE)
    if isinstance(rendered, ExpressionError):
        assert 0 <= rendered.offset <= len(text)


@FUZZ
@given(st.text())
def test_text_in_which_every_opening_is_doubled_renders_as_it_was(text: str) -> None:
    assert render(text.replace("${", "$${"), {}) == text


# Where no rule of ours is stricter, the rewritten expression means what MiniJinja says of the original.

SIMPLE = {"inputs": {"n": 3, "m": -4, "half": 0.5, "text": "hi", "yes": True, "list": [1, 2, 3], "object": {"a": 1}}}
SIMPLE_EXPRESSIONS = st.recursive(
    st.sampled_from([*(f"inputs.{name}" for name in SIMPLE["inputs"]), "1", "2.5", "'a'", "true", "none", "[]"]),
    lambda inner: st.one_of(
        st.builds("({})".format, inner),
        st.builds("{} {} {}".format, inner, st.sampled_from([word for word in BINARY if word != "~"]), inner),
        st.builds("not {}".format, inner),
        st.builds("-{}".format, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("{} not in {}".format, inner, inner),
        st.builds("{} if {} else {}".format, inner, inner, inner),
        st.builds("{}|{}".format, inner, st.sampled_from(["abs", "length", "upper", "first", "last", "min", "sum"])),
        st.builds("{} is {}".format, inner, st.sampled_from(["defined()", "none()", "odd()", "string()", "true()"])),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("{}[1:]".format, inner),
    ),
    max_leaves=12,
)
ORIGINAL = minijinja.Environment(debug=False, pycompat=False, undefined_behavior="strict")


@settings(max_examples=1_000, deadline=SOON)
@given(SIMPLE_EXPRESSIONS)
@example("1 if true else 2 if false else 3")
@example("-inputs.m|abs")
@example("not inputs.n == 3 is odd()")
@example("inputs.n is odd() if inputs.yes else 1")
def test_minijinja_agrees_on_every_value(source: str) -> None:
    try:
        value = evaluate(source, SIMPLE)
    except ExpressionError:
        return
    assert repr(ORIGINAL.eval_expr(source, **SIMPLE)) == repr(value)
