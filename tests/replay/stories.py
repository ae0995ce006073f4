"""What the recorded runs are about: plans, what their agents do, and what people do to them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from temporalio import activity
from temporalio.client import WorkflowHandle

from engine.agents import AgentPlan
from engine.gates.plans import ApprovalPlan, CheckPlan, GatePlan, ReviewPlan
from engine.plan import Execution, HookPlan, JumpPlan, PhasePlan, Plan, StepBreaker, TargetPlan
from tests.engine.sharing import side_by_side
from tests.engine.signing import SIGNERS, signed_by
from tests.engine.world import COMMAND, PERSON, phase, plan_of
from tests.workflows.conftest import Agents, failing, until_cancelled

Json = dict[str, Any]
Handle = WorkflowHandle[Any, Json]


def commands() -> Plan:
    return plan_of(phase(0), phase(1, 0, group=0), phase(2, 0, group=0), phase(3, after_group=0, condition="1 < 2"))


def people() -> Plan:
    third = PhasePlan(id="p3", name="Phase 3", index=3, agents=(PERSON, COMMAND), after_group=0)
    return plan_of(
        phase(0, agents=(PERSON,)),
        phase(1, 0, agents=(PERSON,), group=0),
        phase(2, 0, agents=(PERSON,), group=0),
        third,
        completion_signals=("All green",),
    )


async def by_update(handle: Handle, _agents: Agents) -> None:
    await handle.execute_update("next", {"actor": "ann", "request_id": "r1"})
    await handle.execute_update("complete_phase", {"phase": 1})
    await handle.execute_update("complete_phase", {"phase": 2})
    await handle.execute_update("report_signal", {"signal": "All green"})
    await handle.execute_update("next", {})


async def by_signal(handle: Handle, _agents: Agents) -> None:
    await handle.signal("next")
    await handle.signal("complete_phase", "rubbish")
    await handle.signal("no_such_message", {})
    await handle.signal("cancel_parallel", {"phase": 1})
    await handle.signal("start_parallel", {"phase": 1})
    await handle.signal("report_progress", {"phase": 1, "progress": "half"})
    await handle.signal("complete_phase", {"phase": 1})
    await handle.signal("fail_phase", {"phase": 2, "error": "no"})
    await handle.signal("intervene", {"phase": 2, "action": "skip", "reason": "no need"})
    await handle.signal("pause")
    await handle.signal("resume")
    await handle.signal("report_signal", {"signal": "All green"})
    await handle.signal("next")


async def tried_although_open(handle: Handle, agents: Agents) -> None:
    for epoch, actor in enumerate(("ann", "agent:p0", "ann")):
        while (await handle.query("phase", {"phase": 0}))["status"] != "paused":
            await asyncio.sleep(0.05)
        if epoch == 2:
            del agents.script["p0"]
        await handle.execute_update("intervene", {"phase": 0, "action": "retry", "actor": actor})


async def retried(handle: Handle, agents: Agents) -> None:
    while (await handle.query("view"))["status"] != "paused":
        await asyncio.sleep(0.05)
    del agents.script["p0"]
    await handle.execute_update("intervene", {"phase": 0, "action": "retry_with", "prompt": "again"})


async def item_retried(handle: Handle, agents: Agents) -> None:
    while (await handle.query("view"))["status"] != "paused":
        await asyncio.sleep(0.05)
    del agents.script["p1.1"]
    await handle.execute_update("intervene", {"phase": "p1.1", "action": "retry"})


async def cancelled(handle: Handle, agents: Agents) -> None:
    while not agents.seen:
        await asyncio.sleep(0.05)
    await handle.execute_update("cancel", {})


async def cancelled_by_temporal(handle: Handle, agents: Agents) -> None:
    while not agents.seen:
        await asyncio.sleep(0.05)
    await handle.cancel()


def gated() -> Plan:
    """A gate with checks and people, one whose time runs out twice, one that is waived."""
    lint = CheckPlan(name="lint", gate="release", run=("lint",))
    seen = CheckPlan(name="seen", gate="release", expr="outputs.n == 1")
    people = ApprovalPlan(people=("ana", "bo", "cy"), need=2, deadline=3600.0, remind=600.0)
    late = ApprovalPlan(
        people=("ana",),
        evidence="optional",
        deadline=0.6,
        remind=0.4,
        on_deadline="escalate",
        escalate_to=("dee",),
        after_escalation="approve",
    )
    broken = CheckPlan(name="broken", gate="last", expr="1 > 2")
    return plan_of(
        phase(0, gates=(GatePlan(id="release", checks=(lint, seen), approval=people),)),
        phase(1, 0, gates=(GatePlan(id="late", approval=late), GatePlan(id="last", checks=(broken,)))),
    )


def repeated() -> Plan:
    """Tests that are mended twice, and a phase from which somebody goes back."""
    ways = (JumpPlan(to=2, condition="outputs.failed > 0", max_rounds=3),)
    return plan_of(phase(0), phase(1, 0, jumps=ways), phase(2, on_jump=True), phase(3, 1))


def told() -> Plan:
    """A failure that somebody is told of and that runs hooks, and a person who is reminded and then late."""
    hooks = {"failure": HookPlan(run=("tell", "${status}")), "recovery": HookPlan(run=("tell",))}
    targets = (TargetPlan(name="team", url_env="TEAM_URL"),)
    late = phase(1, 0, agents=(PERSON,), remind=0.4, deadline=1.0, on_failure="isolate")
    return plan_of(phase(0), late, hooks=hooks, targets=targets)


def counting_down() -> Callable[[Json], Json]:
    """Tests of which two fail, then one, then none."""
    left = [0, 1, 2]
    return lambda _task: {"failed": left.pop() if left else 0}


async def at_gate(handle: Handle, gate: str, status: str) -> Json:
    """The open gate once it stands so."""
    while True:
        for row in (await handle.query("view"))["gates"]:
            if (row["gate"], row["gate_status"]) == (gate, status):
                return dict(row)
        await asyncio.sleep(0.05)


async def decided(handle: Handle, _agents: Agents) -> None:
    evidence = (await at_gate(handle, "release", "waiting"))["evidence"]
    vote = {"gate": "release", "decision": "approve", "evidence": evidence}
    await handle.signal("decide_gate", {**vote, "evidence": None, "actor": "bo"})
    await handle.execute_update("decide_gate", {**vote, "actor": "ana"})
    await handle.execute_update("retry_gate", {"gate": "release", "actor": "ann"})
    vote["evidence"] = (await at_gate(handle, "release", "waiting"))["evidence"]
    await handle.execute_update("delegate_gate", {"gate": "release", "to": "eve", "actor": "cy"})
    await handle.signal("decide_gate", {**vote, "actor": "eve"})
    await handle.execute_update("decide_gate", {**vote, "decision": "request_changes", "comment": "no", "actor": "bo"})
    vote["evidence"] = (await at_gate(handle, "release", "waiting"))["evidence"]
    await handle.execute_update("decide_gate", {**vote, "actor": "ana"})
    await handle.signal("decide_gate", {**vote, "actor": "bo"})
    await at_gate(handle, "last", "failed")
    await handle.execute_update("waive_gate", {"gate": "last", "reason": "known", "actor": "ann"})


def keyed() -> Plan:
    """A gate of two people who sign."""
    people = ApprovalPlan(people=("ana", "bo"), need=2, evidence="optional")
    return plan_of(phase(0, gates=(GatePlan(id="release", approval=people),)), phase(1, 0), signers=SIGNERS)


async def signed(handle: Handle, _agents: Agents) -> None:
    async def vote(actor: str, decision: str = "approve") -> Json:
        await at_gate(handle, "release", "waiting")
        payload = {"gate": "release", "decision": decision, "comment": "seen"}
        asked = await handle.query("to_sign", {"message": "decide_gate", "payload": {**payload, "actor": actor}})
        return signed_by(actor, "decide_gate", asked["target"], **payload)

    first = await vote("ana")
    await handle.signal("decide_gate", {**first, "signature": None})
    await handle.execute_update("decide_gate", first)
    await handle.signal("decide_gate", {**first, "decision": "reject"})
    await handle.execute_update("decide_gate", await vote("bo", "request_changes"))
    await handle.signal("decide_gate", first)
    await handle.signal("decide_gate", {**first, "request_id": "another"})
    await handle.execute_update("decide_gate", await vote("bo"))
    await handle.signal("decide_gate", await vote("ana"))


def reviewed() -> Plan:
    """Two phases that are reviewed together and decided in a batch, and one whose reviewers are stopped."""
    critic, second = (AgentPlan(role=role, uses="command") for role in ("critic", "second"))
    both = ReviewPlan(reviewers=(critic, second), together=True)
    gates = (GatePlan(id="look", review=both, approval=ApprovalPlan(people=("ana",))),)
    endless = GatePlan(id="last", review=ReviewPlan(reviewers=(critic,)))
    members = (phase(i, gates=gates, group=0) for i in range(2))
    return plan_of(*members, phase(2, after_group=0, gates=(endless,)))


def saying() -> Callable[[Json], Json]:
    """Reviewers of whom the first one requests changes once."""
    left = [{"verdict": "REQUEST_CHANGES", "comment": "no"}]
    return lambda task: (left.pop() if left else {"verdict": "APPROVE"}) if task.get("review") else {}


async def endlessly(task: Json) -> Json:
    return await until_cancelled(task) if task.get("review") else {}


async def decided_together(handle: Handle, _agents: Agents) -> None:
    open_ones: list[Json] = []
    while len(open_ones) < 2:
        await asyncio.sleep(0.05)
        gates = (await handle.query("view"))["gates"]
        open_ones = [gate for gate in gates if gate["gate_status"] == "waiting"]
    for batch in sorted({gate["batch"] for gate in open_ones}):
        evidence = {f"{gate['id']}/look": gate["evidence"] for gate in open_ones if gate["batch"] == batch}
        message = {"batch": batch, "decision": "approve", "evidence": evidence, "actor": "ana"}
        await handle.execute_update("decide_gate", message)
    await at_gate(handle, "last", "reviewing")
    await handle.execute_update("waive_gate", {"gate": "last", "reason": "no time", "actor": "ann"})


async def gone_back(handle: Handle, agents: Agents) -> None:
    while (await handle.query("view"))["status"] != "paused":
        await asyncio.sleep(0.05)
    del agents.script["p3"]
    await handle.execute_update("intervene", {"phase": 3, "action": "go_to", "to": "p0", "actor": "ann"})


async def deaf(task: Json) -> Json:
    """An agent that takes no notice of its cancellation, the first time."""
    for _ in range(0 if task["epoch"] else 60):
        with contextlib.suppress(asyncio.CancelledError):
            activity.heartbeat()
            await asyncio.sleep(0.05)
    return {}


async def at_work(agents: Agents, phase_id: str) -> None:
    """Return once an agent of the phase has begun."""
    while phase_id not in {task["phase"]["id"] for task in agents.seen}:
        await asyncio.sleep(0.05)


async def left_alone(handle: Handle, agents: Agents) -> None:
    await at_work(agents, "p1")
    await handle.execute_update("restore", {"checkpoint": "p0", "actor": "ann"})


async def taken_back(handle: Handle, agents: Agents) -> None:
    await at_work(agents, "p2")
    await handle.execute_update("create_checkpoint", {"name": "mine", "actor": "ann"})
    await handle.execute_update("restore", {"checkpoint": "p0", "actor": "ann"})
    await handle.signal("restore", {"checkpoint": "p0"})
    agents.script.clear()
    while (await handle.query("view"))["counts"]["completed"] < 3:
        await asyncio.sleep(0.05)
    await handle.execute_update("restore", {"phase": "p3"})
    await handle.execute_update("next", {})


async def taken(handle: Handle, _agents: Agents) -> None:
    while (await handle.query("view"))["status"] != "paused":
        await asyncio.sleep(0.05)
    waits = (await handle.query("view"))["pause"]["phases"][0]
    await handle.execute_update("intervene", {"phase": waits, "action": "take_mine", "actor": "ann"})


async def untouched(_handle: Handle, _agents: Agents) -> None:
    """Nobody does anything."""


Story = tuple[Plan, dict[str, Any], Callable[[Handle, Agents], Awaitable[None]], Json]

STORIES: dict[str, Story] = {
    "commands": (commands(), {}, untouched, {"search_attributes": False}),
    "auto-workers-and-rate-limit": (
        plan_of(phase(0), phase(1), execution=Execution(max_workers=0, rate_limit_delay=0.2)),
        {},
        untouched,
        {},
    ),
    "people-by-update": (people(), {}, by_update, {}),
    "people-by-signal": (people(), {}, by_signal, {}),
    "failure-paused-and-retried": (plan_of(phase(0), phase(1, 0)), {"p0": failing()}, retried, {}),
    "failure-isolated": (
        plan_of(phase(0, on_failure="isolate"), phase(1, 0), phase(2)),
        {"p0": failing()},
        untouched,
        {},
    ),
    "failure-fast": (
        plan_of(phase(0, on_failure="fail_fast"), phase(1), phase(2, 0, always=True)),
        {"p0": failing(), "p1": until_cancelled},
        untouched,
        {},
    ),
    "cancelled": (plan_of(phase(0), phase(1, 0)), {"p0": until_cancelled}, cancelled, {}),
    "cancelled-by-temporal": (plan_of(phase(0), phase(1, 0)), {"p0": until_cancelled}, cancelled_by_temporal, {}),
    "continued-as-new": (
        plan_of(*(phase(i) for i in range(20)), execution=Execution(max_workers=2)),
        {},
        untouched,
        {"drain_events": 40},
    ),
    "items": (
        plan_of(
            phase(0),
            phase(1, 0, for_each=["a", {"b": 1}, 3, 4, 5, 6], max_parallel=2),
            phase(2, 1, reads=("phases.p1.outputs.items",)),
        ),
        {"p1.1": failing()},
        item_retried,
        {"drain_events": 40},
    ),
    "gates": (gated(), {"p0": lambda _task: {"n": 1}}, decided, {"drain_events": 60}),
    "reviews": (reviewed(), {"p0": saying(), "p1": saying(), "p2": endlessly}, decided_together, {"drain_events": 60}),
    "jumps": (repeated(), {"p1": counting_down(), "p3": failing()}, gone_back, {"drain_events": 60}),
    "circuit-open": (
        plan_of(phase(0, breaker=StepBreaker(max_attempts=1, cooldown=3600)), phase(1, 0)),
        {"p0": failing()},
        tried_although_open,
        {},
    ),
    "signatures": (keyed(), {}, signed, {"drain_events": 30}),
    "restored": (
        plan_of(phase(0), phase(1, 0, group=0), phase(2, 0, group=0), phase(3, after_group=0, agents=(PERSON,))),
        {"p1": until_cancelled, "p2": until_cancelled},
        taken_back,
        {"drain_events": 60},
    ),
    "abandoned": (plan_of(phase(0), phase(1, 0)), {"p1": deaf}, left_alone, {"abandon_after": 0.5}),
    "context": (
        side_by_side(),
        {
            "p0": lambda _task: {"context": {"api": {"a": 1}, "server": 1}},
            "p1": lambda _task: {"context": {"api": {"b": 2}, "server": 2}},
        },
        taken,
        {"drain_events": 40},
    ),
    "agents-in-parallel": (
        plan_of(phase(0, agents=(COMMAND, AgentPlan(role="other", uses="command"), PERSON), agents_mode="parallel")),
        {},
        lambda handle, _agents: handle.execute_update("next", {"outputs": {"a": 1}}),
        {},
    ),
    "notices": (told(), {"p0": failing()}, retried, {"run": {"id": "wf_notices", "definition": "plan"}}),
}
