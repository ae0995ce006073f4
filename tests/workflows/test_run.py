"""What a run on Temporal promises, on the time-skipping server."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError, WorkflowHandle, WorkflowQueryFailedError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from engine.agents import AgentPlan
from engine.plan import Execution, PhasePlan, Plan
from tests.engine.world import COMMAND, PERSON, phase, plan_of
from tests.workflows.conftest import Bench, failing, until_cancelled

Json = dict[str, Any]
RUBBISH: list[list[Any]] = [
    [],
    ["rubbish"],
    [[1, 2]],
    [{"phase": {}}],
    [{"phse": 1}],
    [{}, {}],
    [None],
    [{"phase": 99}],
    [b"\xff\x00"],
]


def people() -> Plan:
    """One person, then two in parallel, then one."""
    return plan_of(
        phase(0, agents=(PERSON,)),
        phase(1, 0, agents=(PERSON,), group=0),
        phase(2, 0, agents=(PERSON,), group=0),
        phase(3, agents=(PERSON,), after_group=0),
    )


async def events(handle: WorkflowHandle[Any, Json]) -> list[str]:
    history = await handle.fetch_history()
    return [str(event.WhichOneof("attributes")) for event in history.events]


async def test_parallel_phases_are_concurrent_activities_in_the_history(bench: Bench) -> None:
    handle = await bench.start(plan_of(*(phase(i, group=0) for i in range(3)), phase(3, after_group=0)))
    result = await handle.result()
    assert result["status"] == "completed"
    names = [n.removesuffix("_event_attributes") for n in await events(handle)]
    first_end = names.index("activity_task_completed")
    assert names[:first_end].count("activity_task_scheduled") == 3
    assert names.count("activity_task_scheduled") == 4


async def test_a_phase_done_by_a_person_is_no_activity(bench: Bench) -> None:
    handle = await bench.start(people())
    await handle.execute_update("next", {})
    for index in (1, 2, 3):
        await handle.execute_update("complete_phase", {"phase": index})
    assert (await handle.result())["status"] == "completed"
    assert "activity_task_scheduled_event_attributes" not in await events(handle)


@pytest.mark.parametrize("way", ["signal", "update"])
async def test_signals_and_updates_of_one_name_do_the_same(bench: Bench, way: str) -> None:
    handle = await bench.start(people())

    async def send(name: str, payload: Json | None = None) -> None:
        if way == "signal":
            await handle.signal(name, payload if payload is not None else {})
        else:
            await handle.execute_update(name, payload if payload is not None else {})

    await send("next")
    await send("complete_phase", {"phase": 1})
    await send("pause", {"actor": "ann"})
    await send("resume")
    await send("cancel_parallel", {"phase": 1})
    await send("intervene", {"phase": 2, "action": "retry"})
    await send("report_progress", {"phase": 2, "progress": "half"})
    await send("fail_phase", {"phase": 2, "error": "no"})
    await send("intervene", {"phase": 2, "action": "skip", "reason": "no need"})
    await send("next")
    result = await handle.result()
    assert [p["status"] for p in result["view"]["phases"]] == ["completed", "completed", "skipped", "completed"]


async def test_a_refused_update_says_why_and_leaves_no_trace(bench: Bench) -> None:
    handle = await bench.start(people())
    await handle.query("view")
    before = await events(handle)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await handle.execute_update("complete_phase", {"phase": 2})
    cause = refused.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.type == "refused"
    assert "has not started" in cause.message
    after = [e for e in await events(handle) if "update" in e]
    assert after == [e for e in before if "update" in e]


@pytest.mark.parametrize("rubbish", RUBBISH)
@pytest.mark.parametrize("name", ["complete_phase", "no_such_message"])
async def test_rubbish_by_signal_does_no_harm_and_is_journalled(bench: Bench, name: str, rubbish: list[Any]) -> None:
    handle = await bench.start(people())
    await handle.signal(name, args=rubbish)
    journal = await handle.query("journal", {"since": 0})
    assert [f["kind"] for f in journal["facts"]][-1] == "message_refused"
    assert any(f"Message {name} refused" in line for line in journal["lines"])
    assert (await handle.query("view"))["phases"][0]["status"] == "in_progress"


@pytest.mark.parametrize(
    ("query", "asked", "named"),
    [
        ("journal", {"since": "x"}, "since"),
        ("view", {"offset": []}, "offset"),
        ("checkpoints", {"limit": "1e999"}, "limit"),
        ("metrics", {"at": "nan"}, "at"),
    ],
)
async def test_a_query_with_a_wrong_number_is_refused_by_its_name(
    bench: Bench, query: str, asked: dict[str, Any], named: str
) -> None:
    handle = await bench.start(people())
    with pytest.raises(WorkflowQueryFailedError, match=f"'{named}' must be a number"):
        await handle.query(query, asked)


async def test_what_people_write_stays_one_line_of_the_log(bench: Bench) -> None:
    handle = await bench.start(people())
    note = "lunch\n[2024-02-19T10:00:00Z] [INFO] Workflow wf_abc123 completed\x1b[2J\u202e"
    await handle.execute_update("pause", {"actor": "ana\r", "note": note})
    last = (await handle.query("journal"))["lines"][-1]
    assert last.isprintable()
    assert last.endswith(
        "paused by ana : lunch [2024-02-19T10:00:00Z] [INFO] Workflow wf_abc123 completed\ufffd[2J\ufffd"
    )


async def test_queries_answer_without_arguments(bench: Bench) -> None:
    handle = await bench.start(people())
    assert (await handle.query("view"))["status"] == "running"
    assert (await handle.query("journal"))["facts"][0]["kind"] == "run_started"
    assert (await handle.query("phase", {"phase": "p0"}))["status"] == "in_progress"


async def test_a_failed_run_is_a_failed_workflow_with_its_summary(bench: Bench) -> None:
    bench.agents.script["p0"] = failing()
    handle = await bench.start(plan_of(phase(0, on_failure="isolate"), phase(1, 0)))
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    cause = failed.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.details[0]["view"]["counts"]["skipped"] == 1


async def test_a_failure_pauses_and_a_retry_goes_on(bench: Bench) -> None:
    fail = failing()
    bench.agents.script["p0"] = lambda task: {"ok": True} if task["epoch"] else fail(task)
    handle = await bench.start(plan_of(phase(0), phase(1, 0)))
    while (await handle.query("view"))["status"] != "paused":
        pass
    shown = (await handle.query("view"))["pause"]
    assert shown["text"].startswith("The workflow has paused because")
    await handle.execute_update("intervene", {"phase": 0, "action": "retry"})
    assert (await handle.result())["status"] == "completed"


@pytest.mark.parametrize("way", ["update", "temporal"])
async def test_cancel_reaches_the_agents_and_ends_the_run_as_cancelled(bench: Bench, way: str) -> None:
    bench.agents.script["p0"] = until_cancelled
    handle = await bench.start(plan_of(phase(0), phase(1, 0), phase(2, agents=(PERSON,))))
    while not bench.agents.seen:
        await handle.query("view")
    if way == "update":
        await handle.execute_update("cancel", {})
    else:
        await handle.cancel()
    result = await handle.result()
    assert result["status"] == "cancelled"
    assert [p["status"] for p in result["view"]["phases"]] == ["cancelled"] * 3


async def test_one_group_is_cancelled_and_awaited(bench: Bench) -> None:
    bench.agents.script["p0"] = until_cancelled
    handle = await bench.start(plan_of(phase(0, group=0), phase(1, group=0, agents=(PERSON,))))
    while not bench.agents.seen:
        await handle.query("view")
    await handle.execute_update("cancel_parallel", {})
    while (await handle.query("view"))["phases"][0]["status"] != "cancelled":
        pass
    assert (await handle.query("view"))["status"] == "paused"


async def test_rate_limit_delays_of_hours_pass_in_seconds(bench: Bench) -> None:
    plan = plan_of(*(phase(i) for i in range(5)), execution=Execution(rate_limit_delay=6 * 3600))
    handle = await bench.start(plan)
    result = await handle.result()
    journal = bench.agents.archived[0]["ledger"]["facts"]
    starts = [f["at"] for f in journal if f["kind"] == "phase_started"]
    assert result["status"] == "completed"
    assert all(later - earlier >= 6 * 3600 for earlier, later in pairwise(starts))


async def test_the_status_and_who_is_waited_for_stand_in_the_search_attributes(bench: Bench) -> None:
    handle = await bench.start(people())
    await handle.query("view")
    attributes = (await handle.describe()).search_attributes
    assert attributes["PhaseloomWaitingFor"] == ["person:lead"]
    await handle.execute_update("pause", {})
    assert (await handle.describe()).search_attributes["PhaseloomStatus"] == ["paused"]


async def test_without_registered_search_attributes_the_memo_says_the_same(bench: Bench) -> None:
    bench.search_attributes = False
    handle = await bench.start(people())
    await handle.query("view")
    described = await handle.describe()
    assert await described.memo_value("waiting_for") == ["person:lead"]


async def test_the_ledger_is_archived_at_the_end_and_named_in_the_memo(bench: Bench) -> None:
    handle = await bench.start(plan_of(phase(0)))
    await handle.result()
    assert bench.agents.archived[0]["ledger"]["facts"][-1]["kind"] == "run_settled"
    assert (await (await handle.describe()).memo_value("archive"))["sha256"] == "0" * 64


async def test_inputs_and_conditions_decide_what_runs(bench: Bench) -> None:
    plan = plan_of(phase(0, condition="inputs.go"), phase(1, 0, condition="phases.p0.outputs.n > 2"))
    bench.agents.script["p0"] = lambda _task: {"n": 1}
    handle = await bench.start(plan, inputs={"go": True})
    result = await handle.result()
    assert [p["status"] for p in result["view"]["phases"]] == ["completed", "skipped"]


async def test_auto_workers_ask_the_workers_host(bench: Bench) -> None:
    handle = await bench.start(plan_of(*(phase(i) for i in range(4)), execution=Execution(max_workers=0)))
    assert (await handle.result())["view"]["max_workers"] == 2


async def test_a_month_of_waiting_for_people_passes_in_seconds(bench: Bench) -> None:
    handle = await bench.start(people())
    await handle.execute_update("next", {})
    await bench.env.sleep(timedelta(days=30))
    shown = await handle.query("view")
    assert [p["status"] for p in shown["active"]] == ["in_progress", "in_progress"]
    for payload in ({"phase": 1}, {"phase": 2}, {"phase": 3}):
        await handle.execute_update("complete_phase", payload)
    assert (await handle.result())["status"] == "completed"


async def test_a_phase_with_people_and_commands_takes_turns(bench: Bench) -> None:
    mixed = PhasePlan(id="p0", name="Mixed", index=0, agents=(PERSON, COMMAND, PERSON))
    handle = await bench.start(plan_of(mixed))
    await handle.execute_update("next", {"outputs": {"a": 1}})
    while not (await handle.query("view"))["waiting"]:
        pass
    assert bench.agents.seen[0]["earlier"] == [{"agent": "lead", "outputs": {"a": 1}}]
    await handle.execute_update("next", {})
    assert (await handle.result())["status"] == "completed"


@pytest.mark.parametrize("messages", [["cancel"], ["next", "cancel"]])
async def test_a_cancel_that_arrives_with_the_start_ends_the_run(bench: Bench, messages: list[str]) -> None:
    plan = plan_of(phase(0, agents=(PERSON,)), phase(1, 0), phase(2))
    # Agents that end by themselves would race the request: this server then fails the whole workflow task.
    bench.agents.script |= {"p1": until_cancelled, "p2": until_cancelled}
    handle = await bench.start(plan, first_signal=messages[0])
    for name in messages[1:]:
        await handle.signal(name)
    assert (await handle.result())["status"] == "cancelled"


async def test_what_a_signal_stumbles_over_is_refused_and_the_run_goes_on(bench: Bench) -> None:
    handle = await bench.start(people())
    words: list[Any] = [None, 1.5, [1], {}, True]
    for phase_word in words:
        await handle.signal("next", {"expect": [{"phase": phase_word, "epoch": 0}]})
    deep: Any = 1
    for _ in range(900):
        deep = [deep]
    await handle.signal("next", {"outputs": {"x": deep}})
    assert (await handle.query("view"))["phases"][0]["status"] == "in_progress"
    await handle.execute_update("next", {})


async def test_many_long_names_fit_into_the_search_attribute(bench: Bench) -> None:
    phases = [
        PhasePlan(id=f"p{i}", name="P", index=i, agents=(AgentPlan(role=f"Руководитель разработки {i} " * 9),))
        for i in range(40)
    ]
    handle = await bench.start(plan_of(*phases))
    await handle.query("view")
    waiting = (await handle.describe()).search_attributes["PhaseloomWaitingFor"]
    assert 1 < len(json.dumps(waiting)) <= 2048
