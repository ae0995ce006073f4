"""Reports of progress, and what an agent is told of those that work beside it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.agents import AgentPlan
from engine.engine import Engine
from engine.errors import RefusedError
from engine.plan import Execution, Plan
from engine.progress import PROGRESS_LIMIT, check_value
from engine.reports import KEPT
from engine.siblings import BYTES, PHASES, siblings
from engine.snapshots import restore, snapshot
from engine.view import details, view
from engine.words import progress_in_words
from tests.engine.world import PERSON, World, phase, plan_of

Json = dict[str, Any]

TWO = (AgentPlan(role="ann", uses="command"), AgentPlan(role="bob", uses="command"))


def group(size: int, **fields: Any) -> Plan:
    return plan_of(*(phase(index, group=1) for index in range(size)), execution=Execution(max_workers=size), **fields)


def shown(world: World, index: int = 0) -> Json:
    return siblings(world.engine, world.engine.state.phases[index], world.now)


def test_a_snapshot_has_the_group_and_what_runs_but_not_oneself() -> None:
    parts = [phase(0, group=1), phase(1, group=1), phase(2), phase(3, 0)]
    world = World(plan_of(*parts, execution=Execution(max_workers=3)))
    world.operate("report_progress", phase="p1", progress={"files": 3}, actor="builder")
    found = shown(world)
    assert list(found["phases"]) == ["p1", "p2"]
    about = found["phases"]["p1"]
    assert (about["status"], about["progress"], about["progress_by"]) == ("in_progress", {"files": 3}, "builder")
    assert about["progress_at"].endswith("Z")
    assert "progress" not in found["phases"]["p2"]
    assert (found["phase"], found["more"], found["run"]) == ("p0", 0, "wf_test00")


def test_the_version_grows_with_facts_and_with_reports() -> None:
    world = World(group(3))
    versions = [shown(world)["version"]]
    world.operate("report_progress", phase="p1", progress=1)
    versions.append(shown(world)["version"])
    world.operate("report_progress", phase="p1", progress=1)
    versions.append(shown(world)["version"])
    world.finish(2)
    versions.append(shown(world)["version"])
    assert versions == sorted(set(versions))


def test_when_a_sibling_has_completed_its_outputs_take_the_place_of_its_report() -> None:
    world = World(group(3))
    world.operate("report_progress", phase="p1", progress="half")
    world.finish(1, n=7)
    about = shown(world)["phases"]["p1"]
    assert (about["status"], about["outputs"]) == ("completed", {"n": 7})
    assert "progress" not in about


def test_a_snapshot_stays_small_and_says_how_much_it_left_out() -> None:
    world = World(group(300))
    found = shown(world)
    assert (len(found["phases"]), found["more"]) == (PHASES, 199)
    for index in range(1, 11):
        world.operate("report_progress", phase=index, progress={"text": "x" * (PROGRESS_LIMIT - 100)})
    found = shown(world)
    assert len(json.dumps(found)) < BYTES + 1000
    assert len(found["phases"]) + found["more"] == 299
    assert sum("progress" in about for about in found["phases"].values()) == 3


def test_agents_of_one_phase_do_not_overwrite_each_others_reports() -> None:
    world = World(plan_of(phase(0, agents=TWO, agents_mode="parallel"), execution=Execution(max_workers=2)))
    world.operate("report_progress", phase="p0", agent=0, progress="a1")
    world.operate("report_progress", phase="p0", agent="bob", progress="b1")
    world.operate("report_progress", phase="p0", agent=0, progress="a2")
    about = shown(world)["phases"]["p0"]
    assert [(each["agent"], each["progress"]) for each in about["agents"]] == [("ann", "a2"), ("bob", "b1")]
    assert view(world.engine, world.now)["phases"][0]["progress"] == "a2"
    world.finish(0, n=1)
    ann, bob = shown(world)["phases"]["p0"]["agents"]
    assert (ann["outputs"], bob["progress"]) == ({"n": 1}, "b1")
    assert "progress" not in ann
    with pytest.raises(RefusedError, match="has no agent 'eve'"):
        world.operate("report_progress", phase="p0", agent="eve", progress=1)


def test_reports_and_the_version_survive_a_fresh_history() -> None:
    plan = plan_of(phase(0, agents=(PERSON,)), phase(1, agents=TWO, agents_mode="parallel"))
    world = World(plan)
    world.operate("report_progress", phase=0, progress=[1, True], actor="ana")
    world.operate("report_progress", phase=0, progress=[2, False], actor="ana")
    taken = json.loads(json.dumps(snapshot(world.engine)))
    engine = restore(plan, taken, world.now)
    first = engine.state.phases[0]
    assert details(engine, first)["report"]["progress"] == [2, False]
    assert siblings(engine, first, 0)["version"] >= shown(world)["version"]
    old = taken | {"progress": {"0": {"at": 5.0, "progress": "half", "by": None}}}
    old.pop("reports")
    assert details(restore(plan, old, world.now), first)["report"]["progress"] == "half"


def test_reports_of_thousands_of_phases_stay_within_a_snapshots_room() -> None:
    people = plan_of(*(phase(index, agents=(PERSON,)) for index in range(1000)))
    world = Engine(people)
    world.start(1.0, inputs={}, env={}, run={"id": "wf"})
    for index in range(1000):
        report = {"at": 1.0, "progress": {"text": "x" * (PROGRESS_LIMIT - 20)}, "by": None}
        world.reports.put(index, 0, report)
    assert world.reports.size <= KEPT
    assert len(json.dumps(snapshot(world)["progress"])) < 1.1 * KEPT
    assert world.reports.latest(999) is not None
    assert world.reports.latest(0) is None
    for index in range(1000):
        world.reports.drop(index)
    assert world.reports.size == 0


@pytest.mark.parametrize(
    "value", [None, "x" * 5000, {"x": "y" * 17_000}, float("nan"), json.loads("[" * 80 + "]" * 80)]
)
def test_what_no_run_takes_is_refused_before_it_is_sent(value: Any) -> None:
    with pytest.raises(RefusedError):
        check_value(value)


@pytest.mark.parametrize("value", ["half", 3, 0.5, False, [1], {}, {"a": None}])
def test_any_other_json_value_is_progress(value: Any) -> None:
    check_value(value)
    world = World(plan_of(phase(0)))
    world.operate("report_progress", phase=0, progress=value)
    assert details(world.engine, world.engine.state.phases[0])["report"]["progress"] == value


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("12 of 40\nfiles", "12 of 40 files"),
        ({"files": 3, "last": "a.py", "ok": True}, "files: 3, last: a.py, ok: true"),
        ({"by": {"ü": [1]}}, 'by: {"ü": [1]}'),
        ({}, "{}"),
        ([1, 2], "[1, 2]"),
        (7, "7"),
    ],
)
def test_progress_reads_like_a_sentence(value: Any, words: str) -> None:
    assert progress_in_words(value) == words
