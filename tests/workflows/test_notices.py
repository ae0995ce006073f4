"""Notices on Temporal: delivered at least once, by children that neither hold up a run nor end with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError

from engine.plan import HookPlan, Plan, TargetPlan
from tests.engine.world import PERSON, phase, plan_of
from tests.lasting import lasting
from tests.workflows.conftest import MOMENTS, Bench, failing

Json = dict[str, Any]
TEAM = TargetPlan(name="team", url_env="TEAM_URL")
DAY = 86400.0


def told(*phases: Any, **fields: Any) -> Plan:
    return plan_of(*phases, targets=(TEAM,), **fields)


async def children(handle: WorkflowHandle[Any, Json]) -> list[str]:
    """The ids of the deliveries that a run has started."""
    history = await handle.fetch_history()
    begun = EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED
    return [
        event.child_workflow_execution_started_event_attributes.workflow_execution.workflow_id
        for event in history.events
        if event.event_type == begun
    ]


async def delivered(bench: Bench, handle: WorkflowHandle[Any, Json]) -> None:
    """All deliveries of the run have ended; time is skipped for them."""
    for child in await children(handle):
        await bench.client.get_workflow_handle(child).result()


def kinds(bench: Bench) -> list[str]:
    """What was told; messages of one child come in any order."""
    return sorted(message["body"]["kind"] for message in bench.agents.notices)


def refused(*, final: bool = False, pause: float = 0.01) -> Callable[[Json, int], None]:
    """A receiver that takes nothing; the next attempt is made after so many seconds."""

    def deliver(_message: Json, _attempt: int) -> None:
        delay = timedelta(seconds=pause)
        raise ApplicationError("it answered 503", type="not_delivered", non_retryable=final, next_retry_delay=delay)

    return deliver


async def test_a_run_ends_while_its_notice_is_tried_again_and_again_with_the_same_key(bench: Bench) -> None:
    bench.agents.deliver = refused()
    handle = await bench.start(told(phase(0)))
    assert (await handle.result())["status"] == "completed"
    (child,) = await children(handle)
    before = len(bench.agents.notices)
    while len(bench.agents.notices) < before + 3:
        await bench.pause()
    assert (await bench.client.get_workflow_handle(child).describe()).status == WorkflowExecutionStatus.RUNNING
    bench.agents.deliver = lambda _message, _attempt: None
    assert await bench.client.get_workflow_handle(child).result() == {"delivered": 1}
    assert {message["key"] for message in bench.agents.notices} == {"wf_test01/4/team"}


async def test_what_happens_together_is_delivered_by_one_child(bench: Bench) -> None:
    bench.agents.script = {"p0": failing()}
    hooks = {"failure": HookPlan(run=("tell",))}
    handle = await bench.start(told(phase(0, on_failure="isolate"), hooks=hooks))
    with pytest.raises(WorkflowFailureError):
        await handle.result()
    await delivered(bench, handle)
    assert kinds(bench) == ["failed", "failed"]
    assert [message["hook"]["run"] for message in bench.agents.hooks] == [["tell"]]
    assert len(await children(handle)) == 1


async def test_a_notice_that_nobody_takes_is_in_the_journal_of_an_open_run_and_changes_nothing(bench: Bench) -> None:
    bench.agents.deliver = refused(final=True)
    handle = await bench.start(told(phase(0, agents=(PERSON,))))
    await handle.execute_update("pause", {"actor": "ann"})
    while not (begun := await children(handle)):
        await bench.pause()
    (child,) = begun
    with pytest.raises(WorkflowFailureError) as failed:
        await bench.client.get_workflow_handle(child).result()
    assert isinstance(failed.value.cause, ApplicationError)
    (lost,) = failed.value.cause.details[0]["undelivered"]
    assert (lost["to"], lost["why"]) == ("team", "it answered 503")
    for _ in range(MOMENTS):
        facts = (await handle.query("journal"))["facts"]
        if facts[-1]["kind"] == "notice_undelivered":
            break
        await bench.pause()
    assert facts[-1]["data"] == lost
    await handle.execute_update("resume", {})
    await handle.execute_update("complete_phase", {"phase": 0})
    assert (await handle.result())["status"] == "completed"


async def test_a_notice_is_given_up_after_a_day(bench: Bench) -> None:
    bench.agents.deliver = refused(pause=2 * DAY)
    handle = await bench.start(told(phase(0)))
    await handle.result()
    (child,) = await children(handle)
    with pytest.raises(WorkflowFailureError):
        await bench.client.get_workflow_handle(child).result()
    assert len(bench.agents.notices) == 1


async def test_people_are_reminded_of_a_phase_which_then_is_late(bench: Bench) -> None:
    handle = await bench.start(told(phase(0, agents=(PERSON,), remind=DAY, deadline=2.5 * DAY, on_failure="isolate")))
    with pytest.raises(WorkflowFailureError):
        await handle.result()
    await delivered(bench, handle)
    assert kinds(bench) == ["deadline", "failed", "reminder", "reminder"]


async def test_a_cancelled_run_tells_of_its_end(bench: Bench) -> None:
    handle = await bench.start(told(phase(0, agents=(PERSON,))))
    await handle.cancel()
    assert (await handle.result())["status"] == "cancelled"
    await delivered(bench, handle)
    assert kinds(bench) == ["cancelled"]


async def test_each_notice_is_told_once_through_fresh_histories(bench: Bench) -> None:
    phases = [phase(i, *([i - 1] if i else []), on_failure="isolate", remind=0.5 * DAY) for i in range(25)]
    hooks = {"recovery": HookPlan(run=("x",))}
    handle = await bench.start(told(*phases, hooks=hooks), drain_events=40)
    assert (await handle.result())["status"] == "completed"
    await delivered(bench, handle)
    assert kinds(bench) == ["completed"]


async def test_a_notice_costs_its_run_few_events_and_one_without_notices_none(bench: Bench) -> None:
    plain = await bench.start(plan_of(phase(0)))
    await plain.result()
    watched = await bench.start(told(phase(0)))
    await watched.result()
    without, with_one = [len(lasting(await each.fetch_history())) for each in (plain, watched)]
    assert await children(plain) == []
    # Asked for and begun, and a workflow task to hear of it; the same again where the run is open when it is delivered.
    assert with_one - without <= 9
