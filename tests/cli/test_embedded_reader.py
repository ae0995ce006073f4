"""What is read from a server without the SDK's client: page by page, refusals, and what the store keeps."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from cli.api import Client
from cli.embedded.connect import connect
from cli.embedded.reader import Execution, QueryFailedError, Reader
from tests.cli.program.person import SECONDS, Person

RUNS = "WorkflowType='PhaseRun'"
ONE = "id: one\nname: One of them\nphases: [{name: First, agents: [somebody]}]\n"


async def reader_of(person: Person) -> Reader:
    return (await connect(person.root)).reader


async def started(person: Person) -> str:
    definition = person.root / "one.yaml"
    definition.write_text(ONE, encoding="utf-8")
    async with Client.connect(person.root) as client:
        return (await client.start(str(definition))).id


async def listed(reader: Reader, *runs: str, limit: int | None = None) -> list[Execution]:
    """The runs, once the list knows these: it learns of each a moment after its start."""
    async with asyncio.timeout(SECONDS):
        while True:
            found = [each async for each in reader.listed(RUNS, limit=limit)]
            if set(runs) <= {each.id for each in found}:
                return found
            await asyncio.sleep(0.02)


async def test_a_list_is_whole_page_by_page_and_ends_at_its_limit(person: Person) -> None:
    runs = [await started(person) for _ in range(3)]
    reader = await reader_of(person)
    whole = [each.id for each in await listed(reader, *runs)]
    assert [each.id for each in await listed(replace(reader, page=2), runs[-1])] == whole
    assert [each.id for each in await listed(replace(reader, page=2), runs[-1], limit=3)] == whole[:3]
    assert [each.id async for each in reader.listed(RUNS, limit=0)] == []


async def test_an_execution_tells_what_the_server_keeps_beside_a_run(person: Person) -> None:
    run = await started(person)
    reader = await reader_of(person)
    [found] = [each for each in await listed(reader, run) if each.id == run]
    described = await reader.described(run, seconds=SECONDS)
    for each in (found, described):
        assert (each.status, each.closed, each.closed_at) == ("running", None, None)
        assert each.memo["name"] == "One of them"
        assert each.attributes["PhaseloomDefinition"] == "one"
        assert each.attributes["PhaseloomStatus"] == "running"
    assert described.task_queue == (await connect(person.root)).task_queue
    async with Client.connect(person.root) as client:
        await (await client.run(run)).cancel()
    ended = await reader.described(run, seconds=SECONDS)
    assert ended.closed == "completed"
    assert ended.closed_at is not None
    assert ended.started_at is not None
    assert ended.started_at < ended.closed_at


async def test_the_events_of_a_run_come_in_their_order_page_by_page(person: Person) -> None:
    run = await started(person)
    reader = await reader_of(person)
    numbers = [event.event_id async for event in replace(reader, page=2).events(run)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 2
    assert (await reader.first_event(run)).event_id == 1


async def test_a_query_is_answered_or_refused_in_the_words_of_the_run(person: Person) -> None:
    run = await started(person)
    reader = await reader_of(person)
    assert (await reader.query(run, "phase", {"phase": 0}, seconds=SECONDS))["name"] == "First"
    with pytest.raises(QueryFailedError, match="no phase 7"):
        await reader.query(run, "phase", {"phase": 7}, seconds=SECONDS)


async def test_what_the_store_keeps_of_a_payload_is_read_from_there(person: Person) -> None:
    reader = await reader_of(person)
    large = {"text": "x" * 300_000}
    [reference] = await reader.converter().encode([large])
    assert reference.ByteSize() < 1000
    assert await reader.decoded([reference]) == [large]


async def test_a_server_is_asked_whether_it_has_the_namespace(person: Person) -> None:
    reader = await reader_of(person)
    assert await reader.is_served()
    assert await reader.missing_attributes() == {}
    stranger = replace(reader, namespace="nobody-has-this")
    assert not await stranger.is_served()
    assert await stranger.lacks_namespace()
    assert set(await stranger.missing_attributes()) == {
        "PhaseloomDefinition",
        "PhaseloomStatus",
        "PhaseloomWaitingFor",
    }
