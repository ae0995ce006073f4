"""Whatever happens in a run: its metrics follow from its facts, and they add up."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.facts import Fact
from engine.metrics import metrics
from engine.plan import Plan
from engine.spells import Spells
from tests.engine.playing import numbers, play, reviewed_world
from tests.engine.strategies import REVIEWED_PLANS, STEPS, Step, plans
from tests.engine.world import World


@settings(max_examples=40, deadline=None)
@given(st.one_of(plans(), REVIEWED_PLANS), STEPS)
def test_metrics_follow_from_the_facts_alone_are_never_negative_and_add_up(plan: Plan, steps: list[Step]) -> None:
    world = reviewed_world(plan, slow=True)
    play(world, steps)
    found = metrics(Spells.of(plan, world.engine.ledger), world.engine.ledger, world.now)
    told = [Fact.from_json(json.loads(json.dumps(fact.to_json()))) for fact in world.engine.ledger]
    assert metrics(Spells.of(plan, told), told, world.now) == found
    waiting = {i for i in world.engine.ready.waiting if world.engine.state.phases[i].status == "pending"}
    if (
        world.engine.state.jump is None and world.engine.state.restoring is None
    ):  # until it is carried out nothing is looked at
        assert queued(world) == waiting
    seconds = found["seconds"]
    assert abs(sum(seconds[name] for name in ("working", "people", "paused", "idle")) - seconds["total"]) < 0.001
    assert abs(sum(row["work_seconds"] for row in found["phases"]) - found["work_seconds"]) < 0.001
    assert all(0 <= row["seconds"] <= seconds["total"] for row in found["phases"])
    for row in found["phases"]:
        assert abs(sum(epoch["seconds"] for epoch in row["epochs"]) - row["seconds"]) < 0.001
    assert numbers(found) >= {0}
    assert min(numbers(found)) >= 0
    assert all(0 <= (found[rate] or 0) <= 1 for rate in ("utilisation", "efficiency"))


def queued(world: World) -> set[int]:
    """The phases that wait for their start, as the facts tell it."""
    spells = Spells.of(world.plan, world.engine.ledger)
    return {i for i in range(len(spells.state.phases)) if any(each.kind == "queue" for each in spells.going_on(i))}
