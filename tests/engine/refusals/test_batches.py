"""Deciding about a batch of gates in ways that say nothing, or two things."""

from __future__ import annotations

import pytest

from tests.engine.gated import approved
from tests.engine.refusals.asking import refuses
from tests.engine.world import World, phase, plan_of

APPROVE = {"decision": "approve"}


def two_at_gates() -> World:
    """Two phases that wait for the same people, in the batch `c1`."""
    gates = (approved(),)
    world = World(plan_of(phase(0, group=0, gates=gates), phase(1, group=0, gates=gates)))
    world.finish(0)
    world.finish(1)
    return world


CASES: dict[str, tuple[dict[str, object], str]] = {
    "it is about nothing": ({**APPROVE}, "the message has no 'gate'"),
    "one gate has one digest": ({**APPROVE, "gate": "signed", "evidence": {}}, "'evidence' must be text"),
    "it is about a gate and a batch": (
        {**APPROVE, "gate": "signed", "batch": "c1"},
        "a decision is about one gate, or about a batch",
    ),
    "a batch has a digest for each gate": (
        {**APPROVE, "batch": "c1", "evidence": "sha256:0"},
        "'evidence' must be an object of digests by gate where a batch is decided about",
    ),
    "a gate is not in the batch": (
        {**APPROVE, "batch": "c1", "evidence": {"p9/signed": "sha256:0"}},
        "'p9/signed' does not wait in the batch 'c1'",
    ),
    "there is no such batch": ({**APPROVE, "batch": "c9"}, "no gate of a batch 'c9' waits for a decision"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_decision_is_refused_because(case: str) -> None:
    payload, words = CASES[case]
    refuses(two_at_gates(), words, "decide_gate", {**payload, "actor": "ana"})
