"""What definitions may write in `${ … }`, and what they get: tables of good and bad expressions, a test per rule."""

from __future__ import annotations

import math
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from engine.errors import DefinitionError
from engine.expressions import (
    ROOTS,
    ExpressionError,
    check,
    condition,
    evaluate,
    references,
    yields,
)

SCOPE: dict[str, Any] = {
    "inputs": {
        "n": 3,
        "half": 0.5,
        "one": 1.0,
        "text": "hi",
        "list": [1, 2, 3],
        "words": ["b", "a"],
        "object": {"a": 1, "k": "v"},
        "rows": [{"name": "x"}, {"name": "y"}],
        "nothing": None,
        "yes": True,
        "key": "a",
        "if": 7,
    },
    "env": {"CI": "true", "EMPTY": ""},
    "phases": {
        "design-contract": {"status": "completed", "outputs": {"contract": "C", "big": {"$artifact": "sha256:0"}}},
        "test": {"status": "failed", "outputs": {"failed": 2, "coverage": 0.9}},
        "01-setup": {"outputs": {"x": 1}},
        "pre-push": {"status": "completed"},
        "überprüfung": {"outputs": {"x": 2}},
    },
    "status": "completed",
    "outputs": {"failed": 1, "a-b": 2},
}

SECRET = "hunter2"

