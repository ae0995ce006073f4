"""The query `siblings` and the message `report_progress`, as any Temporal client uses them."""

from __future__ import annotations

import pytest
from temporalio.client import WorkflowQueryFailedError

from engine.plan import Plan
from tests.engine.world import PERSON, phase, plan_of
from tests.workflows.conftest import Bench


def people() -> Plan:
    return plan_of(*(phase(index, agents=(PERSON,), group=1) for index in range(3)))


async def test_a_snapshot_tells_what_was_reported_until_then(bench: Bench) -> None:
    handle = await bench.start(people())
    await handle.signal("report_progress", {"phase": "p1", "epoch": 0, "agent": "lead", "progress": [1, True]})
    first = await handle.query("siblings", {"phase": "p0"})
    assert {name: about.get("progress") for name, about in first["phases"].items()} == {"p1": [1, True], "p2": None}
    await handle.execute_update("report_progress", {"phase": "p1", "agent": 0, "progress": "done", "actor": "ana"})
    await handle.execute_update("complete_phase", {"phase": "p2", "outputs": {"n": 1}})
    second = await handle.query("siblings", {"phase": "p0"})
    assert second["version"] > first["version"]
    assert (second["phases"]["p1"]["progress"], second["phases"]["p1"]["progress_by"]) == ("done", "ana")
    assert second["phases"]["p2"]["outputs"] == {"n": 1}
    assert (await handle.query("phase", {"phase": "p1"}))["report"]["progress"] == "done"
    await handle.execute_update("cancel", {})


async def test_a_report_of_an_older_epoch_changes_nothing(bench: Bench) -> None:
    handle = await bench.start(people())
    await handle.execute_update("fail_phase", {"phase": "p1"})
    await handle.execute_update("intervene", {"phase": "p1", "action": "retry"})
    await handle.signal("report_progress", {"phase": "p1", "epoch": 0, "progress": "late"})
    about = (await handle.query("siblings", {"phase": "p0"}))["phases"]["p1"]
    assert (about["epoch"], "progress" in about) == (1, False)
    await handle.execute_update("cancel", {})


@pytest.mark.parametrize("which", [{"phase": "nobody"}, {}, None])
async def test_a_query_about_no_phase_says_so(bench: Bench, which: object) -> None:
    handle = await bench.start(people())
    for query in ("siblings", "phase"):
        with pytest.raises(WorkflowQueryFailedError, match="there is no phase"):
            await handle.query(query, which)
    await handle.execute_update("cancel", {})
