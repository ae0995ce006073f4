"""The inbox of the Python interface: typed, over all runs, also when no worker answers."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from cli.api import Client, Inbox
from cli.embedded.processes import recorded
from tests.cli.conftest import halt
from tests.cli.program.person import Person

Json = dict[str, Any]

AGENTS: Json = {"builder": {"run": ["true"]}}
PHASES: list[Json] = [{"name": "Build", "agents": ["builder"], "gates": ["go"]}]
REVIEW: list[Json] = [{"name": "Review", "agents": ["lead"]}]


async def filled(client: Client, number: int, *, every: bool = False) -> Inbox:
    """The inbox, once it holds so many items."""
    async with asyncio.timeout(30):
        while len((found := await client.inbox(all=every)).items) != number:
            await asyncio.sleep(0.05)
    return found


async def test_the_inbox_is_typed_and_stays_readable_without_a_worker(person: Person) -> None:
    async with Client.connect(person.root, actor="bo") as client:
        assert (await client.inbox()).items == ()
        approval = {"by": ["ana"], "deadline": "1d"}
        await client.define("gated", name="Gated", phases=PHASES, agents=AGENTS, gates={"go": {"approval": approval}})
        await client.define("review", name="Review", phases=REVIEW)
        gated, review = await client.start("gated"), await client.start("review")

        found = await filled(client, 2, every=True)
        gate, open_phase = found.items
        assert (gate.kind, gate.run, gate.mine, gate.who) == ("gate", gated.id, False, ("ana",))
        assert gate.gate is not None
        assert gate.gate.people == ("ana",)
        assert (open_phase.kind, open_phase.run, open_phase.who) == ("person", review.id, ("lead",))
        assert found.for_others == 1
        assert found.gates == ()
        assert [item.run for item in (await client.inbox()).items] == [review.id]

        (standing,) = await gated.gates()
        await gated.decide_gate("go", "approve", evidence=standing.evidence, actor="ana")
        again = await client.start("gated")
        await filled(client, 2, every=True)
        async with asyncio.timeout(30):  # a list learns of an end a moment after it
            while gated.id in {run.run for run in await client.runs()}:
                await asyncio.sleep(0.05)
        async with Client.connect(person.root, actor="bo", patience=0.5) as hasty:
            halted = [recorded(person.record(name)) for name in ("supervisor", "worker")]
            try:
                for process in halted:
                    assert process is not None
                    await halt(process)
                silent = await hasty.inbox()
            finally:
                for process in reversed(halted):
                    assert process is not None
                    process.send(signal.SIGCONT)
        told = {item.run: (item.kind, item.answered, item.mine) for item in silent.items}
        assert told == {again.id: ("gate", False, None), review.id: ("person", False, True)}
        await again.cancel()
        await review.cancel()
