"""The Python interface signs by itself where a run asks for it, and for other clients."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cli.api import Client, GateAnswered, RefusedError
from tests.cli.program.person import Person

PHASES: list[dict[str, Any]] = [{"name": "Build", "approval": {"by": ["ana"], "evidence": "optional"}}]


async def test_a_program_signs_with_its_key_and_is_refused_without(person: Person) -> None:
    keys = {name: person.types("keys", "create", name, "--json").json for name in ("ana", "eve")}
    person.write("phaseloom.yaml", f"signing: {{keys: {{ana: '{keys['ana']['public']}'}}}}\n")
    async with Client.connect(person.root, actor="ana", key=keys["ana"]["file"]) as client:
        await client.define("release", phases=PHASES)
        run = await client.start("release")
        await run.next(actor="bo")
        while not [gate for gate in await run.gates() if gate.gate_status == "waiting"]:
            await asyncio.sleep(0.02)
        async with Client.connect(person.root, actor="ana", key=keys["eve"]["file"]) as other:
            with pytest.raises(RefusedError, match="is not a key that"):
                await (await other.run(run.id)).decide_gate("approval", "approve")
        payload = await run.sign("decide_gate", {"gate": "approval", "decision": "approve"})
        assert payload["signature"].startswith("ed25519:")
        with pytest.raises(RefusedError, match="never signed"):
            await run.sign("pause", {})
        answer = await run.decide_gate("approval", "approve", comment="seen")
        assert isinstance(answer, GateAnswered)
        assert answer.gate.status == "passed"
        journal = await run.journal()
        assert [fact.actor for fact in journal.facts if fact.kind == "message_signed"] == ["ana"]
