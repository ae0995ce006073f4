"""A phase can be any activity of any worker: what that worker is sent, and what its answer becomes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from engine.agents import AgentPlan, OutputPlan
from engine.plan import Plan, Retry
from tests.engine.world import PERSON, phase, plan_of
from tests.workflows.conftest import Bench

Json = dict[str, Any]


class Elsewhere:
    """A worker that knows nothing of Phaseloom."""

    def __init__(self) -> None:
        self.given: list[Any] = []
        self.fails = 0
        self.cancelled = asyncio.Event()

    @activity.defn(name="translate")
    async def translate(self, given: Any) -> Any:
        self.given.append(given)
        if self.fails:
            self.fails -= 1
            raise ValueError("no dictionary")
        return {"text": "bonjour", "words": "1"}

    @activity.defn(name="count")
    async def count(self, given: Any) -> int:
        self.given.append(given)
        return 3

    @activity.defn(name="flood")
    async def flood(self, given: Any) -> str:
        self.given.append(given)
        return "x" * 70_000

    @activity.defn(name="refuse")
    async def refuse(self, given: Any) -> None:
        del given
        raise ApplicationError("never", type="policy", non_retryable=True)

    @activity.defn(name="wait")
    async def wait(self, given: Any) -> None:
        self.given.append(given)
        try:
            while True:
                activity.heartbeat()
                await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


@pytest.fixture
async def elsewhere(bench: Bench) -> AsyncIterator[Elsewhere]:
    place = Elsewhere()
    work = [place.translate, place.count, place.flood, place.refuse, place.wait]
    often = timedelta(milliseconds=200)  # so soon they hear of a cancellation
    async with Worker(bench.client, task_queue="theirs", activities=work, max_heartbeat_throttle_interval=often):
        yield place


def agent(name: str, outputs: dict[str, OutputPlan] | None = None, **config: Any) -> AgentPlan:
    return AgentPlan(
        role="other",
        uses="activity",
        config={"activity": name, "task_queue": "theirs", **config},
        outputs=outputs or {},
    )


def alone(who: AgentPlan, **more: Any) -> Plan:
    return plan_of(phase(0, agents=(who,), on_failure="isolate", **more))


async def settled(bench: Bench, plan: Plan, **start: Any) -> Json:
    handle = await bench.start(plan, **start)
    await handle.result()
    found: Json = await handle.query("phase", {"phase": 0})
    return found


async def failure(bench: Bench, plan: Plan) -> Json:
    handle = await bench.start(plan)
    with pytest.raises(Exception, match="Workflow execution failed"):
        await handle.result()
    found: Json = await handle.query("phase", {"phase": 0})
    assert found["status"] == "failed"
    error: Json = found["error"]
    return error


async def test_the_input_is_evaluated_and_an_object_is_the_outputs(bench: Bench, elsewhere: Elsewhere) -> None:
    who = agent("translate", {"words": OutputPlan(type="integer")}, input={"to": "${inputs.to}", "n": [1, "${1 + 1}"]})
    found = await settled(bench, alone(who, reads=("inputs.to",)), inputs={"to": "fr"})
    assert elsewhere.given == [{"to": "fr", "n": [1, 2]}]
    assert found["outputs"] == {"text": "bonjour", "words": 1}


async def test_without_an_input_it_is_sent_the_task(bench: Bench, elsewhere: Elsewhere) -> None:
    found = await settled(bench, alone(agent("count"), prompt="Count ${inputs.what}"), inputs={"what": "sheep"})
    assert found["outputs"] == {"result": 3}
    (given,) = elsewhere.given
    assert given["prompt"] == "Count sheep"
    assert given["phase"] == {"id": "p0", "name": "p0", "index": 0} | {"name": given["phase"]["name"]}
    assert given["key"].endswith("/p0/0/other#0")


async def test_temporals_retries_hold(bench: Bench, elsewhere: Elsewhere) -> None:
    elsewhere.fails = 2
    plan = alone(agent("translate", input=None), retry=Retry(max_attempts=3, initial=0.05))
    assert (await settled(bench, plan))["status"] == "completed"
    assert elsewhere.given == [None, None, None]


async def test_a_final_failure_says_what_the_worker_said(bench: Bench, elsewhere: Elsewhere) -> None:
    told = {"code": "policy", "message": "never", "class": "deterministic"}
    assert await failure(bench, alone(agent("refuse"))) == told
    assert elsewhere.given == []


async def test_an_answer_that_is_too_large_is_refused(bench: Bench, elsewhere: Elsewhere) -> None:
    error = await failure(bench, alone(agent("flood")))
    assert error["code"] == "bad_output"
    assert "over 65536" in error["message"]
    assert len(elsewhere.given) == 1


async def test_a_declared_output_must_come(bench: Bench, elsewhere: Elsewhere) -> None:
    error = await failure(bench, alone(agent("count", {"total": OutputPlan(type="integer")})))
    assert error["message"] == "output 'total' is declared, and the activity did not return it"
    assert len(elsewhere.given) == 1


async def test_an_input_without_a_value_fails_the_phase_and_not_the_run(bench: Bench, elsewhere: Elsewhere) -> None:
    error = await failure(bench, alone(agent("count", input="${inputs.nothing}")))
    assert error["code"] == "expression"
    assert elsewhere.given == []


async def test_a_worker_that_heartbeats_is_cancelled_and_waited_for(bench: Bench, elsewhere: Elsewhere) -> None:
    handle = await bench.start(plan_of(phase(0, agents=(agent("wait", heartbeat_timeout=300),), timeout=None)))
    while not elsewhere.given:
        await asyncio.sleep(0.02)
    await handle.execute_update("cancel", {})
    assert (await handle.result())["status"] == "cancelled"
    assert elsewhere.cancelled.is_set()


async def test_a_worker_that_does_not_heartbeat_holds_nothing_up(bench: Bench, elsewhere: Elsewhere) -> None:
    """It cannot hear of the cancellation, so waiting for it could take for ever."""
    del elsewhere
    nobody = AgentPlan(role="x", uses="activity", config={"activity": "absent", "task_queue": "nobody-polls"})
    handle = await bench.start(plan_of(phase(0, agents=(nobody,)), phase(1, 0, agents=(PERSON,))))
    await handle.execute_update("cancel", {})
    assert (await handle.result())["status"] == "cancelled"
