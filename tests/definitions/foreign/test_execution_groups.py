"""`execution_groups`: every agent becomes a phase, in the order that the groups' dependencies say."""

from __future__ import annotations

from typing import Any

import pytest

from definitions import foreign, load_text
from definitions.nodes import Mark, Node
from definitions.yaml_reader import read_yaml

KITCHEN = """\
execution_groups:
  menu:
    agents: ["chef"]
    dependencies: []
    parallel_capable: false
    estimated_duration: "2-4_minutes"
    resource_requirements: {cpu: "low", memory: "low", context_access: "write_only"}
  cooking:
    agents: ["sous_chef", "baker"]
    dependencies: ["chef.completion"]
    parallel_capable: true
    synchronization: "barrier_sync"
    estimated_duration: "5-7_minutes"
    agent_specifications:
      sous_chef:
        inputs: ["chef.dishes"]
        outputs: ["mains"]
        resource_requirements: {cpu: "high", memory: "medium", context_access: "read_multiple_write_mains"}
      baker: {outputs: ["bread", "cake"]}
    synchronization_strategy: {type: "smart_barrier", timeout: "10_minutes"}
  serving:
    agents: ["waiter"]
    dependencies: ["sous_chef.completion", "baker.completion"]
resource_manager:
  resource_pool: {computational: {total_cpu_units: 50}}
conflict_prevention:
  ownership_rules: {chef: ["dishes"]}
"""


def normalised(text: str) -> Node:
    node, found = read_yaml(text)
    assert node is not None
    assert found == []
    node, word = foreign.normalise(node)
    assert word == "execution-groups"
    return node


def phases(text: str) -> list[dict[str, Any]]:
    plain = normalised(text).plain()
    assert isinstance(plain["phases"], list)
    return plain["phases"]


def needs(text: str) -> dict[str, Any]:
    """Per phase what it says it waits for; None: the rule of order."""
    return {phase["id"]: phase.get("depends_on") for phase in phases(text)}


def test_every_agent_becomes_a_phase() -> None:
    menu, sous_chef, baker, serving = phases(KITCHEN)
    assert menu == {
        "id": "chef", "agents": ["chef"], "depends_on": [], "estimated_duration": "2-4_minutes",
        "resource_requirements": {"cpu": "low", "memory": "low", "context_access": "write_only"},
    }  # fmt: skip
    assert sous_chef == {
        "id": "sous_chef", "agents": ["sous_chef"], "parallel": True, "depends_on": ["chef"],
        "estimated_duration": "5-7_minutes", "inputs": ["chef.dishes"], "outputs": ["mains"],
        "resource_requirements": {"cpu": "high", "memory": "medium", "context_access": "read_multiple_write_mains"},
    }  # fmt: skip
    assert baker["outputs"] == ["bread", "cake"]
    assert baker["parallel"] is True
    assert serving == {"id": "waiter", "agents": ["waiter"], "depends_on": ["sous_chef", "baker"]}


def test_what_is_said_of_a_group_as_a_whole_is_kept_and_so_is_the_rest() -> None:
    plain = normalised(KITCHEN).plain()
    assert plain["barriers"] == [{
        "id": "cooking", "phases": ["sous_chef", "baker"], "synchronization": "barrier_sync",
        "synchronization_strategy": {"type": "smart_barrier", "timeout": "10_minutes"},
    }]  # fmt: skip
    assert plain["resource_manager"] == {"resource_pool": {"computational": {"total_cpu_units": 50}}}
    assert plain["conflict_prevention"] == {"ownership_rules": {"chef": ["dishes"]}}


def test_the_whole_is_a_valid_definition() -> None:
    checked = load_text(KITCHEN, file="kitchen.yaml")
    assert checked.ok
    assert checked.format == "execution-groups"


def test_places_are_those_of_the_file() -> None:
    node = normalised(KITCHEN)
    assert node.value_mark_of(("phases", 1)) == Mark(9, 14)
    assert node.mark_of(("phases", 1, "depends_on")) == Mark(10, 5)
    assert node.value_mark_of(("phases", 1, "depends_on", 0)) == Mark(10, 20)
    assert node.value_mark_of(("phases", 1, "inputs", 0)) == Mark(16, 18)
    assert node.value_mark_of(("barriers", 0, "synchronization")) == Mark(12, 22)


def test_groups_may_be_a_list() -> None:
    text = """\
execution_groups:
  - {id: one, agents: [a]}
  - two: {agents: [b, c], dependencies: a.completion}
  - {name: three, agents: [d], dependencies: [two]}
  - {agents: [e], dependencies: [one.completion, three]}
"""
    assert needs(text) == {"a": None, "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": ["a", "d"]}


@pytest.mark.parametrize(
    "group",
    [
        "{agents: [{agent: x, timeout: 5m}, {agent: y}]}",
        "{agents: [{x: {timeout: 5m}}, y]}",
        "{agents: {x: {timeout: 5m}, y: null}}",
        "{agents: [{name: x, timeout: 5m}, {role: y}]}",
        "{agents: [x, y], agent_specifications: [{agent: x, timeout: 5m}]}",
    ],
)
def test_agents_may_be_written_in_many_ways(group: str) -> None:
    assert phases(f"execution_groups: {{g: {group}}}") == [
        {"id": "x", "agents": ["x"], "parallel": True, "timeout": "5m"},
        {"id": "y", "agents": ["y"], "parallel": True},
    ]


