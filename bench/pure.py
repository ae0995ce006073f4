"""Measurements without a server: compiling and scheduling large definitions."""

from __future__ import annotations

import time

from bench.report import Row
from definitions import compile_plan, load_text
from engine.agents import AgentPlan
from engine.effects import AgentFinished, Effect, RunAgent
from engine.engine import Engine
from engine.plan import Need, PhasePlan, Plan

LARGE = 10_000


def compile_large() -> list[Row]:
    """Validate and compile a definition of 10,000 phases."""
    lines = ["id: large", "agents: {a: {uses: command, run: ['true']}}", "phases:"]
    lines += [f"  - {{name: Phase {i}, agents: [a]{_needs(i)}}}" for i in range(LARGE)]
    text = "\n".join(lines)
    began = time.perf_counter()
    checked = load_text(text, file="large.yaml")
    plan = compile_plan(checked, env={})
    took = time.perf_counter() - began
    return [
        Row(
            what=f"validate + compile {LARGE} phases", value=took, unit="s", budget=3, note=f"{len(plan.phases)} phases"
        )
    ]


def _needs(index: int) -> str:
    names = ", ".join(f"phase-{index - back}" for back in (1, 5, 9) if index >= back)
    return f", depends_on: [{names}]"


def schedule_large() -> list[Row]:
    """The engine alone takes 10,000 phases with three needs each to the end."""
    agents = (AgentPlan(role="a", uses="command"),)
    plan = Plan(
        id="large",
        name="Large",
        phases=tuple(
            PhasePlan(
                id=f"p{i}",
                name=f"P {i}",
                index=i,
                agents=agents,
                needs=tuple(Need(phase=i - back) for back in (1, 5, 9) if i >= back),
            )
            for i in range(LARGE)
        ),
    )
    began = time.perf_counter()
    engine = Engine(plan)
    engine.start(0.0, inputs={}, env={}, run={"id": "bench"})
    todo: list[Effect] = engine.flush()
    while todo:
        effect = todo.pop()
        if isinstance(effect, RunAgent):
            done = AgentFinished(phase=effect.phase, epoch=0, position=0, result={"outputs": {}})
            todo.extend(engine.handle(done, 1.0))
    took = time.perf_counter() - began
    assert engine.state.status == "completed"
    return [Row(what=f"the engine alone schedules {LARGE} phases", value=took, unit="s", budget=1)]
