"""Metrics as people read them."""

from __future__ import annotations

import re
from typing import Any

from cli.words.bars import Canvas
from cli.words.metrics import of_many, of_run
from engine.across import across
from engine.gates.plans import ApprovalPlan, GatePlan
from engine.metrics import metrics
from engine.plan import Execution
from engine.spells import Spells
from tests.engine.world import PERSON, World, phase, plan_of

ON = Canvas(width=100)


def story() -> dict[str, Any]:
    gate = GatePlan(id="release", approval=ApprovalPlan(evidence="optional", self_approval=True))
    plan = plan_of(
        phase(0), phase(1), phase(2, 0, 1, agents=(PERSON,), gates=(gate,)), execution=Execution(max_workers=1)
    )
    world = World(plan)
    world.tick(4.5)
    world.finish(0)
    world.tick(60)
    world.end_agent((1, 0, 0), error={"code": "exit_code", "attempts": 3, "failures": [{"code": "exit_code"}] * 3})
    world.tick(10)
    world.operate("intervene", phase=1, action="skip", reason="flaky")
    world.tick(90)
    world.operate("complete_phase", phase=2)
    world.tick(30)
    world.operate("decide_gate", gate="release", decision="approve", actor="ana")
    facts = world.engine.ledger
    return metrics(Spells.of(plan, facts), facts, world.now)


def test_a_run_is_told_with_its_phases_agents_and_gates() -> None:
    lines = of_run(story(), ON)
    assert lines[0] == "Plan (wf_test00): completed"
    told = {line[2:16].strip(): line[16:].strip() for line in lines[1:7]}
    assert told["Time"] == "3m 15s (at work 1m 05s, waited for people 2m 10s)"
    assert told["Worker slots"] == "33% of 1 used"
    assert told["Queue wait"] == "4.5s in all; p50 0s, p95 4.5s, longest 4.5s"
    assert told["Attempts"] == "4, 2 of them retries; failures: exit_code 3"
    assert told["People"] == "phases of theirs 1m 30s, approvals 30s, decisions 10s"
    cells = {line.split()[0]: re.split(" {2,}", line.strip())[1:] for line in lines[7:] if line}
    assert cells["p1"] == ["skipped", "1", "1m 00s", "1m 00s", "10s", "4.5s", "3"]
    assert cells["release"] == ["1", "0", "0", "100%", "0s", "30s"]
    assert cells["lead"] == ["1", "1m 30s", "—", "—"]


def test_many_runs_are_told_by_definition_and_fit_a_terminal() -> None:
    lines = of_many(across([story(), story()]), ON, fits=60)
    assert lines[0] == "plan: 2 runs: 2 completed; success rate 100%"
    assert any(line.split()[:2] == ["Time", "p50"] for line in lines)
    assert max(map(len, lines[4:])) <= 100
    assert any(line.split()[:2] == ["release", "2"] for line in lines)


def test_no_runs_are_said_so() -> None:
    assert of_many(across([]), ON) == ["There are no ended runs to measure in this project."]