@pytest.mark.parametrize("group", ["[x, y]", "{agents: [x, y]}", "{agents: [x, y], parallel_capable: true}"])
def test_several_agents_work_at_once(group: str) -> None:
    assert [phase.get("parallel") for phase in phases(f"execution_groups: {{g: {group}}}")] == [True, True]


@pytest.mark.parametrize("no", ["false", "'no'", "off"])
def test_a_group_that_is_not_parallel_capable_goes_one_by_one(no: str) -> None:
    text = f"execution_groups: {{a: [x], b: {{agents: [y, z], parallel_capable: {no}, dependencies: [x]}}, c: [w]}}"
    assert [phase.get("parallel") for phase in phases(text)] == [None] * 4
    assert needs(text) == {"x": None, "y": ["x"], "z": None, "w": None}


def test_parallel_groups_that_follow_each_other_without_dependencies_stay_apart() -> None:
    text = "execution_groups: {one: [a, b], two: [c, d], three: [e]}"
    assert needs(text) == {"a": None, "b": None, "c": ["a", "b"], "d": ["a", "b"], "e": None}


def test_an_agent_that_works_twice_has_two_phases() -> None:
    text = """\
execution_groups:
  draft: {agents: [Writer]}
  review: {agents: [editor], dependencies: [Writer.completion]}
  rewrite: {agents: [Writer], dependencies: [editor.completion, Writer.completion]}
  print: {agents: [printer], dependencies: [writer-2, Writer.done]}
"""
    assert needs(text) == {
        "Writer": None, "editor": ["Writer"], "Writer-2": ["editor", "Writer"], "printer": ["writer-2", "Writer-2"],
    }  # fmt: skip


def test_a_name_that_cannot_be_an_id_stays_as_the_name() -> None:
    assert phases("execution_groups: {g: [UX Expert]}") == [
        {"id": "ux-expert", "name": "UX Expert", "agents": ["UX Expert"]}
    ]


@pytest.mark.parametrize(
    ("written", "resolved"),
    [
        ("[a.completion]", ["a"]),
        ("[a.completed, b.output]", ["a", "b"]),
        ("[a.dishes]", ["a"]),
        ("pair", ["a", "b"]),
        ("[pair.completion, a]", ["a", "b"]),
        ("none", []),
        ("[]", []),
        ("[{agent: a, type: completion}]", ["a"]),
        ("[{group: pair, kind: context}]", [{"phase": "a", "kind": "context"}, {"phase": "b", "kind": "context"}]),
        ("[aa.completion]", ["aa"]),
        ("[{some: thing}]", [{"some": "thing"}]),
    ],
)
def test_dependencies_name_agents_and_groups(written: str, resolved: list[Any]) -> None:
    text = f"execution_groups: {{pair: [a, b], last: {{agents: [c], dependencies: {written}}}}}"
    assert needs(text)["c"] == resolved


def test_an_unknown_dependency_is_reported_where_it_stands() -> None:
    text = "execution_groups:\n  one: [analyst]\n  two:\n    agents: [dev]\n    dependencies: [analist.completion]\n"
    found = [(d.code, d.line, d.column, d.hint) for d in load_text(text, file="x.yaml").errors]
    assert found == [("PL103", 5, 20, "did you mean 'analyst'?")]


def test_an_unknown_key_of_a_group_is_reported_once() -> None:
    text = "execution_groups:\n  g:\n    agents: [x, y]\n    dependancies: [z]\n"
    assert [(d.code, d.line) for d in load_text(text, file="x.yaml").errors] == [("PL101", 4)]


def test_specifications_of_an_agent_that_is_not_there_are_reported() -> None:
    text = "execution_groups:\n  g:\n    agents: [x, y]\n    agent_specifications:\n      zed: {outputs: [a]}\n"
    assert [(d.code, d.line) for d in load_text(text, file="x.yaml").errors] == [("PL101", 5)]


def test_remarks_are_kept_as_metadata() -> None:
    assert phases("execution_groups: {g: {agents: [x], rationale: because, focus: speed}}")[0]["metadata"] == {
        "rationale": "because", "focus": "speed",
    }  # fmt: skip


def test_groups_in_json_with_camel_case_are_the_same() -> None:
    node, found = foreign.read(
        "{ executionGroups: { first: { agents: ['a'] }, second: { agents: ['b', 'c'], parallelCapable: true,"
        " dependencies: ['a.completion'], estimatedDuration: '5_minutes', // so long\n },},}",
        "json",
    )
    assert found == []
    assert node is not None
    plain = foreign.normalise(node)[0].plain()
    assert plain["phases"][2] == {
        "id": "c", "agents": ["c"], "parallel": True, "estimated_duration": "5_minutes", "depends_on": ["a"],
    }  # fmt: skip


@pytest.mark.parametrize(
    "text", ["execution_groups: 5", "execution_groups: {}\nphases: [{name: x}]", "execution_groups: x"]
)
def test_groups_that_cannot_be_meant_are_left_to_the_checks(text: str) -> None:
    node, _ = read_yaml(text)
    assert node is not None
    assert "execution_groups" in foreign.normalise(node)[0].plain()


def test_large_groups_cannot_multiply_into_more_than_memory_holds() -> None:
    agents = {f"g{group}": [f"a{group}_{number}" for number in range(3000)] for group in range(3)}
    node, _ = foreign.read(str({"execution_groups": agents}), "json")
    assert node is not None
    plain = foreign.normalise(node)[0].plain()
    assert sum(len(phase.get("depends_on", ())) for phase in plain["phases"]) < 1_000_000
