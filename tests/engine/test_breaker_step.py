"""The circuit breaker of a phase: counted over its epochs, opened, tried again by a person or after its cooldown."""

from __future__ import annotations

import json
from typing import Any

from engine import snapshots
from engine.failing import fingerprint
from engine.journal import lines
from engine.plan import JumpPlan, Plan, StepBreaker
from engine.view import details, view
from tests.engine.world import World, phase, plan_of

Json = dict[str, Any]

BREAKER = StepBreaker(max_attempts=3, max_error_repeats=2, cooldown=60)


def error(*messages: str) -> Json:
    """The error of an activity whose attempts failed with these messages."""
    failures: list[Json] = [{"code": "exit_code", "class": "deterministic", "message": words} for words in messages]
    told = [{**failure, "fingerprint": fingerprint(failure)} for failure in failures]
    return {"code": "exit_code", "message": messages[-1], "failures": told}


def alone(breaker: StepBreaker = BREAKER, **fields: Any) -> World:
    return World(plan_of(phase(0, breaker=breaker, **fields), phase(1, 0)))


def retry(world: World, index: int = 0, **fields: Any) -> None:
    world.operate("intervene", phase=index, action="retry", **fields)


def circuit(world: World, index: int = 0) -> Json:
    shown: Json = details(world.engine, world.engine.state.phases[index])["circuit"]
    return shown


def opened() -> World:
    world = alone()
    world.end_agent((0, 0, 0), error=error("a"))
    retry(world)
    world.end_agent((0, 1, 0), error=error("b", "c"))
    return world


def test_failed_attempts_of_all_epochs_open_it_and_the_fact_says_so() -> None:
    world = opened()
    first, last = (f for f in world.engine.ledger if f.kind == "phase_paused")
    assert ("circuit" in first.data["error"], last.data["error"]["circuit"]) == (False, "open")
    assert (circuit(world)["state"], circuit(world)["failed"]) == ("open", 3)


def test_the_same_error_in_a_row_opens_it_whatever_the_epoch() -> None:
    world = alone()
    world.end_agent((0, 0, 0), error=error("3 tests failed"))
    retry(world)
    world.end_agent((0, 1, 0), error=error("4 tests failed"))
    assert (circuit(world)["state"], circuit(world)["same"]) == ("open", 2)


def test_attempts_are_told_what_is_left_to_them() -> None:
    world = alone()
    limits = {"max_attempts": 3, "max_error_repeats": 2, "probe": False}
    assert world.running[0, 0, 0].task["limits"] == {**limits, "failed": 0, "last": "", "same": 0}
    world.end_agent((0, 0, 0), error=error("a"))
    retry(world)
    assert world.running[0, 1, 0].task["limits"] == {
        **limits, "failed": 1, "last": fingerprint(error("a")["failures"][0]), "same": 1,
    }  # fmt: skip


def test_the_retry_of_a_person_is_one_probe_and_its_failure_opens_it_anew() -> None:
    world = opened()
    retry(world, actor="ana")
    assert world.running[0, 2, 0].task["limits"]["probe"]
    assert circuit(world)["state"] == "half_open"
    world.tick(10)
    world.end_agent((0, 2, 0), error=error("d"))
    assert circuit(world)["state"] == "open"
    assert circuit(world)["until"] == "1970-01-12T13:47:50.000Z"


def test_its_success_closes_it_and_the_fact_says_so() -> None:
    world = opened()
    retry(world)
    world.finish(0)
    settled = next(f for f in world.engine.ledger if f.kind == "phase_settled")
    assert settled.data["circuit"] == "closed"
    assert (circuit(world)["state"], circuit(world)["failed"]) == ("closed", 0)
    assert world.statuses() == ["completed", "running"]


def test_an_agent_that_retries_is_no_person_and_the_phase_does_not_start() -> None:
    world = opened()
    retry(world, actor="agent:builder")
    assert not world.running
    told = world.engine.state.phases[0].error
    assert told is not None
    assert (told["code"], told["class"], told["stopped_early"]) == ("circuit_open", "system", "circuit_open")
    assert told["message"] == ("not started: its circuit breaker is open for another 60s, after 3 failed attempts")
    assert world.statuses()[0] == "paused"
    assert circuit(world)["failed"] == 3
    paused = [line for line in lines(world.engine.state.plans, "wf", world.engine.ledger) if "not started" in line]
    assert len(paused) == 1


