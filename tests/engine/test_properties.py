"""Whatever the plan, the order of events and the operator: needs, limits and an end."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings

from engine import snapshots
from engine.facts import Fact
from engine.plan import Plan
from engine.state import State
from engine.view import details, view
from tests.engine.playing import play
from tests.engine.strategies import STEPS, Step, plans
from tests.engine.world import World


@settings(max_examples=200, deadline=None)
@given(plans(), STEPS)
def test_no_phase_starts_before_its_needs_no_limit_is_exceeded_and_every_run_ends(
    plan: Plan, steps: list[Step]
) -> None:
    world = World(plan)
    play(world, steps)
    status = world.drive_to_end()
    assert status in {"completed", "failed", "cancelled"}
    assert all(phase.settled for phase in world.engine.state.phases)
    keys = [message["key"] for message in world.told]
    assert len(keys) == len(set(keys))
    ends = [message for message in world.told if message["kind"] == "notice" and message["body"]["kind"] == status]
    assert len([end for end in ends if "phase" not in end["body"]]) == len(plan.targets)


@settings(max_examples=60, deadline=None)
@given(plans(), STEPS)
def test_the_state_is_the_fold_of_the_facts(plan: Plan, steps: list[Step]) -> None:
    world = World(plan)
    play(world, steps)
    folded = State(plan)
    for fact in world.engine.ledger:
        folded.apply(fact)
    for phase, again in zip(world.engine.state.phases, folded.phases, strict=True):
        assert phase.circuit == again.circuit
        assert (phase.status, phase.epoch, phase.outputs, phase.error) == (
            again.status,
            again.epoch,
            again.outputs,
            again.error,
        )
        assert (phase.base, phase.conflicts, phase.stale) == (again.base, again.conflicts, again.stale)
    assert folded.context.values() == world.engine.state.context.values()
    assert (folded.status, folded.counts, folded.pause) == (
        world.engine.state.status,
        world.engine.state.counts,
        world.engine.state.pause,
    )


@settings(max_examples=60, deadline=None)
@given(plans(), STEPS, STEPS)
def test_a_snapshot_at_any_moment_goes_on_to_an_end_with_nothing_lost(
    plan: Plan, steps: list[Step], more: list[Any]
) -> None:
    world = World(plan)
    play(world, steps)
    if world.finished:
        return
    snapshot = json.loads(json.dumps(snapshots.snapshot(world.engine)))
    told = {(f.phase, f.epoch) for f in world.engine.ledger if f.kind == "phase_settled"}
    # Items that a restore has undone keep their places as if they were cancelled, and no fact says so.
    phases = enumerate(world.engine.state.phases)
    settled = {(i, p.epoch): p.outputs for i, p in phases if p.settled and (i, p.epoch) in told}
    successor = World(plan, engine=snapshots.restore(plan, snapshot, world.now))
    if world.counting or plan.execution.max_workers == 0:
        successor.counting = not world.engine.state.max_workers
    play(successor, more)
    successor.drive_to_end()
    assert not {told["key"] for told in world.told} & {told["key"] for told in successor.told}
    for (index, epoch), outputs in settled.items():
        phase = successor.engine.state.phases[index]
        assert phase.outputs == outputs or phase.epoch > epoch
        before, after = (settlements(run.engine.ledger, index, epoch) for run in (world, successor))
        # After a restore a phase counts as settled in an epoch in which it was not.
        assert before == after == 1 or (before == after == 0 and epoch)


def settlements(ledger: list[Fact], index: int, epoch: int) -> int:
    """How often a phase was settled in an epoch, for good."""
    own = [fact for fact in ledger if fact.kind == "phase_settled" and (fact.phase, fact.epoch) == (index, epoch)]
    return sum(not fact.data.get("held") for fact in own)


@settings(max_examples=60, deadline=None)
@given(plans(), STEPS)
def test_every_view_is_json_and_agrees_with_the_state(plan: Plan, steps: list[Step]) -> None:
    world = World(plan)
    play(world, steps)
    shown = json.loads(json.dumps(view(world.engine, world.now)))
    assert shown["status"] == world.engine.state.status
    assert sum(shown["counts"].values()) == len(plan.phases)
    assert [row["id"] for row in shown["phases"]] == [p.id for p in plan.phases]
    for phase in world.engine.state.phases:
        json.dumps(details(world.engine, phase))
