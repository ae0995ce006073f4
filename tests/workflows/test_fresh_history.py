"""Runs outgrow one history: they continue as new and nobody notices."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus

from engine.plan import Execution
from tests.engine.world import PERSON, phase, plan_of
from tests.workflows.conftest import Bench

Json = dict[str, Any]


OFTEN = 60
"""A fresh history after so many events, so that the switch comes often; the real number is 20,000."""


async def histories(bench: Bench, workflow_id: str) -> int:
    """How many histories the run has had."""
    count = 0
    handle = bench.client.get_workflow_handle(workflow_id)
    described = await handle.describe()
    run_id: str | None = described.run_id
    while run_id:
        count += 1
        history = await bench.client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
        first = history.events[0].workflow_execution_started_event_attributes
        run_id = first.continued_execution_run_id or None
    return count


@pytest.mark.parametrize("workers", [1, 3])
async def test_a_long_run_continues_as_new_and_completes_each_phase_once(bench: Bench, workers: int) -> None:
    phases = [phase(i, *([i - 1] if i % 4 else [])) for i in range(60)]
    handle = await bench.start(
        plan_of(*phases, execution=Execution(max_workers=workers)), inputs={"n": 1}, drain_events=OFTEN
    )
    result = await handle.result()
    assert result["status"] == "completed"
    assert len(bench.agents.seen) == 60
    assert await histories(bench, handle.id) > 2
    facts = bench.agents.archived[0]["ledger"]["facts"]
    assert [f["n"] for f in facts] == list(range(1, len(facts) + 1))
    assert sum(f["kind"] == "phase_settled" for f in facts) == 60


async def test_answers_and_rate_limits_survive_the_switch(bench: Bench) -> None:
    phases = [phase(0, agents=(PERSON,)), *(phase(i) for i in range(1, 30))]
    handle = await bench.start(plan_of(*phases, execution=Execution(rate_limit_delay=3600)), drain_events=OFTEN)
    first = await handle.execute_update("complete_phase", {"phase": 0, "request_id": "once"})
    await bench.env.sleep(20 * 3600)
    follow = bench.client.get_workflow_handle(handle.id)
    assert await follow.execute_update("complete_phase", {"phase": 0, "request_id": "once"}) == first
    assert (await handle.result())["status"] == "completed"
    described = await follow.describe()
    assert described.status == WorkflowExecutionStatus.COMPLETED
    facts = bench.agents.archived[0]["ledger"]["facts"]
    starts = [f["at"] for f in facts if f["kind"] == "phase_started" and f["phase"]]
    assert all(b - a >= 3600 for a, b in pairwise(starts))
