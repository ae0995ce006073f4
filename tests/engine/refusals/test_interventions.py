"""Decisions about a phase that its status does not allow, or that lack what they need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.gates.plans import GatePlan
from tests.engine.gated import CHECKED, LINT
from tests.engine.refusals.asking import refuses
from tests.engine.world import World, phase, plan_of

Json = dict[str, Any]
NAME = "Phase 1 (index: 1)"


def running() -> World:
    world = World(plan_of(phase(0), phase(1, 0, gates=(CHECKED,)), phase(2, 1)))
    world.finish(0)
    return world


def failed() -> World:
    world = running()
    world.fail(1)
    return world


def at_gate() -> World:
    world = running()
    world.finish(1)
    world.fail(1)
    return world


def cancelling() -> World:
    world = running()
    world.operate("intervene", phase=1, action="cancel")
    return world


def strict() -> World:
    gate = GatePlan(id="strict", checks=(LINT,), skippable=False)
    world = World(plan_of(phase(0), phase(1, 0, gates=(gate,))))
    world.finish(0)
    world.finish(1)
    world.fail(1)
    return world


CASES: dict[str, tuple[Callable[[], World], Json, str]] = {
    "an action that there is not": (failed, {"action": "wish"}, "there is no action 'wish'"),
    "any action while it is being cancelled": (cancelling, {"action": "retry"}, f"{NAME} is being cancelled"),
    "retry while it runs": (running, {"action": "retry"}, f"{NAME} is running; retry is not possible"),
    "retry before it has started": (
        lambda: World(plan_of(phase(0), phase(1, 0))),
        {"action": "retry"},
        f"{NAME} is pending; retry is not possible",
    ),
    "retry_gate where it stands at none": (
        failed,
        {"action": "retry_gate"},
        f"{NAME} is paused; retry_gate is not possible",
    ),
    "skip at a gate": (at_gate, {"action": "skip", "reason": "x"}, f"{NAME} is paused; skip is not possible"),
    "replace_output at a gate": (
        at_gate,
        {"action": "replace_output", "outputs": {}},
        f"{NAME} is paused; replace_output is not possible",
    ),
    "skip_gate of one that cannot be skipped": (
        strict,
        {"action": "skip_gate", "reason": "x"},
        f"{NAME} is paused; skip_gate is not possible",
    ),
    "a decision of an agent at a gate": (
        at_gate,
        {"action": "skip_gate", "reason": "x", "actor": "agent:builder"},
        "agent:builder: what an agent runs decides about no gate",
    ),
    "skip without a reason": (failed, {"action": "skip"}, "skipping needs a reason"),
    "skip_gate without a reason": (at_gate, {"action": "skip_gate", "reason": "  "}, "skipping needs a reason"),
    "retry_with without the input": (failed, {"action": "retry_with"}, "retry_with needs the edited input"),
    "replace_output without outputs": (failed, {"action": "replace_output"}, "replace_output needs the outputs"),
    "go_to without a phase": (failed, {"action": "go_to"}, "go_to needs the phase to go back to"),
    "go_to a later phase": (failed, {"action": "go_to", "to": 2}, "Phase 2 does not come before Phase 1"),
    "go_to a phase that there is not": (failed, {"action": "go_to", "to": 7}, "there is no phase 7"),
}


@pytest.mark.parametrize("case", CASES)
def test_about_a_phase_is_refused(case: str) -> None:
    make, choice, words = CASES[case]
    refuses(make(), words, "intervene", {"phase": 1, **choice})