GOOD: list[tuple[str, Any]] = [
    # paths
    ("inputs.n", 3),
    ("inputs.one", 1.0),
    ("inputs.list[0]", 1),
    ("inputs.list[-1]", 3),
    ("inputs.rows[1].name", "y"),
    ("inputs['text']", "hi"),
    ('inputs["object"].k', "v"),
    ("inputs.object[inputs.key]", 1),
    ("inputs.list[inputs.n - 1]", 3),
    ("inputs.if", 7),
    ("inputs . n", 3),
    ("(inputs.object).a", 1),
    ("[inputs.rows[0]][0].name", "x"),
    ("status", "completed"),
    ("inputs.nothing", None),
    # ids with hyphens
    ("phases.design-contract.outputs.contract", "C"),
    ("phases['design-contract'].outputs.contract ~ '!'", "C!"),
    ("phases.01-setup.outputs.x + 1", 2),
    ("phases.pre-push.status == 'completed'", True),
    ("phases.überprüfung.outputs.x", 2),
    ("phases.test.outputs.failed-1", 1),
    ("outputs['a-b'] + 1", 3),
    # environment
    ("env.CI", "true"),
    ("env.UNSET", ""),
    ("env.UNSET == ''", True),
    ("env.CI == 'true' and env.UNSET != 'x'", True),
    ("env.UNSET:-3", "3"),
    ("env.EMPTY:-3", "3"),
    ("env.CI:-false", "true"),
    ("env.UNSET:-", ""),
    (" env.UNSET :- it's 2 > 1 ", "it's 2 > 1"),
    ("env.UNSET:-' padded '", " padded "),
    ("env.UNSET or 'else'", "else"),
    # literals
    ("'it is'", "it is"),
    (r"'it\'s \\ \n \u00e9 \/'", "it's \\ \n é /"),
    ('"double"', "double"),
    ("'é😀'", "é😀"),
    ("'{{ }} {% %} ${ }'", "{{ }} {% %} ${ }"),
    ("2.5", 2.5),
    ("1e3", 1000),
    ("-3", -3),
    ("true", True),
    ("False", False),
    ("none", None),
    ("[1, 'a', [none],]", [1, "a", [None]]),
    ("{'a': inputs.n, 'b': {'c': true}}", {"a": 3, "b": {"c": True}}),
    ("[]", []),
    ("{}", {}),
    # arithmetic, with MiniJinja's order of operations
    ("1 + 2 * 3", 7),
    ("(1 + 2) * 3", 9),
    ("7 / 2", 3.5),
    ("7 // 2", 3),
    ("-7 % 3", 2),
    ("2 - 1 - 1", 0),
    ("2 - (1 - 1)", 2),
    ("8 / 2 / 2", 2),
    ("- -inputs.n", 3),
    ("inputs.half * 100 >= 50", True),
    ("inputs.text + 'x' + 'y'", "hixy"),
    ("inputs.list + [4]", [1, 2, 3, 4]),
    # text
    ("inputs.text ~ 1 ~ true ~ 0.5", "hi1true0.5"),
    ("inputs.one ~ ''", "1"),
    ("1 ~ 2 * 3", "16"),
    ("inputs.object ~ ''", '{"a": 1, "k": "v"}'),
    ("inputs.text[:1]", "h"),
    ("inputs.list[1:]", [2, 3]),
    ("inputs.list[0:2]", [1, 2]),
    # comparing
    ("inputs.n >= 0.5", True),
    ("inputs.text < 'z'", True),
    ("inputs.n == 3.0", True),
    ("inputs.n == '3'", False),
    ("inputs.nothing == none", True),
    ("inputs.object == {'k': 'v', 'a': 1}", True),
    ("(1 < 2) == (2 < 3)", True),
    ("2 in inputs.list", True),
    ("4 not in inputs.list", True),
    ("not 2 in inputs.list", False),
    ("'a' in inputs.object", True),
    ("'i' in inputs.text", True),
    # deciding
    ("true or false and false", True),
    ("not false and true", True),
    ("inputs.n and inputs.text", "hi"),
    ("'a' if inputs.yes else 'b'", "a"),
    ("1 if false else 2 if false else 3", 3),
    ("1 if true else 2 if false else 3", 1),
    ("inputs.n is odd if inputs.yes else none", True),
    # filters
    ("inputs.list|length", 3),
    ("inputs.text|upper ~ '!'", "HI!"),
    ("-inputs.n|abs", 3),
    ("inputs.list|sum", 6),
    ("inputs.words|sort", ["a", "b"]),
    ("[3, 1]|min + [3, 1]|max", 4),
    ("inputs.words|first ~ inputs.words|last", "ba"),
    ("inputs.list|reverse", [3, 2, 1]),
    ("[1, 1, 2]|unique", [1, 2]),
    ("'a,b'|split(',')", ["a", "b"]),
    ("' a  b '|split", ["a", "b"]),
    ("'a\nb'|lines|length", 2),
    ("' x '|trim|title|lower|capitalize", "X"),
    ("2.567|round(2)", 2.57),
    ("2.4|round", 2),
    ("'3'|int + '0.5'|float", 3.5),
    ("1.9|int", 1),
    ("'true'|bool", True),
    ("inputs.n|string", "3"),
    ("inputs.object|tojson", '{"a": 1, "k": "v"}'),
    ("'<é>'|tojson", '"<é>"'),
    # tests
    ("inputs.n is number and inputs.n is integer and inputs.half is not integer", True),
    ("inputs.yes is number", False),
    ("inputs.yes is boolean and inputs.yes is true", True),
    ("inputs.object is mapping and inputs.list is sequence", True),
    ("inputs.nothing is none and inputs.n is not none", True),
    ("inputs.text is string and inputs.text is startingwith('h')", True),
    ("inputs.n is divisibleby(3) and inputs.n is odd", True),
    # what may be absent
    ("inputs.absent is defined", False),
    ("inputs.absent is not defined", True),
    ("inputs.absent.deep is undefined", True),
    ("inputs.n is defined", True),
    ("env.UNSET is defined", True),
    ("inputs.absent|default(5) + 1", 6),
    ("inputs.n|default(5)", 3),
    ("inputs.nothing|default(5)", None),
    ("inputs.absent|default(inputs.gone|default('x'))", "x"),
    ("inputs.absent if inputs.absent is defined else 'no'", "no"),
    ("true or inputs.absent", True),
    ("false and inputs.absent > 1", False),
]
BAD: list[tuple[str, str, int]] = [
    # kind syntax: it cannot be read
    ("", "syntax", 0),
    ("  ", "syntax", 2),
    ("1 +", "syntax", 3),
    ("inputs.", "syntax", 7),
    ("inputs..n", "syntax", 7),
    ("(inputs.n", "syntax", 9),
    ("inputs.n)", "syntax", 8),
    ("[1, 2", "syntax", 5),
    ("{'a' 1}", "syntax", 5),
    ("{a: 1}", "syntax", 1),
    ("'abc", "syntax", 0),
    (r"'a\q'", "syntax", 2),
    (r"'a\ud800'", "syntax", 2),
    ("'a\x00'", "syntax", 2),
    ("'a\ud800'", "syntax", 2),
    ("\x00", "syntax", 0),
    ("\ud800", "syntax", 0),
    ("inputs.n # comment", "syntax", 9),
    ("1 1", "syntax", 2),
    ("'a' 'b'", "syntax", 4),
    ("(1, 2)", "syntax", 2),
    ("0x10", "syntax", 1),
    ("1 if true", "syntax", 9),
    ("1 < 2 < 3", "syntax", 6),
    ("1 == 1 in [1]", "syntax", 7),
    ("inputs.n|", "syntax", 9),
    ("inputs.n|length(1)", "syntax", 9),
    ("inputs.n|default", "syntax", 9),
    ("inputs.n is", "syntax", 11),
    ("and", "syntax", 0),
    ("inputs.list[1:2:3]", "syntax", 15),
    # kind unsupported: other languages, and what could hurt
    ("2 ** 3", "unsupported", 2),
    ("inputs.n = 3", "unsupported", 9),
    ("inputs.yes && true", "unsupported", 11),
    ("inputs.yes || true", "unsupported", 11),
    ("!inputs.yes", "unsupported", 0),
    ("inputs.yes ? 1 : 2", "unsupported", 11),
    ("{{ inputs.n }}", "unsupported", 0),
    ("{% if true %}", "unsupported", 0),
    ("range(10)", "unsupported", 0),
    ("debug()", "unsupported", 0),
    ("namespace()", "unsupported", 0),
    ("inputs.text.upper()", "unsupported", 17),
    ("inputs.n:-3", "unsupported", 8),
    ("(env.A:-3)", "unsupported", 6),
    ("env.A:-${env.B}", "unsupported", 7),
    ("inputs.text is sameas('a')", "unsupported", 15),
    ("(inputs.n + 1)|default(2)", "unsupported", 15),
    ("(inputs.n + 1) is defined", "unsupported", 18),
    ("env", "unsupported", 0),
    ("env.A.b", "unsupported", 0),
    ("env[inputs.text]", "unsupported", 0),
    ("phases", "unsupported", 0),
    ("phases[inputs.text]", "unsupported", 0),
    # kind name: no path starts like this
    ("nonsense", "name", 0),
    ("loop.index", "name", 0),
    ("self", "name", 0),
    ("not null", "name", 4),
    ("inputs.text == hi", "name", 15),
    # kind undefined: never none or ''
    ("inputs.absent", "undefined", 0),
    ("inputs.absent == 1", "undefined", 0),
    ("1 == inputs.absent", "undefined", 5),
    ("inputs.absent ~ ''", "undefined", 0),
    ("not inputs.absent", "undefined", 4),
    ("inputs.absent or 1", "undefined", 0),
    ("1 if inputs.absent else 2", "undefined", 5),
    ("[inputs.absent]", "undefined", 1),
    ("{'a': inputs.absent}", "undefined", 6),
    ("inputs.absent in [1]", "undefined", 0),
    ("inputs.absent is none", "undefined", 0),
    ("inputs.absent|length", "undefined", 0),
    ("inputs.n.deep", "undefined", 0),
    ("inputs.nothing.deep", "undefined", 0),
    ("inputs.text[0]", "undefined", 0),
    ("inputs.list[3]", "undefined", 0),
    ("inputs.list[-4]", "undefined", 0),
    ("inputs.list[999999999999999999999999]", "undefined", 0),
    ("inputs.object[inputs.text]", "undefined", 13),
    ("{'a': 1}.b", "undefined", 8),
    ("[]|first", "undefined", 0),
    ("''|last", "undefined", 0),
    ("[]|max", "undefined", 0),
    ("stdout", "undefined", 0),
    ("phases.gone.outputs.x", "undefined", 0),
    ("phases.design-contract.outputs.big.x", "undefined", 0),
    # kind type: in the source
    ("'n/a' >= 0.8", "type", 6),
    ("env.CI > 3", "type", 7),
    ("none < 1", "type", 0),
    ("true < 2", "type", 0),
    ("'a' * 3", "type", 0),
    ("[1] * 3", "type", 0),
    ("1 + 'a'", "type", 2),
    ("true + 1", "type", 0),
    ("-'a'", "type", 1),
    ("1 in 3", "type", 5),
    ("1|upper", "type", 0),
    ("'a'|sum", "type", 0),
    ("'a' is odd", "type", 0),
    ("{}[1:]", "type", 0),
    # kind type: in the values
    ("inputs.text >= 0.8", "type", 12),
    ("inputs.nothing < 1", "type", 15),
    ("inputs.yes < 2", "type", 11),
    ("inputs.list < inputs.list", "type", 12),
    ("inputs.text * 3", "type", 0),
    ("3 * inputs.text", "type", 4),
    ("inputs.list * inputs.n", "type", 0),
    ("inputs.text - 1", "type", 0),
    ("inputs.n + inputs.text", "type", 0),
    ("inputs.yes + 1", "type", 0),
    ("inputs.object + inputs.object", "type", 0),
    ("-inputs.text", "type", 1),
    ("1 in inputs.text", "type", 2),
    ("1 in inputs.nothing", "type", 2),
    ("inputs.nothing ~ 'x'", "type", 0),
    ("inputs.nothing|string", "type", 0),
    ("inputs.n|length", "type", 0),
    ("[3, 'a']|sort", "type", 0),
    ("[none]|max", "type", 0),
    ("['a']|sum", "type", 0),
    ("inputs.text|int", "type", 0),
    ("inputs.text|bool", "type", 0),
    ("inputs.n[inputs.n]", "type", 8),
    ("inputs.object[inputs.n]", "type", 13),
    ("inputs.list[inputs.half:]", "type", 11),
    ("'a'|split('')", "type", 0),
    # kind value
    ("inputs.n / 0", "value", 0),
    ("inputs.n // 0", "value", 0),
    ("inputs.n % 0", "value", 0),
    ("1e308 * 10", "value", 0),
    ("1e30 * 1e30", "value", 0),
    ("2.5|round(99)", "value", 0),
    ("phases.design-contract.outputs.big ~ ''", "value", 0),
    # kind limit
    ("9999999999999999999", "limit", 0),
    ("1e999", "limit", 0),
    ("inputs.n" + " " * 1024, "limit", 0),
    ("'" + "é" * 600 + "'", "limit", 0),
    ("1" + "+1" * 101, "limit", 0),
    ("(" * 12 + "1" + ")" * 12, "limit", 12),
    ("[" * 13 + "]" * 13, "limit", 12),
    ("not " * 13 + "true", "limit", 48),
    ("1" + "|string" * 11, "limit", 72),
    ("inputs.list[inputs.n]" + ".a" * 10, "limit", 39),
]


