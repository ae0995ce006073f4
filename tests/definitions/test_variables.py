"""`$NAME` where no shell reads it is warned of, and only there."""

from __future__ import annotations

from pathlib import Path

import pytest

from definitions import load_config, load_text


def found(agent: str) -> list[tuple[int, str, str]]:
    checked = load_text(f"phases: [{{id: a, agents: [x]}}]\nagents:\n  x: {agent}\n")
    assert checked.ok, checked.diagnostics
    return [(each.column, each.message, each.hint) for each in checked.diagnostics if each.code == "PL412"]


def test_a_variable_in_an_argument_is_named_with_what_to_write() -> None:
    assert found("{run: [curl, --header=$TOKEN]}") == [
        (
            19,
            "$TOKEN is not expanded here: no shell reads it",
            "write shell: in place of run:, and pass_env: [TOKEN]",
        )
    ]


def test_a_variable_in_env_is_named_too() -> None:
    ((_, message, hint),) = found("{run: [x], env: {KEY: $API_TOKEN}}")
    assert (message, hint) == ("$API_TOKEN is not expanded here: no shell reads it", "write pass_env: [API_TOKEN]")


@pytest.mark.parametrize(
    "agent",
    [
        "{run: [sh, -c, 'echo $HOME']}",
        "{run: [/bin/bash, -c, $HOME]}",
        "{run: [awk, '{print $NF}']}",
        "{run: [grep, 'a$', f]}",
        "{run: [grep, '^[A-Z]+ $X|y', f]}",
        "{run: [echo, 'costs $5']}",
        "{shell: 'echo $HOME'}",
        "{uses: http, url: 'http://localhost', headers: {X: $TOKEN}, pass_env: [TOKEN]}",
    ],
)
def test_what_a_shell_or_a_pattern_reads_is_left_alone(agent: str) -> None:
    assert found(agent) == []


def test_the_projects_file_is_looked_at_as_well(tmp_path: Path) -> None:
    (tmp_path / "phaseloom.yaml").write_text("agents: {a: {run: [deploy, $TARGET]}}\n", encoding="utf-8")
    _, diagnostics = load_config(tmp_path)
    assert [(each.code, each.severity) for each in diagnostics] == [("PL412", "warning")]
