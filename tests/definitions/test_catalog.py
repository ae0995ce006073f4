"""The catalog has the names, the roles and the order that are promised, and any of its roles can be bound."""

from __future__ import annotations

from pathlib import Path

import pytest

from definitions import compile_plan, load
from definitions.deferring import not_in_effect
from definitions.project import load_config
from definitions.registry import CATALOG
from engine.plan import Plan

IDS = sorted(path.stem for path in CATALOG.glob("*.yaml"))
ROLES = {
    "development-lifecycle": ("backend-expert", "testing-expert"),
    "full-stack-parallel": ("backend-expert", "testing-expert"),
    "spir": ("builder", "consultant"),
    "aspir": ("builder", "consultant"),
    "experiment": ("experimenter", "evaluator"),
    "agent-pipeline": ("analyst", "qa"),
}
"""Two roles of each definition that knows roles which a project would bind."""


def plan_of(identifier: str) -> Plan:
    return compile_plan(load(CATALOG / f"{identifier}.yaml"), {})


def shape(plan: Plan) -> list[tuple[str, list[str]]]:
    return [(phase.name, [agent.role for agent in phase.agents]) for phase in plan.phases]


def needs(plan: Plan) -> dict[str, set[str]]:
    """What each phase waits for, the members of a group one by one."""
    groups = {
        number: {p.id for p in plan.phases if p.group == number} for number in (p.after_group for p in plan.phases)
    }
    return {
        phase.id: {plan.phases[need.phase].id for need in phase.needs}
        | (groups[phase.after_group] if phase.after_group is not None else set())
        for phase in plan.phases
    }


def test_the_catalog_has_eight_definitions() -> None:
    assert sorted([*ROLES, "comprehensive-audit", "parallel-utilities"]) == IDS


@pytest.mark.parametrize("identifier", IDS)
def test_each_is_valid_and_named_after_its_file(identifier: str) -> None:
    checked = load(CATALOG / f"{identifier}.yaml")
    assert [d.text for d in checked.diagnostics if d.severity != "note"] == []
    assert checked.id == identifier
    assert checked.definition is not None
    assert len(checked.definition.description) > 40


@pytest.mark.parametrize(("identifier", "roles"), ROLES.items())
def test_a_project_binds_two_roles_without_a_warning(identifier: str, roles: tuple[str, str], tmp_path: Path) -> None:
    lines = "".join(f"  {role}: {{uses: command, run: [echo, bound]}}\n" for role in roles)
    (tmp_path / "phaseloom.yaml").write_text(f"agents:\n{lines}", encoding="utf-8")
    project, diagnostics = load_config(tmp_path)
    checked = load(CATALOG / f"{identifier}.yaml", project=project)
    warned = [d for d in checked.diagnostics if d.severity != "note" and identifier != "full-stack-parallel"]
    assert [d.text for d in (*diagnostics, *warned)] == []
    plan = compile_plan(checked, {}, project)
    bound = {
        agent.role for phase in plan.phases for agent in phase.agents if agent.config.get("run") == ["echo", "bound"]
    }
    assert bound == set(roles)


@pytest.mark.parametrize("identifier", sorted({*ROLES} - {"full-stack-parallel"}))
def test_every_phase_says_what_it_is_for_what_to_do_and_how_long_it_takes(identifier: str) -> None:
    definition = load(CATALOG / f"{identifier}.yaml").definition
    assert definition is not None
    for phase in definition.ordered:
        assert phase.description, phase.name
        assert phase.prompt, phase.name
        assert phase.estimate or phase.estimated_duration, phase.name
        assert {*(phase.agents or [])} <= {*definition.agents}, phase.name
    assert all(agent.description or agent.uses == "command" for agent in definition.agents.values())


def test_full_stack_parallel() -> None:
    checked = load(CATALOG / "full-stack-parallel.yaml")
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


def test_the_development_lifecycle_has_nine_phases_in_order() -> None:
    plan = plan_of("development-lifecycle")
    assert shape(plan) == [
        ("Ideation", ["research-expert"]),
        ("Planning", ["architecture-expert"]),
        ("Design", ["database-expert", "api-expert"]),
        ("Development", ["backend-expert", "frontend-expert"]),
        ("Testing", ["testing-expert"]),
        ("Review", ["security-expert", "code-review-expert"]),
        ("Deploy", ["devops-expert"]),
        ("Monitor", ["monitoring-expert"]),
        ("Iterate", ["product-expert"]),
    ]
    assert all(agent.uses == "manual" for phase in plan.phases for agent in phase.agents)


