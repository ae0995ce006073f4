"""The shared context: who may write what, what an agent reads, and that writes are versions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine import snapshots
from engine.effects import AgentFinished, RunAgent
from engine.errors import RefusedError
from engine.gates.plans import CheckPlan, GatePlan
from engine.plan import ContextKeyPlan
from engine.state import State
from engine.view import details
from tests.engine.sharing import BACKEND, FRONTEND, conflicting, facts, given, side_by_side, values
from tests.engine.world import PERSON, World, phase, plan_of


def test_an_accepted_write_is_a_version_with_its_writer_its_base_and_its_hash() -> None:
    world = World(side_by_side())
    world.write(0, api={"a": 1}, notes=["x"])
    [written] = facts(world, "context_written")
    assert written["data"]["version"] == 1
    assert (written["data"]["agent"], written["data"]["base"], written["phase"]) == ("backend", 0, 0)
    assert written["data"]["writes"]["api"]["value"] == {"a": 1}
    assert written["data"]["writes"]["api"]["hash"].startswith("sha256:")
    assert values(world) == {"api": {"a": 1}, "notes": ["x"]}


def test_the_order_of_keys_in_an_object_is_no_change() -> None:
    world = World(
        plan_of(*(phase(n, *range(n), context_writes=("k",)) for n in range(2)), context={"k": ContextKeyPlan()})
    )
    world.write(0, k={"a": 1, "b": 2})
    world.write(1, k={"b": 2, "a": 1})
    assert world.engine.state.context.version == 1


@pytest.mark.parametrize(
    ("writes", "message"),
    [
        ({"prot": 1}, "it writes the context key 'prot', which nothing declares"),
        ({"port": 80}, "it writes the context key 'port', which belongs to backend"),
        ({"api": [1]}, "the context key 'api': an object is needed here, this is a list"),
    ],
)
def test_a_write_that_is_not_allowed_fails_the_phase_and_writes_nothing(writes: dict[str, Any], message: str) -> None:
    world = World(side_by_side())
    world.write(1, notes=["kept back"], **writes)
    failed = world.engine.state.phases[1]
    assert failed.status == "paused"
    assert failed.error is not None
    assert (failed.error["code"], failed.error["message"]) == ("context_refused", message)
    assert values(world) == {"notes": []}


def test_a_key_that_the_phase_does_not_say_it_writes_is_refused() -> None:
    world = World(plan_of(phase(0, context_writes=("a",)), context={"a": ContextKeyPlan(), "b": ContextKeyPlan()}))
    world.write(0, b=1)
    assert "does not declare to write it" in (world.engine.state.phases[0].error or {})["message"]


def test_a_key_of_a_phase_may_be_written_by_every_item_of_it() -> None:
    keys = {"a": ContextKeyPlan(owner="p0", phase=0)}
    world = World(plan_of(phase(0, for_each=["x"], context_writes=("a",)), context=keys))
    world.write(1, a=7)
    assert world.drive_to_end() == "completed"
    assert values(world) == {"a": 7}


def test_writes_that_are_no_object_are_refused_also_from_workers_of_others() -> None:
    world = World(side_by_side())
    world.finish(0, context=[1])
    assert (world.engine.state.phases[0].error or {})["code"] == "context_refused"
    world.finish(1, context={"server": 3}, url="x")
    assert values(world)["server"] == 3
    assert world.engine.state.phases[1].outputs == {"url": "x"}


def test_context_among_the_outputs_is_an_output_where_the_definition_has_no_keys() -> None:
    world = World(plan_of(phase(0)))
    world.finish(0, context={"a": 1})
    assert world.engine.state.phases[0].outputs == {"context": {"a": 1}}


def test_an_agent_reads_what_was_there_when_it_began_however_often_it_is_started() -> None:
    plan = side_by_side()
    world = World(plan)
    assert given(world, 1) == {"notes": []}
    world.write(0, notes=["new"], port=80)
    taken = json.loads(json.dumps(snapshots.snapshot(world.engine)))
    successor = World(plan, engine=snapshots.restore(plan, taken, world.now))
    assert given(successor, 1) == {"notes": []}
    assert successor.running[1, 0, 0].task["context"]["version"] == 0
    successor.finish(1)
    assert given(successor, 2) == {"notes": ["new"], "port": 80}


def test_the_second_agent_in_turn_sees_what_the_first_wrote() -> None:
    keys = {"a": ContextKeyPlan()}
    turns = phase(0, agents=(BACKEND, FRONTEND), context_reads=("a",), context_writes=("a",))
    world = World(plan_of(turns, context=keys))
    world.write(0, a=1)
    assert given(world, 0, 1) == {"a": 1}


def test_conditions_see_the_newest_values() -> None:
    keys = {"ready": ContextKeyPlan(type="boolean", default=False, optional=True)}
    plan = plan_of(phase(0, context_writes=("ready",)), phase(1, 0, condition="context.ready"), context=keys)
    written, silent = World(plan), World(plan)
    written.write(0, ready=True)
    silent.finish(0)
    assert written.statuses() == ["completed", "running"]
    assert silent.statuses() == ["completed", "skipped"]


def test_a_reader_whose_keys_have_changed_completes_and_it_is_noted() -> None:
    world = World(side_by_side())
    world.write(0, api={"a": 1})
    world.finish(1)
    reader = world.engine.state.phases[1]
    assert reader.status == "completed"
    assert reader.stale == {"api": {"read": 0, "now": 1}}
    assert details(world.engine, reader)["context"]["stale"] == reader.stale


def test_a_phase_may_run_once_per_item_of_a_key() -> None:
    keys = {"services": ContextKeyPlan(type="list", default=["a", "b"], optional=True)}
    fleet = phase(0, for_each="context.services", list_reads=("context.services",))
    world = World(plan_of(fleet, context=keys))
    assert [world.running[key].task["values"]["item"] for key in sorted(world.running)] == ["a", "b"]


def test_a_gate_looks_at_what_the_phase_has_written() -> None:
    check = CheckPlan(name="small", gate="g", expr="context.a < 5")
    plan = plan_of(
        phase(0, context_writes=("a",), gates=(GatePlan(id="g", checks=(check,)),)), context={"a": ContextKeyPlan()}
    )
    good, bad = World(plan), World(plan)
    good.write(0, a=1)
    bad.write(0, a=9)
    assert (good.statuses(), bad.statuses()) == (["completed"], ["paused"])


def test_what_a_phase_wrote_stays_when_control_goes_back_and_its_new_write_begins_there() -> None:
    writes = {"context_reads": ("a",), "context_writes": ("a",)}
    plan = plan_of(phase(0, **writes), phase(1, 0, agents=(PERSON,)), context={"a": ContextKeyPlan()})
    world = World(plan)
    world.write(0, a=1)
    world.operate("fail_phase", phase=1)
    world.operate("intervene", phase=1, action="go_to", to=0)
    assert given(world, 0) == {"a": 1}
    world.write(0, a=2)
    assert [(f["epoch"], f["data"]["base"]) for f in facts(world, "context_written")] == [(0, 0), (1, 1)]


def test_a_person_writes_with_the_completion_and_is_refused_what_is_not_theirs() -> None:
    keys = {
        "a": ContextKeyPlan(type="integer"),
        "b": ContextKeyPlan(owner="lead"),
        "c": ContextKeyPlan(owner="backend"),
    }
    world = World(plan_of(phase(0, agents=(PERSON,), context_writes=("a", "b", "c")), context=keys))
    with pytest.raises(RefusedError, match="belongs to backend"):
        world.operate("complete_phase", phase=0, context={"c": 1})
    with pytest.raises(RefusedError, match="an integer is needed"):
        world.operate("complete_phase", phase=0, context={"a": "many"})
    world.operate("complete_phase", phase=0, context={"a": "4", "b": "x"}, actor="kim")
    assert values(world) == {"a": 4, "b": "x"}
    assert facts(world, "context_written")[0]["actor"] == "kim"


def test_a_message_with_context_is_refused_where_there_is_none() -> None:
    world = World(plan_of(phase(0, agents=(PERSON,))))
    with pytest.raises(RefusedError, match="declares no context keys"):
        world.operate("complete_phase", phase=0, context={"a": 1})


def test_large_values_travel_as_references_whose_hash_and_type_the_worker_says() -> None:
    ref = {"$artifact": "sha256:0", "size": 9000, "media_type": "application/json"}
    world = World(plan_of(phase(0, context_writes=("a",)), context={"a": ContextKeyPlan(type="list")}))
    effect = world.running[0, 0, 0]
    result = {"outputs": {}, "context": {"a": {"value": ref, "hash": "sha256:1", "type": "list"}}}
    world.running.clear()
    world.feed(_finished(effect, result))
    assert world.engine.state.context.hash_of("a") == "sha256:1"
    other = World(plan_of(phase(0, context_writes=("a",)), context={"a": ContextKeyPlan(type="object")}))
    other.running.clear()
    other.feed(_finished(effect, result))
    assert (other.engine.state.phases[0].error or {})["message"] == "the context key 'a' is object, and this is list"


def _finished(effect: RunAgent, result: dict[str, Any]) -> AgentFinished:
    return AgentFinished(phase=effect.phase, epoch=effect.epoch, position=effect.position, result=result)


def test_the_state_is_the_fold_of_the_facts() -> None:
    world = conflicting()
    folded = State(world.plan)
    for fact in world.engine.ledger:
        folded.apply(fact)
    assert folded.context.values() == values(world)
    assert folded.phases[1].conflicts == world.engine.state.phases[1].conflicts
