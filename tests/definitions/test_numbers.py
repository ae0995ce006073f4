"""Whole numbers: what is no number, too large or too small is told as that, in every field that takes one."""

from __future__ import annotations

import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from pydantic import BaseModel

from definitions import load_config, load_text
from definitions.schema.document import Definition, ProjectFile

HUGE = "1" + "0" * 39
LEFT = "-" + HUGE
PHASES = "phases: [{id: a, agents: [x]}]\n"
PASSED = "agents: {x: {run: [x]}}\nphases: [{id: a, gates: [g]}]\n"
FIELDS = {
    "ToolBreaker.threshold": "agents: {x: {run: [x], circuit_breaker: {threshold: @}}}\n" + PHASES,
    "Command.ok_exit_codes": "agents: {x: {run: [x], ok_exit_codes: [@]}}\n" + PHASES,
    "Http.ok_status": "agents: {x: {uses: http, url: 'https://e.example', ok_status: [@]}}\n" + PHASES,
    "Llm.max_tokens": "agents: {x: {uses: llm, model: m, max_tokens: @}}\n" + PHASES,
    "Execution.max_workers": "execution: {max_workers: @}\n" + PHASES,
    "Retry.max_attempts": "execution: {retry: @}\n" + PHASES,
    "AdaptiveScaling.min_workers": "execution: {adaptive_scaling: {min_workers: @}}\n" + PHASES,
    "AdaptiveScaling.max_workers": "execution: {adaptive_scaling: {max_workers: @}}\n" + PHASES,
    "Phase.max_parallel": "phases: [{id: a, for_each: [x], max_parallel: @}]\n",
    "Jump.max_rounds": "phases: [{id: a}, {id: b, next: [{go_to: a, max_rounds: @}]}]\n",
    "Approval.need": "phases: [{id: a, approval: {need: @}}]\n",
    "CircuitBreaker.max_attempts": "phases: [{id: a, circuit_breaker: {max_attempts: @}}]\n",
    "CircuitBreaker.max_error_repeats": "phases: [{id: a, circuit_breaker: {max_error_repeats: @}}]\n",
    "Compensation.order": "phases: [{id: a, compensation: {run: [x], order: @}}]\n",
    "Budget.tokens": "phases: [{id: a, budget: {tokens: @}}]\n",
    "Checkpoints.keep": "checkpoints: {keep: @}\n" + PHASES,
    "StepGroup.max_workers": "phases: [{id: a}]\nstep_groups: [{id: g, steps: [a], max_workers: @}]\n",
    "Check.ok_exit_codes": "gates: {g: {checks: [{name: c, run: [x], ok_exit_codes: [@]}]}}\n" + PASSED,
    "Gate.approve": "gates: {g: {reviewers: [x], approve: @}}\n" + PASSED,
    "Gate.max_rounds": "gates: {g: {reviewers: [x], max_rounds: @}}\n" + PASSED,
    "_Computational.concurrent_agent_limit": (
        "resource_manager: {resource_pool: {computational: {concurrent_agent_limit: @}}}\n" + PHASES
    ),
    "_ContextStore.concurrent_readers": (
        "resource_manager: {resource_pool: {context_store: {concurrent_readers: @}}}\n" + PHASES
    ),
    "_ContextStore.concurrent_writers": (
        "resource_manager: {resource_pool: {context_store: {concurrent_writers: @}}}\n" + PHASES
    ),
    "_TemplateEngine.concurrent_renders": (
        "resource_manager: {resource_pool: {template_engine: {concurrent_renders: @}}}\n" + PHASES
    ),
    "ContextConflicts.max_reruns": "context_conflicts: {max_reruns: @}\n" + PHASES,
}
OF_A_PROJECT = {"Logs.max_size", "Server.port"}
MAY_BE_ZERO = {"Command.ok_exit_codes", "Check.ok_exit_codes", "Gate.max_rounds", "Compensation.order"}
MAY_BE_NEGATIVE = {"Compensation.order"}


def inside(hint: Any) -> Iterator[Any]:
    """The types that a type is made of."""
    if getattr(hint, "__metadata__", None) is not None:
        yield from inside(hint.__origin__)
    elif isinstance(hint, types.UnionType) or get_origin(hint) in {Union, list, dict, tuple}:
        for each in get_args(hint):
            yield from inside(each)
    else:
        yield hint


