"""Whatever the plan and the order of events: with keys, nothing is decided that nobody has signed."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings

from engine import snapshots
from engine.engine import Engine
from engine.plan import Plan
from engine.snapshots import restore
from tests.engine.playing import play
from tests.engine.signing import ALL_SIGNERS, SigningWorld, signing
from tests.engine.strategies import STEPS, Step, plans
from tests.engine.world import World
from workflows.verifying import verifier

DECIDED = {"gate_decided", "gate_delegated", "gate_waived"}


@settings(max_examples=100, deadline=None)
@given(plans(), STEPS)
def test_every_decision_was_signed_and_every_run_ends(plan: Plan, steps: list[Step]) -> None:
    world = signing(replace(plan, signers=ALL_SIGNERS))
    play(world, steps)
    assert world.drive_to_end() in {"completed", "failed", "cancelled"}
    ledger = world.engine.ledger
    for before, fact in pairwise(ledger):
        if fact.kind in DECIDED:
            assert (before.kind, before.actor) == ("message_signed", fact.actor)
            assert before.data["statement"]["payload"]["gate"] == fact.data["name"]


@settings(max_examples=100, deadline=None)
@given(plans(), STEPS)
def test_without_signatures_nobody_decides_anything(plan: Plan, steps: list[Step]) -> None:
    plan = replace(plan, signers=ALL_SIGNERS)
    engine = Engine(plan, verify=verifier(plan))
    engine.start(1_000_000.0, inputs={}, env={}, run={"id": "wf_test00"})
    world = World(plan, engine=engine)
    play(world, steps)
    assert not [fact for fact in engine.ledger if fact.kind in DECIDED | {"message_signed"}]
    assert not [fact for fact in engine.ledger if fact.kind == "gate_settled" and fact.actor is not None]


@settings(max_examples=60, deadline=None)
@given(plans(), STEPS, STEPS)
def test_a_snapshot_at_any_moment_knows_what_has_counted(plan: Plan, steps: list[Step], more: list[Step]) -> None:
    plan = replace(plan, signers=ALL_SIGNERS)
    world = signing(plan)
    play(world, steps)
    if world.finished:
        return
    taken = json.loads(json.dumps(snapshots.snapshot(world.engine)))
    again = SigningWorld(plan, engine=restore(plan, taken, world.now, verify=verifier(plan)))
    assert again.engine.state.signed == world.engine.state.signed
    again.counting = not world.engine.state.max_workers
    play(again, more)
    again.drive_to_end()
