"""Phases with gates for the tests of the engine."""

from __future__ import annotations

from typing import Any

from engine.gates.plans import ApprovalPlan, CheckPlan, GatePlan
from tests.engine.world import PERSON, World, phase, plan_of

LINT = CheckPlan(name="lint", gate="pre-push", run=("ruff", "check"))
TESTS = CheckPlan(name="tests", gate="pre-push", run=("pytest",))
COVERED = CheckPlan(name="coverage", gate="pre-push", expr="phases.p0.outputs.coverage >= 0.8")
CHECKED = GatePlan(id="pre-push", checks=(LINT, TESTS))


def approved(**fields: Any) -> GatePlan:
    """A gate of people alone, which needs no worker unless evidence is required."""
    return GatePlan(id="release", approval=ApprovalPlan(**{"evidence": "optional", **fields}))


def gated(*gates: GatePlan, **fields: Any) -> World:
    """A phase with gates whose one command has just finished, and a phase after it."""
    world = World(plan_of(phase(0, gates=gates, **fields), phase(1, 0)))
    world.finish(0, coverage=0.9)
    return world


def by_hand(*gates: GatePlan, actor: str = "kim") -> World:
    world = World(plan_of(phase(0, agents=(PERSON,), gates=gates), phase(1, 0)))
    world.operate("complete_phase", phase=0, actor=actor)
    return world


def entries(world: World, kind: str) -> list[dict[str, Any]]:
    return [fact.to_json() for fact in world.engine.ledger if fact.kind == kind]


def decide(world: World, actor: str, decision: str = "approve", **fields: Any) -> dict[str, Any]:
    return world.operate("decide_gate", gate="release", decision=decision, actor=actor, **fields)
