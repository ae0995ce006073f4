"""Notices and hooks in the engine: what happens is told once, to whom it concerns."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine import snapshots
from engine.effects import NoticesLost
from engine.gates.plans import ApprovalPlan, GatePlan
from engine.journal import lines
from engine.plan import HookPlan, JumpPlan, Plan, TargetPlan
from tests.engine.world import PERSON, World, phase, plan_of

Json = dict[str, Any]
TEAM = TargetPlan(name="team", url_env="TEAM_URL")
HOOKS = {what: HookPlan(run=(what,)) for what in ("failure", "retry", "recovery", "circuit_open")}


def told(world: World) -> list[tuple[str, str | None]]:
    """Kinds of the notices so far, with their phases."""
    return [
        (message["body"]["kind"], message["body"].get("phase", {}).get("id"))
        for message in world.told
        if message["kind"] == "notice"
    ]


def ran(world: World) -> list[tuple[str, str]]:
    """The hooks so far, with their phases."""
    return [(m["hook"]["run"][0], m["body"]["phase"]["id"]) for m in world.told if m["kind"] == "hook"]


def watched(*phases: Any, on: tuple[str, ...] = (), only: tuple[int, ...] = (), **fields: Any) -> World:
    target = TargetPlan(name="team", url_env="TEAM_URL", on=on, phases=only)
    return World(plan_of(*phases, targets=(target,), **fields))


def test_what_happens_is_told_once_with_words_and_commands() -> None:
    world = watched(phase(0), phase(1, 0))
    world.fail(0)
    (message,) = world.told
    assert message["key"] == "wf_test00/4/team"
    assert message["to"] == {"name": "team", "url_env": "TEAM_URL"}
    body = message["body"]
    assert (body["kind"], body["run"], body["definition"], body["epoch"]) == ("paused", "wf_test00", "plan", 0)
    assert body["phase"] == {"index": 0, "id": "p0", "name": "Phase 0"}
    assert body["text"] == "Plan (wf_test00): Phase 0 has failed (exit code 1) and waits for a decision."
    assert body["error"] == {"code": "exit_code", "message": "exit code 1"}
    assert body["commands"] == [
        "phaseloom workflow why p0 --run wf_test00",
        "phaseloom workflow intervene --phase p0 --run wf_test00",
    ]
    assert body["at"].endswith("Z")
    world.operate("intervene", phase=0, action="skip", reason="x")
    world.finish(1)
    assert told(world) == [("paused", "p0"), ("completed", None)]
    assert world.told[-1]["body"]["text"] == "Plan (wf_test00) has completed."


def test_a_target_is_told_only_of_what_it_wants_as_what_it_asked_for() -> None:
    world = watched(phase(0, on_failure="isolate"), phase(1, on_failure="isolate"), on=("failed",), only=(1,))
    world.fail(0)
    assert world.told == []
    world.fail(1)
    assert told(world) == [("failed", "p1")]  # and not that the run has failed: it is about one phase


def test_people_are_told_of_gates_reminders_escalations_and_deadlines() -> None:
    approval = ApprovalPlan(
        people=("ana",), evidence="optional", remind=4.0, deadline=6.0, on_deadline="escalate", escalate_to=("bo",),
        after_escalation="pause",
    )  # fmt: skip
    world = watched(phase(0, gates=(GatePlan(id="release", approval=approval),)))
    world.finish(0)
    for _ in range(12):
        world.tick(1)
    assert [kind for kind, _ in told(world)] == ["gate", "reminder", "escalated", "reminder", "deadline"]
    first = world.told[0]["body"]
    assert first["gate"]["people"] == ["ana"]
    assert first["text"].endswith("the gate release of Phase 0 waits for a decision of ana.")
    assert "phaseloom workflow gate show p0/release --run wf_test00" in first["commands"]


def test_a_late_phase_is_told_as_that() -> None:
    world = watched(phase(0, agents=(PERSON,), deadline=5.0, remind=3.0))
    for _ in range(6):
        world.tick(1)
    assert told(world) == [("reminder", "p0"), ("deadline", "p0"), ("reminder", "p0")]
    assert world.told[0]["body"]["deadline"] is not None


def test_operators_pauses_and_cancellations_are_told() -> None:
    world = watched(phase(0))
    world.operate("pause", actor="ann")
    world.operate("cancel")
    world.end_agent((0, 0, 0))
    assert told(world) == [("paused", None), ("cancelled", None)]
    assert world.told[0]["body"]["text"] == "Plan (wf_test00) has been paused by ann."


def test_items_are_told_under_the_filter_of_their_phase() -> None:
    world = watched(phase(0), phase(1, for_each=["a"]), only=(1,))
    world.fail(2)
    assert told(world) == [("paused", "p1.0")]


def hooked(*phases: Any, hooks: dict[str, HookPlan] | None = None) -> World:
    return World(plan_of(*phases, hooks=HOOKS if hooks is None else hooks))


def test_hooks_run_on_failure_on_the_next_try_and_on_recovery() -> None:
    world = hooked(phase(0))
    world.fail(0)
    world.operate("intervene", phase=0, action="retry")
    world.finish(0)
    assert ran(world) == [("failure", "p0"), ("retry", "p0"), ("recovery", "p0")]
    keys = [message["key"].rpartition("/")[2] for message in world.told]
    assert keys == ["on_failure", "on_retry", "on_recovery"]


def test_a_jump_back_is_a_retry_and_no_recovery_unless_something_had_failed() -> None:
    world = hooked(phase(0), phase(1, 0, jumps=(JumpPlan(to=0, max_rounds=1),)))
    for index in (0, 1, 0, 1):
        world.finish(index)
    assert ran(world) == [("retry", "p0"), ("retry", "p1")]


def test_a_failed_attempt_before_the_good_one_is_recovered_from() -> None:
    world = hooked(phase(0))
    result = {"outputs": {}, "exit_code": 0, "attempts": 2, "failures": [{"code": "exit_code", "attempt": 1}]}
    effect = world.running.pop((0, 0, 0))
    from engine.effects import AgentFinished  # noqa: PLC0415

    world.feed(AgentFinished(phase=0, epoch=effect.epoch, position=0, result=result))
    assert ran(world) == [("recovery", "p0")]


@pytest.mark.parametrize(
    "error",
    [{"code": "circuit_open"}, {"code": "exit_code", "stopped_early": "repeated"}],
)
def test_a_breaker_that_has_opened_runs_both_hooks(error: Json) -> None:
    world = hooked(phase(0))
    world.end_agent((0, 0, 0), error={"message": "no more", **error})
    assert ran(world) == [("failure", "p0"), ("circuit_open", "p0")]


def test_a_phases_own_hook_runs_in_place_of_the_runs() -> None:
    own = {"failure": HookPlan(run=("own", "${status}: ${outputs.n}", "${phases.p0.outputs.n}"))}
    world = hooked(
        phase(0),
        phase(1, 0, hooks=own, gates=(GatePlan(id="g", approval=ApprovalPlan(people=("ana",), evidence="optional")),)),
    )
    world.finish(0, n=7)
    world.finish(1, n=8)
    world.operate("decide_gate", gate="g", decision="reject", comment="no", actor="ana")
    assert world.told[-1]["hook"]["run"] == ["own", "paused: 8", "7"]


def test_a_hook_whose_words_have_no_value_says_so_and_harms_nothing() -> None:
    world = hooked(phase(0), hooks={"failure": HookPlan(run=("tell", "${outputs.missing}"))})
    world.fail(0)
    assert "missing" in world.told[0]["problem"]
    assert world.statuses() == ["paused"]


def test_what_could_not_be_delivered_is_in_the_journal_and_tells_nobody() -> None:
    world = watched(phase(0))
    lost = {"key": "wf_test00/2/team", "to": "team", "text": "Plan has paused.", "why": "it answered 404"}
    world.feed(NoticesLost(lost=[lost]))
    assert world.told == []
    said = list(lines(world.engine.state.plans, "wf_test00", world.engine.ledger))[-1]
    assert said.endswith("[ERROR] Notice not delivered: team - Plan has paused.: it answered 404")


def test_nothing_is_told_again_after_a_fresh_history() -> None:
    plan: Plan = plan_of(phase(0), phase(1, 0), targets=(TEAM,), hooks=HOOKS)
    world = World(plan)
    world.fail(0)
    taken = json.loads(json.dumps(snapshots.snapshot(world.engine)))
    successor = World(plan, engine=snapshots.restore(plan, taken, world.now))
    assert successor.told == []
    successor.operate("intervene", phase=0, action="cancel")
    assert told(successor) == [("failed", None)]


def test_a_run_without_them_is_not_looked_at() -> None:
    world = World(plan_of(phase(0)))
    assert not world.engine.outbox.wanted
    world.fail(0)
    assert world.told == []
