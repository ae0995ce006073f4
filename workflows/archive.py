"""The end of a run: its ledger goes to the artifact store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from engine.facts import Fact

Json = dict[str, Any]


async def archive_run(run: str, plan: Json, facts: Sequence[Fact]) -> Json | None:
    """The reference of the archived ledger; None where the store does not take it for a minute."""
    ledger = {"format": 1, "run": run, "plan": plan, "facts": [fact.to_json() for fact in facts]}
    try:
        reference: Json = await workflow.execute_local_activity(
            "archive_run",
            {"run": run, "ledger": ledger},
            result_type=dict,
            start_to_close_timeout=timedelta(seconds=60),
            schedule_to_close_timeout=timedelta(seconds=60),
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=5)),
        )
    except ActivityError:
        workflow.logger.exception("the run's ledger could not be archived")
        return None
    return reference
