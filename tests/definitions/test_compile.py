"""What a definition says is what its plan holds."""

from __future__ import annotations

import json
from textwrap import dedent

import pytest

from definitions import InvalidDefinitionError, compile_plan, env_names, load_text, not_in_effect
from engine.agents import AgentPlan, OutputPlan
from engine.plan import Execution, InputPlan, JumpPlan, Need, PhasePlan, Plan, Retry, StepGroup


def plan(text: str, env: dict[str, str] | None = None, file: str = "x.yaml") -> Plan:
    checked = load_text(dedent(text), file=file)
    assert checked.ok, checked.diagnostics
    return compile_plan(checked, env or {})


def phase(text: str) -> PhasePlan:
    return plan(f"phases:\n  - {text}\n").phases[0]


def test_identity() -> None:
    made = plan("name: My Flow\nversion: 1.10\ndescription: d\nphases: [{name: A}]\ncompletion_signals: [done]\n")
    assert (made.id, made.name, made.version, made.description, made.kind) == ("x", "My Flow", "1.10", "d", "workflow")
    assert made.completion_signals == ("done",)
    assert made.source == "x.yaml"
    assert plan("phases: [{name: A}]", file="dir/Nice Flow.v2.yaml").id == "nice-flow"
    assert plan("steps: [{id: a}]").kind == "workstream"


def test_the_digest_is_of_the_content() -> None:
    one = plan("id: a\nphases: [{name: A, agents: [b]}]\n").digest
    assert one == plan("# a comment\nphases:\n  - agents: [b]\n    name: A\nid: a\n").digest
    assert one != plan("id: a\nphases: [{name: A, agents: [c]}]\n").digest
    assert len(one) == 64


def test_a_plan_survives_json() -> None:
    made = plan(
        """
        agents: {a: {run: [x], outputs: {n: {type: integer, value: "${stdout_json.n}"}}, pass_env: [A]}}
        phases:
          - {name: A, agents: [a], retry: 5, estimated_duration: 3-5_minutes}
          - {name: B, parallel: true, agents: [a], gates: [g]}
          - {name: C, parallel: true, acceptance_tests: [x]}
          - {name: D, if: "${phases.a.outputs.n > 3}"}
        gates: {g: {approval: {}}}
        """
    )
    assert Plan.from_json(json.loads(json.dumps(made.to_json()))) == made


def test_a_command() -> None:
    made = plan(
        """
        agents:
          a:
            {run: [x, "${inputs.i}"], env: {PORT: 80, B: true}, pass_env: [K], ok_exit_codes: [0, 1], cwd: sub}
          b: {shell: echo hi}
          c: {tasks: [one, two], outputs: {x: string}}
        inputs: {i: string}
        phases: [{id: p, agents: [a, b, c]}]
        """
    )
    a, b, c = made.phases[0].agents
    assert a == AgentPlan(
        role="a",
        uses="command",
        config={
            "run": ["x", "${inputs.i}"],
            "cwd": "sub",
            "ok_exit_codes": [0, 1],
            "env": {"PORT": "80", "B": "true"},
            "pass_env": ["K"],
        },
    )
    assert b.config == {"tasks": ["echo hi"]}
    assert (c.config, c.outputs) == ({"tasks": ["one", "two"]}, {"x": OutputPlan(type="string")})


def test_tools() -> None:
    made = plan(
        """
        agents: {reviewer: {run: [review, "${prompt_file}"]}}
        steps:
          - {id: a, tool: sh, tasks: [one, two]}
          - {id: b, tool: aider, tasks: [write it], prompt: Be brief, files_scope: [src/]}
          - {id: c, tool: reviewer, tasks: [look, look again], prompt: Careful}
          - {id: d, tasks: [one]}
          - {id: e}
        """
    )
    assert [made.phases[i].agents for i in (0, 1, 3, 4)] == [
        (AgentPlan(role="sh", uses="command", config={"tasks": ["one", "two"]}),),
        (AgentPlan(role="aider", uses="aider", config={"tasks": ["write it"]}),),
        (AgentPlan(role="sh", uses="command", config={"tasks": ["one"]}),),
        (AgentPlan(role="person"),),
    ]
    assert [phase.prompt for phase in made.phases] == [None, "Be brief", "Careful\n\n- look\n- look again", None, None]
    assert made.phases[2].agents[0].role == "reviewer"
    assert made.phases[1].files_scope == ("src/",)


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("{id: a, tool: sh, tasks: [x], acceptance_tests: [t]}", ["sh"]),
        ("{id: a, agents: [person], acceptance_tests: [t]}", ["person", "acceptance-tests"]),
        ("{id: a, agents: [c], acceptance_tests: [t]}", ["c"]),
        ("{id: a, agents: [p, c], acceptance_tests: [t]}", ["p", "c"]),
        ("{id: a, agents: [c, p], acceptance_tests: [t]}", ["c", "p", "acceptance-tests"]),
        ("{id: a, agents: [c, c], agents_mode: parallel, acceptance_tests: [t]}", ["c", "c", "acceptance-tests"]),
        ("{id: a, agents: [c], agents_mode: parallel, acceptance_tests: [t]}", ["c"]),
        ("{id: a, agents: [p]}", ["p"]),
    ],
)
def test_acceptance_tests_have_a_command_to_run_in(text: str, roles: list[str]) -> None:
    made = plan(f"agents: {{c: {{run: [x]}}, p: {{uses: manual}}}}\nphases:\n  - {text}\n").phases[0]
    assert [agent.role for agent in made.agents] == roles
    if roles[-1] == "acceptance-tests":
        assert made.agents[-1].config == {"tasks": []}
        assert made.turns[-1] == (len(roles) - 1,)


