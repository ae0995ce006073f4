"""Going back on Temporal: agents are really stopped and awaited, late ones count no more, histories may end."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle, WorkflowUpdateFailedError

from definitions import compile_plan, find, load
from engine.facts import Fact
from engine.plan import Execution
from tests.engine.world import PERSON, phase, plan_of
from tests.workflows.conftest import MOMENTS, Bench, until_cancelled

Json = dict[str, Any]
Handle = WorkflowHandle[Any, Json]


async def seen(handle: Handle, **wanted: Any) -> Json:
    """The view, once these of its values are so."""
    for _ in range(MOMENTS):
        view: Json = await handle.query("view")
        if all(view.get(name) == value for name, value in wanted.items()):
            return view
        await asyncio.sleep(0.02)
    raise AssertionError(f"never {wanted}: {view}")


async def worked(bench: Bench, count: int) -> None:
    """Return once so many agents have begun."""
    for _ in range(MOMENTS):
        if len(bench.agents.seen) >= count:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{len(bench.agents.seen)} agents, not {count}")


async def started(bench: Bench, *ids: str) -> None:
    """Return once agents of these phases have begun."""
    for _ in range(MOMENTS):
        if {task["phase"]["id"] for task in bench.agents.seen} >= set(ids):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"never began: {ids}")


def statuses(view: Json) -> list[str]:
    return [row["status"] for row in view["phases"]]


async def test_parallel_agents_are_stopped_and_awaited_before_the_run_goes_back(bench: Bench) -> None:
    ended: list[str] = []

    async def works(task: Json) -> Json:
        try:
            return await until_cancelled(task)
        finally:
            ended.append(task["key"])

    bench.agents.script = {"p1": works, "p2": works}
    handle = await bench.start(plan_of(phase(0), phase(1, 0, group=0), phase(2, 0, group=0), phase(3, after_group=0)))
    await started(bench, "p1", "p2")
    answer = await handle.execute_update("restore", {"checkpoint": "p0", "actor": "ana"})
    assert (answer["checkpoint"], answer["stopping"]) == ("p0", 2)
    with pytest.raises(WorkflowUpdateFailedError):
        await handle.execute_update("pause", {})
    bench.agents.script = {}
    result = await handle.result()
    assert result["status"] == "completed"
    assert sorted(ended) == ["wf_test01/p1/0/builder#0", "wf_test01/p2/0/builder#0"]
    keys = [task["key"] for task in bench.agents.seen]
    assert keys.count("wf_test01/p0/0/builder#0") == 1
    assert {"wf_test01/p1/1/builder#0", "wf_test01/p2/1/builder#0"} <= set(keys)
    kinds = [fact["kind"] for fact in bench.agents.archived[0]["ledger"]["facts"]]
    assert kinds.index("restoring") < kinds.index("restored")


async def test_an_agent_that_will_not_end_is_abandoned_and_what_it_says_later_counts_no_more(bench: Bench) -> None:
    let_go = asyncio.Event()

    async def stubborn(task: Json) -> Json:
        if task["epoch"]:
            return {"said": "second"}
        while not let_go.is_set():
            try:
                activity.heartbeat()
                await asyncio.sleep(0.05)
            except asyncio.CancelledError:
                continue
        return {"said": "first"}

    bench.agents.script = {"p1": stubborn}
    handle = await bench.start(plan_of(phase(0), phase(1, 0), phase(2, 1, agents=(PERSON,))), abandon_after=0.3)
    await started(bench, "p1")
    await handle.execute_update("restore", {"checkpoint": "p0"})
    with bench.env.auto_time_skipping_disabled():
        view = await seen(handle, waiting=[])
        for _ in range(MOMENTS):
            view = await handle.query("view")
            if view["phases"][2]["status"] == "in_progress":
                break
            await asyncio.sleep(0.02)
        let_go.set()
        await asyncio.sleep(0.2)
    assert (await handle.query("phase", {"phase": "p1"}))["outputs"] == {"said": "second"}
    facts = (await handle.query("journal", {}))["facts"]
    assert [fact["phase"] for fact in facts if fact["kind"] == "agent_abandoned"] == [1]
    assert view["status"] == "running"
    await handle.execute_update("next", {})
    assert (await handle.result())["status"] == "completed"


async def test_a_decision_that_comes_in_between_is_refused_and_a_cancellation_wins(bench: Bench) -> None:
    let_go = asyncio.Event()

    async def slow_to_end(task: Json) -> Json:
        try:
            return await until_cancelled(task)
        finally:
            await let_go.wait()

    bench.agents.script = {"p1": slow_to_end}
    handle = await bench.start(plan_of(phase(0), phase(1, 0)))
    await started(bench, "p1")
    await handle.execute_update("restore", {"checkpoint": "beginning"})
    await handle.signal("intervene", {"phase": 1, "action": "skip", "reason": "no"})
    with pytest.raises(WorkflowUpdateFailedError):
        await handle.execute_update("restore", {"checkpoint": "p0"})
    await handle.execute_update("cancel", {})
    let_go.set()
    result = await handle.result()
    assert result["status"] == "cancelled"
    kinds = [fact["kind"] for fact in bench.agents.archived[0]["ledger"]["facts"]]
    assert ("restored" not in kinds, "message_refused" in kinds) == (True, True)


async def test_it_goes_back_over_the_border_of_a_history(bench: Bench) -> None:
    phases = [phase(i, *([i - 1] if i else [])) for i in range(30)]
    last = phase(30, 29, agents=(PERSON,))
    handle = await bench.start(plan_of(*phases, last, execution=Execution(max_workers=2)), drain_events=40)
    latest = bench.client.get_workflow_handle(handle.id, result_type=dict)
    # Nothing is asked meanwhile: the test server forgets a query that comes as one history ends.
    await worked(bench, 30)
    await latest.execute_update("restore", {"checkpoint": "p3"})
    await worked(bench, 30 + 26)
    for _ in range(MOMENTS):
        with contextlib.suppress(WorkflowUpdateFailedError):
            await latest.execute_update("next", {})
            break
        await asyncio.sleep(0.05)
    await handle.result()
    facts: list[Json] = bench.agents.archived[0]["ledger"]["facts"]
    settled = [fact.get("phase") for fact in facts if fact.get("data", {}).get("status") == "completed"]
    assert (settled.count(3), settled.count(4), settled.count(30)) == (1, 2, 1)
    assert (await handle.result())["status"] == "completed"
    keys = [task["key"] for task in bench.agents.seen]
    assert len(keys) == len(set(keys)) == 30 + 26


async def test_a_new_run_goes_on_where_an_ended_one_was(bench: Bench) -> None:
    plan = plan_of(phase(0), phase(1, 0), phase(2, 1))
    bench.agents.script = {"p0": lambda _task: {"contract": "v1"}}
    handle = await bench.start(plan, run={"id": "wf_test01", "definition": "plan"})
    await handle.result()
    facts = [Fact.from_json(fact) for fact in bench.agents.archived[0]["ledger"]["facts"]]
    to = next(fact.n for fact in facts if fact.kind == "phase_settled")
    seed = {"facts": [fact.to_json() for fact in facts[:to]], "from": "wf_test01", "checkpoint": "p0"}
    run = {"id": "wf_test02", "definition": "plan", "restored_from": "wf_test01", "checkpoint": "p0"}
    again = await bench.start(plan, seed=seed, run=run, drain_events=12)
    result = await again.result()
    assert (result["status"], result["view"]["restored_from"]) == ("completed", "wf_test01")
    keys = [task["key"] for task in bench.agents.seen if task["run"] == "wf_test02"]
    assert keys == ["wf_test02/p1/0/builder#0", "wf_test02/p2/0/builder#0"]
    described = await bench.client.get_workflow_handle(again.id).describe()
    assert described.status == WorkflowExecutionStatus.COMPLETED


async def test_it_goes_on_after_every_agent_ended_while_no_worker_was_there(bench: Bench) -> None:
    """The restore itself is only facts in the history: a lost decision is made again."""
    handle = await bench.start(plan_of(phase(0, agents=(PERSON,)), phase(1, 0, agents=(PERSON,))))
    await handle.execute_update("next", {})
    await handle.signal("restore", {"checkpoint": "beginning"})
    await handle.signal("next", {})
    await handle.signal("next", {})
    assert (await handle.result())["status"] == "completed"


SAMPLES: Json = {"string": "x", "integer": 0, "number": 0.5, "boolean": False, "list": [], "object": {}}


async def lived(handle: Handle, until: str, word: str) -> None:
    """People do their part of the development lifecycle until a phase is open; each output tells its round."""
    for _ in range(2 * MOMENTS):
        view = await handle.query("view")
        open_now = [row for row in view["active"] if row.get("waits_for") == "person"]
        if view["ended_at"] or any(row["id"] == until for row in open_now):
            return
        if not open_now:
            await asyncio.sleep(0.01)
            continue
        phase_now = await handle.query("phase", {"phase": open_now[0]["index"]})
        asked = phase_now["asked_for"]["outputs"]
        outputs = {name: SAMPLES.get(of["type"], f"{word} {phase_now['id']}") for name, of in asked.items()}
        await handle.execute_update("complete_phase", {"phase": open_now[0]["index"], "outputs": outputs})


async def test_the_development_lifecycle_goes_back_from_review_to_design_and_forgets_what_came_after(
    bench: Bench,
) -> None:
    plan = compile_plan(load(find("development-lifecycle", Path.cwd())), {})
    handle = await bench.start(plan)
    await lived(handle, "review", "first")
    stale = {row["id"]: row["epoch"] for row in (await handle.query("view"))["phases"]}
    tested = (await handle.query("phase", {"phase": "testing"}))["outputs"]
    assert tested
    await handle.execute_update("restore", {"checkpoint": "design", "actor": "ana"})
    view = await handle.query("view")
    standing = {row["id"]: row["status"] for row in view["phases"]}
    assert [standing[name] for name in ("design", "development", "testing", "review")] == [
        "completed",
        "in_progress",
        "pending",
        "pending",
    ]
    for name in ("development", "testing", "review"):
        details = await handle.query("phase", {"phase": name})
        assert (details["outputs"], details["results"], details["epoch"]) == ({}, [], stale[name] + 1)
    with pytest.raises(WorkflowUpdateFailedError):  # somebody still works on what was left
        await handle.execute_update("complete_phase", {"phase": "development", "epoch": stale["development"]})
    await lived(handle, "", "second")
    result = await handle.result()
    assert result["status"] == "completed"
    facts = bench.agents.archived[0]["ledger"]["facts"]
    told = [fact for fact in facts if fact["kind"] == "phase_settled" and fact["phase"] == 4]
    assert told[0]["data"]["outputs"] == tested
    assert len(told) == 2
    said = str([task["values"] for task in bench.agents.seen][-1])
    assert "first development" not in said
    assert "restored" in [fact["kind"] for fact in facts]