def test_the_development_lifecycle_has_its_gates_where_they_belong() -> None:
    definition = load(CATALOG / "development-lifecycle.yaml").definition
    assert definition is not None
    gates = {phase.name: phase.gates for phase in definition.ordered if phase.gates}
    assert gates == {"Development": ["pre-commit"], "Testing": ["pre-push"], "Review": ["pre-deploy"]}
    assert {name: [check.name for check in gate.checks] for name, gate in definition.gates.items()} == {
        "pre-commit": ["lint", "format", "types"],
        "pre-push": ["tests", "coverage"],
        "pre-deploy": ["security scan", "build"],
    }
    assert definition.gates["pre-push"].includes == ["pre-commit"]
    assert definition.gates["pre-deploy"].includes == ["pre-push"]
    (gate,) = plan_of("development-lifecycle").phases[5].gates
    assert [check.name for check in gate.checks] == [
        *("lint", "format", "types", "tests", "coverage", "security scan", "build")
    ]


def test_iterate_can_return_to_every_earlier_phase() -> None:
    plan = plan_of("development-lifecycle")
    definition = load(CATALOG / "development-lifecycle.yaml").definition
    assert definition is not None
    *jumps, otherwise = definition.ordered[-1].next
    assert [jump.go_to for jump in jumps] == [phase.id for phase in plan.phases[:-1]]
    assert all(f"'{jump.go_to}'" in str(jump.if_) and jump.max_rounds for jump in jumps)
    # A word that is none of these does not end the run: it is asked for again.
    assert otherwise.go_to == "iterate"
    assert all(f"'{phase.id}'" in str(otherwise.if_) for phase in plan.phases[:-1])


def test_what_has_no_effect_yet_is_named() -> None:
    # When one of these gets its effect, the notes in the file and on its page have to go.
    named = {
        identifier: [text.partition(" ")[0] for text in not_in_effect(plan_of(identifier))] for identifier in ROLES
    }
    assert {identifier: words for identifier, words in named.items() if words} == {
        "agent-pipeline": ["resource_requirements"],
    }


def test_spir_and_aspir_are_the_same_phases_with_and_without_people() -> None:
    spir, aspir = plan_of("spir"), plan_of("aspir")
    assert shape(spir) == shape(aspir)
    names = [phase.name for phase in spir.phases]
    assert [name for name in names if "Consultation" not in name] == [
        "Specify",
        "Plan",
        "Implement",
        "Review",
        "Revise",
    ]
    consulted = [names[index - 1] for index, name in enumerate(names) if "Consultation" in name]
    assert consulted == ["Specify", "Plan", "Implement"]
    assert {agent.uses for phase in spir.phases for agent in phase.agents} == {"manual"}
    assert {agent.uses for phase in aspir.phases for agent in phase.agents} == {"command"}


def test_only_the_builder_of_aspir_may_edit_files() -> None:
    scripts = {agent.role: str(agent.config) for phase in plan_of("aspir").phases for agent in phase.agents}
    assert {role for role, script in scripts.items() if "acceptEdits" in script} == {"builder"}


def test_an_experiment_ends_with_go_or_no_go() -> None:
    plan = plan_of("experiment")
    assert [phase.name for phase in plan.phases] == ["Question", "Trial", "Measure", "Decide", "Adopt", "Remove"]
    assert plan.phases[3].outputs["go"].type == "boolean"
    assert needs(plan)["adopt"] == needs(plan)["remove"] == {"decide"}


@pytest.mark.parametrize(("environ", "seconds"), [({}, 7200.0), ({"TIME_BOX": "30m"}, 1800.0)])
def test_the_trial_of_an_experiment_has_a_time_box_once_it_is_bound(
    environ: dict[str, str], seconds: float, tmp_path: Path
) -> None:
    binding = "agents: {experimenter: {uses: command, run: [echo, tried]}}\n"
    (tmp_path / "phaseloom.yaml").write_text(binding, encoding="utf-8")
    project, _ = load_config(tmp_path)
    trial = compile_plan(load(CATALOG / "experiment.yaml"), environ, project).phases[1]
    assert trial.timeout == seconds


def test_the_agent_pipeline_reads_typed_outputs_by_name() -> None:
    plan = plan_of("agent-pipeline")
    roles = ["analyst", "pm", "ux_expert", "architect", "developer", "qa"]
    assert [phase.id for phase in plan.phases] == [agent.role for p in plan.phases for agent in p.agents] == roles
    assert needs(plan) == {
        "analyst": set(), "pm": {"analyst"}, "ux_expert": {"pm"}, "architect": {"pm"},
        "developer": {"ux_expert", "architect"}, "qa": {"developer"},
    }  # fmt: skip
    assert plan.phases[2].group == plan.phases[3].group is not None
    assert "phases.pm.outputs.user_stories" in plan.phases[2].reads
    assert all(output.type != "any" for phase in plan.phases for output in phase.outputs.values())


def test_the_agent_pipeline_has_ranges_needs_and_access() -> None:
    definition = load(CATALOG / "agent-pipeline.yaml").definition
    assert definition is not None
    assert definition.ordered[0].estimated_duration == (180.0, 300.0)
    required = [phase.resource_requirements for phase in definition.ordered]
    assert [need.context_access for need in required if need is not None] == [
        "write_only", "read_analyst_write_pm", "read_multiple_write_ux", "read_multiple_write_architect",
        "read_multiple_write_developer", "read_all_write_qa",
    ]  # fmt: skip
