"""The shared context: who may write what, versions, snapshots, conflicts, merges, and what a person decides."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine import snapshots
from engine.context import showing
from engine.effects import AgentFailed, AgentFinished, RunAgent
from engine.errors import RefusedError
from engine.gates.plans import CheckPlan, GatePlan
from engine.journal import lines
from engine.plan import ContextKeyPlan, ContextRules
from engine.state import State
from engine.view import details, view
from tests.engine.sharing import BACKEND, FRONTEND, facts, given, side_by_side
from tests.engine.world import PERSON, World, phase, plan_of


def values(world: World) -> dict[str, Any]:
    return world.engine.state.context.values()


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
    world = World(plan_of(*(phase(n, *range(n), context_writes=("k",)) for n in range(2)), context={"k": _any()}))
    world.write(0, k={"a": 1, "b": 2})
    world.write(1, k={"b": 2, "a": 1})
    assert world.engine.state.context.version == 1


def _any(**fields: Any) -> ContextKeyPlan:
    return ContextKeyPlan(**fields)


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
    world = World(plan_of(phase(0, context_writes=("a",)), context={"a": _any(), "b": _any()}))
    world.write(0, b=1)
    assert "does not declare to write it" in (world.engine.state.phases[0].error or {})["message"]


def test_a_key_of_a_phase_may_be_written_by_every_item_of_it() -> None:
    keys = {"a": _any(owner="p0", phase=0)}
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
    keys = {"a": _any()}
    turns = phase(0, agents=(BACKEND, FRONTEND), context_reads=("a",), context_writes=("a",))
    world = World(plan_of(turns, context=keys))
    world.write(0, a=1)
    assert given(world, 0, 1) == {"a": 1}


def test_conditions_see_the_newest_values() -> None:
    keys = {"ready": _any(type="boolean", default=False, optional=True)}
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


def test_what_two_have_changed_in_different_places_is_merged() -> None:
    world = World(side_by_side())
    world.write(0, api={"a": 1}, notes=["backend"])
    world.write(1, api={"b": 2}, notes=["frontend"], server=3)
    [conflict] = facts(world, "context_conflicted")
    assert conflict["data"]["keys"] == {"api": 1, "notes": 1}
    assert values(world) == {"api": {"a": 1}, "notes": ["backend"]}
    assert world.running.keys() == {(1, 0, 1)}
    world.finish(1)
    assert values(world) == {"api": {"a": 1, "b": 2}, "notes": ["backend", "frontend"], "server": 3}
    assert facts(world, "context_written")[1]["data"]["merged"] == ["api", "notes"]
    assert world.engine.state.phases[1].status == "completed"


def test_what_changes_again_while_it_is_merged_is_merged_again() -> None:
    every = ("notes",)
    both: dict[str, Any] = {"context_reads": every, "context_writes": every}
    keys = {"notes": _any(default=[], optional=True)}
    world = World(plan_of(*(phase(n, **both) for n in range(3)), context=keys))
    world.write(0, notes=["a"])
    world.write(1, notes=["b"])
    world.write(2, notes=["c"])
    world.finish(1)
    world.finish(2)
    assert world.finished is None
    world.finish(2)
    assert values(world) == {"notes": ["a", "b", "c"]}
    assert world.finished == "completed"


def test_a_merge_to_what_is_there_already_writes_nothing() -> None:
    keys = {"a": _any()}
    both = [phase(n, context_writes=("a",)) for n in range(2)]
    world = World(plan_of(*both, context=keys))
    world.write(0, a=["x", "y"])
    world.write(1, a=["x"])
    world.finish(1)
    assert world.finished == "completed"
    assert values(world) == {"a": ["x", "y"]}
    assert len(facts(world, "context_dropped")) == 1


def conflicting(rules: ContextRules | None = None, **fields: Any) -> World:
    """Both have written another `server`, and the merge has found no way."""
    world = World(side_by_side(rules, **fields))
    world.write(0, server=1)
    world.write(1, server=2, notes=["mine"])
    world.finish(1)
    return world


def test_what_cannot_be_merged_waits_for_a_person_who_is_told_who_wrote_what() -> None:
    world = conflicting()
    waiting = world.engine.state.phases[1]
    assert waiting.status == "paused"
    assert waiting.error is not None
    assert waiting.error["code"] == "context_conflict"
    [told] = waiting.error["context"]
    assert (told["key"], told["mine"]["by"], told["theirs"]["by"]) == ("server", "frontend", "backend")
    assert told["mine"]["hash"] != told["theirs"]["hash"]
    shown = view(world.engine, world.now)
    assert [option["action"] for option in shown["pause"]["options"]][:3] == [
        "keep_theirs",
        "take_mine",
        "replace_context",
    ]
    assert "frontend and backend (in p0) both changed the context key server" in shown["pause"]["text"]
    [offer] = details(world.engine, waiting)["context"]["waiting"]
    assert {row["key"]: row["mine"]["value"] for row in offer["keys"]} == {"server": 2, "notes": ["mine"]}


@pytest.mark.parametrize(
    ("fields", "server"),
    [
        ({"action": "keep_theirs"}, 1),
        ({"action": "take_mine"}, 2),
        ({"action": "replace_context", "context": {"server": "3"}}, 3),
    ],
)
def test_a_person_decides_and_the_phase_completes(fields: dict[str, Any], server: int) -> None:
    world = conflicting()
    world.operate("intervene", phase=1, actor="ana", **fields)
    assert values(world) == {"server": server, "notes": ["mine"]}
    assert world.engine.state.phases[1].status == "completed"
    last = facts(world, "context_written")[-1]
    assert last["actor"] == "ana"
    assert last["data"]["decision"] == fields["action"]
    told = showing.history(world.engine, {})["versions"][-1]
    assert (told["by"], told["decided_by"]) == ("ana" if "context" in fields else "frontend", "ana")
    assert (last["data"].get("over") == {"server": 1}) == (fields["action"] != "keep_theirs")


def test_retry_runs_the_phase_again_from_what_is_there_now() -> None:
    world = conflicting()
    world.operate("intervene", phase=1, action="retry")
    assert given(world, 1) == {"server": 1, "notes": []}
    world.write(1, server=5)
    assert values(world)["server"] == 5
    assert not world.engine.state.phases[1].conflicts


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"action": "replace_context"}, "replace_context needs a value for 'server'"),
        ({"action": "replace_context", "context": {"server": "x"}}, "the context key 'server': .*"),
        ({"action": "replace_context", "context": {"nothing": 1}}, "'nothing' is no key to decide about"),
        ({"action": "keep_theirs", "actor": "agent:x"}, "agent:x: what an agent runs decides about no conflict"),
        ({"action": "replace_output", "outputs": {}}, ".*replace_output is not possible"),
    ],
)
def test_a_decision_that_makes_no_sense_is_refused(fields: dict[str, Any], message: str) -> None:
    world = conflicting()
    with pytest.raises(RefusedError, match=message):
        world.operate("intervene", phase=1, **fields)


def test_nobody_can_keep_theirs_where_nothing_is_in_conflict() -> None:
    world = World(side_by_side())
    world.fail(1)
    with pytest.raises(RefusedError, match="keep_theirs is not possible"):
        world.operate("intervene", phase=1, action="keep_theirs")


def test_a_phase_that_failed_otherwise_is_not_completed_by_a_decision_about_its_writes() -> None:
    every = {"context_reads": ("server",), "context_writes": ("server",)}
    two = phase(0, agents=(BACKEND, FRONTEND), agents_mode="parallel", **every)
    world = World(plan_of(two, phase(1, **every), context={"server": _any()}))
    world.write(1, server=1)
    world.end_agent((0, 0, 0), context={"server": 2})
    world.end_agent((0, 0, 1), error={"code": "exit_code", "message": "exit code 1"})
    with pytest.raises(RefusedError, match="take_mine is not possible"):
        world.operate("intervene", phase=0, action="take_mine")
    world.operate("intervene", phase=0, action="replace_output", outputs={})
    assert world.finished == "completed"
    assert values(world) == {"server": 1}


def test_a_phase_may_run_once_per_item_of_a_key() -> None:
    keys = {"services": _any(type="list", default=["a", "b"], optional=True)}
    fleet = phase(0, for_each="context.services", list_reads=("context.services",))
    world = World(plan_of(fleet, context=keys))
    assert [world.running[key].task["values"]["item"] for key in sorted(world.running)] == ["a", "b"]


def test_where_nobody_is_asked_a_conflict_fails_the_phase() -> None:
    world = conflicting(on_failure="isolate")
    assert world.statuses() == ["completed", "failed", "skipped"]
    assert world.finished == "failed"
    assert values(world) == {"server": 1, "notes": []}


def test_a_merge_that_cannot_be_done_at_all_is_left_to_a_person() -> None:
    world = World(side_by_side())
    world.write(0, api={"a": 1})
    world.write(1, api={"b": 2})
    del world.running[1, 0, 1]
    error = {"code": "workspace", "message": "the artifact is gone"}
    world.feed(AgentFailed(phase=1, epoch=0, position=1, error=error))
    assert "the artifact is gone" in (world.engine.state.phases[1].error or {})["message"]


def test_a_phase_that_is_cancelled_while_it_is_merged_is_cancelled() -> None:
    world = World(side_by_side())
    world.write(0, api={"a": 1})
    world.write(1, api={"b": 2})
    world.operate("intervene", phase=1, action="cancel")
    world.end_agent((1, 0, 1))
    assert world.statuses()[:2] == ["completed", "cancelled"]
    assert values(world)["api"] == {"a": 1}


def test_a_merge_survives_a_fresh_history() -> None:
    plan = side_by_side()
    world = World(plan)
    world.write(0, api={"a": 1})
    world.write(1, api={"b": 2})
    taken = json.loads(json.dumps(snapshots.snapshot(world.engine)))
    successor = World(plan, engine=snapshots.restore(plan, taken, world.now))
    successor.finish(1)
    assert values(successor)["api"] == {"a": 1, "b": 2}


def test_an_invariant_that_would_not_hold_waits_for_a_person_who_is_told_which() -> None:
    world = World(side_by_side())
    world.write(0, server=1)
    world.write(1, client=2)
    waiting = world.engine.state.phases[1]
    assert waiting.status == "paused"
    assert (waiting.error or {})["message"] == (
        "what frontend wrote breaks the invariant of client: context.client == context.server is false"
    )
    with pytest.raises(RefusedError, match="breaks an invariant"):
        world.operate("intervene", phase=1, action="take_mine")
    with pytest.raises(RefusedError, match="breaks an invariant"):
        world.operate("intervene", phase=1, action="replace_context", context={"client": 3})
    world.operate("intervene", phase=1, action="replace_context", context={"client": 1})
    assert values(world) == {"server": 1, "client": 1, "notes": []}


def test_a_person_may_write_in_spite_of_an_invariant_with_a_reason() -> None:
    world = World(side_by_side())
    world.write(0, server=1)
    world.write(1, client=2)
    world.operate("intervene", phase=1, action="take_mine", reason="the server follows")
    assert values(world)["client"] == 2
    assert facts(world, "context_written")[-1]["data"]["in_spite_of"][0]["key"] == "client"


def test_an_invariant_counts_from_when_all_its_keys_have_values() -> None:
    world = World(side_by_side())
    world.write(1, client=2)
    assert world.engine.state.phases[1].status == "completed"


def test_rerun_starts_the_phase_again_with_the_reason_and_only_so_often() -> None:
    world = World(side_by_side(ContextRules(consistency="rerun", max_reruns=1)))
    world.write(0, server=1)
    world.write(1, client=2)
    again = world.running[1, 1, 0]
    assert again.task["values"]["context"]["server"] == 1
    assert "breaks the invariant of client" in again.task["feedback"][0]["comment"]
    world.write(1, client=3)
    assert world.engine.state.phases[1].status == "paused"


def test_what_others_have_made_right_meanwhile_is_written() -> None:
    keys = {"a": _any(), "b": _any(invariant="context.a == context.b")}
    two = phase(0, agents=(BACKEND, FRONTEND), agents_mode="parallel", context_writes=("b",))
    plan = plan_of(two, phase(1, context_writes=("a",)), phase(2, 1, context_writes=("a",)), context=keys)
    world = World(plan)
    world.write(1, a=1)
    world.end_agent((0, 0, 0), context={"b": 2})
    assert len(facts(world, "context_conflicted")) == 1
    world.write(2, a=2)
    world.end_agent((0, 0, 1))
    assert values(world) == {"a": 2, "b": 2}
    assert world.finished == "completed"


def test_a_gate_looks_at_what_the_phase_has_written() -> None:
    check = CheckPlan(name="small", gate="g", expr="context.a < 5")
    plan = plan_of(phase(0, context_writes=("a",), gates=(GatePlan(id="g", checks=(check,)),)), context={"a": _any()})
    good, bad = World(plan), World(plan)
    good.write(0, a=1)
    bad.write(0, a=9)
    assert (good.statuses(), bad.statuses()) == (["completed"], ["paused"])


def test_what_a_phase_wrote_stays_when_control_goes_back_and_its_new_write_begins_there() -> None:
    writes = {"context_reads": ("a",), "context_writes": ("a",)}
    plan = plan_of(phase(0, **writes), phase(1, 0, agents=(PERSON,)), context={"a": _any()})
    world = World(plan)
    world.write(0, a=1)
    world.operate("fail_phase", phase=1)
    world.operate("intervene", phase=1, action="go_to", to=0)
    assert given(world, 0) == {"a": 1}
    world.write(0, a=2)
    assert [(f["epoch"], f["data"]["base"]) for f in facts(world, "context_written")] == [(0, 0), (1, 1)]


def test_a_person_writes_with_the_completion_and_is_refused_what_is_not_theirs() -> None:
    keys = {"a": _any(type="integer"), "b": _any(owner="lead"), "c": _any(owner="backend")}
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
    world = World(plan_of(phase(0, context_writes=("a",)), context={"a": _any(type="list")}))
    effect = world.running[0, 0, 0]
    result = {"outputs": {}, "context": {"a": {"value": ref, "hash": "sha256:1", "type": "list"}}}
    world.running.clear()
    world.feed(_finished(effect, result))
    assert world.engine.state.context.hash_of("a") == "sha256:1"
    other = World(plan_of(phase(0, context_writes=("a",)), context={"a": _any(type="object")}))
    other.running.clear()
    other.feed(_finished(effect, result))
    assert (other.engine.state.phases[0].error or {})["message"] == "the context key 'a' is object, and this is list"


def _finished(effect: RunAgent, result: dict[str, Any]) -> AgentFinished:
    return AgentFinished(phase=effect.phase, epoch=effect.epoch, position=effect.position, result=result)


def test_keys_and_history_are_shown_at_any_version_and_fact() -> None:
    world = World(side_by_side())
    world.write(0, api={"a": 1}, port=80)
    written = len(world.engine.ledger)
    world.write(1, notes=["x"])
    now = showing.shown(world.engine, {})
    assert [(row["key"], row["version"]) for row in now["keys"]] == [
        ("api", 1),
        ("notes", 2),
        ("port", 1),
        ("server", 0),
        ("client", 0),
    ]
    [before] = showing.shown(world.engine, {"key": "notes", "at": f"@{written}"})["keys"]
    assert (before["version"], before["value"]) == (0, [])
    assert showing.shown(world.engine, {"at": 2})["version"] == 2
    told = showing.history(world.engine, {"key": "notes"})
    assert [(one["version"], one["by"], list(one["keys"])) for one in told["versions"]] == [(2, "frontend", ["notes"])]
    first = showing.history(world.engine, {"limit": 1})
    assert first["more"]
    assert showing.history(world.engine, {"since": first["next"]})["versions"][0]["version"] == 2


@pytest.mark.parametrize("which", [{"key": "ap"}, {"at": 9}, {"at": "soon"}, {"key": 3}])
def test_what_is_not_there_is_refused(which: dict[str, Any]) -> None:
    with pytest.raises(RefusedError):
        showing.shown(World(side_by_side()).engine, which)


def test_a_value_without_room_is_left_out_of_an_answer_and_told() -> None:
    keys = {"a": _any(default="x" * showing.BYTES, optional=True)}
    [row] = showing.shown(World(plan_of(phase(0), context=keys)).engine, {})["keys"]
    assert "value" not in row
    assert row["bytes"] > showing.BYTES


def test_the_journal_tells_of_versions_and_conflicts() -> None:
    world = conflicting()
    text = "\n".join(lines(world.engine.state.plans, "wf_x", world.engine.ledger))
    assert "[INFO] Context: version 1 by backend in p0: server" in text
    assert "[WARN] Context: frontend in p1 - Not written, others have changed it since: server (version 1)" in text
    assert "[INFO] Context: Merging what p1 wrote" in text


def test_the_state_is_the_fold_of_the_facts() -> None:
    world = conflicting()
    folded = State(world.plan)
    for fact in world.engine.ledger:
        folded.apply(fact)
    assert folded.context.values() == values(world)
    assert folded.phases[1].conflicts == world.engine.state.phases[1].conflicts