def whole_numbers(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[str]:
    """`Model.field` of every field below a model that takes a whole number."""
    if model in seen:
        return
    seen.add(model)
    for name, hint in get_type_hints(model, include_extras=True).items():
        for each in inside(hint):
            if each is int and name in model.model_fields:
                yield f"{model.__name__}.{name}"
            elif isinstance(each, type) and issubclass(each, BaseModel):
                yield from whole_numbers(each, seen)


def said(field: str, value: str) -> list[tuple[str, str, str]]:
    found = load_text(FIELDS[field].replace("@", value)).errors
    return [(error.code, error.message, error.hint) for error in found]


def test_the_fields_here_are_all_that_take_whole_numbers() -> None:
    seen: set[type[BaseModel]] = set()
    found = {*whole_numbers(Definition, seen), *whole_numbers(ProjectFile, seen)}
    assert found == FIELDS.keys() | OF_A_PROJECT


@pytest.mark.parametrize("field", FIELDS)
def test_a_number_beyond_all_numbers_is_told_as_one_that_is_too_large_or_too_small(field: str) -> None:
    assert [error[:2] for error in said(field, HUGE)] == [("PL110", f"the number {HUGE} is too large")]
    assert [error[:2] for error in said(field, LEFT)] == [("PL110", f"the number {LEFT[:37]}… is too small")]
    assert [error[0] for error in said(field, "1e999")] == ["PL110"]


@pytest.mark.parametrize("field", FIELDS)
def test_what_is_no_whole_number_is_told_as_what_it_is(field: str) -> None:
    for value, words, hint in (
        ("3.0", "found the number 3.0", "write 3"),
        ("'3'", "found the text '3'", "write 3"),
        ("2.5", "found the number 2.5", ""),
        ("true", "found true", ""),
        ("soon", "found the text 'soon'", ""),
    ):
        ((code, message, meant),) = said(field, value)
        assert code in {"PL102", "PL106"}
        assert "a whole number" in message
        assert message.endswith(words)
        assert meant == hint


@pytest.mark.parametrize("field", FIELDS)
def test_what_counts_begins_at_one(field: str) -> None:
    below = [value for value, may_be in (("0", MAY_BE_ZERO), ("-1", MAY_BE_NEGATIVE)) if field not in may_be]
    assert [[error[0] for error in said(field, value)] for value in below] == [["PL110"]] * len(below)


@pytest.mark.parametrize("value", [HUGE, "9" * 500, "99999999999GiB"])
def test_a_log_can_be_no_larger_than_disks_are(tmp_path: Path, value: str) -> None:
    (tmp_path / "phaseloom.yaml").write_text(f"logs: {{max_size: {value}}}\n")
    (error,) = load_config(tmp_path)[1]
    assert error.message.startswith("a size is at most 1024 TiB, found ")
    assert (error.line, error.column) == (1, 18)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("0", "the number 0 is too small: at least 1"),
        ("-7", "the number -7 is too small: at least 1"),
        ("65536", "the number 65536 is too large: at most 65535"),
        (HUGE, f"the number {HUGE} is too large"),
        ("'7300'", "expected a whole number, found the text '7300'"),
        ("true", "expected a whole number, found true"),
    ],
)
def test_a_port_is_a_number_that_a_server_can_listen_at(tmp_path: Path, value: str, message: str) -> None:
    (tmp_path / "phaseloom.yaml").write_text(f"name: shop\nserver: {{port: {value}}}\n")
    config, (error,) = load_config(tmp_path)
    assert (error.line, error.column, error.message) == (2, 16, message)
    assert config.settings.server.port is None


def test_a_duration_of_many_digits_is_too_long_and_not_unreadable() -> None:
    (error,) = load_text(f"phases: [{{id: a, timeout: {HUGE}}}]\n").errors
    assert error.message == "a duration is at most ten years"


@pytest.mark.parametrize("kind", ["integer", "number"])
def test_a_default_that_is_too_large_is_told_as_that(kind: str) -> None:
    (error,) = load_text(f"inputs: {{n: {{type: {kind}, default: {HUGE}}}}}\n{PHASES}").errors
    assert (error.code, error.message) == ("PL110", f"the number {HUGE} is too large")


def test_digits_without_end_are_still_a_text_where_a_text_is_asked_for() -> None:
    checked = load_text(f"inputs: {{n: {{type: string, default: {HUGE}}}}}\nphases: [{{id: a, name: {HUGE}}}]\n")
    assert checked.ok
    assert checked.definition is not None
    assert checked.definition.ordered[0].name == HUGE
