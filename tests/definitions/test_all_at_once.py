"""All errors of a file come in one go, and none of them only because another was found first."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml

from definitions import load_text
from definitions.findings import MAX_FINDINGS

ROOT = Path(__file__).parents[2]
CATALOG = sorted((ROOT / "definitions" / "catalog").glob("*.yaml"))
DELIVERY = ROOT / "tests" / "cli" / "program" / "feature-delivery.yaml"


def codes(text: str) -> list[tuple[int, str]]:
    return [(d.line, d.code) for d in load_text(dedent(text)).diagnostics]


def test_errors_of_every_kind_in_order_of_the_file() -> None:
    text = """\
        id: a b
        inputs: {feature: strin}
        agents:
          backend: {uses: command, run: [sh, -c, "echo ${inputs.feature}"]}
          broken: {uses: comand}
        execution: {max_workers: 0, parallel: yes}
        phases:
          - {name: Design, agents: [backend], timeout: soon}
          - {name: Build, agents: [bakend], depends_on: [desing], prompt: "${inputs.featur}"}
          - {name: Test, agents: [broken], if: "${1}", if: "${2}"}
          - {name: Test, agents: [backend], parallel: true, files_scope: [x]}
          - {name: Docs, agents: [backend], parallel: true, files_scope: [x], prompt: "${env.MY_TOKEN} ${1 +}"}
        step_groups: [{id: g, steps: [nothing]}]
        completion_signal: [x]
        """
    assert codes(text) == [
        (1, "PL109"),
        (2, "PL106"),
        (4, "PL306"),
        (5, "PL106"),
        (6, "PL110"),
        (6, "PL102"),
        (8, "PL104"),
        (9, "PL401"),
        (9, "PL103"),
        (9, "PL302"),
        (10, "PL304"),
        (10, "PL006"),
        (11, "PL107"),
        (12, "PL403"),
        (12, "PL305"),
        (12, "PL301"),
        (13, "PL103"),
        (14, "PL101"),
    ]


def test_a_signal_that_is_none_hides_no_other_that_is_named_twice() -> None:
    found = load_text('completion_signals: [a, a, "", b, "", b]\nphases: [{id: p}]\n').diagnostics
    assert [(d.column, d.code) for d in found] == [(25, "PL107"), (28, "PL109"), (35, "PL109"), (39, "PL107")]


def test_an_item_that_is_wrong_hides_nothing_of_the_other_items_of_its_list() -> None:
    text = """\
        groups: {leads: [ana, {bo: 1}]}
        agents: {w: {uses: command, run: [echo, {a: 1}, "${inputs.nope}"]}}
        phases:
          - {id: a, agents: [w]}
          - {id: b, depends_on: [{q: 1}, nosuch, a, {q: 2}, neither], agents: [{x: 1}, ww]}
          - {id: c, files_scope: [[x], ../out], approval: {by: [[x], "group:lead"], need: 3}}
        """
    found = load_text(dedent(text)).diagnostics
    assert [(d.line, d.column, d.code) for d in found if d.severity == "error"] == [
        (1, 23, "PL102"),
        (2, 41, "PL102"),
        (2, 52, "PL302"),
        (5, 26, "PL105"),
        (5, 27, "PL101"),
        (5, 34, "PL103"),
        (5, 45, "PL105"),
        (5, 46, "PL101"),
        (5, 53, "PL103"),
        (5, 72, "PL102"),
        (6, 27, "PL102"),
        (6, 32, "PL109"),
        (6, 57, "PL102"),
        (6, 62, "PL114"),
    ]


def test_phases_without_a_value_are_told_where_they_stand_and_hide_nothing() -> None:
    found = load_text("phases:\nagents: {w: {run: [1]}}\n").diagnostics
    assert [(d.line, d.column, d.code) for d in found] == [(1, 8, "PL102"), (2, 20, "PL102")]
    assert found[0].message == "expected a list of phases, found nothing"


def test_a_definition_without_phases_is_told_so_whatever_else_is_wrong() -> None:
    assert codes("agents: {w: {run: [1]}}\nexecution: {max_workers: x}\n") == [(1, "PL105"), (1, "PL102"), (2, "PL102")]


def test_a_need_that_is_no_id_is_told_what_it_should_be() -> None:
    found = load_text("phases: [{id: a, depends_on: 7}, {id: b, depends_on: [[a], true, 0]}]\n").diagnostics
    assert [f"{d.message} {d.hint}".strip() for d in found] == [
        "expected the id of a phase, found the number 7 quote it: '7'",
        "expected the id of a phase, found a list",
        "expected the id of a phase, found true",
        "expected the id of a phase, found the number 0 quote it: '0'",
    ]


def items(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where the items of all lists are, those of phases aside."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from items(value, (*path, key))
    elif isinstance(node, list):
        for position, value in enumerate(node):
            if path not in {("phases",), ("steps",)}:
                yield (*path, position)
            yield from items(value, (*path, position))


@pytest.mark.parametrize("file", [*CATALOG, DELIVERY], ids=lambda file: str(file.stem))
def test_whichever_item_of_a_list_is_wrong_nothing_else_is_said_to_be(file: Path) -> None:
    whole = yaml.safe_load(file.read_text(encoding="utf-8"))
    before = {(d.code, d.message) for d in load_text(yaml.safe_dump(whole, sort_keys=False)).diagnostics}
    paths = list(items(whole))
    assert paths or "utilities" in file.stem
    for path in paths:
        document = copy.deepcopy(whole)
        around = document
        for step in path[:-1]:
            around = around[step]
        around[path[-1]] = {"no such key": 1}
        text = yaml.safe_dump(document, sort_keys=False)
        line = 1 + next(n for n, written in enumerate(text.splitlines()) if "no such key" in written)
        found = [d for d in load_text(text).diagnostics if (d.code, d.message) not in before]
        assert {(d.line, d.severity) for d in found} == {(line, "error")}, (path, [d.text for d in found])


@pytest.mark.parametrize(
    "text",
    [
        # the broken phase is still there to be named
        "phases:\n  - {name: 7}\n  - {id: b, depends_on: ['7'], prompt: '${phases[\"7\"].status}'}\n",
        "phases:\n  - {id: a, name: 1}\n  - {id: b, depends_on: [a], prompt: '${phases.a.status}'}\n",
        "phases:\n  - {id: a, tool: sh, agents: [x], tasks: [x]}\n  - {id: b, depends_on: [a]}\n",
        # without its needs nothing is said about who comes later
        "phases:\n  - {id: a}\n  - {id: b, depends_on: [{kind: data}]}\n  - {id: c, prompt: '${phases.a.status}'}\n",
        "phases:\n  - {id: a, parallel: 3, files_scope: [x]}\n  - {id: b, parallel: true, files_scope: [x]}\n",
        # a wrong declaration is still a declaration
        "inputs: {x: {type: strin}}\nphases:\n  - {id: b, prompt: '${inputs.x}'}\n",
        "agents: {x: {uses: nothing}}\nphases:\n  - {id: b, agents: [x]}\n",
        "phases:\n  - {id: a, outputs: {x: {type: strin}}}\n  - {id: b, prompt: '${phases.a.outputs.x}'}\n",
        "gates: {g: {checks: [{name: c}]}}\nphases:\n  - {id: b, gates: [g]}\n",
        "gates: 3\nphases:\n  - {id: b, gates: [g]}\n",
        "phases:\n  - {id: a, next: [{goto: b, go_to: b}]}\n  - {id: b, on_jump: true}\n",
        "phases:\n  - {id: a, tool: sh, tasks: 3}\n",
        # what was meant as a need may be what is read
        "phases:\n  - {id: a, parallel: true}\n  - {id: b, depends_on: [aa], prompt: '${phases.a.status}'}\n",
        # whatever need of the circle goes, the phases of it are not at once, and what follows comes after all before it
        "phases: [{id: a, depends_on: [b], files_scope: [f]}, {id: b, depends_on: [a], files_scope: [f]}]\n",
        "steps: [{id: x}, {id: a, depends_on: [b, x]}, {id: b, depends_on: a}, {id: c, prompt: '${phases.x.status}'}]",
        "name: {{ inputs.x }}\nphases: [{id: a}]\n",
        "phases: [{id: a, prompt: {{ inputs.x }}}]\n",
        "steps: 3\n",
        "phases: []\n",
    ],
)
def test_consequences_are_not_reported(text: str) -> None:
    found = load_text(text).diagnostics
    errors = [d for d in found if d.severity == "error"]
    assert len(errors) == 1, [d.text for d in found]
    assert [d for d in found if d.severity != "error" and d.code != "PL302"] == []


def test_a_circle_hides_nothing_of_the_order_of_other_phases() -> None:
    text = """\
        phases:
          - {id: a, depends_on: [b]}
          - {id: b, depends_on: [a]}
          - {id: c, prompt: "${phases.d.status}"}
          - {id: d, depends_on: []}
          - {id: e, depends_on: [f]}
          - {id: f, depends_on: [d, e]}
          - {id: g, parallel: true, files_scope: [src]}
          - {id: h, parallel: true, files_scope: [src/x.py]}
        """
    assert codes(text) == [(2, "PL201"), (4, "PL303"), (6, "PL201"), (9, "PL403")]


def test_a_phase_with_a_wrong_need_hides_nothing_of_the_order_of_other_phases() -> None:
    text = """\
        phases:
          - {id: a, depends_on: 3}
          - {id: b, prompt: "${phases.c.status}"}
          - {id: c, parallel: true, files_scope: [src]}
          - {id: d, parallel: true, files_scope: [src]}
          - {id: e, depends_on: [], prompt: "${phases.a.status}"}
        """
    assert codes(text) == [(2, "PL102"), (3, "PL303"), (5, "PL403"), (6, "PL303")]


def test_a_key_that_is_no_text_hides_nothing_of_the_rest() -> None:
    text = """\
        [x, {y: z}]: {name: 1}
        name: &n A
        *n : 3
        "": 3
        phases:
          - {id: a, {b: c}: d, timeout: soon}
        colour: red
        """
    assert codes(text) == [(1, "PL012"), (3, "PL012"), (4, "PL012"), (6, "PL012"), (6, "PL104"), (7, "PL101")]


def test_thousands_of_errors_are_cut_off_with_a_word() -> None:
    text = "phases:\n" + "".join(f"  - {{id: p{i}, x{i}: 1, depends_on: [q{i}]}}\n" for i in range(3000))
    found = load_text(text).diagnostics
    assert len(found) == MAX_FINDINGS + 1
    assert found[-1].severity == "note"


def test_a_wrong_number_in_one_step_group_hides_nothing_of_the_others() -> None:
    text = """\
        phases: [{name: A}, {name: B}]
        step_groups:
          - {id: g, steps: [a, zz]}
          - {id: g, steps: [a]}
          - {id: h, steps: [b], max_workers: 0}
        """
    assert codes(text) == [(3, "PL103"), (4, "PL107"), (5, "PL110")]
