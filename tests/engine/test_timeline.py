"""A run through time: how it stood at any moment."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from hypothesis import given, settings

from engine.effects import AgentFinished
from engine.gates.plans import ApprovalPlan, CheckPlan, GatePlan
from engine.plan import Execution, Plan
from engine.statuses import SHOWN
from engine.timeline import standing, timeline
from tests.engine.playing import play
from tests.engine.strategies import STEPS, Step, plans
from tests.engine.world import PERSON, World, phase, plan_of

GATE = GatePlan(
    id="release",
    checks=(CheckPlan(name="lint", gate="release", run=("lint",)),),
    approval=ApprovalPlan(people=("ana",), evidence="optional", self_approval=True),
)


def story() -> World:
    """0 both wait for one slot; 4 p0 done, p1 starts; 9 p1 at its gate; 12 its checks done; 30 approved; 50 p2 done."""
    plan = plan_of(
        phase(0), phase(1, gates=(GATE,)), phase(2, 0, 1, agents=(PERSON,)), execution=Execution(max_workers=1)
    )
    world = World(plan)
    for seconds, what in ((4, 0), (5, 1), (3, 1)):
        world.tick(seconds)
        world.finish(what)
    world.tick(18)
    world.operate("decide_gate", gate="release", decision="approve", actor="ana")
    world.tick(20)
    world.operate("complete_phase", phase=2)
    return world


def repeated() -> World:
    """One phase, 10 s long, whose third attempt began after 6 s and completed."""
    world = World(plan_of(phase(0)))
    began = datetime.fromtimestamp(world.now + 6, UTC).isoformat()
    world.tick(10)
    world.running.pop((0, 0, 0))
    result = {"outputs": {}, "attempts": 3, "started_at": began, "duration": 4.0}
    world.feed(AgentFinished(phase=0, epoch=0, position=0, result=result))
    return world


def test_each_moment_says_how_the_phases_stood_and_what_waited_for_whom() -> None:
    world = story()
    shown = timeline(world.plan, world.engine.ledger, world.now, run="wf_abc123")
    assert [standing(shown, t)["lanes"] for t in (0, 4, 9, 12, 29.9, 30, 50)] == [
        [["in_progress", "builder at work"], ["pending", "waits for its start"], ["pending", ""]],
        [["completed", ""], ["in_progress", "builder at work"], ["pending", ""]],
        [["completed", ""], ["in_progress", "checks of release"], ["pending", ""]],
        [["completed", ""], ["in_progress", "waits for ana at the gate release"], ["pending", ""]],
        [["completed", ""], ["in_progress", "waits for ana at the gate release"], ["pending", ""]],
        [["completed", ""], ["completed", ""], ["in_progress", "waits for lead"]],
        [["completed", ""], ["completed", ""], ["completed", ""]],
    ]
    assert [standing(shown, t)["run"] for t in (-1, 0, 49, 50)] == ["pending", "running", "running", "completed"]
    assert standing(shown, 3)["lines"][-1].endswith("Agent: builder - Invoked")
    assert shown["length"] == 50


def test_lanes_have_a_spell_for_each_wait_and_each_work() -> None:
    world = story()
    lane = timeline(world.plan, world.engine.ledger, world.now)["lanes"][1]
    told = [(each["kind"], each["start"], each["end"], each["outcome"]) for each in lane["spells"]]
    assert sorted(told) == [
        ("agent", 4, 9, "completed"),
        ("checks", 9, 12, "passed"),
        ("gate", 12, 30, "passed"),
        ("queue", 0, 4, "started"),
        ("running", 4, 30, "completed"),
    ]


def test_an_open_run_goes_up_to_now_and_a_failure_waits_for_a_decision() -> None:
    world = World(plan_of(phase(0)))
    world.tick(2)
    world.end_agent((0, 0, 0), error={"code": "exit_code", "attempts": 3})
    world.tick(5)
    shown = timeline(world.plan, world.engine.ledger, world.now)
    agent, decision = (each for each in shown["lanes"][0]["spells"] if each["kind"] != "running")
    assert (agent["attempts"], agent["outcome"]) == (3, "failed")
    assert (decision["kind"], decision["end"], decision["open"]) == ("decision", 7, True)
    assert standing(shown, 7)["lanes"] == [["paused", "waits for a decision"]]


def test_the_last_of_several_attempts_is_known_where_the_agent_has_told_it() -> None:
    world = repeated()
    (spell,) = (
        each
        for each in timeline(world.plan, world.engine.ledger, world.now)["lanes"][0]["spells"]
        if each["kind"] == "agent"
    )
    assert (spell["attempts"], spell["last"]) == (3, 6)


def test_items_have_lanes_behind_their_phase() -> None:
    world = World(plan_of(phase(0, for_each=["a", "b"]), phase(1, 0)))
    world.drive_to_end()
    lanes = timeline(world.plan, world.engine.ledger, world.now)["lanes"]
    assert [(lane["id"], lane["item"]) for lane in lanes] == [
        ("p0", False),
        ("p0.0", True),
        ("p0.1", True),
        ("p1", False),
    ]


@settings(max_examples=100, deadline=None)
@given(plans(), STEPS)
def test_the_last_moment_is_how_the_run_stands_and_spells_lie_within_it(plan: Plan, steps: list[Step]) -> None:
    world = World(plan)
    play(world, steps)
    shown = json.loads(json.dumps(timeline(plan, world.engine.ledger, world.now)))
    state = world.engine.state
    now = standing(shown, shown["length"])
    by_index = {lane["index"]: now["lanes"][number][0] for number, lane in enumerate(shown["lanes"])}
    assert by_index == {index: SHOWN[phase.status] for index, phase in enumerate(state.phases)}
    for lane in shown["lanes"]:
        for spell in lane["spells"]:
            assert 0 <= spell["start"] <= spell["end"] <= shown["length"]
    assert [moment["n"] for moment in shown["moments"]] == list(range(1, len(world.engine.ledger) + 1))
