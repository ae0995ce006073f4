"""`type: parallel_group` steps: alone, wrapped, or among other steps."""

from __future__ import annotations

from typing import Any

import pytest

from definitions import foreign, load_text
from definitions.nodes import Mark, Node
from definitions.yaml_reader import read_yaml

ALONE = """\
id: tasting
name: Tasting
type: parallel_group
parallel_configuration: {execution_mode: truly_parallel, resource_isolation: false}
agents:
  - id: sweet
    agent: baker
    priority: 7
    timeout: 8_minutes
    context_requirements: {read: [chef.dishes], write: [sweet_notes]}
    resource_requirements: {cpu: 30, memory: 25}
  - id: salty
    agent: sous_chef
    priority: 8
synchronization:
  barrier_type: smart_barrier
  success_criteria: at_least_one_agent_succeeds
"""
SWEET = {
    "id": "sweet", "agents": ["baker"], "parallel": True, "priority": 7, "timeout": "8_minutes",
    "context_requirements": {"read": ["chef.dishes"], "write": ["sweet_notes"]},
    "resource_requirements": {"cpu": 30, "memory": 25},
}  # fmt: skip
SALTY = {"id": "salty", "agents": ["sous_chef"], "parallel": True, "priority": 8}
BARRIER = {
    "id": "tasting", "phases": ["sweet", "salty"], "name": "Tasting",
    "parallel_configuration": {"execution_mode": "truly_parallel", "resource_isolation": False},
    "synchronization": {"barrier_type": "smart_barrier", "success_criteria": "at_least_one_agent_succeeds"},
}  # fmt: skip


def normalised(text: str) -> Node:
    node, found = read_yaml(text)
    assert node is not None
    assert found == []
    node, word = foreign.normalise(node)
    assert word == "parallel-group"
    return node


def plain(text: str) -> dict[str, Any]:
    value = normalised(text).plain()
    assert isinstance(value, dict)
    return value


def needs(text: str) -> dict[str, Any]:
    document = plain(text)
    return {phase["id"]: phase.get("depends_on") for phase in document.get("steps") or document["phases"]}


def indented(text: str, by: str) -> str:
    return "".join(by + line for line in text.splitlines(keepends=True))


def test_a_group_alone_is_a_definition() -> None:
    assert plain(ALONE) == {"id": "tasting", "name": "Tasting", "phases": [SWEET, SALTY], "barriers": [BARRIER]}
    assert load_text(ALONE, file="tasting.yaml").ok


def test_a_wrapped_group_is_the_same() -> None:
    assert plain("enhanced_workflow_step:\n" + indented(ALONE, "  ")) == plain(ALONE)
    assert plain("workflow_step:\n" + indented(ALONE, "    ")) == plain(ALONE)


def test_what_stands_beside_a_group_belongs_to_the_file() -> None:
    document = plain(ALONE + "resource_manager: {}\nversion: '2'\nexecution: {max_workers: 2}\n")
    assert (document["resource_manager"], document["version"], document["execution"]) == ({}, "2", {"max_workers": 2})


@pytest.mark.parametrize("key", ["steps", "phases", "workflow"])
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_group_may_stand_in_a_list(key: str, wrapped: bool) -> None:  # noqa: FBT001
    item = "  - enhanced_workflow_step:\n" + indented(ALONE, "      ") if wrapped else "  -\n" + indented(ALONE, "    ")
    document = plain(f"id: dinner\n{key}:\n  - {{id: shop, agent: chef}}\n{item}  - id: serve\n")
    assert document == {
        "id": "dinner",
        "steps" if key == "steps" else "phases": [{"id": "shop", "agents": ["chef"]}, SWEET, SALTY, {"id": "serve"}],
        "barriers": [BARRIER],
    }


def test_places_are_those_of_the_file() -> None:
    node = normalised(ALONE)
    assert node.value_mark_of(("phases", 0)) == Mark(6, 5)
    assert node.value_mark_of(("phases", 0, "agents", 0)) == Mark(7, 12)
    assert node.value_mark_of(("phases", 0, "timeout")) == Mark(9, 14)
    assert node.mark_of(("barriers", 0, "synchronization")) == Mark(15, 1)