@pytest.mark.parametrize(("source", "expected"), GOOD, ids=lambda value: repr(value)[:60])
def test_an_expression_has_the_value_that_the_documentation_says(source: str, expected: Any) -> None:
    check(source)
    value = evaluate(source, SCOPE)
    assert value == expected
    assert isinstance(value, bool) == isinstance(expected, bool)


@pytest.mark.parametrize(("source", "kind", "offset"), BAD, ids=lambda value: repr(value)[:60])
def test_a_bad_expression_is_refused_with_its_kind_and_its_place(source: str, kind: str, offset: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(source, SCOPE)
    assert (caught.value.kind, caught.value.offset) == (kind, offset)


@pytest.mark.parametrize("word", ["debug", "replace", "indent", "format", "join", "batch", "slice", "map", "pprint"])
def test_filters_that_can_hurt_do_not_exist(word: str) -> None:
    for source in (f"inputs.list|{word}", f"inputs.list|{word}(1000000000)"):
        with pytest.raises(ExpressionError) as caught:
            check(source)
        assert caught.value.kind == "unsupported"


def test_an_error_is_the_authors_and_has_a_code_and_often_a_hint() -> None:
    with pytest.raises(DefinitionError) as caught:
        check("inputs.yes && true")
    assert (caught.value.code, caught.value.hint) == ("expression", "write `and`")


def test_a_hyphen_in_the_name_of_an_output_is_explained() -> None:
    with pytest.raises(ExpressionError) as caught:
        check("phases.test.outputs.not-ok")
    assert "hyphen" in caught.value.hint


def test_an_undefined_path_is_named_up_to_where_it_ends_with_what_there_is() -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate("phases.test.outputs.covrage.x > 1", SCOPE)
    assert caught.value.message == "phases.test.outputs.covrage is not defined"
    assert caught.value.hint == "phases.test.outputs has failed, coverage"


@pytest.mark.parametrize(
    "source",
    ["inputs.s + 1", "inputs.s // 0", "inputs.s < 1", "inputs.s|int", "inputs.s.x", "1 in inputs.s", "-inputs.s"],
)
def test_no_error_shows_a_value(source: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(source, {"inputs": {"s": SECRET}})
    shown = "".join(traceback.format_exception(caught.value))
    assert SECRET not in shown + caught.value.hint
    assert "Referenced variables" not in shown


def test_only_names_that_have_a_value_there_may_start_a_path() -> None:
    check("inputs.n > 1 and env.A != ''", roots=("inputs", "env"))
    with pytest.raises(ExpressionError) as caught:
        check("inputs.n > 1 and stdout != ''", roots=("inputs", "env"))
    assert (caught.value.kind, caught.value.offset) == ("name", 17)
    for root in ROOTS:
        check(f"{root}.a.b" if root != "env" else "env.A")


@pytest.mark.parametrize(
    ("source", "paths"),
    [
        ("1 + 2", ()),
        ("inputs.n", ("inputs.n",)),
        ("phases.design-contract.outputs.contract ~ env.CI", ("phases.design-contract.outputs.contract", "env.CI")),
        ("phases['design-contract'].outputs['a-b']", ("phases.design-contract.outputs.a-b",)),
        ("inputs.a > inputs.b or inputs.a == 1", ("inputs.a", "inputs.b")),
        ("inputs.rows[0].name", ("inputs.rows",)),
        ("inputs.rows[inputs.n].name", ("inputs.rows", "inputs.n")),
        ("env.NAME:-some text", ("env.NAME",)),
        ("inputs.x|default(inputs.y) if inputs.z is defined else 'inputs.q'", ("inputs.x", "inputs.y", "inputs.z")),
        ("{'inputs.a': [status]}", ("status",)),
    ],
)
def test_references_are_the_paths_as_written_in_order_and_once(source: str, paths: tuple[str, ...]) -> None:
    assert references(source) == paths


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("inputs.n", "any"),
        ("inputs.n > 1", "boolean"),
        ("not inputs.n", "boolean"),
        ("inputs.a > 1 and inputs.b is none", "boolean"),
        ("inputs.a and inputs.b", "any"),
        ("inputs.a + 1", "number"),
        ("inputs.a + inputs.b", "any"),
        ("inputs.a ~ 1", "string"),
        ("env.A", "string"),
        ("env.A:-1", "string"),
        ("inputs.a|length", "number"),
        ("[1]", "list"),
        ("{}", "object"),
        ("none", "none"),
        ("1 if inputs.a else 2", "number"),
        ("1 if inputs.a else '2'", "any"),
    ],
)
def test_yields_is_the_type_that_the_source_shows(source: str, kind: str) -> None:
    assert yields(source) == kind


