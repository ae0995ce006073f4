"""What is known of an expression before it has a value: errors with hints, the paths it reads, the type it yields."""

from __future__ import annotations

import traceback

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
from tests.engine.scope import SCOPE

SECRET = "hunter2"


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
