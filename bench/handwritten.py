"""The baseline: workflows that somebody would write by hand for the same activities."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow

MINUTE = timedelta(minutes=1)
BEAT = timedelta(seconds=30)
"""Agents that can be cancelled need a heartbeat timeout, whoever writes the workflow."""


@workflow.defn(name="Sequential")
class Sequential:
    """One activity after another."""

    @workflow.run
    async def run(self, count: int) -> int:
        """Run `count` activities in turn."""
        for index in range(count):
            await workflow.execute_activity(
                "command",
                _task(index),
                result_type=dict,
                start_to_close_timeout=MINUTE,
                heartbeat_timeout=BEAT,
                summary=f"p{index}",
            )
        return count


@workflow.defn(name="Parallel")
class Parallel:
    """All activities at once."""

    @workflow.run
    async def run(self, count: int) -> int:
        """Run `count` activities together."""
        await asyncio.gather(
            *(
                workflow.execute_activity(
                    "command",
                    _task(i),
                    result_type=dict,
                    start_to_close_timeout=MINUTE,
                    heartbeat_timeout=BEAT,
                    summary=f"p{i}",
                )
                for i in range(count)
            )
        )
        return count


def _task(index: int) -> dict[str, Any]:
    return {"phase": {"id": f"p{index}", "index": index}}
