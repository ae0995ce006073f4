"""A phase that runs once per item: each item is a phase of its own, and together they are one."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import replace
from typing import Any

import pytest

from engine import snapshots
from engine.agents import AgentPlan, OutputPlan
from engine.answers import waiting_for
from engine.children import child_id
from engine.effects import AgentFinished, RunAgent
from engine.engine import Engine
from engine.errors import RefusedError
from engine.expansion import PhasePlans
from engine.journal import lines
from engine.phase_state import PhaseState
from engine.plan import Execution, InputPlan, PhasePlan, Plan, StepGroup
from engine.view import details, view
from tests.counting import calls
from tests.engine.world import PERSON, World, phase, plan_of

Json = dict[str, Any]


def each(index: int, *needs: int, items: Any = ("a", "b", "c"), **fields: Any) -> PhasePlan:
    """A phase `p<index>` that runs once for each of `items`."""
    return phase(index, *needs, for_each=list(items) if isinstance(items, tuple) else items, **fields)


def at(world: World, word: str) -> PhaseState:
    return world.engine.state.phases[world.engine.state.index_of[word]]


def finish(world: World, word: str, **outputs: Any) -> None:
    world.finish(world.engine.state.index_of[word], **outputs)


def running(world: World) -> list[str]:
    state = world.engine.state
    return [state.plans[i].id for i in state.in_order(state.running - state.expanding)]


def facts(world: World, word: str, kind: str) -> list[Json]:
    return [f.data for f in world.engine.ledger if f.kind == kind and f.phase == world.engine.state.index_of[word]]


def with_inputs(plan: Plan, inputs: Json) -> World:
    engine = Engine(plan)
    engine.start(1_000_000.0, inputs=inputs, env={}, run={"id": "wf_test00"})
    return World(plan, engine=engine)


def test_each_item_runs_on_its_own_and_the_outputs_are_gathered_in_the_lists_order() -> None:
    world = World(plan_of(each(0), phase(1, 0, reads=("phases.p0.outputs.items",))))
    assert running(world) == ["p0.0", "p0.1", "p0.2"]
    assert at(world, "p0").status == "running"
    for number in (2, 0):
        finish(world, f"p0.{number}", n=number)
        assert at(world, "p1").status == "pending"
    finish(world, "p0.1", n=1)
    assert at(world, "p0").outputs == {"items": [{"n": 0}, {"n": 1}, {"n": 2}]}
    task = world.running[1, 0, 0].task
    assert task["values"]["phases"]["p0"]["outputs"]["items"][2] == {"n": 2}
    assert world.drive_to_end() == "completed"
    assert "outputs" not in facts(world, "p0", "phase_settled")[0]  # the items' own facts hold them


def test_an_item_is_handed_its_value_and_number_and_what_the_phase_names() -> None:
    plan = plan_of(
        each(0, items="inputs.services", list_reads=("inputs.services",), reads=("inputs.tag",)),
        inputs={"services": InputPlan(), "tag": InputPlan(), "other": InputPlan(default=1)},
    )
    world = with_inputs(plan, {"services": [{"name": "api"}, {"name": "web"}], "tag": "v1"})
    tasks = [effect.task for effect in world.running.values()]
    assert [(t["values"]["item"], t["values"]["item_index"]) for t in tasks] == [
        ({"name": "api"}, 0),
        ({"name": "web"}, 1),
    ]
    assert [t["phase"]["id"] for t in tasks] == ["p0.0", "p0.1"]
    assert tasks[0]["values"]["inputs"] == {"tag": "v1", "other": 1}, "every item would have a copy of the list"
    assert tasks[1]["key"] == "wf_test00/p0/1/0/builder#0"


def test_the_list_may_come_from_an_output() -> None:
    items = "phases.p0.outputs.services"
    world = World(plan_of(phase(0), each(1, 0, items=items, list_reads=(items,))))
    world.finish(0, services=["api", "web"])
    assert running(world) == ["p1.0", "p1.1"]


def test_a_list_may_hold_templates() -> None:
    plan = plan_of(each(0, items=["${inputs.one}", "two"], list_reads=("inputs.one",)), inputs={"one": InputPlan()})
    world = with_inputs(plan, {"one": 1})
    assert [effect.task["values"]["item"] for effect in world.running.values()] == [1, "two"]


def test_an_empty_list_completes_the_phase_at_once() -> None:
    world = World(plan_of(each(0, items=()), phase(1, 0)))
    assert world.statuses() == ["completed", "running"]
    assert at(world, "p0").outputs == {"items": []}


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        (None, "expression", "for_each: inputs.services is not defined"),
        ("api", "for_each", "for_each: this must be a list, and is a string"),
        ({"$artifact": "sha256"}, "for_each", "for_each: the list is too large to be kept inline"),
        ([1] * 2001, "for_each", "for_each: the list has 2001 items, over 2000"),
        (["x", "y" * 4096], "for_each", "for_each: item 1 has 4098 bytes, over 4096"),
        (["x" * 3998] * 300, "for_each", "for_each: the list has 1200000 bytes, over 1048576"),
    ],
)
def test_what_is_no_list_of_small_items_fails_the_phase(given: Any, code: str, message: str) -> None:
    plan = plan_of(each(0, items="inputs.services", list_reads=("inputs.services",)))
    world = with_inputs(plan, {} if given is None else {"services": given})
    assert world.statuses() == ["paused"]
    error = at(world, "p0").error
    assert error is not None
    assert (error["code"], error["message"]) == (code, message)
    assert world.engine.state.status == "paused"


def test_no_more_items_run_at_once_than_max_parallel_workers_and_step_groups_allow() -> None:
    assert running(World(plan_of(each(0, max_parallel=2)))) == ["p0.0", "p0.1"]
    assert running(World(plan_of(each(0), execution=Execution(max_workers=1)))) == ["p0.0"]
    assert running(World(plan_of(each(0), execution=Execution(parallel=False)))) == ["p0.0"]
    group = StepGroup(id="g", phases=(0, 1), max_workers=1)
    world = World(plan_of(each(0, limits=(0,)), phase(1, limits=(0,)), step_groups=(group,)))
    assert running(world) == ["p0.0"]
    assert world.drive_to_end() == "completed"
    assert world.started == ["p0.0", "p0.1", "p0.2", "p1"]


def test_items_of_people_run_at_once_up_to_max_parallel() -> None:
    world = World(plan_of(each(0, agents=(PERSON,), max_parallel=2)))
    assert running(world) == ["p0.0", "p0.1"]
    assert view(world.engine, world.now)["waiting"][2]["for"] == "max_parallel"
    world.operate("complete_phase", phase="p0.0")
    assert running(world) == ["p0.1", "p0.2"]


def test_items_of_an_early_phase_come_before_later_phases() -> None:
    world = World(plan_of(each(0, items=("a", "b", "c", "d")), phase(1), phase(2), execution=Execution(max_workers=2)))
    assert running(world) == ["p0.0", "p0.1"]
    world.drive_to_end()
    assert world.started == ["p0.0", "p0.1", "p0.2", "p0.3", "p1", "p2"]


def test_a_failed_item_asks_for_a_decision_while_its_siblings_go_on() -> None:
    world = World(plan_of(each(0), execution=Execution(max_workers=3)))
    world.fail(at(world, "p0.1").plan.index)
    assert [at(world, word).status for word in ("p0.1", "p0")] == ["paused", "running"]
    assert view(world.engine, world.now)["status"] == "running"
    assert waiting_for(world.engine) == ["decision:p0.1"]
    finish(world, "p0.0")
    finish(world, "p0.2")
    assert view(world.engine, world.now)["status"] == "paused", "the phase that waits for its items moves nothing"
    world.operate("intervene", phase="p0.1", action="retry")
    assert world.engine.state.status == "running"
    assert world.running[at(world, "p0.1").plan.index, 1, 0].task["key"] == "wf_test00/p0/1/1/builder#0"
    finish(world, "p0.1")
    assert world.finished == "completed"


@pytest.mark.parametrize(
    ("decision", "outputs"),
    [
        ({"action": "replace_output", "outputs": {"x": 1}}, {"x": 1}),
        ({"action": "skip", "reason": "not needed"}, None),
    ],
)
def test_a_failed_item_may_be_replaced_or_skipped(decision: Json, outputs: Json | None) -> None:
    world = World(plan_of(each(0, items=("a", "b"))))
    world.fail(at(world, "p0.1").plan.index)
    finish(world, "p0.0", y=2)
    world.operate("intervene", phase="p0.1", **decision)
    assert world.finished == "completed"
    assert at(world, "p0").outputs == {"items": [{"y": 2}, outputs]}


def test_with_isolate_the_other_items_finish_and_the_phase_fails() -> None:
    world = World(plan_of(each(0, on_failure="isolate"), phase(1, 0)))
    world.fail(at(world, "p0.0").plan.index)
    assert at(world, "p0").status == "running"
    finish(world, "p0.1")
    finish(world, "p0.2")
    assert world.statuses()[:2] == ["failed", "skipped"]
    error = at(world, "p0").error
    assert error is not None
    assert error["message"] == "1 of 3 items did not complete: p0.0 (exit code 1)"
    assert world.finished == "failed"


def test_with_fail_fast_the_other_items_and_the_run_stop_at_once() -> None:
    world = World(plan_of(each(0, on_failure="fail_fast"), phase(1), execution=Execution(max_workers=4)))
    world.fail(at(world, "p0.1").plan.index)
    assert world.engine.state.stopping == "failed"
    assert len(world.cancelled) == 3
    assert world.drive_to_end() == "failed"
    assert [at(world, w).status for w in ("p0", "p0.0", "p0.1", "p0.2", "p1")] == [
        "failed",
        "cancelled",
        "failed",
        "cancelled",
        "cancelled",
    ]


def test_an_item_that_is_cancelled_fails_the_phase_and_a_retry_keeps_what_was_completed() -> None:
    world = World(plan_of(each(0)))
    finish(world, "p0.0", kept=True)
    world.operate("intervene", phase="p0.1", action="cancel")
    world.end_agent((at(world, "p0.1").plan.index, 0, 0))
    finish(world, "p0.2", kept=True)
    assert at(world, "p0").status == "paused"
    before = at(world, "p0.1").plan.index
    world.operate("intervene", phase="p0", action="retry_with", prompt="better")
    assert running(world) == ["p0.1"]
    again = at(world, "p0.1")
    assert (again.plan.index, again.epoch) == (before + 2, 1)
    assert world.running[again.plan.index, 1, 0].task["edits"] == {"prompt": "better"}
    finish(world, "p0.1", new=True)
    assert at(world, "p0").outputs == {"items": [{"kept": True}, {"new": True}, {"kept": True}]}
    assert world.finished == "completed"
    assert [data.get("new") for data in facts(world, "p0", "phase_expanded")] == [None, [1]]


def test_cancelling_the_phase_cancels_its_items_and_ends_with_the_last_of_them() -> None:
    world = World(plan_of(each(0, max_parallel=2), phase(1, 0)))
    world.operate("intervene", phase="p0", action="cancel")
    assert (at(world, "p0").status, at(world, "p0.2").status) == ("running", "cancelled")
    world.drive_to_end()
    assert world.statuses()[:2] == ["cancelled", "skipped"]
    assert at(world, "p0.2").reason == "its phase was cancelled"


def test_cancelling_its_group_holds_the_phase_and_starting_it_again_runs_what_is_left() -> None:
    world = World(plan_of(each(0, group=0, items=("a", "b")), phase(1, group=0)))
    finish(world, "p0.0")
    world.operate("cancel_parallel")
    while world.running:
        world.end_agent(min(world.running))
    assert [p.held for p in world.engine.state.planned] == [True, True]
    world.operate("start_parallel", phase=0)
    assert running(world) == ["p0.1", "p1"]
    assert world.drive_to_end() == "completed"


def test_a_pause_starts_no_items_and_resume_does() -> None:
    world = World(plan_of(each(0, max_parallel=1)))
    world.operate("pause")
    finish(world, "p0.0")
    assert running(world) == []
    world.operate("resume")
    assert running(world) == ["p0.1"]


def test_the_run_counts_its_phases_and_the_row_its_items() -> None:
    world = World(plan_of(each(0, max_parallel=2), phase(1, 0)))
    finish(world, "p0.0")
    world.fail(at(world, "p0.1").plan.index)
    shown = view(world.engine, world.now)
    assert shown["progress"] == {"completed": 0, "total": 2, "percent": 0}
    assert [row["id"] for row in shown["phases"]] == ["p0", "p1"]
    items = shown["phases"][0]["items"]
    assert (items["total"], items["completed"], items["paused"], items["running"]) == (3, 1, 1, 1)
    assert [(each["id"], each["status"]) for each in items["troubled"]] == [("p0.1", "paused")]
    assert [row["id"] for row in shown["active"]] == ["p0", "p0.2"]
    assert shown["phases"][0]["waits_for"] == "items"
    assert shown["pause"]["phases"] == [at(world, "p0.1").plan.index]
    found = details(world.engine, at(world, "p0"), offset=1, limit=1)
    assert found["items_page"]["total"] == 3
    assert [row["item"]["value"] for row in found["items_page"]["rows"]] == ["b"]


def test_words_find_items_and_the_phase_itself_is_completed_by_nobody() -> None:
    world = World(plan_of(each(0, agents=(PERSON,), items=("a", "b"))))
    with pytest.raises(RefusedError, match="completes with its items"):
        world.operate("complete_phase", phase="p0")
    with pytest.raises(RefusedError, match="several phases are open"):
        world.operate("next")
    assert world.operate("complete_phase", phase="Phase 0 [0]")["phase"]["id"] == "p0.0"
    assert world.operate("next")["phase"]["id"] == "p0.1"
    assert world.finished == "completed"


def test_declared_outputs_are_those_of_each_item() -> None:
    agent = replace(PERSON, outputs={"n": OutputPlan(type="integer")})
    world = World(plan_of(each(0, agents=(agent,), items=("a",))))
    with pytest.raises(RefusedError, match="declares outputs that are missing: n"):
        world.operate("complete_phase", phase="p0.0")
    world.operate("complete_phase", phase="p0.0", outputs={"n": 3})
    assert at(world, "p0").outputs == {"items": [{"n": 3}]}


def test_a_snapshot_in_the_middle_goes_on_where_it_was() -> None:
    plan = plan_of(each(0, max_parallel=2, items=tuple("abcdef")), phase(1, 0))
    world = World(plan)
    finish(world, "p0.0", n=0)
    world.engine.launching = False
    while world.running:
        world.end_agent(min(world.running), outputs={"n": 1})
    taken = json.loads(json.dumps(snapshots.snapshot(world.engine)))
    again = World(plan, engine=snapshots.restore(plan, taken, world.now))
    assert running(again) == ["p0.3", "p0.4"], "the limit of the expansion holds"
    assert again.drive_to_end() == "completed"
    assert [item.get("n") for item in at(again, "p0").outputs["items"]] == [0, 1, 1, None, None, None]


def test_children_of_items_have_names_of_their_own() -> None:
    agent = AgentPlan(role="child", uses="workflow", config={})
    world = World(plan_of(each(0, agents=(agent,))))
    names = {child_id(effect.task) for effect in world.running.values()}
    assert names == {"wf_test00.p0.0", "wf_test00.p0.1", "wf_test00.p0.2"}


def test_the_journal_can_be_read_from_the_facts_alone() -> None:
    world = World(plan_of(each(0, items=("a",))))
    world.drive_to_end()
    plans = PhasePlans(world.plan)
    for fact in world.engine.ledger:
        plans.follow(fact)
    text = [line.partition("] [INFO] ")[2] for line in lines(plans, "wf_test00", world.engine.ledger)]
    assert text == [
        "Workflow wf_test00 started",
        "Phase: p0 - Starting",
        "Phase: p0 - Items: 1",
        "Phase: p0.0 - Starting",
        "Agent: builder - Invoked",
        "Phase: p0.0 - Completed (0s)",
        "Phase: p0 - Completed (0s)",
        "Checkpoint saved: p0",
        "Workflow wf_test00 completed",
    ]


def test_the_work_per_item_does_not_grow_with_their_number() -> None:
    def play(items: int) -> None:
        engine = Engine(plan_of(each(0, items=tuple(range(items)))))
        engine.start(0.0, inputs={}, env={}, run={"id": "r"})
        effects = deque(engine.flush())
        while effects:
            done = effects.popleft()
            if isinstance(done, RunAgent):
                event = AgentFinished(
                    phase=done.phase, epoch=done.epoch, position=done.position, result={"outputs": {"n": 1}}
                )
                effects += engine.handle(event, 0.0)
        assert engine.state.status == "completed"

    assert calls(lambda: play(800)) / 800 < 1.3 * calls(lambda: play(200)) / 200
