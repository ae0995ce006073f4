"""The shared context on Temporal: snapshots, a merge as an activity, the query, a fresh history."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio.client import WorkflowQueryFailedError

from tests.engine.sharing import side_by_side
from tests.engine.world import PERSON, phase, plan_of
from tests.workflows.conftest import Bench

Json = dict[str, Any]


async def test_two_who_write_at_once_are_merged_and_the_query_tells_of_it(bench: Bench) -> None:
    both = asyncio.Barrier(2)

    async def backend(_task: Json) -> Json:
        await both.wait()
        return {"context": {"api": {"a": 1}, "notes": ["b"]}}

    async def frontend(_task: Json) -> Json:
        await both.wait()
        return {"context": {"api": {"b": 2}}, "url": "x"}

    bench.agents.script = {"p0": backend, "p1": frontend}
    handle = await bench.start(side_by_side())
    summary = await handle.result()
    assert summary["status"] == "completed"
    assert summary["view"]["context_version"] == 2
    told = await handle.query("context", {"key": "api"})
    assert told["keys"][0]["value"] == {"a": 1, "b": 2}
    versions = (await handle.query("context", {"history": True}))["versions"]
    assert [version["version"] for version in versions] == [1, 2]
    assert versions[1]["merged"] == ["api"]
    last = next(task for task in bench.agents.seen if task["phase"]["id"] == "p2")
    assert last["values"]["context"] == {"api": {"a": 1, "b": 2}, "notes": ["b"]}
    assert [task["phase"]["id"] for task in bench.agents.merges] in (["p0"], ["p1"])
    assert (await handle.query("phase", {"phase": "p1"}))["outputs"] == {"url": "x"}


async def test_every_attempt_reads_the_same_snapshot(bench: Bench) -> None:
    retry = {"plan": side_by_side()}
    tries: list[Json] = []
    written = asyncio.Event()

    async def frontend(task: Json) -> Json:
        tries.append(task["values"]["context"])
        if len(tries) == 1:
            await written.wait()
            raise RuntimeError
        return {}

    bench.agents.script = {"p0": lambda _task: {"context": {"port": 80}}, "p1": frontend}
    handle = await bench.start(retry["plan"])
    while (await handle.query("view"))["context_version"] == 0:
        await bench.pause()
    written.set()
    assert (await handle.result())["status"] == "completed"
    assert tries == [{"notes": []}, {"notes": []}]
    assert (await handle.query("phase", {"phase": "p1"}))["context"]["stale"] == {"port": {"read": 0, "now": 1}}


async def test_a_question_that_makes_no_sense_is_answered_with_what_is_wrong(bench: Bench) -> None:
    handle = await bench.start(plan_of(phase(0, agents=(PERSON,))))
    assert (await handle.query("context"))["keys"] == []
    with pytest.raises(WorkflowQueryFailedError, match="declares no context keys"):
        await handle.query("context", {"key": "a"})
    with pytest.raises(WorkflowQueryFailedError, match="there is no version 3"):
        await handle.query("context", {"at": 3})
    await handle.execute_update("cancel", {})
