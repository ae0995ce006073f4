"""Variants of one shape become the native one; what is native stays as it is."""

from __future__ import annotations

import time
from typing import Any

import pytest

from definitions import foreign, load_text
from definitions.foreign.trees import mapping
from definitions.nodes import Mark, Node
from definitions.yaml_reader import read_yaml


def tree(text: str) -> Node:
    node, found = read_yaml(text)
    assert node is not None
    assert found == []
    return node


def native(text: str) -> tuple[Any, str]:
    node, word = foreign.normalise(tree(text))
    return node.plain(), word


def literal(text: str) -> tuple[Any, str]:
    node, found = foreign.read(text, "object-literal")
    assert node is not None
    assert found == []
    node, word = foreign.normalise(node)
    return node.plain(), word


def test_a_native_definition_keeps_its_nodes() -> None:
    node = tree("name: Tea\nphases:\n  - {name: Water, agents: [cook], depends_on: []}\n")
    again, word = foreign.normalise(node)
    assert word == "native"
    assert again.plain() == node.plain()
    assert again.value_mark_of(("phases", 0, "agents", 0)) == Mark(3, 28)


def test_a_workstream_keeps_its_steps() -> None:
    assert native("id: ws\nsteps:\n  - {id: a, tool: sh, tasks: [ls], depends_on: []}\n") == (
        {"id": "ws", "steps": [{"id": "a", "tool": "sh", "tasks": ["ls"], "depends_on": []}]},
        "workstream",
    )


def test_camel_case_keys_become_native_ones() -> None:
    plain, word = literal(
        "{ name: 'Tea', phases: [{ name: 'Water', dependsOn: [], acceptanceTests: ['true'], filesScope: ['kettle'],"
        " circuitBreaker: { maxAttempts: 2 }, retry: { maxAttempts: 3 } }],"
        " execution: { maxWorkers: 2, timeoutPerStep: '5m' }, completionSignals: ['Hot'] }"
    )
    assert word == "object-literal"
    assert plain == {
        "name": "Tea",
        "phases": [{
            "name": "Water", "depends_on": [], "acceptance_tests": ["true"], "files_scope": ["kettle"],
            "circuit_breaker": {"max_attempts": 2}, "retry": {"max_attempts": 3},
        }],
        "execution": {"max_workers": 2, "timeout_per_step": "5m"},
        "completion_signals": ["Hot"],
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "phases: [{name: Water, accTests: [x], fileScope: [y]}]\ncompletionSignal: [Hot]\n",
        "{ phases: [{ name: 'Water', accTests: ['x'], 'fileScope': ['y'] }], completionSignal: ['Hot'] }",
    ],
    ids=["yaml", "literal"],
)
def test_a_wrong_key_is_named_as_the_file_spells_it(text: str) -> None:
    assert [(d.message, d.hint) for d in load_text(text).diagnostics if d.code == "PL101"] == [
        ("no key 'accTests' here", "did you mean 'acceptanceTests'?"),
        ("no key 'fileScope' here", "did you mean 'filesScope'?"),
        ("no key 'completionSignal' here", "did you mean 'completionSignals'?"),
    ]


def test_names_that_the_author_chose_keep_their_case() -> None:
    plain, _ = literal(
        "{ inputs: { featureName: 'string' }, agents: { teaMaster: { uses: 'command', okExitCodes: [0],"
        " env: { PATH_X: 'a', someVar: 'b' } } }, phases: [{ name: 'W', outputs: { potSize: 'integer' },"
        " metadata: { myKey: 1 } }] }"
    )
    assert plain["inputs"] == {"featureName": "string"}
    assert plain["agents"] == {
        "teaMaster": {"uses": "command", "ok_exit_codes": [0], "env": {"PATH_X": "a", "someVar": "b"}}
    }
    assert plain["phases"] == [{"name": "W", "outputs": {"potSize": "integer"}, "metadata": {"myKey": 1}}]


def test_a_key_in_both_ways_of_writing_stays_for_the_checks() -> None:
    plain, _ = literal("{ phases: [{ name: 'W', depends_on: [], dependsOn: ['x'] }] }")
    assert plain["phases"] == [{"name": "W", "depends_on": [], "dependsOn": ["x"]}]


@pytest.mark.parametrize(
    "text",
    [
        "workflow: {id: tea, name: Tea, phases: [{name: Water}]}",
        "workflow: {id: tea, name: Tea, sequence: [{name: Water}]}",
        "tea: {name: Tea, phases: [{title: Water}]}",
        "plan: {workflow: {id: tea, title: Tea, phases: [{name: Water}]}}",
        "id: tea\nname: Tea\nworkflow: [{name: Water}]",
        "id: tea\nname: Tea\nphases: [{phase: {name: Water}}]",
    ],
)
def test_wrappers_are_taken_off(text: str) -> None:
    plain, _ = native(text)
    assert plain == {"id": "tea", "name": "Tea", "phases": [{"name": "Water"}]}


def test_a_wrapper_stays_if_something_would_get_lost() -> None:
    plain, _ = native("workflow: {phases: [{name: A}], inputs: {a: string}}\ninputs: {b: string}\n")
    assert set(plain) == {"workflow", "inputs"}


@pytest.mark.parametrize(
    "text",
    [
        "phases: {water: {agents: [cook]}, leaves: {agents: [cook]}}",
        "phases: [{water: {agents: [cook]}}, {leaves: {agents: [cook]}}]",
        "phases: [{id: water, agent: cook}, {id: leaves, agent: cook}]",
        "phases: [{id: water, agents: cook, type: single_agent}, {id: leaves, agents: cook, dependencies: null}]",
    ],
)
def test_ways_of_writing_phases_are_one(text: str) -> None:
    plain, _ = native(text)
    assert plain["phases"] == [{"id": "water", "agents": ["cook"]}, {"id": "leaves", "agents": ["cook"]}]


def test_a_bare_list_of_phases_is_a_definition() -> None:
    assert literal("[{name: 'Water'}, {name: 'Leaves'}]")[0] == {"phases": [{"name": "Water"}, {"name": "Leaves"}]}


@pytest.mark.parametrize("word", ["dependencies", "needs", "requires", "dependsOn"])
def test_words_for_dependencies_are_one(word: str) -> None:
    plain, _ = native(f"phases: [{{id: a}}, {{id: b, {word}: a}}]")
    assert plain["phases"][1] == {"id": "b", "depends_on": ["a"]}


@pytest.mark.parametrize("text", ["5", "text", "[1, 2]", "phases: 5", "phases: [5, x, null]", "steps: {a: 5}", "{}"])
def test_what_has_no_shape_stays_for_the_checks(text: str) -> None:
    assert native(text)[0] == tree(text).plain()


def test_unwrapping_a_document_of_many_keys_takes_time_for_each_key_once() -> None:
    mark = Mark(1, 1)
    wide = mapping([(f"key{number}", mark, Node(number, mark)) for number in range(50_000)], mark)
    began = time.process_time()
    assert foreign.normalise(wide)[1] == "native"
    assert time.process_time() - began < 5