def test_timeouts_never_apply_to_people() -> None:
    made = plan("phases: [{id: a, agents: [x]}, {id: b, tasks: [x]}, {id: c, tasks: [x], timeout: 5m}]")
    assert [phase.timeout for phase in made.phases] == [None, 300.0, 300.0]
    assert phase("{id: a, tasks: [x], timeout: never}").timeout is None
    assert plan("phases: [{id: a, tasks: [x]}]\nexecution: {timeout_per_step: 20m}").phases[0].timeout == 1200.0


def test_retries() -> None:
    assert phase("{id: a}").retry == Retry()
    assert phase("{id: a, retry: 5}").retry == Retry(max_attempts=5, every_failure=True)
    made = phase("{id: a, retry: {max_attempts: 2, initial: 1s, factor: 3, maximum: 1m, jitter: 0}}")
    assert made.retry == Retry(max_attempts=2, initial=1.0, factor=3.0, maximum=60.0, jitter=0.0, every_failure=True)
    assert plan("execution: {retry: 2}\nphases: [{id: a}]").phases[0].retry.max_attempts == 2


def test_conditions() -> None:
    text = "{id: a, if: '${ inputs.x }'}"
    assert plan(f"inputs: {{x: boolean}}\nphases: [{text}]").phases[0].condition == "inputs.x"
    assert phase("{id: a, if: true}").condition is None
    assert phase("{id: a, if: false}").condition == "false"
    assert phase("{id: a, always: true}").always


def test_a_phase_that_is_only_jumped_to_does_not_run_on_its_own() -> None:
    made = plan("phases: [{id: a, next: [{go_to: b}]}, {id: b, on_jump: true}]")
    assert made.phases[1].on_jump
    assert made.phases[0].jumps == (JumpPlan(to=1),)
    assert not_in_effect(made) == []


def test_a_phase_that_is_only_jumped_to_stands_outside_of_the_order() -> None:
    made = plan("phases: [{id: a, next: [{go_to: fix}]}, {id: fix, on_jump: true}, {id: b}]")
    assert [phase.needs for phase in made.phases] == [(), (), (Need(phase=0, implicit=True),)]


def test_ways_of_next_have_their_conditions_and_their_caps() -> None:
    ways = "[{if: '${outputs.n > 0}', go_to: a, max_rounds: 3}, {if: false, go_to: a}, {go_to: a}]"
    made = plan(f"phases: [{{id: a}}, {{id: b, outputs: {{n: {{type: integer}}}}, next: {ways}}}]")
    assert made.phases[1].jumps == (JumpPlan(to=0, condition="outputs.n > 0", max_rounds=3), JumpPlan(to=0))


def test_execution() -> None:
    assert plan("phases: [{id: a}]").execution == Execution()
    assert plan("phases: [{id: a}]\nexecution: {max_workers: auto, rate_limit_delay: 5s}").execution == Execution(
        max_workers=0, rate_limit_delay=5.0
    )
    assert plan("phases: [{id: a}]\nexecution: {parallel: false, max_workers: 8}").execution == Execution(
        parallel=False, max_workers=1
    )
    made = plan("phases: [{id: a}, {id: b, on_failure: fail_fast}]\nexecution: {on_failure: isolate}")
    assert [phase.on_failure for phase in made.phases] == ["isolate", "fail_fast"]


EXPRESSIONS = """
    phases: [{id: a, tasks: [x]}]
    execution:
      parallel: ${env.CI != 'debug'}
      max_workers: ${env.MAX_WORKERS:-3}
      timeout_per_step: ${env.LIMIT:-5m}
      rate_limit_delay: ${env.DELAY:-0}
      on_failure: ${env.ON_FAILURE:-pause}
"""


