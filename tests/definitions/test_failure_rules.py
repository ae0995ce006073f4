"""Retry rules and circuit breakers: what is written is what the plan holds, and what cannot be written is named."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest

from definitions import compile_plan, load_config, load_text, not_in_effect
from engine.agents import ToolBreaker
from engine.plan import Plan, Retry, StepBreaker


def plan(text: str) -> Plan:
    checked = load_text(dedent(text), file="x.yaml")
    assert checked.ok, checked.diagnostics
    return compile_plan(checked, {})


def test_a_phase_has_the_breaker_that_it_declares_and_it_is_in_effect() -> None:
    made = plan(
        """
        phases:
          - {id: a, circuit_breaker: {max_attempts: 8, max_error_repeats: 2, cooldown: 5m}}
          - {id: b, circuit_breaker: {}}
          - {id: c}
        """
    )
    assert [phase.breaker for phase in made.phases] == [
        StepBreaker(max_attempts=8, max_error_repeats=2, cooldown=300.0),
        StepBreaker(max_attempts=5, max_error_repeats=3, cooldown=60.0),
        None,
    ]
    assert not_in_effect(made) == []
    assert Plan.from_json(json.loads(json.dumps(made.to_json()))) == made
    assert "breaker" not in made.to_json()["phases"][2]


def test_items_inherit_the_breaker_of_their_phase() -> None:
    made = plan("phases: [{id: a, tasks: [x], for_each: [1, 2], circuit_breaker: {max_attempts: 2}}]")
    assert made.phases[0].breaker == StepBreaker(max_attempts=2)


@pytest.mark.parametrize(
    ("role", "tool"),
    [
        ("{run: [/usr/bin/oven, --hot], circuit_breaker: {}}", "oven"),
        ('{run: ["${inputs.tool}"], circuit_breaker: {}}', "cook"),
        ("{shell: oven --hot, circuit_breaker: {}}", "cook"),
        ("{uses: aider, circuit_breaker: {}}", "aider"),
        ("{uses: python, function: 'bakery.oven:bake', circuit_breaker: {}}", "bakery.oven:bake"),
        ("{uses: http, url: 'https://oven.example.org/${inputs.x}', circuit_breaker: {}}", "cook"),
        ("{uses: http, url: 'https://oven.example.org/hot?n=${inputs.x}', circuit_breaker: {}}", "oven.example.org"),
        ("{run: [oven], circuit_breaker: {tool: the big oven}}", "the big oven"),
    ],
)
def test_a_tool_is_called_as_the_role_says_else_by_what_does_the_work(role: str, tool: str) -> None:
    made = plan(f"inputs: {{x: any, tool: any}}\nagents: {{cook: {role}}}\nphases: [{{id: a, agents: [cook]}}]\n")
    (agent,) = made.phases[0].agents
    assert agent.breaker == ToolBreaker(tool=tool)
    assert "circuit_breaker" not in agent.config


def test_its_numbers_are_kept_and_roles_without_one_have_none() -> None:
    made = plan(
        """
        agents:
          cook: {run: [x], circuit_breaker: {threshold: 2, recovery: 90s}}
          maid: {run: [x]}
          aide: {uses: aider, circuit_breaker: {threshold: 9}}
        phases: [{id: a, agents: [cook, maid]}, {id: b, tool: aide, tasks: [sweep]}]
        """
    )
    cook, maid = made.phases[0].agents
    assert (cook.breaker, maid.breaker) == (ToolBreaker(tool="x", threshold=2, recovery=90.0), None)
    assert made.phases[1].agents[0].breaker == ToolBreaker(tool="aider", threshold=9)


def test_a_project_can_give_a_role_one(tmp_path: Path) -> None:
    (tmp_path / "phaseloom.yaml").write_text("agents: {cook: {run: [oven], circuit_breaker: {threshold: 1}}}\n")
    checked = load_text("agents: {cook: {run: [pan]}}\nphases: [{id: a, agents: [cook]}]\n", file="x.yaml")
    project, problems = load_config(tmp_path)
    assert not problems
    made = compile_plan(checked, {}, project)
    assert made.phases[0].agents[0].breaker == ToolBreaker(tool="oven", threshold=1)


def test_a_rule_can_name_the_classes_that_it_repeats() -> None:
    (phase,) = plan("phases: [{id: a, retry: {on: [transient, quality], max_attempts: 4}}]").phases
    assert phase.retry == Retry(max_attempts=4, every_failure=True, on=("transient", "quality"))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("phases: [{id: a, circuit_breaker: {threshold: 5}}]", "PL101"),
        ("phases: [{id: a, circuit_breaker: {max_attempts: 0}}]", "PL110"),
        ("phases: [{id: a, circuit_breaker: {cooldown: soon}}]", "PL104"),
        ("phases: [{id: a, retry: {on: [user_input]}}]", "PL106"),
        ("phases: [{id: a, retry: {on: []}}]", "PL110"),
        ("agents: {b: {uses: manual, circuit_breaker: {}}}\nphases: [{id: a, agents: [b]}]", "PL101"),
        ("agents: {b: {run: [x], circuit_breaker: {recovery: 0}}}\nphases: [{id: a, agents: [b]}]", "PL110"),
    ],
)
def test_what_has_no_effect_or_no_sense_is_refused(text: str, code: str) -> None:
    assert [finding.code for finding in load_text(text, file="x.yaml").diagnostics] == [code]
