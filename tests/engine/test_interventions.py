"""Each decision about one phase that has failed, while its siblings go on."""

from __future__ import annotations

from typing import Any

import pytest

from engine.agents import AgentPlan, OutputPlan
from engine.errors import RefusedError
from engine.gates.plans import CheckPlan, GatePlan
from engine.gates.records import Gate
from tests.engine.world import World, phase, plan_of

Json = dict[str, Any]


def paused() -> World:
    """A phase that has failed in a parallel group; its two siblings work, a phase waits for all of them."""
    world = World(
        plan_of(
            phase(0),
            phase(1, 0, group=0, prompt="Build it"),
            phase(2, 0, group=0),
            phase(3, 0, group=0),
            phase(4, after_group=0),
        )
    )
    world.finish(0)
    world.fail(1)
    return world


def siblings_go_on(world: World) -> None:
    """The siblings have noticed nothing, and end as they would have."""
    assert {key for key in world.running if key[0] in {2, 3}} == {(2, 0, 0), (3, 0, 0)}
    assert not world.cancelled
    assert [world.engine.state.phases[i].epoch for i in (2, 3)] == [0, 0]
    world.finish(2)
    world.finish(3)


def decide(world: World, action: str, **fields: Any) -> None:
    world.operate("intervene", phase=1, action=action, actor="ana", **fields)


def test_the_failure_of_one_phase_leaves_its_siblings_at_work() -> None:
    world = paused()
    assert world.statuses() == ["completed", "paused", "running", "running", "pending"]
    assert str(world.engine.state.status) == "running"
    siblings_go_on(world)
    assert world.engine.state.status == "paused"


def test_retry_runs_the_phase_anew_while_its_siblings_go_on() -> None:
    world = paused()
    decide(world, "retry")
    assert world.statuses()[1] == "running"
    assert world.running[1, 1, 0].task["failures"][0]["message"] == "exit code 1"
    siblings_go_on(world)
    world.finish(1)
    assert world.drive_to_end() == "completed"


def test_retry_with_edited_input_gives_it_to_the_phase_alone_while_its_siblings_go_on() -> None:
    world = paused()
    decide(world, "retry_with", prompt="Build it smaller")
    assert world.running[1, 1, 0].task["edits"] == {"prompt": "Build it smaller"}
    assert "edits" not in world.running[2, 0, 0].task
    siblings_go_on(world)
    assert world.drive_to_end() == "completed"


def test_replace_output_completes_the_phase_while_its_siblings_go_on() -> None:
    world = paused()
    decide(world, "replace_output", outputs={"version": 7})
    assert world.statuses()[1] == "completed"
    siblings_go_on(world)
    assert world.running[4, 0, 0].task["values"]["phases"]["p1"]["outputs"] == {"version": 7}


def test_what_replaces_an_output_has_its_declared_type() -> None:
    agent = AgentPlan(role="r", uses="command", outputs={"version": OutputPlan(type="integer")})
    world = World(plan_of(phase(0, agents=(agent,))))
    world.fail(0)
    with pytest.raises(RefusedError, match="output 'version' of Phase 0 must be integer"):
        world.operate("intervene", phase=0, action="replace_output", outputs={"version": "seven"})
    world.operate("intervene", phase=0, action="replace_output", outputs={"version": "7", "more": "x"})
    assert world.engine.state.phases[0].outputs == {"version": 7, "more": "x"}


def test_skip_keeps_its_reason_and_what_waits_starts_with_the_siblings() -> None:
    world = paused()
    with pytest.raises(RefusedError, match="reason"):
        decide(world, "skip")
    decide(world, "skip", reason="not for this release")
    assert world.engine.ledger[-1].note == "not for this release"
    siblings_go_on(world)
    assert world.statuses() == ["completed", "skipped", "completed", "completed", "running"]


def test_cancel_gives_up_the_phase_alone_while_its_siblings_go_on() -> None:
    world = paused()
    decide(world, "cancel")
    siblings_go_on(world)
    assert world.statuses() == ["completed", "cancelled", "completed", "completed", "skipped"]


def test_go_to_starts_anew_what_lies_behind_and_phases_beside_it_go_on() -> None:
    world = World(plan_of(phase(0), phase(1, 0), phase(2), phase(3, 1, 2)))
    world.finish(0)
    world.fail(1)
    decide(world, "go_to", to=0)
    assert world.statuses() == ["running", "pending", "running", "pending"]
    assert (2, 0, 0) in world.running
    world.finish(2)
    assert world.drive_to_end() == "completed"
    assert [world.engine.state.phases[i].epoch for i in range(4)] == [1, 1, 0, 0]


def test_what_failed_at_a_gate_is_told_to_the_next_attempt() -> None:
    check = CheckPlan(name="lint", gate="checked", run=("lint",))
    world = World(plan_of(phase(0, gates=(GatePlan(id="checked", checks=(check,)),))))
    world.finish(0)
    world.fail(0)
    gate = world.engine.state.phases[0].gate
    assert isinstance(gate, Gate)
    world.operate("intervene", phase=0, action="retry")
    (failure,) = world.running[0, 1, 0].task["failures"]
    assert (failure["code"], failure["class"]) == ("gate_failed", "quality")
    assert "lint" in failure["message"]
