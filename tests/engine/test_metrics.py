"""What a run has taken, against numbers that were worked out by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine import restoring
from engine.agents import AgentPlan
from engine.effects import AgentFinished
from engine.engine import Engine
from engine.gates.plans import ApprovalPlan, CheckPlan, GatePlan
from engine.measures import totals
from engine.metrics import metrics, percentile, spread
from engine.plan import Execution
from engine.spells import Spells
from engine.timeline import timeline
from tests.engine.world import COMMAND, PERSON, World, phase, plan_of

Json = dict[str, Any]

LINT = CheckPlan(name="lint", gate="ready", run=("lint",))
ANYONE = ApprovalPlan(evidence="optional", self_approval=True)


def measured(world: World) -> Json:
    facts = world.engine.ledger
    found: Json = json.loads(json.dumps(metrics(Spells.of(world.plan, facts), facts, world.now)))
    return found


def finish(world: World, index: int, **result: Any) -> None:
    """The first agent of a phase finishes, and tells this."""
    key = min(k for k in world.running if k[0] == index)
    effect = world.running.pop(key)
    where = {"phase": effect.phase, "epoch": effect.epoch, "position": effect.position}
    world.feed(AgentFinished(**where, result={"outputs": {}, **result}))


def test_two_of_three_parallel_phases_share_two_slots() -> None:
    """0-10: p0 and p1; p2 waits for a slot; 4-10 p2 in p0's; then p3 alone until 12.

    |p0 ====      |
    |p1 ==========|
    |p2 ....======|
    |p3           ==|
    """
    world = World(
        plan_of(phase(0), phase(1), phase(2), phase(3, 0, 1, 2), execution=Execution(max_workers=2)),
    )
    world.tick(4)
    world.finish(0)
    world.tick(6)
    world.finish(1)
    world.finish(2)
    world.tick(2)
    world.finish(3)
    found = measured(world)
    assert found["status"] == "completed"
    assert found["seconds"] == {"total": 12, "working": 12, "people": 0, "paused": 0, "idle": 0}
    assert found["work_seconds"] == 4 + 10 + 6 + 2
    assert found["slot_seconds"] == 22
    assert found["utilisation"] == round(22 / 24, 4)
    assert found["most_at_once"] == 2
    assert found["speed_up"] == round(22 / 12, 4)
    assert found["efficiency"] == round(22 / 24, 4)
    assert found["queue"] == {"count": 4, "seconds": 4, "p50": 0, "p95": 4, "most": 4}
    assert [row["seconds"] for row in found["phases"]] == [4, 10, 6, 2]
    assert [row["queue_seconds"] for row in found["phases"]] == [0, 0, 4, 0]
    assert found["agents"] == [
        {"role": "builder", "person": False, "times": 4, "seconds": 22, "attempts": 4, "failed": 0}
    ]
    assert found["usage"] is None, "nothing has measured it"


def test_waiting_for_people_is_apart_from_work_and_from_pauses() -> None:
    world = World(plan_of(phase(0), phase(1, 0, agents=(PERSON,)), phase(2, 1)))
    world.tick(3)
    world.finish(0)
    world.tick(20)
    world.operate("pause")
    world.operate("complete_phase", phase=1)
    world.tick(7)
    world.operate("resume")
    world.tick(5)
    world.finish(2)
    found = measured(world)
    assert found["seconds"] == {"total": 35, "working": 8, "people": 20, "paused": 7, "idle": 0}
    assert found["people"] == {"person": 20}
    assert found["queue"]["seconds"] == 0, "a pause of the run is not waited for a slot"
    assert [row["people_seconds"] for row in found["phases"]] == [0, 20, 0]
    assert found["agents"][0] == {"role": "lead", "person": True, "times": 1, "seconds": 20}


def test_every_epoch_counts_and_failures_are_told_by_their_codes() -> None:
    world = World(plan_of(phase(0)))
    world.tick(6)
    failures = [{"code": "exit_code", "attempt": 1}, {"code": "timeout", "attempt": 2, "class": "transient"}]
    world.end_agent((0, 0, 0), error={"code": "timeout", "attempts": 2, "failures": failures})
    world.tick(100)
    world.operate("intervene", phase=0, action="retry")
    world.tick(4)
    finish(world, 0, attempts=3, failures=[{"code": "exit_code"}, {"code": "exit_code"}])
    found = measured(world)
    assert found["seconds"] == {"total": 110, "working": 10, "people": 100, "paused": 0, "idle": 0}
    assert found["people"] == {"decision": 100}
    assert (found["attempts"], found["retries"], found["runs"]) == (5, 3, 2)
    assert found["failures"] == {"exit_code": 3, "timeout": 1}
    assert found["failure_classes"] == {"transient": 1}
    (row,) = found["phases"]
    assert row["epochs"] == [{"epoch": 0, "seconds": 6}, {"epoch": 1, "seconds": 4}]
    assert (row["runs"], row["seconds"], row["attempts"], row["retries"]) == (2, 10, 5, 3)


def test_a_gate_tells_its_pass_rate_its_checks_and_how_long_people_were_waited_for() -> None:
    gate = GatePlan(id="ready", checks=(LINT,), approval=ANYONE)
    world = World(plan_of(phase(0, gates=(gate,))))
    world.tick(5)
    world.finish(0)
    world.tick(2)
    world.fail(0)  # its check
    world.tick(10)
    world.operate("intervene", phase=0, action="retry_gate")
    world.tick(1)
    world.finish(0)
    world.tick(30)
    world.operate("decide_gate", gate="ready", decision="approve", actor="ana")
    found = measured(world)
    assert found["gates"] == [
        {
            "gate": "ready",
            "opened": 2,
            "passed": 1,
            "failed": 1,
            "waived": 0,
            "pass_rate": 0.5,
            "checks": [{"name": "lint", "failed": 1, "passed": 1, "pass_rate": 0.5}],
            "decisions": {"approve": 1},
            "checking_seconds": 3,
            "waiting_seconds": 30,
        }
    ]
    assert found["seconds"] == {"total": 48, "working": 8, "people": 40, "paused": 0, "idle": 0}
    assert found["people"] == {"gate": 30, "decision": 10}


def test_usage_is_summed_and_what_somebody_did_not_tell_is_left_out() -> None:
    world = World(plan_of(phase(0), phase(1)))
    world.tick(1)
    finish(world, 0, usage={"calls": 1, "cpu_seconds": 0.5, "memory_peak": 10, "tokens": 900, "cost": 0.25})
    finish(world, 1, usage={"calls": 2, "memory_peak": 30, "tokens": 100})
    assert measured(world)["usage"] == {"calls": 3, "memory_peak": 30, "tokens": 1000, "cost": 0.25}


def test_items_are_told_of_together() -> None:
    world = World(plan_of(phase(0, for_each=["a", "b", "c"]), execution=Execution(max_workers=2)))
    world.tick(4)
    world.finish(1)
    world.finish(2)
    world.tick(2)
    world.finish(3)
    found = measured(world)
    (row,) = found["phases"]
    assert row["items"] == {"total": 3, "count": 3, "seconds": 10, "p50": 4, "p95": 4, "most": 4}
    assert (row["seconds"], row["work_seconds"], row["queue_seconds"]) == (6, 10, 4)
    assert found["seconds"]["working"] == 6
    assert found["runs"] == 1


def test_agents_of_one_phase_take_one_slot_together() -> None:
    both = (COMMAND, AgentPlan(role="tester", uses="command"))
    world = World(plan_of(phase(0, agents=both, agents_mode="parallel")))
    world.tick(2)
    world.finish(0)
    world.tick(4)
    world.finish(0)
    found = measured(world)
    assert found["work_seconds"] == 6
    assert {row["role"]: row["seconds"] for row in found["agents"]} == {"builder": 2, "tester": 6}


def test_an_open_run_is_measured_up_to_now() -> None:
    world = World(plan_of(phase(0), phase(1, 0)))
    world.tick(9)
    found = measured(world)
    assert found["ended_at"] is None
    assert found["seconds"]["total"] == found["phases"][0]["seconds"] == 9
    assert found["attempts"] == 0, "what has not ended has told nothing"
    assert found["phases"][1]["runs"] == 0


def test_phases_come_in_pages() -> None:
    world = World(plan_of(*(phase(n) for n in range(5))))
    facts = world.engine.ledger
    found = metrics(Spells.of(world.plan, facts), facts, world.now, offset=3, limit=10)
    assert [row["index"] for row in found["phases"]] == [3, 4]
    assert found["page"] == {"offset": 3, "limit": 10, "total": 5}


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([], 50, None),
        ([7.0], 95, 7.0),
        ([1.0, 2.0], 50, 1.0),
        ([3.0, 1.0, 2.0], 50, 2.0),
        ([float(n) for n in range(1, 21)], 95, 19.0),
        ([float(n) for n in range(1, 21)], 100, 20.0),
    ],
)
def test_a_percentile_is_the_nearest_rank(values: list[float], percent: float, expected: float | None) -> None:
    assert percentile(values, percent) == expected


def test_what_is_not_listed_took_no_time() -> None:
    assert spread([4.0], 3) == {"count": 3, "seconds": 4.0, "p50": 0.0, "p95": 4.0, "most": 4.0}
    assert spread([]) == {"count": 0, "seconds": 0, "p50": None, "p95": None, "most": None}


def test_a_run_that_goes_on_from_another_one_takes_its_own_time_only_also_when_it_goes_back_behind_its_start() -> None:
    plan = plan_of(phase(0), phase(1, 0), phase(2, 1), execution=Execution(max_workers=1))
    before = World(plan)
    for index in (0, 1):
        before.tick(10)
        before.finish(index)
    facts = [fact.to_json() for fact in before.engine.ledger[: before.engine.state.saved.positions[0]]]
    engine = Engine(plan)
    began = before.now + 5000
    seed = {"facts": facts, "from": "wf_old", "checkpoint": "p0"}
    restoring.seed(engine, seed, began, run={"id": "wf_new"}, actor="ana")
    engine.advance(began)
    world = World(plan, engine=engine)
    world.now = began
    for index in (1, 2):
        world.tick(5)
        if index == 2:
            world.operate("restore", checkpoint="beginning")
            world.end_agent(min(world.running))
            world.finish(0)
            world.finish(1)
        world.finish(index)
    found = measured(world)
    assert found["seconds"] == {"total": 10, "working": 10, "people": 0, "paused": 0, "idle": 0}
    assert found["runs"] == 5
    assert totals(engine.state)["parallel"] == 10
    shown = timeline(plan, engine.ledger, world.now)
    assert shown["length"] == 10
    assert min(moment["t"] for moment in shown["moments"]) == 0
