"""Whatever happened before: a run that goes back, or goes on as another one, is where its facts say."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from engine import restoring
from engine.engine import Engine
from engine.plan import Plan
from tests.engine.playing import check_votes, folded, play, reviewed_world, told
from tests.engine.strategies import REVIEWED_PLANS, STEPS, Step, plans
from tests.engine.world import World


@settings(max_examples=60, deadline=None)
@given(st.one_of(plans(), REVIEWED_PLANS), STEPS, STEPS, st.integers(1, 60))
def test_after_a_restore_the_run_is_where_its_first_facts_left_it_but_for_what_ran_and_comes_to_an_end(
    plan: Plan, steps: list[Step], more: list[Step], seed: int
) -> None:
    world = reviewed_world(plan, slow=seed % 2 == 0)
    play(world, steps)
    if world.finished or world.engine.state.stopping == "cancelled":
        return
    if world.engine.state.restoring is None:
        places = [1, *world.engine.state.saved.positions]
        to = places[seed % len(places)]
        world.operate("restore", checkpoint="beginning" if to == 1 else to)
    else:
        to = world.engine.state.restoring["to"]
    while world.engine.state.restoring is not None:
        assert world.running, "it waits for nobody"
        world.end_agent(min(world.running))
    ledger = world.engine.ledger
    at = next(f.n for f in reversed(ledger) if f.kind == "restored")
    now, then = folded(plan, ledger[:at]), folded(plan, ledger[:to])
    epochs = {int(index): epoch for index, epoch in ledger[at - 1].data["epochs"].items()}
    for before, phase in zip(then.phases, now.phases, strict=False):
        index = phase.plan.index
        if before.status == "running" and before.cancelling is None and before.gate is None:
            assert phase.status == ("running" if index in then.expanding else "pending")
        else:
            assert (phase.status, phase.outputs, phase.held) == (before.status, before.outputs, before.held)
        assert phase.epoch == epochs.get(index, before.epoch)
        assert phase.epoch >= before.epoch
    assert all(phase.status == "cancelled" for phase in now.phases[len(then.phases) :])
    assert (now.signals, now.rounds, now.stopping) == (then.signals, then.rounds, then.stopping)
    play(world, more)
    check_votes(world)
    assert world.drive_to_end() in {"completed", "failed", "cancelled"}
    again = folded(plan, ledger)
    assert told(again) == told(world.engine.state)


@settings(max_examples=40, deadline=None)
@given(st.one_of(plans(), REVIEWED_PLANS), STEPS, st.integers(0, 60), STEPS)
def test_a_new_run_goes_on_where_another_one_was_at_any_of_its_checkpoints(
    plan: Plan, steps: list[Step], seed: int, more: list[Step]
) -> None:
    world = reviewed_world(plan, slow=seed % 2 == 0)
    play(world, steps)
    places = [1, *world.engine.state.saved.positions]
    to = places[seed % len(places)]
    facts = json.loads(json.dumps([fact.to_json() for fact in world.engine.ledger[:to]]))
    engine = Engine(plan)
    restoring.seed(
        engine, {"facts": facts, "from": "wf_old", "checkpoint": "c"}, world.now, run={"id": "wf_new"}, actor=None
    )
    engine.advance(world.now)
    successor = World(plan, engine=engine)
    play(successor, more)
    assert successor.drive_to_end() in {"completed", "failed", "cancelled"}
    assert successor.engine.state.run["id"] == "wf_new"
    assert told(folded(plan, engine.ledger)) == told(engine.state)
