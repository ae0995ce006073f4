"""Files that a phase left, as later phases see them: references in the values, and what the worker has to bring."""

from __future__ import annotations

from typing import Any

import pytest

from engine import expressions
from engine.agents import OutputPlan
from engine.effects import AgentFinished
from engine.values import scope
from tests.engine.world import COMMAND, PERSON, World, phase, plan_of

Json = dict[str, Any]


def file(name: str, digit: str = "a") -> Json:
    return {"name": name, "sha256": digit * 64, "size": 3, "media_type": "text/plain"}


def finished(world: World, index: int, position: int = 0, **result: Any) -> None:
    key = next(key for key in world.running if key[0] == index and key[2] == position)
    world.running.pop(key)
    world.feed(AgentFinished(phase=index, epoch=key[1], position=position, result={"outputs": {}, **result}))


def task_of(world: World, index: int) -> Json:
    return next(effect.task for key, effect in world.running.items() if key[0] == index)


def test_who_needs_a_phase_is_told_of_its_files_and_who_names_them_is_brought_them() -> None:
    reads = ("phases.p0.artifacts.app.tar.path", "phases.p0.outputs.x")
    world = World(plan_of(phase(0), phase(1, 0), phase(2, 0, reads=reads)))
    finished(world, 0, artifacts=[file("app.tar"), file("log")])
    entry = {"sha256": "a" * 64, "size": 3, "media_type": "text/plain"}
    for index in (1, 2):
        assert task_of(world, index)["values"]["phases"]["p0"]["artifacts"] == {"app.tar": entry, "log": entry}
    assert "files" not in task_of(world, 1)
    assert task_of(world, 2)["files"] == {"p0": ["app.tar.path"]}


def test_a_condition_can_ask_for_a_file() -> None:
    world = World(plan_of(phase(0), phase(1, 0, reads=("phases.p0.artifacts",))))
    finished(world, 0, artifacts=[file("report.txt")])
    found = scope(world.engine.state, ("phases.p0.artifacts",))
    assert expressions.evaluate("phases.p0.artifacts['report.txt'].size == 3", found) is True
    assert expressions.evaluate("'other' in phases.p0.artifacts", found) is False


def test_of_one_name_the_last_agents_file_counts() -> None:
    world = World(plan_of(phase(0, agents=(COMMAND, COMMAND), agents_mode="sequential"), phase(1, 0)))
    finished(world, 0, artifacts=[file("log", "a")])
    finished(world, 0, 1, artifacts=[file("log", "b")])
    assert task_of(world, 1)["values"]["phases"]["p0"]["artifacts"]["log"]["sha256"] == "b" * 64


@pytest.mark.parametrize("told", [None, "x", ["x"], [{"name": "x"}], {"a": 1}])
def test_what_is_no_list_of_files_disturbs_nobody(told: Any) -> None:
    world = World(plan_of(phase(0), phase(1, 0)))
    finished(world, 0, artifacts=told)
    assert "artifacts" not in task_of(world, 1)["values"]["phases"].get("p0", {})


def test_a_persons_files_are_handed_on_as_those_of_agents() -> None:
    reads = ("phases.p0.artifacts.plan.pdf.path", "phases.p0.outputs.text")
    declared = {"text": OutputPlan(type="string")}
    world = World(plan_of(phase(0, agents=(PERSON,), outputs=declared), phase(1, 0, reads=reads)))
    text = {"$artifact": f"sha256:{'b' * 64}", "size": 5000, "media_type": "application/json"}
    link = "https://example.com/page"
    world.operate("complete_phase", phase=0, outputs={"text": text}, artifacts=[file("plan.pdf"), link])
    shown = task_of(world, 1)["values"]["phases"]["p0"]
    assert shown["artifacts"] == {"plan.pdf": {"sha256": "a" * 64, "size": 3, "media_type": "text/plain"}}
    assert shown["outputs"] == {"text": text}
    assert task_of(world, 1)["files"] == {"p0": ["plan.pdf.path"]}
