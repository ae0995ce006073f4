"""Completing and failing phases that nobody has open, and with outputs that are not those declared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.agents import OutputPlan
from engine.gates.plans import GatePlan
from engine.plan import Execution
from tests.engine.gated import CHECKED, approved, by_hand
from tests.engine.refusals.asking import refuses
from tests.engine.world import COMMAND, PERSON, World, full_stack, phase, plan_of

Json = dict[str, Any]
NAME = "Phase 0 (index: 0)"


def people(*, group: bool = False) -> World:
    """Two phases that people have open."""
    where = {"group": 0} if group else {}
    return World(plan_of(phase(0, agents=(PERSON,), **where), phase(1, agents=(PERSON,), **where)))


def failed_once(**fields: Any) -> World:
    world = World(plan_of(phase(0, **fields), phase(1, agents=(PERSON,))))
    world.fail(0)
    return world


def paused_run() -> World:
    world = World(full_stack())
    world.operate("pause")
    return world


def signal_missing() -> World:
    world = World(plan_of(phase(0), completion_signals=("Canary is green",)))
    world.finish(0)
    return world


def at_checks() -> World:
    return by_hand(CHECKED)


def at_people() -> World:
    return by_hand(approved(people=("ana", "bo")))


def held() -> World:
    """Nothing runs: the one phase waits for its worker."""
    return World(plan_of(phase(0), execution=Execution(max_workers=0)))


NEXT: dict[str, tuple[Callable[[], World], str]] = {
    "a parallel group is open": (
        lambda: people(group=True),
        "a parallel group is open: Phase 0 (index: 0), Phase 1 (index: 1)",
    ),
    "a decision is needed": (failed_once, f"a decision is needed first on {NAME}"),
    "the run is paused": (paused_run, "the run is paused"),
    "several phases are open": (people, "several phases are open: Phase 0 (index: 0), Phase 1 (index: 1)"),
    "an agent is at work": (
        lambda: World(plan_of(phase(0))),
        f"no phase waits for a person: {NAME}: builder works on it: command true, for 0s",
    ),
    "only a signal is missing": (signal_missing, "all phases are done; the run waits for: Canary is green"),
    "nothing runs": (held, "no phase is running"),
    "people decide": (at_people, f"{NAME} waits at the gate 'release' for ana, bo to decide"),
    "a gate is being checked": (at_checks, f"no phase waits for a person: {NAME}: lead's part is done"),
}


@pytest.mark.parametrize("case", NEXT)
def test_next_is_refused_where(case: str) -> None:
    make, words = NEXT[case]
    refuses(make(), words, "next")


def ended(how: str) -> World:
    """A first phase that is no longer open, and a second one that is."""
    first = (PERSON,) if how in {"completed", "skipped"} else (COMMAND,)
    policy = "isolate" if how == "failed" else "pause"
    world = World(plan_of(phase(0, agents=first, on_failure=policy), phase(1, agents=(PERSON,))))
    if how == "completed":
        world.operate("complete_phase", phase=0)
    elif how == "skipped":
        world.operate("intervene", phase=0, action="skip", reason="x")
    elif how == "cancelled":
        world.operate("intervene", phase=0, action="cancel")
        world.end_agent((0, 0, 0))
    else:
        world.fail(0)
    return world


def cancelling() -> World:
    world = World(plan_of(phase(0, agents=(COMMAND, PERSON), agents_mode="parallel"), phase(1)))
    world.operate("intervene", phase=0, action="cancel")
    return world


OPEN: dict[str, tuple[Callable[[], World], int, str]] = {
    "has not started": (lambda: World(full_stack()), 4, "Phase 4 (index: 4) has not started"),
    "is completed": (lambda: ended("completed"), 0, f"{NAME} is already completed"),
    "is cancelled": (lambda: ended("cancelled"), 0, f"{NAME} is cancelled"),
    "was skipped": (lambda: ended("skipped"), 0, f"{NAME} was skipped"),
    "has failed": (lambda: ended("failed"), 0, f"{NAME} has failed"),
    "has failed and waits": (lambda: ended("paused"), 0, f"{NAME} has failed and waits for a decision"),
    "is being cancelled": (cancelling, 0, f"{NAME} is being cancelled"),
    "waits at a gate": (at_people, 0, f"{NAME} waits at the gate 'release' for ana, bo to decide"),
    "is being checked": (at_checks, 0, f"{NAME} stands at the gate 'pre-push', which is being checked"),
    "completes with its items": (
        lambda: World(plan_of(phase(0, agents=(PERSON,), for_each=["a", "b"]))),
        0,
        f"{NAME} completes with its items",
    ),
    "completes by itself": (
        lambda: World(plan_of(phase(0))),
        0,
        f"{NAME} completes by itself: builder works on it: command true, for 0s",
    ),
}


@pytest.mark.parametrize("message", ["complete_phase", "fail_phase"])
@pytest.mark.parametrize("case", OPEN)
def test_a_phase_is_completed_or_failed_by_nobody_that(case: str, message: str) -> None:
    make, index, words = OPEN[case]
    refuses(make(), words, message, phase=index)


def declared(**outputs: OutputPlan) -> World:
    return World(plan_of(phase(0, agents=(PERSON,), outputs=outputs)))


def test_outputs_of_another_type_are_refused() -> None:
    world = declared(contract=OutputPlan(type="string"))
    refuses(world, "output 'contract' of Phase 0 must be string", "next", outputs={"contract": [1]})


def test_a_missing_output_is_refused() -> None:
    world = declared(contract=OutputPlan(type="string"), size=OutputPlan(type="integer"))
    refuses(world, "Phase 0 declares outputs that are missing: contract (string), size (integer)", "next")


def test_artifacts_that_are_no_references_are_refused() -> None:
    refuses(declared(), "'artifacts' must be a list of references", "next", artifacts=[1])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": "../x"}, "the name of an artifact leads elsewhere: '../x'"),
        ({"name": "/x"}, "the name of an artifact leads elsewhere: '/x'"),
        ({"name": 3}, "the name of an artifact leads elsewhere: '3'"),
        ({"sha256": "a" * 63}, "the artifact 'x' has no sha256 of 64 digits"),
        ({"size": -1}, "the artifact 'x' has no size, or no media type"),
        ({"media_type": None}, "the artifact 'x' has no size, or no media type"),
    ],
)
def test_files_of_the_store_that_cannot_be_are_refused(wrong: Json, words: str) -> None:
    told = {"name": "x", "sha256": "a" * 64, "size": 1, "media_type": "text/plain", **wrong}
    refuses(declared(), words, "next", artifacts=[told])


def test_a_number_is_never_a_reference() -> None:
    reference = {"$artifact": f"sha256:{'a' * 64}", "size": 9, "media_type": "application/json"}
    world = declared(size=OutputPlan(type="integer"))
    refuses(world, "output 'size' of Phase 0 must be integer", "next", outputs={"size": reference})


def test_a_gate_of_people_says_who_is_asked_also_where_it_is_anybody() -> None:
    gate = GatePlan(id="release", approval=approved().approval)
    refuses(by_hand(gate), f"{NAME} waits at the gate 'release' for somebody to decide", "next")
