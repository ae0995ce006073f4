"""Plans with a shared context for the tests of the engine."""

from __future__ import annotations

from typing import Any

from engine.agents import AgentPlan
from engine.plan import ContextKeyPlan, ContextRules, Plan
from tests.engine.world import World, phase, plan_of

BACKEND = AgentPlan(role="backend", uses="command")
FRONTEND = AgentPlan(role="frontend", uses="command")
KEYS = {
    "api": ContextKeyPlan(type="object"),
    "notes": ContextKeyPlan(type="list", default=[], optional=True),
    "port": ContextKeyPlan(type="integer", owner="backend"),
    "server": ContextKeyPlan(type="integer"),
    "client": ContextKeyPlan(type="integer", invariant="context.client == context.server"),
}


def side_by_side(rules: ContextRules | None = None, **fields: Any) -> Plan:
    """Backend (0) and frontend (1) at once, both of whom write most keys; then a phase (2) that reads them all."""
    every = tuple(KEYS)
    both: dict[str, Any] = {"context_reads": every, "context_writes": every, "group": 0, **fields}
    return plan_of(
        phase(0, agents=(BACKEND,), **both),
        phase(1, agents=(FRONTEND,), **both),
        phase(2, 0, 1, context_reads=every),
        context=KEYS,
        context_rules=rules or ContextRules(),
    )


def facts(world: World, kind: str) -> list[dict[str, Any]]:
    return [fact.to_json() for fact in world.engine.ledger if fact.kind == kind]


def given(world: World, index: int, position: int = 0) -> dict[str, Any]:
    """The context that the running agent of a phase was given."""
    keys = [key for key in world.running if (key[0], key[2]) == (index, position)]
    values: dict[str, Any] = world.running[keys[0]].task["values"]["context"]
    return values


def values(world: World) -> dict[str, Any]:
    return world.engine.state.context.values()


def conflicting(rules: ContextRules | None = None, **fields: Any) -> World:
    """Both have written another `server`, and the merge has found no way."""
    world = World(side_by_side(rules, **fields))
    world.write(0, server=1)
    world.write(1, server=2, notes=["mine"])
    world.finish(1)
    return world
