"""Writes that meet: what is merged, what waits for a person, and what they may decide."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine import snapshots
from engine.context import showing
from engine.effects import AgentFailed
from engine.errors import RefusedError
from engine.plan import ContextKeyPlan
from engine.view import details, view
from tests.engine.sharing import BACKEND, FRONTEND, conflicting, facts, given, side_by_side, values
from tests.engine.world import World, phase, plan_of


def test_what_two_have_changed_in_different_places_is_merged() -> None:
    world = World(side_by_side())
    world.write(0, api={"a": 1}, notes=["backend"])
    world.write(1, api={"b": 2}, notes=["frontend"], server=3)
    [conflict] = facts(world, "context_conflicted")
    assert conflict["data"]["keys"] == {"api": 1, "notes": 1}
    assert values(world) == {"api": {"a": 1}, "notes": ["backend"]}
    assert world.running.keys() == {(1, 0, 1)}
    world.finish(1)
    assert values(world) == {"api": {"a": 1, "b": 2}, "notes": ["backend", "frontend"], "server": 3}
    assert facts(world, "context_written")[1]["data"]["merged"] == ["api", "notes"]
    assert world.engine.state.phases[1].status == "completed"


def test_what_changes_again_while_it_is_merged_is_merged_again() -> None:
    every = ("notes",)
    both: dict[str, Any] = {"context_reads": every, "context_writes": every}
    keys = {"notes": ContextKeyPlan(default=[], optional=True)}
    world = World(plan_of(*(phase(n, **both) for n in range(3)), context=keys))
    world.write(0, notes=["a"])
    world.write(1, notes=["b"])
    world.write(2, notes=["c"])
    world.finish(1)
    world.finish(2)
    assert world.finished is None
    world.finish(2)
    assert values(world) == {"notes": ["a", "b", "c"]}
    assert world.finished == "completed"


def test_a_merge_to_what_is_there_already_writes_nothing() -> None:
    keys = {"a": ContextKeyPlan()}
    both = [phase(n, context_writes=("a",)) for n in range(2)]
    world = World(plan_of(*both, context=keys))
    world.write(0, a=["x", "y"])
    world.write(1, a=["x"])
    world.finish(1)
    assert world.finished == "completed"
    assert values(world) == {"a": ["x", "y"]}
    assert len(facts(world, "context_dropped")) == 1


def test_what_cannot_be_merged_waits_for_a_person_who_is_told_who_wrote_what() -> None:
    world = conflicting()
    waiting = world.engine.state.phases[1]
    assert waiting.status == "paused"
    assert waiting.error is not None
    assert waiting.error["code"] == "context_conflict"
    [told] = waiting.error["context"]
    assert (told["key"], told["mine"]["by"], told["theirs"]["by"]) == ("server", "frontend", "backend")
    assert told["mine"]["hash"] != told["theirs"]["hash"]
    shown = view(world.engine, world.now)
    assert [option["action"] for option in shown["pause"]["options"]][:3] == [
        "keep_theirs",
        "take_mine",
        "replace_context",
    ]
    assert "frontend and backend (in p0) both changed the context key server" in shown["pause"]["text"]
    [offer] = details(world.engine, waiting)["context"]["waiting"]
    assert {row["key"]: row["mine"]["value"] for row in offer["keys"]} == {"server": 2, "notes": ["mine"]}


@pytest.mark.parametrize(
    ("fields", "server"),
    [
        ({"action": "keep_theirs"}, 1),
        ({"action": "take_mine"}, 2),
        ({"action": "replace_context", "context": {"server": "3"}}, 3),
    ],
)
def test_a_person_decides_and_the_phase_completes(fields: dict[str, Any], server: int) -> None:
    world = conflicting()
    world.operate("intervene", phase=1, actor="ana", **fields)
    assert values(world) == {"server": server, "notes": ["mine"]}
    assert world.engine.state.phases[1].status == "completed"
    last = facts(world, "context_written")[-1]
    assert last["actor"] == "ana"
    assert last["data"]["decision"] == fields["action"]
    told = showing.history(world.engine, {})["versions"][-1]
    assert (told["by"], told["decided_by"]) == ("ana" if "context" in fields else "frontend", "ana")
    assert (last["data"].get("over") == {"server": 1}) == (fields["action"] != "keep_theirs")


def test_retry_runs_the_phase_again_from_what_is_there_now() -> None:
    world = conflicting()
    world.operate("intervene", phase=1, action="retry")
    assert given(world, 1) == {"server": 1, "notes": []}
    world.write(1, server=5)
    assert values(world)["server"] == 5
    assert not world.engine.state.phases[1].conflicts


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"action": "replace_context"}, "replace_context needs a value for 'server'"),
        ({"action": "replace_context", "context": {"server": "x"}}, "the context key 'server': .*"),
        ({"action": "replace_context", "context": {"nothing": 1}}, "'nothing' is no key to decide about"),
        ({"action": "keep_theirs", "actor": "agent:x"}, "agent:x: what an agent runs decides about no conflict"),
        ({"action": "replace_output", "outputs": {}}, ".*replace_output is not possible"),
    ],
)
def test_a_decision_that_makes_no_sense_is_refused(fields: dict[str, Any], message: str) -> None:
    world = conflicting()
    with pytest.raises(RefusedError, match=message):
        world.operate("intervene", phase=1, **fields)


def test_nobody_can_keep_theirs_where_nothing_is_in_conflict() -> None:
    world = World(side_by_side())
    world.fail(1)
    with pytest.raises(RefusedError, match="keep_theirs is not possible"):
        world.operate("intervene", phase=1, action="keep_theirs")


def test_a_phase_that_failed_otherwise_is_not_completed_by_a_decision_about_its_writes() -> None:
    every = {"context_reads": ("server",), "context_writes": ("server",)}
    two = phase(0, agents=(BACKEND, FRONTEND), agents_mode="parallel", **every)
    world = World(plan_of(two, phase(1, **every), context={"server": ContextKeyPlan()}))
    world.write(1, server=1)
    world.end_agent((0, 0, 0), context={"server": 2})
    world.end_agent((0, 0, 1), error={"code": "exit_code", "message": "exit code 1"})
    with pytest.raises(RefusedError, match="take_mine is not possible"):
        world.operate("intervene", phase=0, action="take_mine")
    world.operate("intervene", phase=0, action="replace_output", outputs={})
    assert world.finished == "completed"
    assert values(world) == {"server": 1}


def test_where_nobody_is_asked_a_conflict_fails_the_phase() -> None:
    world = conflicting(on_failure="isolate")
    assert world.statuses() == ["completed", "failed", "skipped"]
    assert world.finished == "failed"
    assert values(world) == {"server": 1, "notes": []}


def test_a_merge_that_cannot_be_done_at_all_is_left_to_a_person() -> None:
    world = World(side_by_side())
    world.write(0, api={"a": 1})
    world.write(1, api={"b": 2})
    del world.running[1, 0, 1]
    error = {"code": "workspace", "message": "the artifact is gone"}
    world.feed(AgentFailed(phase=1, epoch=0, position=1, error=error))
    assert "the artifact is gone" in (world.engine.state.phases[1].error or {})["message"]


def test_a_phase_that_is_cancelled_while_it_is_merged_is_cancelled() -> None:
    world = World(side_by_side())
    world.write(0, api={"a": 1})
    world.write(1, api={"b": 2})
    world.operate("intervene", phase=1, action="cancel")
    world.end_agent((1, 0, 1))
    assert world.statuses()[:2] == ["completed", "cancelled"]
    assert values(world)["api"] == {"a": 1}


def test_a_merge_survives_a_fresh_history() -> None:
    plan = side_by_side()
    world = World(plan)
    world.write(0, api={"a": 1})
    world.write(1, api={"b": 2})
    taken = json.loads(json.dumps(snapshots.snapshot(world.engine)))
    successor = World(plan, engine=snapshots.restore(plan, taken, world.now))
    successor.finish(1)
    assert values(successor)["api"] == {"a": 1, "b": 2}