def test_execution_is_resolved_with_the_environment() -> None:
    made = plan(EXPRESSIONS)
    assert made.execution == Execution()
    made = plan(EXPRESSIONS, {"MAX_WORKERS": "auto", "LIMIT": "90", "DELAY": "2s", "ON_FAILURE": "isolate"})
    assert made.execution == Execution(max_workers=0, rate_limit_delay=2.0, on_failure="isolate")
    assert made.phases[0].timeout == 90.0
    assert plan(EXPRESSIONS, {"CI": "debug"}).execution == Execution(parallel=False, max_workers=1)
    assert plan("phases: [{id: a}]\nexecution: {parallel: '${env.P}'}", {"P": "no"}).execution.parallel is False


def test_the_environment_names_are_those_that_are_written() -> None:
    checked = load_text(dedent(EXPRESSIONS) + "agents: {x: {run: ['${env.HOME_DIR}']}}\n")
    assert env_names(checked) == ["CI", "MAX_WORKERS", "LIMIT", "DELAY", "ON_FAILURE", "HOME_DIR"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("MAX_WORKERS", "0"), ("MAX_WORKERS", "many"), ("LIMIT", "soon"), ("DELAY", "-1"), ("ON_FAILURE", "explode")],
)
def test_an_expression_that_yields_nonsense_is_an_error_at_start(name: str, value: str) -> None:
    checked = load_text(dedent(EXPRESSIONS), file="x.yaml")
    with pytest.raises(InvalidDefinitionError) as error:
        compile_plan(checked, {name: value})
    (diagnostic,) = error.value.diagnostics
    assert (diagnostic.code, diagnostic.file) == ("PL307", "x.yaml")
    assert diagnostic.line > 3
    assert diagnostic.text in str(error.value)


def test_a_definition_with_errors_does_not_compile() -> None:
    checked = load_text("phases: [{id: a, depends_on: [b]}]", file="x.yaml")
    with pytest.raises(InvalidDefinitionError, match="PL103"):
        compile_plan(checked, {})


def test_an_executor_that_is_not_in_effect_does_not_start() -> None:
    checked = load_text("agents: {a: {uses: llm, model: m}}\nphases: [{id: b, agents: [a]}, {id: c, agents: [a]}]")
    assert checked.ok
    with pytest.raises(InvalidDefinitionError, match="not in effect yet; needed by b, c"):
        compile_plan(checked, {})


def test_inputs() -> None:
    made = plan(
        """
        inputs:
          a: {type: string, description: what}
          b: {default: 3}
          c: {required: false}
          d:
          e: number
        phases: [{id: p, inputs: [pm.user_stories, a]}]
        """
    )
    assert made.inputs == {
        "a": InputPlan(type="string", required=True, description="what"),
        "b": InputPlan(default=3),
        "c": InputPlan(),
        "d": InputPlan(required=True),
        "e": InputPlan(type="number", required=True),
        "pm_user_stories": InputPlan(description="pm.user_stories, which nothing in the definition produces"),
    }
    assert made.phases[0].reads == ("inputs.pm_user_stories", "inputs.a")


def test_reads_are_what_a_phase_names() -> None:
    made = plan(
        """
        inputs: {i: string}
        agents:
          a: {run: ["${phases.p.outputs.x}", "${env.HOME}", "${prompt_file}"], outputs: {x: "string"}}
          b: {run: [x], outputs: {x: "string"}}
        phases:
          - {id: p, agents: [b]}
          - {id: q, agents: [a], prompt: "${inputs.i}", if: "${phases.p.status == 'completed'}", inputs: [b.x]}
        """
    )
    assert made.phases[0].reads == ()
    assert set(made.phases[1].reads) == {"inputs.i", "phases.p.status", "phases.p.outputs.x", "env.HOME"}


def test_step_groups() -> None:
    made = plan(
        """
        steps: [{id: a}, {id: b}, {id: c}]
        step_groups:
          - {id: g, steps: [a, b], execute: sequential}
          - {id: h, steps: [b, c], max_workers: 2}
          - {id: i, steps: [c]}
        """
    )
    assert made.step_groups == (
        StepGroup(id="g", phases=(0, 1), max_workers=1),
        StepGroup(id="h", phases=(1, 2), max_workers=2),
        StepGroup(id="i", phases=(2,)),
    )
    assert [phase.limits for phase in made.phases] == [(0,), (0, 1), (1, 2)]


