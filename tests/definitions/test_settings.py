"""Every effective value says where it comes from: phase, definition, project file, default."""

from __future__ import annotations

from pathlib import Path

from definitions import compile_plan, effective_settings, load_config, load_text

DEFINITION = """\
execution: {max_workers: "${env.W:-5}", on_failure: isolate}
agents: {a: {run: [x]}, b: {uses: manual}}
phases:
  - {id: one, agents: [a], timeout: 1m}
  - {id: two, agents: [b]}
"""
PROJECT = """\
execution: {max_workers: 9, timeout_per_step: 7m, retry: 4}
agents: {b: {run: [y]}, c: {uses: manual}}
"""


def test_where_every_value_comes_from(tmp_path: Path) -> None:
    (tmp_path / "phaseloom.yaml").write_text(PROJECT)
    config, diagnostics = load_config(tmp_path)
    assert diagnostics == ()
    checked = load_text(DEFINITION, file="d.yaml", project=config)
    shown, problems = effective_settings(checked, {"W": "6"})
    assert problems == ()
    values = {setting.name: (setting.value, setting.origin, setting.file, setting.line) for setting in shown}
    assert values["execution.max_workers"] == (6, "definition", "d.yaml", 1)
    assert values["execution.on_failure"] == ("isolate", "definition", "d.yaml", 1)
    assert values["execution.timeout_per_step"] == (420.0, "project", "phaseloom.yaml", 1)
    assert values["execution.rate_limit_delay"] == (0.0, "default", "", 0)
    assert values["agents.a"] == ("command", "definition", "d.yaml", 2)
    assert values["agents.b"] == ("command", "project", "phaseloom.yaml", 2)
    assert values["phases.one.timeout"] == (60.0, "phase", "d.yaml", 4)
    assert values["phases.two.timeout"] == (420.0, "project", "phaseloom.yaml", 1)
    assert values["phases.two.on_failure"] == ("isolate", "definition", "d.yaml", 1)
    assert values["phases.two.retry"][0]["max_attempts"] == 4
    assert shown[0].to_json().keys() == {"name", "value", "origin", "file", "line"}


def test_the_plan_follows_the_same_levels(tmp_path: Path) -> None:
    (tmp_path / "phaseloom.yaml").write_text(PROJECT)
    config, _ = load_config(tmp_path)
    plan = compile_plan(load_text(DEFINITION), {}, config)
    assert plan.execution.max_workers == 5
    assert [phase.timeout for phase in plan.phases] == [60.0, 420.0]
    assert [phase.agents[0].uses for phase in plan.phases] == ["command", "command"]
    assert plan.phases[0].retry.max_attempts == 4
    assert compile_plan(load_text(DEFINITION), {}).phases[1].agents[0].uses == "manual"
