"""Runs whose gates ask reviewers, for the tests of the engine."""

from __future__ import annotations

from typing import Any

from engine import snapshots
from engine.agents import AgentPlan
from engine.gates.plans import GatePlan, ReviewPlan
from engine.plan import Execution
from tests.engine.gated import entries
from tests.engine.world import Key, World, phase, plan_of

CRITIC = AgentPlan(role="critic", uses="command", config={"run": ["critic"]})
SECOND = AgentPlan(role="second", uses="command", config={"run": ["second"]})


def reviewed(**fields: Any) -> GatePlan:
    approval = fields.pop("approval", None)
    return GatePlan(id="look", review=ReviewPlan(**{"reviewers": (CRITIC, SECOND), **fields}), approval=approval)


def at_review(*gates: GatePlan, phases: int = 1) -> World:
    """Phases whose work is done and checked, in one parallel group, and one behind them."""
    members = (phase(i, gates=gates, group=0 if phases > 1 else None) for i in range(phases))
    world = World(plan_of(*members, phase(phases, *range(phases)), execution=Execution(max_workers=5)))
    for index in range(phases):
        world.finish(index, size=index)
    for index in range(phases):
        if any(key[0] == index for key in world.running):
            world.finish(index)
    return world


def reviewers(world: World) -> dict[str, Key]:
    """Who reviews now."""
    return {effect.task["agent"]["role"]: key for key, effect in sorted(world.running.items()) if key[0] < 0}


def says(world: World, who: str, verdict: str, comment: str = "", **outputs: Any) -> None:
    answer = outputs or {"verdict": verdict, "comment": comment}
    world.end_agent(reviewers(world)[who], outputs=answer)


def gates_asked(world: World) -> list[str]:
    """The gates of each consultation so far, in the order they were listed."""
    return [" ".join(gate["name"] for gate in fact["data"]["gates"]) for fact in entries(world, "consultation_opened")]


def fresh(world: World) -> World:
    """The same run in a fresh history."""
    return World(world.plan, engine=snapshots.restore(world.plan, snapshots.snapshot(world.engine), world.now))
