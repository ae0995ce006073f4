"""`full-stack-parallel` has the names, the agents and the order that are promised."""

from __future__ import annotations

from definitions import compile_plan, load
from definitions.registry import CATALOG


def test_full_stack_parallel() -> None:
    checked = load(CATALOG / "full-stack-parallel.yaml")
    assert checked.diagnostics == ()
    plan = compile_plan(checked, {})
    assert (plan.id, plan.name) == ("full-stack-parallel", "Full Stack Parallel Development")
    assert [
        (phase.index, phase.name, [agent.role for agent in phase.agents], phase.group) for phase in plan.phases
    ] == [
        (0, "Design & Contract", ["api-expert", "ui-ux-expert"], None),
        (1, "Backend Development", ["backend-expert"], 0),
        (2, "Frontend Development", ["frontend-expert"], 0),
        (3, "Integration & Testing", ["testing-expert"], None),
        (4, "Review & Deploy", ["devops-expert"], None),
    ]
    assert all(agent.uses == "manual" for phase in plan.phases for agent in phase.agents)
