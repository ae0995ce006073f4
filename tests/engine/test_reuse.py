"""What a fork need not do again: the same part of the plan, the same values read, and all that they come from."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings

from engine import starting
from engine.agents import AgentPlan
from engine.effects import AgentFinished
from engine.engine import Engine
from engine.journal import lines
from engine.measures import totals
from engine.plan import HookPlan, InputPlan, JumpPlan, Plan
from engine.reuse import unaffected
from engine.state import State
from tests.engine.playing import folded, play, told
from tests.engine.strategies import STEPS, Step, plans
from tests.engine.world import World, phase, plan_of

Json = dict[str, Any]

OTHER = AgentPlan(role="builder", uses="command", config={"run": ["false"]})


def flow(**second: Any) -> Plan:
    """Plan and build read an input each; test reads what build made, docs what plan made."""
    return plan_of(
        phase(0, reads=("inputs.goal",)),
        phase(1, 0, reads=("inputs.flags", "phases.p0.outputs.text"), **second),
        phase(2, 1),
        phase(3, 0),
        inputs={"goal": InputPlan(), "flags": InputPlan(default=[])},
    )


def done(plan: Plan, **inputs: Any) -> State:
    engine = Engine(plan)
    engine.start(1.0, inputs=inputs, env={}, run={"id": "wf_old"})
    world = World(plan, engine=engine)
    while world.running:
        key = min(world.running)
        world.end_agent(key, outputs={"text": f"of {key[0]}"})
    return engine.state


def reused(before: State, plan: Plan, edits: Json | None = None, **inputs: Any) -> list[str]:
    found = unaffected(before, plan, inputs={"flags": [], **inputs}, env={}, edits=edits or {})
    return sorted(each["id"] for each in found)


def test_what_reads_a_changed_input_is_done_anew_with_all_that_follows_it() -> None:
    before = done(flow(), goal="a")
    assert reused(before, flow(), goal="a") == ["p0", "p1", "p2", "p3"]
    assert reused(before, flow(), goal="b") == []
    assert reused(before, flow(), goal="a", flags=["x"]) == ["p0", "p3"]


def test_a_changed_part_of_the_plan_is_done_anew_and_how_it_is_carried_out_does_not_matter() -> None:
    before = done(flow(), goal="a")
    assert reused(before, flow(agents=(OTHER,)), goal="a") == ["p0", "p3"]
    assert reused(before, flow(prompt="otherwise"), goal="a") == ["p0", "p3"]
    assert reused(before, flow(timeout=7.0, on_failure="isolate"), goal="a") == ["p0", "p1", "p2", "p3"]


def test_an_edited_output_counts_and_what_reads_it_is_done_anew() -> None:
    before = done(flow(), goal="a")
    assert reused(before, flow(), {"p1": {"text": "mine"}}, goal="a") == ["p0", "p1", "p3"]
    assert reused(before, flow(), {"p1": {"text": "of 1"}}, goal="a") == ["p0", "p1", "p2", "p3"]


def test_a_fork_begins_with_what_it_reuses_and_says_where_it_is_from() -> None:
    before = done(flow(), goal="a")
    found = unaffected(before, flow(), inputs={"goal": "a", "flags": ["x"]}, env={}, edits={})
    engine = Engine(flow())
    start: Json = {
        "inputs": {"goal": "a", "flags": ["x"]},
        "run": {"id": "wf_new"},
        "seed": {"from": "wf_old", "reused": json.loads(json.dumps(found))},
    }
    starting.begin(engine, start, 2.0, name="wf_new", execution="x")
    world = World(flow(), engine=engine)
    assert [key[0] for key in world.running] == [1]
    assert engine.state.phases[0].outputs == {"text": "of 0"}
    text = "\n".join(lines(engine.state.plans, "wf_new", engine.ledger))
    assert "Phase: p0 - Reused from wf_old" in text
    assert world.drive_to_end() == "completed"


def test_what_the_other_run_has_told_and_used_is_not_told_or_counted_again() -> None:
    hook = HookPlan(run=("tell", "${status}"))
    plan = plan_of(phase(0), phase(1), hooks={"recovery": hook})
    before = World(plan)
    failed = {"code": "exit_code", "message": "exit code 1"}
    for index in (0, 1):
        key = min(key for key in before.running if key[0] == index)
        where = {"phase": key[0], "epoch": key[1], "position": key[2]}
        del before.running[key]
        result: Json = {"outputs": {}, "attempts": 2, "failures": [failed], "usage": {"cpu_seconds": 3.0}}
        before.feed(AgentFinished(**where, result=result))
    assert len(before.told) == 2
    found = unaffected(before.engine.state, plan, inputs={}, env={}, edits={})
    engine = Engine(plan)
    seed = {"from": "wf_old", "reused": found[:1]}
    starting.begin(engine, {"run": {"id": "wf_new"}, "seed": seed}, 2.0, name="wf_new", execution="x")
    world = World(plan, engine=engine)
    world.finish(1)
    assert world.finished == "completed"
    assert world.told == []
    assert "cpu_seconds" not in totals(engine.state)


def test_a_result_that_sent_control_elsewhere_does_so_again() -> None:
    back = JumpPlan(to=1, condition="outputs.failed > 0", max_rounds=2)
    plan = plan_of(phase(0, jumps=(back,)), phase(1, on_jump=True), phase(2, 0))
    world = World(plan)
    world.finish(0, failed=1)
    settled = next(fact.n for fact in world.engine.ledger if (fact.kind, fact.phase) == ("phase_settled", 0))
    found = unaffected(folded(plan, world.engine.ledger[:settled]), plan, inputs={}, env={}, edits={})
    assert [each["id"] for each in found] == ["p0", "p1"]
    engine = Engine(plan)
    starting.begin(
        engine, {"seed": {"from": "wf_old", "reused": found}, "run": {"id": "n"}}, 2.0, name="n", execution="x"
    )
    fork = World(plan, engine=engine)
    assert [key[0] for key in fork.running] == [1]


@settings(max_examples=80, deadline=None)
@given(plans(), STEPS, STEPS)
def test_a_fork_of_any_run_at_any_time_comes_to_an_end(plan: Plan, steps: list[Step], more: list[Step]) -> None:
    world = World(plan)
    play(world, steps)
    found = unaffected(world.engine.state, plan, inputs={}, env={}, edits={})
    engine = Engine(plan)
    seed = json.loads(json.dumps({"from": "wf_old", "reused": found}))
    starting.begin(engine, {"seed": seed, "run": {"id": "wf_new"}}, world.now, name="wf_new", execution="x")
    fork = World(plan, engine=engine)
    play(fork, more)
    assert fork.drive_to_end() in {"completed", "failed", "cancelled"}
    assert told(folded(plan, engine.ledger)) == told(engine.state)
