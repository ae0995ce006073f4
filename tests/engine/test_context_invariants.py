"""Invariants of the shared context: when they count, and what comes of a write that breaks one."""

from __future__ import annotations

import pytest

from engine.errors import RefusedError
from engine.plan import ContextKeyPlan, ContextRules
from tests.engine.sharing import BACKEND, FRONTEND, facts, side_by_side, values
from tests.engine.world import World, phase, plan_of


def test_an_invariant_that_would_not_hold_waits_for_a_person_who_is_told_which() -> None:
    world = World(side_by_side())
    world.write(0, server=1)
    world.write(1, client=2)
    waiting = world.engine.state.phases[1]
    assert waiting.status == "paused"
    assert (waiting.error or {})["message"] == (
        "what frontend wrote breaks the invariant of client: context.client == context.server is false"
    )
    with pytest.raises(RefusedError, match="breaks an invariant"):
        world.operate("intervene", phase=1, action="take_mine")
    with pytest.raises(RefusedError, match="breaks an invariant"):
        world.operate("intervene", phase=1, action="replace_context", context={"client": 3})
    world.operate("intervene", phase=1, action="replace_context", context={"client": 1})
    assert values(world) == {"server": 1, "client": 1, "notes": []}


def test_a_person_may_write_in_spite_of_an_invariant_with_a_reason() -> None:
    world = World(side_by_side())
    world.write(0, server=1)
    world.write(1, client=2)
    world.operate("intervene", phase=1, action="take_mine", reason="the server follows")
    assert values(world)["client"] == 2
    assert facts(world, "context_written")[-1]["data"]["in_spite_of"][0]["key"] == "client"


def test_an_invariant_counts_from_when_all_its_keys_have_values() -> None:
    world = World(side_by_side())
    world.write(1, client=2)
    assert world.engine.state.phases[1].status == "completed"


def test_rerun_starts_the_phase_again_with_the_reason_and_only_so_often() -> None:
    world = World(side_by_side(ContextRules(consistency="rerun", max_reruns=1)))
    world.write(0, server=1)
    world.write(1, client=2)
    again = world.running[1, 1, 0]
    assert again.task["values"]["context"]["server"] == 1
    assert "breaks the invariant of client" in again.task["feedback"][0]["comment"]
    world.write(1, client=3)
    assert world.engine.state.phases[1].status == "paused"


def test_what_others_have_made_right_meanwhile_is_written() -> None:
    keys = {"a": ContextKeyPlan(), "b": ContextKeyPlan(invariant="context.a == context.b")}
    two = phase(0, agents=(BACKEND, FRONTEND), agents_mode="parallel", context_writes=("b",))
    plan = plan_of(two, phase(1, context_writes=("a",)), phase(2, 1, context_writes=("a",)), context=keys)
    world = World(plan)
    world.write(1, a=1)
    world.end_agent((0, 0, 0), context={"b": 2})
    assert len(facts(world, "context_conflicted")) == 1
    world.write(2, a=2)
    world.end_agent((0, 0, 1))
    assert values(world) == {"a": 2, "b": 2}
    assert world.finished == "completed"
