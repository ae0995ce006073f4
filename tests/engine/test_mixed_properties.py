"""Everything at once: whatever a run mixes, with fresh histories at any moments, its facts tell one story."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine import restoring, snapshots
from engine.checkpoints import page
from engine.effects import AgentFinished
from engine.engine import Engine
from engine.facts import Fact
from engine.gates.plans import GatePlan
from engine.metrics import metrics
from engine.plan import Plan
from engine.spells import Spells
from engine.timeline import standing, timeline
from engine.view import details, view
from tests.engine.playing import check_votes, folded, numbers, play, reviewed_world, told
from tests.engine.strategies import BY_ANA, BY_ANY, BY_ONE, BY_TWO, GATES, LINT, REVIEWED, STEPS, Step, plans
from tests.engine.world import World

Json = dict[str, Any]

TOGETHER = replace(BY_TWO, together=True)
MIXED: list[tuple[GatePlan, ...]] = [
    *GATES[2:],
    *REVIEWED[1:],
    (GatePlan(id="checked", review=TOGETHER), GatePlan(id="late", review=BY_ONE)),
    (GatePlan(id="checked", checks=(LINT,), review=BY_ANY), GatePlan(id="decided", review=TOGETHER, approval=BY_ANA)),
]
FEW: st.SearchStrategy[list[list[Step]]] = st.lists(STEPS, min_size=1, max_size=4)


def succeeded(world: World) -> World:
    """The same run in a fresh history."""
    state = world.engine.state
    assert told(folded(world.plan, world.engine.ledger)) == told(state)
    taken = json.loads(json.dumps(snapshots.snapshot(world.engine)))
    successor = reviewed_world(world.plan, slow=world.slow_reviewers, taken=taken, at=world.now)
    successor.counting = not state.max_workers
    successor.lost, successor.now = world.lost, world.now
    return successor


def late_news(world: World) -> None:
    """What was abandoned still reports; nothing may come of it."""
    before = len(world.engine.ledger)
    for phase, epoch, position in world.lost:
        if (phase, epoch, position) not in world.running:
            world.feed(AgentFinished(phase=phase, epoch=epoch, position=position, result={"outputs": {"x": 1}}))
    assert len(world.engine.ledger) == before


def check_story(ledger: list[Fact]) -> None:
    """Epochs and the numbers of consultations are never given twice."""
    begun = [(fact.phase, fact.epoch) for fact in ledger if fact.kind == "phase_started"]
    assert len(begun) == len(set(begun))
    opened = [fact.data["number"] for fact in ledger if fact.kind == "consultation_opened"]
    assert opened == sorted(set(opened))


def check_projections(world: World) -> None:
    """All that is shown of a run can be shown, and no number in it is negative."""
    plan, ledger = world.plan, world.engine.ledger
    found = json.loads(json.dumps(metrics(Spells.of(plan, ledger), ledger, world.now)))
    assert min(numbers(found)) >= 0
    seconds = found["seconds"]
    assert abs(sum(seconds[name] for name in ("working", "people", "paused", "idle")) - seconds["total"]) < 0.001
    shown = json.loads(json.dumps(timeline(plan, ledger, world.now, run="wf_test00")))
    assert all(0 <= spell["start"] <= spell["end"] for lane in shown["lanes"] for spell in lane["spells"])
    assert len(standing(shown, shown["length"])["lanes"]) == len(shown["lanes"])
    json.dumps(view(world.engine, world.now))
    json.dumps(page(world.engine.state))
    for phase in world.engine.state.phases:
        json.dumps(details(world.engine, phase))


def seeded(world: World, seed: int) -> World:
    """Another run, which goes on where this one was at some checkpoint."""
    places = [1, *world.engine.state.saved.positions]
    facts = json.loads(json.dumps([fact.to_json() for fact in world.engine.ledger[: places[seed % len(places)]]]))
    engine = Engine(world.plan)
    given = {"facts": facts, "from": "wf_test00", "checkpoint": "c"}
    restoring.seed(engine, given, world.now + 1000, run={"id": "wf_new"}, actor=None)
    engine.advance(world.now + 1000)
    successor = World(world.plan, engine=engine)
    successor.now = world.now + 1000
    successor.verdict, successor.slow_reviewers = world.verdict, world.slow_reviewers
    return successor


@settings(max_examples=150, deadline=None)
@given(plans(gates=MIXED), FEW, st.sampled_from(["soon", "late"]), st.one_of(st.none(), st.integers(0, 60)))
def test_whatever_is_mixed_a_fresh_history_at_any_moment_goes_on_as_if_nothing_was(
    plan: Plan, parts: list[list[Step]], when: str, seed: int | None
) -> None:
    world = reviewed_world(plan, slow=when == "late")
    worlds = [world]
    for steps in parts:
        play(world, steps)
        late_news(world)
        check_projections(world)
        if world.finished:
            break
        world = succeeded(world)
        worlds.append(world)
    assert world.drive_to_end() in {"completed", "failed", "cancelled"}
    keys = [message["key"] for each in worlds for message in each.told]
    assert len(keys) == len(set(keys))
    assert told(folded(plan, world.engine.ledger)) == told(world.engine.state)
    check_votes(world)
    check_story(world.engine.ledger)
    check_projections(world)
    if seed is not None:
        world = seeded(world, seed)
        play(world, parts[0])
        check_projections(world)
        assert world.drive_to_end() in {"completed", "failed", "cancelled"}
        check_projections(world)
        assert told(folded(plan, world.engine.ledger)) == told(world.engine.state)
