"""Going back: what a checkpoint is, what a restore waits for, takes back and leaves, and what cannot happen to it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine import checkpoints, snapshots
from engine.effects import AgentFinished, CancelAgents
from engine.errors import RefusedError
from engine.gates.plans import ApprovalPlan, GatePlan
from engine.journal import lines
from engine.lineage import segments
from engine.plan import ContextKeyPlan, Execution, JumpPlan, Plan
from engine.view import view
from tests.engine.world import PERSON, World, phase, plan_of

Json = dict[str, Any]


def chain(*, size: int = 4, **fields: Any) -> Plan:
    return plan_of(*(phase(i, *([i - 1] if i else []), **fields) for i in range(size)))


def listed(world: World, **page: int) -> list[str]:
    shown = checkpoints.page(world.engine.state, **page)["checkpoints"]
    return [f"{row['name']}{' (undone)' if row['undone'] else ''}" for row in shown]


def kinds(world: World) -> list[str]:
    return [fact.kind for fact in world.engine.ledger]


def told(world: World) -> str:
    return "\n".join(lines(world.engine.state.plans, "wf_test00", world.engine.ledger))


def test_each_completed_phase_is_a_checkpoint_under_its_slug_at_no_cost_of_a_fact() -> None:
    world = World(chain())
    facts = len(world.engine.ledger)
    world.finish(0)
    assert len(world.engine.ledger) == facts + 2  # settled, and the next one started
    world.finish(1)
    assert listed(world) == ["p0", "p1"]
    assert listed(world, offset=-1) == ["p1"]
    assert "Checkpoint saved: p1" in told(world)


def test_one_is_made_by_hand_and_names_that_mean_something_else_are_refused() -> None:
    world = World(chain())
    world.operate("create_checkpoint", name="before-lunch", actor="ana")
    assert listed(world) == ["before-lunch"]
    assert "Checkpoint saved: before-lunch by ana" in told(world)
    for name in ("p0", "beginning", "last-checkpoint", "7", "a@1", "with space"):
        with pytest.raises(RefusedError):
            world.operate("create_checkpoint", name=name)


def test_never_and_group_decide_where_checkpoints_are_and_keep_how_many() -> None:
    grouped = plan_of(
        phase(0, checkpoint="never"),
        phase(1, 0, group=0, checkpoint="group"),
        phase(2, 0, group=0, checkpoint="group"),
        phase(3, after_group=0, checkpoint="group"),
    )
    world = World(grouped)
    world.drive_to_end()
    assert listed(world) == ["p2", "p3"]
    assert "Checkpoint saved: p1" not in told(world)
    kept = World(plan_of(*(phase(i, *([i - 1] if i else [])) for i in range(5)), keep_checkpoints=2))
    kept.operate("create_checkpoint", name="mine")
    kept.drive_to_end()
    assert listed(kept) == ["mine", "p3", "p4"]


def test_of_one_phase_only_the_newest_are_kept_where_it_says_so() -> None:
    again = JumpPlan(to=0, condition="status == 'completed'", max_rounds=3)
    world = World(plan_of(phase(0, keep_checkpoints=2), phase(1, 0, jumps=(again,))))
    world.drive_to_end()
    assert listed(world) == ["p1", "p1", "p0", "p1", "p0", "p1"]
    assert checkpoints.find(world.engine.state, "p1@1")[0] < checkpoints.find(world.engine.state, "p1")[0]
    with pytest.raises(RefusedError, match="of that name there are 2"):
        checkpoints.find(world.engine.state, "p0@3")


def test_a_restore_takes_back_what_came_after_and_late_results_count_no_more() -> None:
    world = World(chain())
    world.finish(0, contract="v1")
    world.finish(1, code="a")
    world.finish(2, report="b")
    answer = world.operate("restore", checkpoint="p0", actor="ana", note="wrong way")
    assert (answer["checkpoint"], answer["stopping"], answer["started"]) == ("p0", 1, [])
    late = next(iter(world.running.values()))
    world.end_agent((3, 0, 0))
    assert world.statuses() == ["completed", "running", "pending", "pending"]
    outputs = [p.outputs for p in world.engine.state.phases]
    assert outputs == [{"contract": "v1"}, {}, {}, {}]
    assert [p.epoch for p in world.engine.state.phases] == [0, 1, 1, 1]
    facts = len(world.engine.ledger)
    world.feed(AgentFinished(phase=late.phase, epoch=late.epoch, position=0, result={"outputs": {"x": 1}}))
    world.feed(AgentFinished(phase=1, epoch=0, position=0, result={"outputs": {"x": 1}}))
    assert len(world.engine.ledger) == facts
    assert listed(world) == ["p0", "p1 (undone)", "p2 (undone)"]
    assert "going back to p0 by ana: wrong way" in told(world)
    assert "restored to p0" in told(world)
    assert world.drive_to_end() == "completed"
    assert sum(kind == "phase_settled" for kind in kinds(world)) == 7


def test_while_agents_end_it_takes_no_message_but_cancel() -> None:
    world = World(chain())
    world.finish(0)
    world.operate("restore", checkpoint="beginning")
    shown = view(world.engine, world.now)
    assert (shown["restoring"]["checkpoint"], shown["waiting"], shown["pause"]) == ("beginning", [], None)
    for name, payload in (
        ("restore", {"checkpoint": "p0"}),
        ("pause", {}),
        ("intervene", {"phase": 1, "action": "cancel"}),
        ("create_checkpoint", {"name": "mine"}),
        ("report_progress", {"phase": 1, "progress": "half"}),
    ):
        with pytest.raises(RefusedError, match="going back to 'beginning'"):
            world.operate(name, **payload)
    world.operate("cancel")
    world.end_agent(min(world.running))
    assert world.finished == "cancelled"
    assert "restored" not in kinds(world)


def test_a_run_that_is_being_cancelled_is_not_restored_and_none_is_by_an_agent() -> None:
    world = World(chain())
    world.finish(0)
    with pytest.raises(RefusedError, match="takes no run back"):
        world.operate("restore", checkpoint="p0", actor="agent:builder")
    world.operate("cancel")
    with pytest.raises(RefusedError, match="being cancelled"):
        world.operate("restore", checkpoint="p0")
    with pytest.raises(RefusedError, match="being stopped"):
        world.operate("create_checkpoint", name="mine")


def test_an_agent_that_does_not_end_is_abandoned_and_cannot_hurt() -> None:
    world = World(chain())
    world.finish(0)
    world.operate("restore", checkpoint="p0")
    world.tick(5)
    assert world.engine.state.restoring is not None
    world.tick(2)
    assert world.engine.state.restoring is None
    assert "agent_abandoned" in kinds(world)
    assert "Agent: builder - Abandoned" in told(world)
    assert (list(world.lost), list(world.running)) == ([(1, 0, 0)], [(1, 1, 0)])
    facts = len(world.engine.ledger)
    world.feed(AgentFinished(phase=1, epoch=0, position=0, result={"outputs": {"x": 1}}))
    assert len(world.engine.ledger) == facts
    assert world.drive_to_end() == "completed"


def test_a_merge_that_does_not_end_is_abandoned_under_its_name_and_nothing_of_it_is_written() -> None:
    pair = (phase(n, context_writes=("a",)) for n in (1, 2))
    world = World(plan_of(phase(0), *pair, context={"a": ContextKeyPlan()}, execution=Execution(max_workers=3)))
    world.finish(0)
    world.write(1, a={"x": 1})
    world.write(2, a={"y": 2})
    ((key, effect),) = world.running.items()
    assert effect.uses == "merge_context"
    world.operate("restore", checkpoint="p0")
    world.tick(7)
    assert "Agent: merge - Abandoned" in told(world)
    where = {"phase": key[0], "epoch": key[1], "position": key[2]}
    world.feed(AgentFinished(**where, result={"context": {"merged": {"a": {"value": 1}}, "theirs": {"a": 1}}}))
    assert world.engine.state.context.values() == {}
    assert world.drive_to_end() == "completed"


def test_one_goes_back_before_an_earlier_restore_and_to_what_that_had_left() -> None:
    world = World(chain(agents=(PERSON,)))
    for index in range(3):
        world.operate("complete_phase", phase=index, outputs={"round": 1})
    world.operate("restore", checkpoint="p1")
    world.operate("complete_phase", phase=2, outputs={"round": 2})
    world.operate("restore", checkpoint="p0")
    assert world.statuses() == ["completed", "running", "pending", "pending"]
    assert listed(world) == ["p0", "p1 (undone)", "p2 (undone)", "p2 (undone)"]
    world.operate("restore", checkpoint="p2@1")
    assert [p.outputs for p in world.engine.state.phases[:3]] == [{"round": 1}] * 3
    world.operate("restore", checkpoint="p2@2")
    assert [p.outputs.get("round") for p in world.engine.state.phases[:3]] == [1, 1, 2]
    assert len(segments(world.engine.ledger)) == 3
    epochs = [p.epoch for p in world.engine.state.phases]
    copy = World(
        world.plan,
        engine=snapshots.restore(world.plan, json.loads(json.dumps(snapshots.snapshot(world.engine))), world.now),
    )
    assert [p.epoch for p in copy.engine.state.phases] == epochs
    assert copy.drive_to_end() == "completed"


def test_many_restores_are_folded_in_no_time() -> None:
    world = World(chain(agents=(PERSON,)))
    world.operate("complete_phase", phase=0)
    for _ in range(60):
        world.operate("complete_phase", phase=1)
        world.operate("restore", checkpoint="p0")
    assert world.engine.state.phases[1].epoch == 60
    assert len(segments(world.engine.ledger)) == 2


def test_to_the_start_of_a_phase_is_before_its_siblings_that_began_after_it() -> None:
    plan = plan_of(phase(0), phase(1, 0, group=0), phase(2, 0, group=0), phase(3, after_group=0))
    world = World(plan)
    world.finish(0)
    world.finish(1)
    world.finish(2)
    world.operate("restore", phase="p2")
    world.end_agent(min(world.running))
    # p1 ran when p2 began, so it runs again too.
    assert world.statuses() == ["completed", "running", "running", "pending"]
    assert [p.epoch for p in world.engine.state.phases[1:3]] == [1, 1]
    with pytest.raises(RefusedError, match="has not begun"):
        World(plan).operate("restore", phase="p3")


def test_gates_are_armed_again_and_votes_are_void() -> None:
    gate = GatePlan(id="release", approval=ApprovalPlan(need=2, evidence="optional", self_approval=True))
    world = World(plan_of(phase(0, group=0, gates=(gate,)), phase(1, group=0), phase(2, after_group=0)))
    world.finish(0)
    world.operate("decide_gate", gate="release", decision="approve", actor="ana", evidence=None)
    world.finish(1)
    world.operate("decide_gate", gate="release", decision="approve", actor="bo")
    assert world.statuses() == ["completed", "completed", "running"]
    world.operate("restore", checkpoint="p1")
    world.end_agent((2, 0, 0))
    gate_now = world.engine.state.phases[0].gate
    assert gate_now is not None
    assert (world.statuses()[0], gate_now.status, gate_now.votes) == ("running", "waiting", {})
    assert not any(isinstance(effect, CancelAgents) for effect in world.engine.effects)
    for actor in ("ana", "bo"):
        world.operate("decide_gate", gate="release", decision="approve", actor=actor)
    assert world.drive_to_end() == "completed"


def test_after_the_checkpoint_of_a_phase_that_sent_control_elsewhere_it_is_sent_there_again() -> None:
    back = JumpPlan(to=2, condition="outputs.failed > 0", max_rounds=2)
    world = World(plan_of(phase(0), phase(1, 0, jumps=(back,)), phase(2, on_jump=True), phase(3, 1)))
    world.finish(0)
    world.finish(1, failed=1)
    world.finish(2)
    world.finish(1, failed=0)
    assert world.statuses() == ["completed", "completed", "completed", "running"]
    world.operate("restore", checkpoint="p1@1")
    world.end_agent((3, 0, 0))
    assert [key[0] for key in world.running] == [2]
    world.finish(2)
    world.finish(1, failed=0)
    assert world.drive_to_end() == "completed"


def test_items_that_a_restore_took_back_never_share_an_epoch_with_those_that_follow() -> None:
    world = World(plan_of(phase(0), phase(1, 0, for_each=["a", "b"]), phase(2, 1)))
    world.finish(0)
    keys = {effect.task["key"] for effect in world.running.values()}
    world.end_agent(min(world.running))
    world.operate("restore", checkpoint="p0")
    while world.engine.state.restoring is not None:
        world.end_agent(min(world.running))
    assert not keys & {effect.task["key"] for effect in world.running.values()}
    assert [world.engine.state.plans[key[0]].id for key in world.running] == ["p1.0", "p1.1"]
    assert world.drive_to_end() == "completed"
    assert len(world.engine.state.phases) == 7


def test_what_is_no_checkpoint_is_refused_with_those_that_there_are() -> None:
    world = World(chain())
    with pytest.raises(RefusedError, match="no checkpoint yet"):
        world.operate("restore", checkpoint="last-checkpoint")
    world.finish(0)
    with pytest.raises(RefusedError, match="did you mean 'p0'") as refused:
        world.operate("restore", checkpoint="pp0")
    assert "the newest are p0" in refused.value.hint
    with pytest.raises(RefusedError, match="say where"):
        world.operate("restore")
    with pytest.raises(RefusedError, match="there is no checkpoint '2'"):
        world.operate("restore", checkpoint=2)


def test_the_same_request_is_carried_out_once() -> None:
    world = World(chain(agents=(PERSON,)))
    world.operate("complete_phase", phase=0)
    first = world.operate("restore", checkpoint="p0", request_id="r1")
    facts = len(world.engine.ledger)
    assert world.operate("restore", checkpoint="p0", request_id="r1") == first
    assert len(world.engine.ledger) == facts


def test_a_pause_is_over_with_a_restore() -> None:
    world = World(chain(agents=(PERSON,)))
    world.operate("complete_phase", phase=0)
    world.operate("pause")
    world.operate("create_checkpoint", name="paused")
    world.operate("resume")
    world.operate("complete_phase", phase=1)
    world.operate("restore", checkpoint="paused")
    assert (world.engine.state.status, world.statuses()[1]) == ("running", "running")


def test_a_page_of_thousands_of_checkpoints_is_a_page() -> None:
    world = World(chain(size=3000, agents=()))
    assert world.finished == "completed"
    shown = checkpoints.page(world.engine.state, offset=2990, limit=5)
    assert ([row["name"] for row in shown["checkpoints"]], shown["total"]) == (
        ["p2990", "p2991", "p2992", "p2993", "p2994"],
        3000,
    )
    assert len(checkpoints.page(world.engine.state)["checkpoints"]) == checkpoints.PAGE


def test_what_was_written_to_the_shared_context_after_the_checkpoint_is_gone_and_a_late_write_counts_no_more() -> None:
    keys = {"a": ContextKeyPlan(), "b": ContextKeyPlan()}
    writes = {"context_writes": ("a", "b")}
    world = World(plan_of(phase(0, **writes), phase(1, 0, **writes), phase(2, 1, **writes), context=keys))
    world.write(0, a=1)
    world.write(1, a=2, b=2)
    late = dict(world.running)
    world.operate("restore", checkpoint="p0")
    for key in late:
        world.end_agent(key, context={"b": 3})
    assert world.engine.state.context.values() == {"a": 1}
    assert world.engine.state.context.version == 1
    world.write(1, b=5)
    assert world.engine.state.context.values() == {"a": 1, "b": 5}
    assert [fact.data["writes"].keys() for fact in world.engine.ledger if fact.kind == "context_written"] == [
        {"a"},
        {"a", "b"},
        {"b"},
    ], "the ledger still tells what happened"
