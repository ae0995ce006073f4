"""Runs on the real engine, to be put into words."""

from __future__ import annotations

from typing import Any

from engine import operations
from engine.agents import AgentPlan
from engine.effects import AgentFailed, AgentFinished
from engine.engine import Engine
from engine.plan import Execution, Need, PhasePlan, Plan
from engine.view import view

Json = dict[str, Any]

START = 1_708_336_800.0  # 2024-02-19T10:00:00Z
MINUTE, HOUR = 60.0, 3600.0

SH = AgentPlan(role="sh", uses="command", config={"tasks": ["true"]})


def person(role: str) -> AgentPlan:
    return AgentPlan(role=role)


class Story:
    """One run and its clock; `ask` and the agents' news move it on."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.at = START
        self.engine = Engine(plan)
        self.engine.start(self.at, inputs={}, env={}, run={"id": "wf_abc123", "definition": plan.id}, actor="ana")
        self.engine.flush()

    def later(self, seconds: float) -> Story:
        self.at += seconds
        return self

    def ask(self, name: str, **payload: Any) -> Json:
        answer = operations.act(self.engine, name, {"actor": "ana", **payload}, self.at)
        self.engine.flush()
        return answer

    def done(self, phase: int, **result: Any) -> Story:
        event = AgentFinished(phase=phase, epoch=self._epoch(phase), position=0, result={"outputs": {}, **result})
        self.engine.handle(event, self.at)
        return self

    def broke(self, phase: int, **error: Any) -> Story:
        error = {"code": "exit_code", "message": "sh exited with 3", **error}
        self.engine.handle(AgentFailed(phase=phase, epoch=self._epoch(phase), position=0, error=error), self.at)
        return self

    @property
    def view(self) -> Json:
        return view(self.engine, self.at)

    def _epoch(self, phase: int) -> int:
        return self.engine.state.phases[phase].epoch


def fleet(**fields: Any) -> Plan:
    """Builds once per service, then ships; by commands. The items' indexes follow the plan's two."""
    build = PhasePlan(id="build", name="Build", index=0, agents=(SH,), for_each=["api", "web", "db"], **fields)
    ship = PhasePlan(id="ship", name="Ship", index=1, agents=(SH,), needs=(need(0),))
    return Plan(id="fleet", name="Fleet", phases=(build, ship))


def delivery() -> Plan:
    """The full-stack catalog's shape: one, two in parallel, two; done by people."""
    names = [
        ("Design & Contract", ("api-expert", "ui-ux-expert"), None),
        ("Backend Development", ("backend-expert",), 0),
        ("Frontend Development", ("frontend-expert",), 0),
        ("Integration & Testing", ("testing-expert",), None),
        ("Review & Deploy", ("devops-expert",), None),
    ]
    needs: list[tuple[Need, ...]] = [(), (need(0),), (need(0),), (), (need(3),)]
    phases = tuple(
        PhasePlan(
            id=name.lower().replace(" & ", "-").replace(" ", "-"),
            name=name,
            index=index,
            agents=tuple(person(role) for role in roles),
            group=group,
            needs=needs[index],
            after_group=0 if index == 3 else None,
        )
        for index, (name, roles, group) in enumerate(names)
    )
    return Plan(id="full-stack-parallel", name="Full Stack Parallel Development", phases=phases)


def need(phase: int) -> Need:
    return Need(phase=phase, implicit=True)


def steps(*, max_workers: int = 3, count: int = 3, tests: bool = True, **phase: Any) -> Plan:
    """A workstream of independent steps, each with a command."""
    names = ("math-utils", "string-utils", "file-utils", "four", "five")
    phases = tuple(
        PhasePlan(
            id=f"step-{index + 1:02}-{names[index]}",
            name=f"step-{index + 1:02}-{names[index]}",
            index=index,
            agents=(SH,),
            acceptance_tests=("true",) if tests else (),
            **phase,
        )
        for index in range(count)
    )
    execution = Execution(max_workers=max_workers)
    return Plan(id="ws-utilities", name="Utilities", kind="workstream", phases=phases, execution=execution)