def test_a_condition_must_yield_a_boolean() -> None:
    assert condition("phases.test.outputs.coverage >= inputs.half", SCOPE) is True
    assert condition("inputs.yes", SCOPE) is True
    for source in ("inputs.n", "inputs.text", "env.CI", "inputs.nothing", "inputs.n and inputs.list", "env.X:-true"):
        with pytest.raises(ExpressionError) as caught:
            condition(source, SCOPE)
        assert caught.value.kind == "type"


def test_a_path_alone_gives_the_very_value() -> None:
    big = {"text": "x" * 1_000_000}
    assert evaluate("inputs.big", {"inputs": {"big": big}}) is big


@pytest.mark.parametrize(
    "value", ["x" * 70_000, ["x"] * 5000, {str(n): 1 for n in range(5000)}], ids=["string", "list", "object"]
)
def test_big_values_are_not_worked_on(value: Any) -> None:
    for source in ("inputs.v == 1", "[inputs.v]", "inputs.v is none"):
        with pytest.raises(ExpressionError) as caught:
            evaluate(source, {"inputs": {"v": value}})
        assert caught.value.kind == "limit"


def test_what_an_expression_makes_is_bounded() -> None:
    quotes = {"inputs": {"q": '"\\' * 1000}}
    for source in (
        "inputs.q" + "|tojson" * 9,
        "[[[[[[inputs.q] ~ ''] ~ ''] ~ ''] ~ ''] ~ ''] ~ ''",
    ):
        with pytest.raises(ExpressionError) as caught:
            evaluate(source, quotes)
        assert caught.value.kind == "limit"
    with pytest.raises(ExpressionError) as caught:
        evaluate("inputs.q|lines|length", {"inputs": {"q": "\n" * 5000}})
    assert caught.value.kind == "limit"


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