def test_what_is_not_in_effect_is_kept_and_named() -> None:
    made = plan(
        """
        phases:
          - {id: a, cache: true, priority: 7}
          - {id: b, cache: true, depends_on: [{phase: a, kind: validation}], parallel: true}
        resource_manager: {resource_pool: {computational: {total_cpu_units: 100, anything: else}}}
        execution: {adaptive_scaling: true}
        budget: {tokens: 3}
        hooks:
        x-mine: {a: 1}
        """
    )
    assert made.phases[0].deferred == {"cache": True, "priority": 7}
    assert made.deferred == {
        "resource_manager": {"resource_pool": {"computational": {"total_cpu_units": 100, "anything": "else"}}},
        "budget": {"tokens": 3},
        "execution.adaptive_scaling": True,
    }
    assert not_in_effect(made) == [
        "resource_manager (nothing is shared out)",
        "budget (nothing is limited)",
        "execution.adaptive_scaling",
        "cache (all phases: all is done anew)",
        "priority (a: phases start in the order of the file)",
        "depends_on of kind validation (b: nothing is reopened)",
    ]


def test_estimates() -> None:
    assert phase("{id: a, estimated_duration: 3-5_minutes}").estimate == (180.0, 300.0)
    assert phase("{id: a, estimate: 2h}").estimate == (7200.0, 7200.0)


def test_a_default_of_an_output_is_kept_and_its_type_is_checked() -> None:
    made = phase("{id: a, outputs: {level: {type: integer, default: 3}, note: {description: why}}}").outputs
    assert (made["level"].default, made["level"].optional) == (3, True)
    assert (made["note"].description, made["note"].optional) == ("why", False)
    checked = load_text("phases: [{id: a, outputs: {level: {type: integer, default: high}}}]\n")
    assert [(each.code, each.message) for each in checked.diagnostics] == [("PL102", "the default is not an integer")]


def test_what_all_phases_use_is_told_as_that() -> None:
    phases = ", ".join(f"{{id: p{index}, resource_requirements: {{cpu: high}}}}" for index in range(7))
    assert not_in_effect(plan(f"phases: [{phases}]")) == ["resource_requirements (all phases: nothing is reserved)"]


def test_what_phases_use_is_named_once_and_says_what_follows() -> None:
    made = plan("budget: {tokens: 9}\nphases: [{id: a, budget: {tokens: 9}}, {id: b}]")
    assert not_in_effect(made) == ["budget (a: nothing is limited)"]


GATES = """
groups: {leads: [ana, bo]}
gates:
  clean: {checks: [{name: lint, run: [ruff, check]}, {name: enough, expr: "${phases.a.outputs.n >= 2}"}]}
  go: {includes: [clean], checks: [{name: build, detect: build}], approval: {by: ["group:leads", cy], need: 2}}
phases: [{id: a, outputs: {n: {type: integer}}, gates: [clean, go], approval: {by: [dee]}}]
"""


def test_gates_hold_the_checks_of_those_that_they_include_and_groups_are_people() -> None:
    clean, go, own = plan(GATES).phases[0].gates
    lint, enough = clean.checks
    assert (lint.run, enough.expr) == (("ruff", "check"), "phases.a.outputs.n >= 2")
    assert [(check.name, check.gate) for check in go.checks] == [
        ("lint", "clean"),
        ("enough", "clean"),
        ("build", "go"),
    ]
    assert go.approval is not None
    assert go.approval.people == ("ana", "bo", "cy")
    assert own.approval is not None
    assert (own.id, own.approval.people) == ("approval", ("dee",))


def test_what_only_advice_reads_is_in_effect() -> None:
    assert not_in_effect(plan("phases: [{id: a, independent: true}]")) == []


def test_files_of_a_phase_are_named_in_expressions_and_in_inputs() -> None:
    made = plan(
        """
        agents: {a: {run: [cat, "${phases.p.artifacts['app.tar'].path}"]}}
        phases:
          - {id: p, agents: [a2], outputs: {x: string}}
          - {id: q, agents: [a], depends_on: [p]}
          - {id: r, agents: [a2], inputs: [p.artifacts], depends_on: [p]}
          - {id: s, agents: [a2], inputs: [p.artifacts.log], depends_on: [p]}
        """
    )
    assert [phase.reads for phase in made.phases[1:]] == [
        ("phases.p.artifacts.app.tar.path",),
        ("phases.p.artifacts",),
        ("phases.p.artifacts.log",),
    ]


def test_an_output_that_is_called_artifacts_stays_an_output() -> None:
    made = plan("phases: [{id: p, outputs: {artifacts: list}}, {id: q, inputs: [p.artifacts]}]")
    assert made.phases[1].reads == ("phases.p.outputs.artifacts",)
