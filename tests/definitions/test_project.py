"""A project begins where people expect it to, and its file is checked like a definition."""

from __future__ import annotations

from pathlib import Path

import pytest

from definitions import InvalidDefinitionError, compile_plan, env_names, find_root, load_config, load_text


def test_the_root_is_the_nearest_directory_that_says_so(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b" / "c"
    deep.mkdir(parents=True)
    assert find_root(deep) == deep
    (tmp_path / ".git").mkdir()
    assert find_root(deep) == tmp_path
    (tmp_path / "a" / ".phaseloom").mkdir()
    assert find_root(deep) == tmp_path / "a"
    (tmp_path / "a" / "b" / "phaseloom.yaml").write_text("")
    assert find_root(deep) == tmp_path / "a" / "b"
    assert find_root(tmp_path) == tmp_path


def test_without_a_file_everything_is_at_its_default(tmp_path: Path) -> None:
    config, diagnostics = load_config(tmp_path)
    assert (config.root, config.agents, diagnostics) == (tmp_path, {}, ())
    (tmp_path / "phaseloom.yaml").write_text("# nothing yet\n")
    assert load_config(tmp_path)[1] == ()


def test_a_bad_file_is_reported_and_the_rest_of_it_used(tmp_path: Path) -> None:
    (tmp_path / "phaseloom.yaml").write_text("execution: {max_workers: 0}\nagnts: {}\nagents: {a: {run: [x]}}\n")
    config, diagnostics = load_config(tmp_path)
    assert [(d.file, d.line, d.code) for d in diagnostics] == [
        ("phaseloom.yaml", 1, "PL110"),
        ("phaseloom.yaml", 2, "PL101"),
    ]
    assert list(config.agents) == ["a"]
    for text, code in (("- a\n", "PL009"), ("a: [", "PL005"), ("a: 1\na: 2\n", "PL006")):
        (tmp_path / "phaseloom.yaml").write_text(text)
        assert code in [d.code for d in load_config(tmp_path)[1]]
    (tmp_path / "phaseloom.yaml").write_bytes(b"\xff")
    assert [d.code for d in load_config(tmp_path)[1]] == ["PL002"]


def test_roles_of_the_project_count_as_declared(tmp_path: Path) -> None:
    (tmp_path / "phaseloom.yaml").write_text("agents: {backend-expert: {run: [x]}}\n")
    config, _ = load_config(tmp_path)
    text = "phases: [{id: a, agents: [backend-expert]}, {id: b, agents: [backend-exprt]}, {id: c, agents: [qa]}]\n"
    assert [d.code for d in load_text(text, project=config).diagnostics] == ["PL401", "PL402"]
    assert load_text(text).diagnostics == ()


def test_expressions_of_project_agents_are_reported_in_the_project_file(tmp_path: Path) -> None:
    (tmp_path / "phaseloom.yaml").write_text(
        "agents:\n  a: {run: [x, '${inputs.nothing}']}\n  b: {run: ['${inputs.y}']}\n"
    )
    config, _ = load_config(tmp_path)
    (diagnostic,) = load_text("phases: [{id: p, agents: [a]}]\n", project=config).diagnostics
    assert (diagnostic.file, diagnostic.line, diagnostic.column, diagnostic.code) == ("phaseloom.yaml", 2, 19, "PL302")


def test_what_no_agent_is_given_cannot_be_bound_in_a_project_either(tmp_path: Path) -> None:
    bound = "agents: {a: {run: [x], pass_env: [PHASELOOM_ACTOR], env: {TEMPORAL_ADDRESS: x, API_KEY: sesame}}}\n"
    (tmp_path / "phaseloom.yaml").write_text(bound)
    assert [(d.column, d.code, d.severity) for d in load_config(tmp_path)[1]] == [
        (35, "PL405", "error"),
        (59, "PL405", "error"),
        (89, "PL305", "warning"),
    ]


def test_missing_catalogs_are_named(tmp_path: Path) -> None:
    (tmp_path / "phaseloom.yaml").write_text("catalogs: [shared]\n")
    assert [d.severity for d in load_config(tmp_path)[1]] == ["warning"]


def test_the_project_is_used_wherever_it_is_given(tmp_path: Path) -> None:
    text = "execution: {max_workers: '${env.W:-4}'}\nagents: {a: {run: [x, '${env.PLACE}', '${inputs.i}']}}\n"
    (tmp_path / "phaseloom.yaml").write_text(text)
    config, _ = load_config(tmp_path)
    checked = load_text("inputs: {i: string}\nphases: [{id: p, agents: [a]}]\n")
    assert env_names(checked) == []
    assert env_names(checked, config) == ["W", "PLACE"]
    plan = compile_plan(checked, {"W": "7"}, config)
    assert (plan.execution.max_workers, plan.phases[0].reads) == (7, ("env.PLACE", "inputs.i"))
    with pytest.raises(InvalidDefinitionError, match=r"phaseloom\.yaml:2:"):
        compile_plan(load_text("phases: [{id: p, agents: [a]}]\n"), {}, config)