def test_who_depends_on_the_group_depends_on_all_its_members() -> None:
    text = """\
steps:
  - {id: shop}
  - {id: cook, type: parallel_group, agents: [a, {id: b, agent: x}], depends_on: [shop]}
  - {id: other, depends_on: []}
  - {id: serve, depends_on: [cook, other]}
  - {id: tidy, depends_on: [{phase: cook, kind: context}]}
step_groups:
  - {id: hands, steps: [shop, cook, cook], max_workers: 2}
"""
    assert needs(text) == {
        "shop": None, "a": ["shop"], "b": ["shop"], "other": [], "serve": ["a", "b", "other"],
        "tidy": [{"phase": "a", "kind": "context"}, {"phase": "b", "kind": "context"}],
    }  # fmt: skip
    assert plain(text)["step_groups"] == [{"id": "hands", "steps": ["shop", "a", "b"], "max_workers": 2}]
    assert load_text(text, file="x.yaml").errors == ()


def test_the_steps_around_keep_the_one_rule_of_order() -> None:
    text = """\
steps:
  - {id: shop}
  - {id: wash, parallel: true}
  - {id: peel, parallel: true}
  - {id: cook, type: parallel_group, agents: [a, b]}
  - {id: taste, type: parallel_group, agents: [c, d]}
  - {id: plate, parallel: true}
  - {id: pour, parallel: true}
  - {id: serve}
"""
    assert needs(text) == {
        "shop": None, "wash": None, "peel": None, "a": ["wash", "peel"], "b": ["wash", "peel"],
        "c": ["a", "b"], "d": ["a", "b"], "plate": ["c", "d"], "pour": ["c", "d"], "serve": None,
    }  # fmt: skip


def test_steps_may_name_agents_by_their_completion() -> None:
    text = """\
steps:
  - {name: Go shopping, agent: chef}
  - {id: cook, type: parallel_group, agents: [a, b], dependencies: [chef.completion]}
  - {id: serve, agent: waiter, dependencies: [a.completion, cook.completion]}
"""
    found = plain(text)["steps"]
    assert [step.get("depends_on") for step in found] == [None, ["go-shopping"], ["go-shopping"], ["a", "b"]]


def test_a_sequential_group_goes_one_by_one() -> None:
    text = (
        "steps: [{id: x}, {id: g, type: sequential_group, agents: [a, b], depends_on: [x]}, {id: y, depends_on: [g]}]"
    )
    assert needs(text) == {"x": None, "a": ["x"], "b": None, "y": ["a", "b"]}


@pytest.mark.parametrize("type_", ["parallel_group", "parallel-group", "Parallel Group", "parallelGroup"])
def test_the_type_may_be_written_in_several_ways(type_: str) -> None:
    assert [phase["id"] for phase in plain(f"id: g\ntype: {type_}\nagents: [a, b]\n")["phases"]] == ["a", "b"]


def test_ids_are_made_unique_unless_they_are_written() -> None:
    text = "steps: [{id: cook}, {id: g, type: parallel_group, agents: [cook, cook, {id: c, agent: cook}, {id: c}]}]"
    assert [step["id"] for step in plain(text)["steps"]] == ["cook", "cook-2", "cook-3", "c", "c"]
    assert [d.code for d in load_text(text, file="x.yaml").errors] == ["PL107"]


def test_what_a_group_says_holds_for_members_that_say_nothing_else() -> None:
    text = "id: g\ntype: parallel_group\ntimeout: 5m\nretry: 2\nagents: [a, {id: b, timeout: 9m}]\n"
    assert plain(text)["phases"] == [
        {"id": "a", "agents": ["a"], "parallel": True, "timeout": "5m", "retry": 2},
        {"id": "b", "agents": ["b"], "parallel": True, "timeout": "9m", "retry": 2},
    ]


def test_barriers_of_the_file_are_kept_beside_those_of_groups() -> None:
    group = "{id: g, type: parallel_group, agents: [a, b], synchronization: x}"
    text = f"steps: [{group}]\nbarriers: [{{id: own, phases: [a]}}]\n"
    assert [barrier["id"] for barrier in plain(text)["barriers"]] == ["own", "g"]


@pytest.mark.parametrize("agents", ["[5]", "[null]", "[[a]]", "[{priority: 3}]", "5"])
def test_agents_that_cannot_be_meant_are_reported(agents: str) -> None:
    checked = load_text(f"id: g\ntype: parallel_group\nagents: {agents}\n", file="g.yaml")
    assert [d.line for d in checked.errors] == [3]


def test_a_group_without_agents_is_a_phase() -> None:
    assert plain("steps: [{id: g, type: parallel_group, description: Later}]")["steps"] == [
        {"id": "g", "description": "Later"}
    ]