def test_after_the_cooldown_anybody_may_try_it_once() -> None:
    world = opened()
    world.tick(61)
    retry(world, actor="agent:builder")
    assert world.running[0, 2, 0].task["limits"]["probe"]


def again_and_again() -> Plan:
    """Build, and tests that send control back to it when they fail."""
    back = (JumpPlan(to=0, condition="status == 'failed'", max_rounds=9),)
    return plan_of(phase(0), phase(1, 0, jumps=back, breaker=BREAKER))


def test_a_loop_ends_at_an_open_circuit_instead_of_using_up_its_rounds() -> None:
    world = World(again_and_again())
    for epoch, words in enumerate(("a", "b", "c")):
        world.finish(0)
        world.end_agent((1, epoch, 0), error=error(words))
    world.finish(0)
    assert world.statuses() == ["completed", "paused"]
    assert world.engine.state.phases[1].error is not None
    assert world.engine.state.phases[1].error["code"] == "circuit_open"


def test_in_a_loop_that_takes_longer_than_the_cooldown_one_attempt_shows_whether_it_works() -> None:
    world = World(again_and_again())
    for epoch, words in enumerate(("a", "b", "c")):
        world.finish(0)
        world.end_agent((1, epoch, 0), error=error(words))
    world.tick(60)
    world.finish(0)
    assert world.running[1, 3, 0].task["limits"]["probe"]
    world.finish(1)
    assert world.finished == "completed"


def test_a_person_who_goes_back_wants_the_phase_to_be_tried_when_control_comes_to_it_again() -> None:
    world = World(plan_of(phase(0), phase(1, 0, breaker=StepBreaker(max_attempts=1, cooldown=3600))))
    world.finish(0)
    world.end_agent((1, 0, 0), error=error("a"))
    world.operate("intervene", phase=1, action="go_to", to=0, actor="ana")
    world.finish(0)
    assert world.running[1, 1, 0].task["limits"]["probe"]


def test_transient_failures_are_attempts_but_no_repeated_error() -> None:
    world = alone(StepBreaker(max_attempts=4, max_error_repeats=2))
    killed: Json = {"code": "signal", "message": "killed"}
    world.end_agent((0, 0, 0), error={**killed, "failures": [killed, killed, killed]})
    assert circuit(world)["state"] == "closed"
    retry(world)
    world.end_agent((0, 1, 0), error={**killed, "failures": [killed]})
    assert circuit(world)["state"] == "open"


def test_on_failure_decides_what_an_open_circuit_does() -> None:
    world = World(plan_of(phase(0), phase(1, 0, jumps=(), breaker=StepBreaker(max_attempts=1), on_failure="isolate")))
    world.finish(0)
    world.end_agent((1, 0, 0), error=error("a"))
    assert world.finished == "failed"
    (settled,) = [f for f in world.engine.ledger if f.kind == "phase_settled" and f.phase == 1]
    assert settled.data["error"]["circuit"] == "open"


def test_each_item_of_a_phase_has_its_own() -> None:
    world = World(plan_of(phase(0, for_each=["a", "b"], breaker=StepBreaker(max_attempts=1))))
    world.end_agent((1, 0, 0), error=error("a"))
    assert (circuit(world, 1)["state"], circuit(world, 2)["state"]) == ("open", "closed")
    assert details(world.engine, world.engine.state.phases[0])["circuit"] is None


def test_a_snapshot_keeps_what_was_counted() -> None:
    world = opened()
    taken = json.loads(json.dumps(snapshots.snapshot(world.engine)))
    successor = World(world.plan, engine=snapshots.restore(world.plan, taken, world.now))
    assert circuit(successor) == circuit(world)
    retry(successor, actor="agent:x")
    assert not successor.running


def test_a_phase_without_one_says_nothing_of_it() -> None:
    world = World(plan_of(phase(0)))
    assert "limits" not in world.running[0, 0, 0].task
    world.fail(0)
    assert details(world.engine, world.engine.state.phases[0])["circuit"] is None
    assert view(world.engine, world.now)["phases"][0]["error"] == {
        "code": "exit_code", "message": "exit code 1", "class": "deterministic",
    }  # fmt: skip
