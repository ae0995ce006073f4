"""Files that a phase left, as later phases see them: references in the values, and what the worker has to bring."""

from __future__ import annotations

from typing import Any

import pytest

from engine import expressions, snapshots, starting
from engine.agents import OutputPlan
from engine.effects import AgentFinished
from engine.engine import Engine
from engine.items import FILES_LIMIT
from engine.plan import Execution, Plan
from engine.reuse import unaffected
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


ENTRY = {"sha256": "a" * 64, "size": 3, "media_type": "text/plain"}


def per_item(*reads: str, items: int = 3, **fields: Any) -> Plan:
    """`p0` runs once per item; `p1` needs it and names `reads`."""
    first = phase(0, for_each=[str(number) for number in range(items)], **fields)
    return plan_of(first, phase(1, 0, reads=reads, always=True), execution=Execution(max_workers=items))


def done(plan: Plan, *files: str) -> World:
    """The items have each left these files, and the second one of them no file."""
    world = World(plan)
    for key in sorted(world.running):
        number = world.engine.state.phases[key[0]].plan.item
        assert number is not None
        left = [file(name) for name in files] if number.number != 1 else []
        finished(world, key[0], artifacts=left)
    return world


def files_of(world: World) -> Any:
    return task_of(world, 1)["values"]["phases"]["p0"].get("artifacts")


def test_who_names_the_files_of_items_is_brought_them_under_the_items_numbers() -> None:
    world = done(per_item("phases.p0.artifacts"), "log", "sub/app.tar")
    names = ["items/0/log", "items/0/sub/app.tar", "items/2/log", "items/2/sub/app.tar"]
    assert files_of(world) == dict.fromkeys(names, ENTRY)
    assert task_of(world, 1)["files"] == {"p0": [""]}
    found = scope(world.engine.state, ("phases.p0.artifacts",))
    assert expressions.evaluate("'items/1/log' in phases.p0.artifacts", found) is False


def test_who_names_one_file_of_an_item_is_told_of_no_other_items() -> None:
    read = (
        "phases.p0.artifacts.items/2/log.path",
        "phases.p0.artifacts.items/1/log.path",
        "phases.p0.artifacts.items/7/x",
    )
    assert files_of(done(per_item(*read), "log", "other")) == {"items/2/log": ENTRY, "items/2/other": ENTRY}


@pytest.mark.parametrize("reads", [(), ("phases.p0",), ("phases.p0.outputs.items",)])
def test_who_only_needs_the_phase_is_not_told_of_the_files_of_its_items(reads: tuple[str, ...]) -> None:
    assert files_of(done(per_item(*reads), "log")) is None


def test_of_items_that_did_not_complete_there_are_no_files() -> None:
    world = World(per_item("phases.p0.artifacts", on_failure="isolate"))
    for key in sorted(world.running)[:2]:
        finished(world, key[0], artifacts=[file("log")])
    world.fail(min(world.running)[0])
    assert sorted(files_of(world)) == ["items/0/log", "items/1/log"]


def test_more_files_of_items_than_can_be_handed_over_fail_who_names_all_of_them_and_nobody_else() -> None:
    names = [f"f{number}" for number in range(FILES_LIMIT // 2 + 1)]
    world = done(per_item("phases.p0.artifacts"), *names)
    error = world.engine.state.phases[1].error
    assert error is not None
    assert (error["code"], error["message"]) == (
        "files",
        "the items of p0 left 4,098 files, and at most 4,096 can be handed over",
    )
    assert len(files_of(done(per_item("phases.p0.artifacts.items/0/f1"), *names))) == len(names)


def test_a_fork_hands_on_the_files_of_items_that_it_does_not_do_again() -> None:
    plan = per_item("phases.p0.artifacts")
    before = done(plan, "log")
    found = unaffected(before.engine.state, plan, inputs={}, env={}, edits={})
    engine = Engine(plan)
    start = {"run": {"id": "wf_new"}, "seed": {"from": "wf_old", "reused": found[:1]}}
    starting.begin(engine, start, 2.0, name="wf_new", execution="x")
    fork = World(plan, engine=engine)
    assert files_of(fork) == files_of(before) == dict.fromkeys(("items/0/log", "items/2/log"), ENTRY)


def test_once_the_run_has_gone_back_only_the_files_of_the_new_items_count() -> None:
    world = done(per_item("phases.p0.artifacts"), "log")
    world.operate("restore", checkpoint="beginning")
    world.end_agent(min(world.running))  # the agent of p1, which is stopped
    names = ("phases.p0.artifacts",)
    assert "artifacts" not in scope(world.engine.state, names)["phases"]["p0"]
    for key in sorted(world.running):
        finished(world, key[0], artifacts=[file("new", "b")])
    assert sorted(files_of(world)) == [f"items/{number}/new" for number in range(3)]
    again = snapshots.restore(world.plan, snapshots.snapshot(world.engine), world.now).state
    assert scope(again, names) == scope(world.engine.state, names)
