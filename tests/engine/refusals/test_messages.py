"""Messages that no run takes, whatever it does: unknown, of the wrong shape, too large, late."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.plan import PhasePlan
from tests.engine.refusals.asking import refuses
from tests.engine.world import PERSON, World, full_stack, phase, plan_of

Json = dict[str, Any]

SHAPES: dict[str, tuple[str, object, str]] = {
    "no message of this name": ("wink", {}, "there is no message 'wink'"),
    "a message written wrong": ("puase", {}, "there is no message 'puase' (did you mean 'pause'?)"),
    "no object": ("next", [1], "the message must be one JSON object"),
    "an unknown field": ("pause", {"zzz": 1}, "the message has an unknown field 'zzz'"),
    "a field written wrong": (
        "pause",
        {"actr": "x"},
        "the message has an unknown field 'actr' (did you mean 'actor'?)",
    ),
    "a missing field": ("complete_phase", {}, "the message has no 'phase'"),
    "a field of the wrong type": ("next", {"actor": 7}, "'actor' must be text"),
    "a field of none of its types": ("complete_phase", {"phase": [1]}, "'phase' must be a number or text"),
    "a long text": ("next", {"note": "n" * 5000}, "'note' is longer than 4096 characters"),
    "a large field": ("next", {"outputs": {"x": "y" * 70_000}}, "'outputs' is larger than 64 KiB"),
    "a deep field": (
        "next",
        {"outputs": {"x": json.loads("[" * 99 + "]" * 99)}},
        "'outputs' is nested more than 64 levels deep",
    ),
    "no number of JSON": ("next", {"outputs": {"x": float("nan")}}, "'outputs' holds a number that JSON does not have"),
    "too many expectations": (
        "next",
        {"expect": [{"phase": 0, "epoch": 0}] * 101},
        "'expect' has more than 100 entries",
    ),
    "an expectation of another form": ("next", {"expect": [{"phase": 0}]}, "'expect' must be a list of {phase, epoch}"),
    "no phase of this index": ("complete_phase", {"phase": 9}, "there is no phase 9"),
    "a phase written wrong": (
        "complete_phase",
        {"phase": "Phse 1"},
        "there is no phase 'Phse 1' (did you mean 'Phase 1'?)",
    ),
    "an epoch that is not": (
        "complete_phase",
        {"phase": 0, "epoch": 3},
        "Phase 0 has been started again since (epoch 0, the message names epoch 3)",
    ),
    "an unmet expectation": (
        "next",
        {"expect": [{"phase": 1, "epoch": 2}]},
        "Phase 1 has been started again since (epoch 0, the message names epoch 2)",
    ),
}


@pytest.mark.parametrize("case", SHAPES)
def test_a_message_is_refused_that_is_or_names(case: str) -> None:
    message, payload, words = SHAPES[case]
    refuses(World(full_stack()), words, message, payload)


def test_a_name_of_several_phases_is_refused() -> None:
    twins = plan_of(phase(0, agents=(PERSON,)), PhasePlan(id="other", name="Phase 0", index=1, agents=(PERSON,)))
    words = "'Phase 0' is the name of 2 phases: Phase 0 (index: 0), Phase 0 (index: 1)"
    refuses(World(twins), words, "complete_phase", phase="Phase 0")


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
def test_every_message_to_a_run_is_refused_that_has(status: str) -> None:
    world = World(plan_of(phase(0, on_failure="isolate")))
    if status == "cancelled":
        world.operate("cancel")
        world.end_agent((0, 0, 0))
    elif status == "failed":
        world.fail(0)
    else:
        world.finish(0)
    refuses(world, f"the run is {status}", "pause")


def test_an_unknown_completion_signal_is_refused() -> None:
    world = World(plan_of(phase(0), completion_signals=("Canary is green",)))
    refuses(world, "there is no completion signal 'x'", "report_signal", signal="x")
    words = "there is no completion signal 'Canary is gren' (did you mean 'Canary is green'?)"
    refuses(world, words, "report_signal", signal="Canary is gren")
