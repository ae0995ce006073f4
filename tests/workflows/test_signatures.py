"""Signed decisions on Temporal: by signal and by update, over fresh histories, and never without the library."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError

from engine.gates.plans import ApprovalPlan, GatePlan
from engine.plan import Plan
from tests.engine.signing import SIGNERS, signed_by
from tests.engine.world import phase, plan_of
from tests.workflows.conftest import MOMENTS, Bench
from workflows.verifying import NoLibraryError, verifier

Json = dict[str, Any]
APPROVE: Json = {"gate": "release", "decision": "approve"}


def plan(need: int = 1) -> Plan:
    gate = GatePlan(id="release", approval=ApprovalPlan(evidence="optional", need=need))
    return plan_of(phase(0, gates=(gate,)), phase(1, 0), signers=SIGNERS)


async def waiting(bench: Bench, handle: WorkflowHandle[Any, Json], approvals: int = 0) -> None:
    for _ in range(MOMENTS):
        gates = (await handle.query("view"))["gates"]
        if gates and (gates[0]["gate_status"], gates[0].get("approvals")) == ("waiting", approvals):
            return
        await bench.pause()
    raise AssertionError(f"it does not wait: {gates}")


async def signed(handle: WorkflowHandle[Any, Json], key: str, **payload: Any) -> Json:
    asked = await handle.query("to_sign", {"message": "decide_gate", "payload": {"actor": key, **payload}})
    assert asked["needed"]
    return signed_by(key, "decide_gate", asked["target"], **payload)


async def refusals(handle: WorkflowHandle[Any, Json]) -> list[str]:
    facts = (await handle.query("journal"))["facts"]
    return [fact["data"]["why"] for fact in facts if fact["kind"] == "message_refused"]


async def test_signed_decisions_count_by_signal_and_by_update_and_unsigned_ones_are_journalled(bench: Bench) -> None:
    handle = await bench.start(plan(need=2))
    await waiting(bench, handle)
    await handle.signal("decide_gate", {**APPROVE, "actor": "ana"})
    with pytest.raises(WorkflowUpdateFailedError):
        await handle.execute_update("decide_gate", {**APPROVE, "actor": "ana"})
    with pytest.raises(WorkflowUpdateFailedError):
        await handle.execute_update("retry_gate", {"gate": "release", "actor": "ana"})
    told = await refusals(handle)
    assert [why.split(" has to be signed")[0] for why in told] == ["decide_gate", "decide_gate", "retry_gate"]
    await handle.signal("decide_gate", await signed(handle, "ana", **APPROVE))
    await waiting(bench, handle, approvals=1)
    last = await signed(handle, "bo", **APPROVE)
    answer = await handle.execute_update("decide_gate", last)
    assert answer["gate"]["status"] == "passed"
    assert (await handle.result())["status"] == "completed"


async def test_a_signature_is_bound_to_the_execution_that_the_server_has_made(bench: Bench) -> None:
    handle = await bench.start(plan())
    await waiting(bench, handle)
    asked = await handle.query("to_sign", {"message": "decide_gate", "payload": {**APPROVE, "actor": "ana"}})
    described = await handle.describe()
    assert asked["target"]["run"] == {"id": handle.id, "execution": described.run_id}
    await handle.execute_update("decide_gate", await signed(handle, "ana", **APPROVE))
    await handle.result()


def test_a_worker_without_the_library_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert verifier(plan_of(phase(0))) is None
    for name in [name for name in sys.modules if name.partition(".")[0] == "cryptography"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(NoLibraryError, match=r"phaseloom\[encryption\]"):
        verifier(plan())
