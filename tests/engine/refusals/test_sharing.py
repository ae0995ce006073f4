"""The shared context: asking for what it does not have, and writing where there is none."""

from __future__ import annotations

from typing import Any

import pytest

from engine.context import showing
from engine.errors import RefusedError
from tests.engine.refusals.asking import refuses
from tests.engine.sharing import side_by_side
from tests.engine.world import PERSON, World, phase, plan_of

QUESTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "it has no such key": ({"key": "nothing"}, "there is no context key 'nothing'"),
    "it has nearly such a key": ({"key": "servr"}, "there is no context key 'servr' (did you mean 'server'?)"),
    "a version is a number": ({"at": "yesterday"}, "'yesterday' is no version"),
    "it has not so many versions": ({"at": 7}, "there is no version 7"),
}


@pytest.mark.parametrize("case", QUESTIONS)
def test_a_question_is_refused_because(case: str) -> None:
    asked, words = QUESTIONS[case]
    with pytest.raises(RefusedError) as why:
        showing.answer(World(side_by_side()).engine, asked)
    assert why.value.message == words


def test_a_run_without_keys_has_no_context_to_show() -> None:
    with pytest.raises(RefusedError) as why:
        showing.answer(World(plan_of(phase(0))).engine, {"key": "a"})
    assert why.value.message == "the definition of this run declares no context keys"


def test_a_person_writes_no_context_where_there_is_none() -> None:
    world = World(plan_of(phase(0, agents=(PERSON,))))
    refuses(world, "the definition declares no context keys", "complete_phase", phase=0, context={"a": 1})


def test_a_decision_that_replaces_needs_values() -> None:
    world = World(side_by_side())
    world.write(0, client=1)
    world.write(1, server=-1)
    paused = [p.plan.index for p in world.engine.state.phases if p.status == "paused"]
    assert paused, "the invariant of 'server' does not hold"
    refuses(world, "replace_context needs the values", "intervene", phase=paused[0], action="replace_context")
