"""`for_each` in a definition: what is kept of it, and what is wrong with it."""

from __future__ import annotations

from textwrap import dedent

import pytest

from definitions import compile_plan, load_text, not_in_effect
from engine.plan import Plan

DEFINITION = """\
id: fleet
inputs: {tag: {type: string}}
agents:
  planner: {uses: command, run: [plan], outputs: {services: {type: list, value: "${stdout_json}"}}}
  builder: {uses: command, run: [build, "${item}", "${inputs.tag}", "${item_index}"], env: {SERVICE: "${item}"}}
phases:
  - {name: Plan, agents: [planner]}
  - name: Build
    agents: [builder]
    for_each: "${phases.plan.outputs.services}"
    max_parallel: 4
  - {name: Ship, agents: [shipper], prompt: "${phases.build.outputs.items}"}
"""


def plan(text: str) -> Plan:
    checked = load_text(dedent(text), file="x.yaml")
    assert checked.ok, [found.text for found in checked.diagnostics]
    return compile_plan(checked, {})


def errors(text: str) -> list[str]:
    return [
        f"{found.code} {found.path}: {found.message}"
        for found in load_text(dedent(text), file="x.yaml").diagnostics
        if found.severity == "error"
    ]


def test_the_list_its_limit_and_where_it_comes_from_are_in_the_plan() -> None:
    made = plan(DEFINITION)
    plans, build, _ = made.phases
    assert (build.for_each, build.max_parallel) == ("phases.plan.outputs.services", 4)
    assert build.list_reads == ("phases.plan.outputs.services",)
    assert build.reads == ("inputs.tag",), "the list is not handed to every item"
    assert plans.inline == ("services",)
    assert not_in_effect(made) == []
    assert Plan.from_json(made.to_json()) == made


def test_a_written_list_stays_as_it_is() -> None:
    text = 'inputs: {a: {}}\nphases: [{name: X, agents: [p], for_each: [{n: 1}, "${inputs.a}"]}]'
    (only,) = plan(text).phases
    assert (only.for_each, only.list_reads, only.reads) == ([{"n": 1}, "${inputs.a}"], ("inputs.a",), ())


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            "phases: [{name: X, agents: [p], max_parallel: 2}]",
            "PL111 phases.x: 'max_parallel' is about the items of 'for_each', and there is none",
        ),
        (
            "phases: [{name: X, agents: [p], for_each: 3}]",
            "PL102 phases.x.for_each: 'for_each' takes a list, or an expression that yields one",
        ),
        (
            "phases: [{name: X, agents: [p], for_each: [" + "1," * 2001 + "]}]",
            "PL110 phases.x.for_each: the list has 2001 items, over 2000",
        ),
        (
            'inputs: {n: {type: string}}\nphases: [{name: X, agents: [p], for_each: "${inputs.n}"}]',
            "PL304 phases.x.for_each: this yields a string, and 'for_each' takes a list",
        ),
        (
            'inputs: {n: {}}\nphases: [{name: X, agents: [p], for_each: "a ${inputs.n}"}]',
            "PL304 phases.x.for_each: there is text around the expression",
        ),
        (
            'phases: [{name: X, agents: [p], prompt: "${item}"}]',
            "PL302 phases.x.prompt: 'item' has no value here",
        ),
        (
            'phases: [{name: X, agents: [p], for_each: [a], if: "${item == 1}"}]',
            "PL302 phases.x.if: 'item' has no value here",
        ),
        (
            'phases: [{name: X, agents: [p], for_each: ["${item}"]}]',
            "PL302 phases.x.for_each[0]: 'item' has no value here",
        ),
        (
            'phases: [{name: X, agents: [p], for_each: [{n: 1}, {m: 1}], prompt: "${item.n}"}]',
            "PL302 phases.x.prompt: item 1 of 'x' has no 'n'",
        ),
        (
            'phases: [{name: X, agents: [p], for_each: "${phases.y.outputs.z}"}, {name: Y, agents: [p]}]',
            "PL303 phases.x.for_each: 'y' need not have run when 'x' reads it",
        ),
        (
            """\
            agents: {b: {uses: command, run: [echo, '${item}']}}
            phases: [{name: X, agents: [b], for_each: [a]}, {name: Y, agents: [b]}]
            """,
            "PL302 agents.b.run[1]: 'item' has no value here",
        ),
        (
            DEFINITION.replace("outputs.items}", "outputs.image}"),
            "PL302 phases.ship.prompt: 'build' has no output 'image'",
        ),
    ],
)
def test_what_cannot_work_is_an_error_at_its_place(text: str, error: str) -> None:
    assert errors(text) == [error]


def test_items_that_hold_expressions_may_have_anything() -> None:
    text = 'inputs: {a: {}}\nphases: [{name: X, agents: [p], for_each: ["${inputs.a}"], prompt: "${item.n}"}]'
    assert errors(text) == []


@pytest.mark.parametrize(
    "name", ["artifacts.x.path", "artifacts.items[0].x", "artifacts['items/01/x']", "artifacts['x']"]
)
def test_files_of_a_phase_that_runs_once_per_item_are_those_of_its_items(name: str) -> None:
    text = f'phases:\n  - {{id: a, for_each: [1, 2]}}\n  - {{id: b, prompt: "${{phases.a.{name}}}"}}\n'
    (diagnostic,) = [found for found in load_text(text).diagnostics if found.severity == "error"]
    assert (diagnostic.code, diagnostic.path) == ("PL302", "phases.b.prompt")
    assert "each item has artifacts of its own" in diagnostic.message
    assert "phases.a.artifacts['items/0/NAME']" in diagnostic.hint


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("artifacts['items/1/app.tar'].path", "phases.a.artifacts.items/1/app.tar.path"),
        ("artifacts['items/' ~ 0 ~ '/x'].path", "phases.a.artifacts"),
        ("artifacts", "phases.a.artifacts"),
    ],
)
def test_a_file_of_an_item_is_named_by_the_items_number(name: str, read: str) -> None:
    compiled = plan(f'id: x\nphases:\n  - {{id: a, for_each: [1, 2]}}\n  - {{id: b, prompt: "${{phases.a.{name}}}"}}\n')
    assert compiled.phases[1].reads == (read,)


def test_a_file_of_an_item_that_the_list_does_not_have_is_an_error() -> None:
    text = "phases:\n  - {id: a, for_each: [1, 2]}\n  - {id: b, inputs: [a.artifacts.items/2/x]}\n"
    text += "  - {id: c, prompt: \"${phases.a.artifacts['items/2/x'].path}\"}\n"
    assert errors(text) == [
        "PL302 phases.b.inputs[0]: 'a' has no item 2",
        "PL302 phases.c.prompt: 'a' has no item 2",
    ]