class _Opaque:
    secret = "s"


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (_nested(10_000), "limit"),
        (10**40, "value"),
        (-(10**40), "value"),
        (10**5000, "value"),
        (math.nan, "value"),
        (math.inf, "value"),
        ("\ud800", "value"),
        ({"\udfff": 1}, "value"),
        ({1: 2}, "value"),
        ([_Opaque()], "value"),
        (_Opaque(), "value"),
        (b"bytes", "value"),
        ({"$artifact": "sha256:0"}, "value"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_that_minijinja_would_bend_are_refused(value: Any, kind: str) -> None:
    for source in ("[inputs.v]", "inputs.v == inputs.v", "inputs.v ~ ''"):
        with pytest.raises(ExpressionError) as caught:
            evaluate(source, {"inputs": {"v": value}})
        assert caught.value.kind == kind


def test_a_value_that_holds_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(ExpressionError):
        evaluate("inputs.v ~ ''", {"inputs": {"v": value}})


def test_attributes_and_methods_of_values_cannot_be_reached() -> None:
    scope = {"inputs": {"v": {"a": 1}, "text": "t"}}
    for path in ("inputs.v.keys", "inputs.v.items", "inputs.v.__class__", "inputs.text.upper", "inputs.__class__"):
        with pytest.raises(ExpressionError) as caught:
            evaluate(f"[{path}]", scope)
        assert caught.value.kind == "undefined"
    with pytest.raises(ExpressionError):
        evaluate("[inputs.v][0].keys", scope)


class _Counted(Mapping[str, Any]):
    """A scope that fails when it is walked instead of asked."""

    def __getitem__(self, key: str) -> Any:
        return {"inputs": {"n": 3}}[key]

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("walked")

    def __len__(self) -> int:
        raise AssertionError("counted")


def test_only_what_is_read_is_touched() -> None:
    assert evaluate("inputs.n + 1", _Counted()) == 4
    assert evaluate("inputs.gone|default(1)", _Counted()) == 1
    with pytest.raises(ExpressionError):
        evaluate("status == 'x'", _Counted())


def test_values_are_not_changed() -> None:
    scope = {"inputs": {"l": [3, 1, 2], "o": {"b": 1, "a": 2}}}
    assert evaluate("inputs.l|sort|reverse + [0]", scope) == [3, 2, 1, 0]
    assert evaluate("[inputs.o, inputs.l + inputs.l]|length", scope) == 2
    assert scope == {"inputs": {"l": [3, 1, 2], "o": {"b": 1, "a": 2}}}


def test_threads_share_one_evaluator() -> None:
    wrong: list[Any] = []

    def work(n: int) -> None:
        for i in range(200):
            try:
                value = evaluate(
                    "inputs.n * 2 + inputs.list|length if inputs.n >= 0 else inputs.gone",
                    {"inputs": {"n": n + i, "list": [0] * n}},
                )
                if value != (n + i) * 2 + n:
                    wrong.append(value)
            except ExpressionError as error:  # pragma: no cover
                wrong.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_evaluating_is_fast_whatever_the_size_of_the_scope() -> None:
    scope = {
        "inputs": {"coverage": 0.8, "blob": ["x" * 100] * 100_000},
        "phases": {f"p-{n}": {"status": "completed", "outputs": {"coverage": 0.9}} for n in range(100_000)},
    }
    source = "phases.p-9.outputs.coverage >= inputs.coverage and phases.p-9.status == 'completed'"
    evaluate(source, scope)
    best = min(_seconds(lambda: evaluate(source, scope)) for _ in range(50))
    assert best < 0.001  # some 15 µs; a scope of this size takes milliseconds to walk


def _seconds(work: Any) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
