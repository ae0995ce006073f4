"""A phase that runs once per item, on Temporal: failures, retries, fresh histories, children."""

from __future__ import annotations

from typing import Any

from engine.plan import Execution
from tests.engine.world import phase, plan_of
from tests.workflows.conftest import Bench, failing
from tests.workflows.test_children import child
from workflows.visible import WAITING_FOR

Json = dict[str, Any]


async def test_an_item_fails_and_is_tried_again_while_its_siblings_go_on(bench: Bench) -> None:
    plan = plan_of(
        phase(0, for_each="inputs.services", list_reads=("inputs.services",), max_parallel=2),
        phase(1, 0, reads=("phases.p0.outputs.items",)),
        execution=Execution(max_workers=4),
    )
    services = ["api", "web", "db", "log"]

    def built(task: Json) -> Json:
        return {"built": task["values"]["item"], "epoch": task["epoch"]}

    bench.agents.script |= {"p0.0": built, "p0.1": failing(), "p0.2": built, "p0.3": built}
    handle = await bench.start(plan, inputs={"services": services})
    while (shown := await handle.query("view"))["status"] != "paused":
        pass
    assert shown["phases"][0]["items"] | {"troubled": []} == {
        "total": 4,
        "pending": 0,
        "running": 0,
        "paused": 1,
        "completed": 3,
        "failed": 0,
        "cancelled": 0,
        "skipped": 0,
        "troubled": [],
    }
    assert (await handle.describe()).typed_search_attributes[WAITING_FOR] == ["decision:p0.1"]
    bench.agents.script["p0.1"] = built
    answer = await handle.execute_update("intervene", {"phase": "p0.1", "action": "retry"})
    assert [started["id"] for started in answer["started"]] == ["p0.1"]
    assert (await handle.result())["status"] == "completed"
    outputs = {"items": [{"built": name, "epoch": int(name == "web")} for name in services]}
    assert (await handle.query("phase", {"phase": "p0"}))["outputs"] == outputs
    last = bench.agents.seen[-1]
    assert last["values"]["phases"]["p0"]["outputs"] == outputs
    page = (await handle.query("phase", {"phase": "p0", "offset": 1, "limit": 2}))["items_page"]
    assert [row["id"] for row in page["rows"]] == ["p0.1", "p0.2"]
    said = (await handle.query("journal", {}))["lines"]
    assert any(line.endswith("Phase: p0.1 - Starting (epoch 1)") for line in said)


async def test_a_run_gets_fresh_histories_in_the_middle_of_its_items(bench: Bench) -> None:
    plan = plan_of(phase(0, for_each=list(range(40)), max_parallel=5), execution=Execution(max_workers=8))
    handle = await bench.start(plan, drain_events=60)
    result = await handle.result()
    assert result["status"] == "completed"
    assert result["view"]["phases"][0]["items"]["completed"] == 40
    numbers = [task["values"]["item"] for task in bench.agents.seen]
    assert sorted(numbers) == list(range(40)), "each of them once"
    described = await bench.client.get_workflow_handle(handle.id).describe()
    assert described.run_id != handle.first_execution_run_id


async def test_items_that_are_child_runs_have_a_run_each(bench: Bench) -> None:
    bench.agents.script["p0"] = lambda task: {"said": task["values"]["inputs"]["word"]}
    who = child(plan_of(phase(0)), word="${item.word}")
    plan = plan_of(phase(0, agents=(who,), timeout=None, for_each=[{"word": "one"}, {"word": "two"}]))
    handle = await bench.start(plan)
    assert (await handle.result())["status"] == "completed"
    assert (await handle.query("phase", {"phase": 0}))["outputs"] == {
        "items": [{"p0": {"said": "one"}}, {"p0": {"said": "two"}}]
    }
    for number in (0, 1):
        described = await bench.client.get_workflow_handle(f"{handle.id}.p0.{number}").describe()
        assert (await described.memo())["parent"] == handle.id
