"""Restores as `run` and `watch` tell them, and as checkpoints are read."""

from __future__ import annotations

import asyncio
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from cli.reach.comparing import difference
from cli.reach.ended import EndedRun
from cli.reach.past import Past, past_of
from cli.words.checkpoints import content, diff, listing, question
from cli.words.narration import Narration
from engine import checkpoints
from engine.engine import Engine
from engine.plan import Plan
from engine.view import view
from tests.engine.playing import play
from tests.engine.strategies import STEPS, Step, plans
from tests.engine.world import PERSON, World, phase, plan_of


def lived() -> World:
    world = World(plan_of(phase(0), phase(1, 0, agents=(PERSON,)), phase(2, 1)))
    world.finish(0, text="one")
    world.operate("complete_phase", phase=1)
    world.operate("restore", checkpoint="p0", actor="ana")
    world.end_agent(min(world.running))
    return world


def test_what_is_told_of_a_restore_and_how_phases_stand_after_it() -> None:
    world = lived()
    narration = Narration(world.plan)
    told = [line for fact in world.engine.ledger for line in narration.feed(fact)]
    back = next(number for number, line in enumerate(told) if "Back at p0" in line)
    assert "Going back by ana to p0" in "".join(told[:back])
    assert {index: stand.status for index, stand in narration.stand.items()} == {0: "completed", 1: "in_progress"}
    assert list(narration.running) == [1]
    world.drive_to_end()
    closing = [line for fact in world.engine.ledger[len(narration.facts) :] for line in narration.feed(fact)]
    assert "All steps complete" in "".join(closing)


def test_checkpoints_in_a_list_and_what_differs_between_two() -> None:
    world = lived()
    past = Past("wf_test00", world.plan, list(world.engine.ledger))
    rows = checkpoints.page(past.now)["checkpoints"]
    lines = listing(rows, rows[-1]["at"])
    assert [line.split()[0] for line in lines] == ["CHECKPOINT", "p0", "p1"]
    assert lines[2].endswith("undone")
    between = difference(past.content(*past.find("beginning")), past.content(*past.find("p0")))
    assert diff(between) == [
        "From beginning to p0:",
        "  p0: pending -> completed",
        "  p0.text: none -> one",
    ]
    assert "Nothing differs" in diff(difference(past.content(1, "a"), past.content(1, "b")))[0]
    one, other = ({"context_version": n, "context": {"port": n, "same": 1}} for n in (1, 2))
    there = past.content(1, "a")
    assert diff(difference(there | one, past.content(1, "b") | other)) == ["From a to b:", "  context port: 1 -> 2"]
    assert content(there | other)[-3:] == ["Context version: 2", "Context: port = 2", "Context: same = 1"]
    assert not any("Context" in line for line in content(there))
    assert question({"at_work": 2, "checkpoint": "p0"}) == "2 agents at work will be stopped. Go back to p0?"


def test_what_is_no_longer_there_is_no_artifact_of_a_checkpoint() -> None:
    world = World(plan_of(phase(0), phase(1, 0)))
    large = {"$artifact": f"sha256:{'a' * 64}", "size": 9, "media_type": "application/json"}
    world.finish(0, report=large)
    world.finish(1, more={"deep": [large]})
    past = Past("wf_test00", world.plan, list(world.engine.ledger))
    shown = past.content(*past.find("p1"))["artifacts"]
    assert [(each["phase"], each["name"]) for each in shown] == [("p0", "report"), ("p1", "more")]
    assert [each["phase"] for each in past.content(*past.find("p0"))["artifacts"]] == ["p0"]


@settings(max_examples=40, deadline=None)
@given(plans(), STEPS, st.integers(0, 60))
def test_an_exported_checkpoint_of_any_run_has_the_same_view_wherever_it_is_read(
    plan: Plan, steps: list[Step], seed: int
) -> None:
    world = World(plan)
    play(world, steps)
    past = Past("wf_test00", plan, list(world.engine.ledger))
    places = [1, *past.now.saved.positions]
    position = places[seed % len(places)]
    exported = json.loads(json.dumps(past.exported(position, "it")))
    read = EndedRun("wf_test00", exported["ledger"], closed="exported")
    again = asyncio.run(past_of(read))
    assert again.content(position, "it") == past.content(position, "it")
    assert {**exported, "ledger": None} == {**again.exported(position, "it"), "ledger": None}
    engine = Engine(plan)
    for fact in world.engine.ledger[:position]:
        engine.state.apply(fact)
    shown = asyncio.run(read.view())
    expected = view(engine, world.now)
    same = expected.keys() - {"now", "status"}
    assert {key: shown[key] for key in same} == {key: expected[key] for key in same}
