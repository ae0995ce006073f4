"""Records histories that later versions must replay: `python -m tests.replay.record` writes what is missing.

A recorded file is never written again: it stands for runs that are under way somewhere. New messages or effects get
a story of their own.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowFailureError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from tests.replay.stories import STORIES, Handle, Json, Story
from tests.workflows.conftest import Agents
from worker import sandbox_runner
from workflows.breaker import ToolBreaker
from workflows.deliver import Deliver
from workflows.run import PhaseRun

HISTORIES = Path(__file__).parent / "histories"
IDENTITY = "recorder"
BREAKER = "tool-breaker"
"""The name of the one story that is not about a run."""


async def use_breaker(client: Client, name: str) -> str:
    """A breaker that opens, lets a probe through, is reset, and goes on in a fresh history; its workflow's id."""
    async with Worker(
        client, task_queue=name, workflows=[ToolBreaker], workflow_runner=sandbox_runner(), identity=IDENTITY
    ):
        start = {"tool": "oven", "history_events": 60}
        handle = await client.start_workflow("ToolBreaker", start, id=f"breaker:{name}:oven", task_queue=name)
        for number in range(9):
            lease = f"lease-{number}"
            asks = [{"lease": lease, "by": "wf/p0", "lasts": 5}, {"lease": "other", "by": "wf/p1", "lasts": 0.1}]
            answer: Json = await handle.execute_update("ask", {"asks": asks})
            rule = {"era": answer["answers"][0]["era"], "threshold": 2, "recovery": 0.2, "error": "no answer"}
            await handle.signal("renew", {"lease": lease, "lasts": 5})
            await handle.signal("report", {"lease": lease, "outcome": ("failed", "ok")[number == 5], **rule})
            await asyncio.sleep(0.3 if number in {2, 4} else 0)
        await handle.execute_update("reset")
        await handle.signal("report", "rubbish")
        await handle.execute_update("ask", {"asks": []})
    return handle.id


def scrubbed(value: Any, key: str = "") -> Any:
    """The history without what tells of the machine it was recorded on."""
    if isinstance(value, dict):
        return {name: scrubbed(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [scrubbed(item, key) for item in value]
    if key in {"identity", "stackTrace", "workerInstanceKey"}:
        return IDENTITY if key == "identity" else ""
    if key == "name" and isinstance(value, str) and "@" in value:
        return "sticky"
    return value


async def record(client: Client, name: str, story: Story) -> None:
    """Play one story and write all its histories."""
    plan, script, act, start = story
    agents = Agents(script=dict(script))
    async with Worker(
        client,
        task_queue=name,
        workflows=[PhaseRun, Deliver],
        activities=agents.all,
        workflow_runner=sandbox_runner(),
        identity=IDENTITY,
    ):
        handle: Handle = await client.start_workflow(
            "PhaseRun", {"plan": plan.to_json(), "actor": "ann", **start}, id=f"wf_{name}", task_queue=name
        )
        await handle.query("view")
        await act(handle, agents)
        try:
            await handle.result()
        except WorkflowFailureError as failed:
            print(f"{name}: {failed.cause}")
    await write(client, name, handle.id)


async def write(client: Client, name: str, workflow: str) -> None:
    """Write the histories of a workflow, the newest first."""
    part = 0
    described = await client.get_workflow_handle(workflow).describe()
    run_id: str | None = described.run_id
    while run_id:
        history = await client.get_workflow_handle(workflow, run_id=run_id).fetch_history()
        target = HISTORIES / (f"{name}.json" if not part else f"{name}-{part}.json")
        target.write_text(json.dumps(scrubbed(json.loads(history.to_json()))) + "\n", encoding="utf-8")
        run_id = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
        part += 1


async def main() -> None:
    """Record every story that has no file yet."""
    missing = {name: story for name, story in STORIES.items() if not (HISTORIES / f"{name}.json").exists()}
    breaker = not (HISTORIES / f"{BREAKER}.json").exists()
    if not missing and not breaker:
        print("nothing to record")
        return
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(Path(sys.executable).parent / "temporal"), identity=IDENTITY
    ) as env:
        for name, story in missing.items():
            await record(env.client, name, story)
            print(f"recorded {name}")
        if breaker:
            await write(env.client, BREAKER, await use_breaker(env.client, BREAKER))
            print(f"recorded {BREAKER}")


if __name__ == "__main__":
    asyncio.run(main())
    sys.stdout.flush()
    os._exit(0)  # the SDK's threads may crash an interpreter that ends in the ordinary way
