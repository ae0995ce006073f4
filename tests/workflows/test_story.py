"""Four weeks of work in one run: people who are late, votes that no longer count, a failure that had to be repaired."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from engine.gates.plans import ApprovalPlan, CheckPlan, GatePlan
from engine.plan import Retry
from tests.engine.world import PERSON, phase, plan_of
from tests.workflows.conftest import MOMENTS, Bench

Json = dict[str, Any]
DAY = 86400.0

LATE = ApprovalPlan(
    people=("ana",),
    evidence="optional",
    deadline=7 * DAY,
    remind=3 * DAY,
    on_deadline="escalate",
    escalate_to=("dee",),
    after_escalation="pause",
)
TWO_OF_THREE = ApprovalPlan(people=("ana", "bo", "cy"), need=2)
TESTS = CheckPlan(name="tests", gate="release", run=("pytest",))

FOUR_WEEKS = plan_of(
    phase(0, gates=(GatePlan(id="charter", approval=LATE),)),
    phase(1, 0, gates=(GatePlan(id="release", checks=(TESTS,), approval=TWO_OF_THREE),)),
    phase(2, 1, retry=Retry(max_attempts=3, initial=DAY, factor=1.0, maximum=DAY, every_failure=True)),
    phase(3, 2, agents=(PERSON,)),
)


STORY = [
    "0 agent_settled p0",
    "0 gate_opened p0",
    "0 gate_checked p0 passed",
    "3 gate_reminded p0",
    "6 gate_reminded p0",
    "7 gate_escalated p0",
    "10 gate_reminded p0",
    "13 gate_reminded p0",
    "14 gate_settled p0 failed",
    "14 phase_paused p0 gate_expired",
    "14 run_paused",
    "15 gate_opened p0 kim",
    "15 gate_checked p0 passed",
    "15 run_resumed",
    "15 gate_decided p0 approve ana",
    "15 gate_settled p0 passed ana",
    "15 phase_settled p0 completed",
    "15 agent_settled p1",
    "15 gate_opened p1",
    "15 gate_checked p1 passed",
    "16 gate_decided p1 approve ana",
    "17 gate_opened p1 kim",
    "17 gate_checked p1 passed",
    "17 message_refused cy",
    "18 gate_decided p1 approve bo",
    "20 gate_decided p1 approve cy",
    "20 gate_settled p1 passed cy",
    "20 phase_settled p1 completed",
    "22 agent_settled p2 exit_code",  # the third attempt, each a day after the one before
    "22 phase_paused p2 exit_code",
    "22 run_paused",
    "24 intervened p2 retry bo",
    "24 run_resumed",
    "24 phase_settled p2 completed",
    "28 phase_settled p3 completed kim",
    "28 run_settled completed",
]


class Weeks:
    """The run, and people who come to it on certain days."""

    def __init__(self, bench: Bench, handle: WorkflowHandle[Any, Json], began: float) -> None:
        self.bench = bench
        self.handle = handle
        self.began = began

    async def day(self, number: float) -> None:
        """Let the time pass until this day of the run."""
        now = (await self.bench.env.get_current_time()).timestamp()
        await self.bench.env.sleep(timedelta(seconds=self.began + number * DAY - now))

    async def view(self) -> Json:
        """The run as it is."""
        seen: Json = await self.handle.query("view")
        return seen

    async def gate(self, name: str, status: str, number: int) -> Json:
        """The open gate, as soon as it stands so in this round."""
        for _ in range(MOMENTS):
            rows = (await self.view())["gates"]
            if rows and (rows[0]["gate"], rows[0]["gate_status"], rows[0]["round"]) == (name, status, number):
                return dict(rows[0])
            await self.bench.pause()
        raise AssertionError(f"{name} was never {status} in round {number}: {rows}")

    async def decide(self, gate: Json, actor: str) -> Json:
        """Somebody approves on the evidence that this view of the gate shows."""
        vote = {"gate": gate["gate"], "decision": "approve", "evidence": gate["evidence"], "actor": actor}
        answer: Json = await self.handle.execute_update("decide_gate", vote)
        return answer


def told(facts: list[Json]) -> list[str]:
    """The facts of a run as `day kind phase what who`, without those of the start of work."""
    dull = {"run_started", "phase_started", "agent_started", "phase_pending"}
    began = facts[0]["at"]
    lines = []
    for fact in facts:
        if fact["kind"] in dull:
            continue
        data = fact["data"]
        what = data.get("decision") or data.get("action") or data.get("status") or (data.get("error") or {}).get("code")
        where = "" if fact.get("phase") is None else f"p{fact['phase']}"
        words = (round((fact["at"] - began) / DAY), fact["kind"], where, what, fact.get("actor"))
        lines.append(" ".join(str(word) for word in words if word not in ("", None)))
    return lines


def new_tree_each_time(bench: Bench) -> None:
    """The checks pass, each time for other files."""

    def check(task: Json) -> Json:
        results = [
            {"name": c["name"], "gate": c["gate"], "status": "passed"} for c in task["agent"]["config"]["checks"]
        ]
        return {"results": results, "tree": f"sha256:{task['key']}"}

    bench.agents.checks = check


def broken_until_repaired(_task: Json) -> Json:
    """A deployment that fails; it may be tried again a day later, and after the third time it is given up."""
    last = activity.info().attempt == 3
    error = {"code": "exit_code", "message": "the disk is full"}
    raise ApplicationError(
        "the disk is full", error, type="exit_code", non_retryable=last, next_retry_delay=timedelta(days=1)
    )


async def test_four_weeks_with_late_people_void_votes_and_a_repair(bench: Bench) -> None:
    new_tree_each_time(bench)
    bench.agents.script["p2"] = broken_until_repaired
    handle = await bench.start(FOUR_WEEKS, actor="kim")
    began = (await handle.query("journal"))["facts"][0]["at"]
    weeks = Weeks(bench, handle, began)

    # Two weeks: nobody decides about the charter, nor do those who are asked then; somebody asks once more.
    await weeks.gate("charter", "waiting", 0)
    await weeks.day(8)
    assert (await weeks.view())["gates"][0]["who"] == ["ana", "dee"]
    await weeks.day(15)
    assert (await weeks.view())["status"] == "paused"
    await handle.execute_update("retry_gate", {"gate": "charter", "actor": "kim"})
    await weeks.decide(await weeks.gate("charter", "waiting", 1), "ana")

    # The release: one has approved when the files change; what was said about the old ones no longer counts.
    seen = await weeks.gate("release", "waiting", 0)
    await weeks.day(16)
    assert (await weeks.decide(seen, "ana"))["gate"]["approvals"] == 1
    await weeks.day(17)
    await handle.execute_update("retry_gate", {"gate": "release", "actor": "kim"})
    again = await weeks.gate("release", "waiting", 1)
    assert again["approvals"] == 0
    with pytest.raises(WorkflowUpdateFailedError) as stale:
        await weeks.decide(seen, "cy")
    assert "has changed since" in str(stale.value.cause)
    await weeks.day(18)
    assert (await weeks.decide(again, "bo"))["gate"] == {
        "id": "release",
        "status": "waiting",
        "approvals": 1,
        "need": 2,
    }
    await weeks.day(20)
    assert (await weeks.decide(again, "cy"))["gate"]["status"] == "passed"

    # The deployment fails on three days, is repaired, and goes on.
    await weeks.day(24)
    paused = await weeks.view()
    assert (paused["status"], [row["status"] for row in paused["phases"]][2]) == ("paused", "paused")
    del bench.agents.script["p2"]
    await handle.execute_update("intervene", {"phase": 2, "action": "retry", "actor": "bo"})
    await weeks.day(28)
    await handle.execute_update("next", {"actor": "kim"})

    assert (await handle.result())["status"] == "completed"
    assert told(bench.agents.archived[0]["ledger"]["facts"]) == STORY
