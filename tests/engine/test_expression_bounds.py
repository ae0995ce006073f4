"""Expressions touch nothing but what they read, change nothing, and are bounded in what they make and take."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from engine.expressions import (
    ExpressionError,
    evaluate,
)


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
