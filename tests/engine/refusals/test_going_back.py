"""Going back to where a run cannot go back to, or cannot now; and names that a checkpoint does not get."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.engine.refusals.asking import refuses
from tests.engine.world import World, phase, plan_of


def begun() -> World:
    """A run whose first phase has just begun."""
    return World(plan_of(phase(0), phase(1, 0)))


def once_done() -> World:
    world = begun()
    world.finish(0)
    return world


def saved_twice() -> World:
    world = once_done()
    world.operate("create_checkpoint", name="calm")
    world.operate("create_checkpoint", name="calm")
    return world


def cancelling() -> World:
    world = begun()
    world.operate("cancel")
    return world


def going_back() -> World:
    world = once_done()
    world.operate("restore", checkpoint="p0")
    return world


PLACES: dict[str, tuple[Callable[[], World], dict[str, object], str]] = {
    "nothing is said": (
        begun,
        {},
        "say where to go back to: a 'checkpoint', or the 'phase' before whose start",
    ),
    "too much is said": (
        once_done,
        {"checkpoint": "p0", "phase": 0},
        "say where to go back to: a 'checkpoint', or the 'phase' before whose start",
    ),
    "there is none yet": (begun, {"checkpoint": "last-checkpoint"}, "the run has no checkpoint yet"),
    "no such name": (once_done, {"checkpoint": "q9"}, "there is no checkpoint 'q9'"),
    "nearly a name": (once_done, {"checkpoint": "p00"}, "there is no checkpoint 'p00' (did you mean 'p0'?)"),
    "not so many of that name": (
        saved_twice,
        {"checkpoint": "calm@3"},
        "there is no checkpoint 'calm@3': of that name there are 2",
    ),
    "the phase has not begun": (begun, {"phase": 1}, "Phase 1 (index: 1) has not begun"),
    "the run is being cancelled": (cancelling, {"checkpoint": "beginning"}, "the run is being cancelled"),
}


@pytest.mark.parametrize("case", PLACES)
def test_restore_is_refused_because(case: str) -> None:
    made, fields, words = PLACES[case]
    refuses(made(), words, "restore", **fields)


@pytest.mark.parametrize("message", ["restore", "pause", "intervene"])
def test_a_run_that_goes_back_takes_nothing_but_cancel(message: str) -> None:
    fields: dict[str, dict[str, object]] = {
        "restore": {"checkpoint": "p0"},
        "pause": {},
        "intervene": {"phase": 1, "action": "skip", "reason": "x"},
    }
    words = "the run is going back to 'p0'; until its agents have ended it takes only 'cancel'"
    refuses(going_back(), words, message, **fields[message])
    world = going_back()
    world.operate("cancel")
    assert world.drive_to_end() == "cancelled"


NAMES = {
    "a/b": "a checkpoint cannot be called 'a/b'",
    "p0": "'p0' is the name of the checkpoint after that phase",
    "beginning": "'beginning' is the name of a place of every run",
}


def test_a_run_that_is_being_stopped_makes_no_checkpoint() -> None:
    words = "the run is being stopped; from here it could only stop again"
    refuses(cancelling(), words, "create_checkpoint", name="mine")


@pytest.mark.parametrize("name", NAMES)
def test_a_checkpoint_is_not_called(name: str) -> None:
    refuses(once_done(), NAMES[name], "create_checkpoint", name=name)
