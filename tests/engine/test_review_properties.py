"""Whatever the order of events: reviews count once, for what was reviewed, and hold nothing up for good."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from engine import snapshots
from engine.gates.plans import GatePlan, ReviewPlan
from engine.plan import Execution, PhasePlan, Plan
from engine.state import State
from engine.view import details
from tests.engine.playing import check_votes, play, reviewed_world
from tests.engine.strategies import BY_ONE, BY_TWO, REVIEWED_PLANS, STEPS, Step
from tests.engine.world import COMMAND


@settings(max_examples=50, deadline=None)
@given(REVIEWED_PLANS, STEPS, STEPS, st.sampled_from(["soon", "late"]))
def test_reviews_count_once_and_for_their_epoch_survive_a_snapshot_and_never_stop_a_run_for_good(
    plan: Plan, steps: list[Step], more: list[Step], when: str
) -> None:
    world = reviewed_world(plan, slow=when == "late")
    play(world, steps)
    check_votes(world)
    if not world.finished:
        taken = json.loads(json.dumps(snapshots.snapshot(world.engine)))
        successor = reviewed_world(plan, slow=when == "late", taken=taken, at=world.now)
        successor.counting = not world.engine.state.max_workers
        play(successor, more)
        assert successor.drive_to_end() in {"completed", "failed", "cancelled"}
        check_votes(successor)
        for phase in successor.engine.state.phases:
            json.dumps(details(successor.engine, phase))
        folded = State(plan)
        for fact in successor.engine.ledger:
            folded.apply(fact)
        assert folded.reviews == successor.engine.state.reviews
    play(world, more)
    world.drive_to_end()
    check_votes(world)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 20), max_size=40), st.sampled_from([BY_TWO, BY_ONE]), st.integers(1, 6))
def test_every_gate_is_in_one_consultation_per_epoch_listed_in_plan_order_however_they_arrive(
    order: list[int], review: ReviewPlan, workers: int
) -> None:
    gate = GatePlan(id="checked", review=review)
    members = (
        PhasePlan(id=f"p{n}", name=f"P {n}", index=n, agents=(COMMAND,), gates=(gate,), group=0) for n in range(6)
    )
    plan = Plan(id="plan", name="Plan", phases=tuple(members), execution=Execution(max_workers=workers))
    world = reviewed_world(plan, slow=True)
    play(world, [("finish", number) for number in order])
    world.drive_to_end()
    check_votes(world)
    consulted = [fact.data["gates"] for fact in world.engine.ledger if fact.kind == "consultation_opened"]
    assert all(gates == sorted(gates, key=lambda gate: gate["phase"]) for gates in consulted)
    named = [(gate["phase"], gate["epoch"]) for gates in consulted for gate in gates]
    assert len(named) == len(set(named))
    assert {index for index, _ in named} == set(range(6))
    if review.together:
        assert len(consulted[0]) == 6
