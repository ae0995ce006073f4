"""The people of a project: who is asked and is none of them, and that runs keep them."""

from __future__ import annotations

from pathlib import Path

from definitions import compile_plan, load_config, load_text
from definitions.diagnostics import Diagnostic

RELEASE = """\
groups: {leads: [bo, dee]}
gates:
  go:
    approval: {by: [anna, "group:leads"], deadline: 1d, on_deadline: escalate, escalate_to: [cy]}
phases: [{name: Build, gates: [go]}]
"""


def found(tmp_path: Path, users: str) -> list[Diagnostic]:
    (tmp_path / "phaseloom.yaml").write_text(f"users: {users}\n", encoding="utf-8")
    config, _ = load_config(tmp_path)
    return [told for told in load_text(RELEASE, project=config).diagnostics if told.code == "PL114"]


def test_who_is_asked_and_no_user_is_told_with_the_place(tmp_path: Path) -> None:
    told = found(tmp_path, "[ana, bo, cy]")
    assert [(each.line, each.column, each.message) for each in told] == [
        (4, 21, "no user 'anna'"),
        (4, 27, "no user 'dee', of the group 'leads'"),
    ]
    assert told[0].hint == "did you mean 'ana'?"


def test_without_users_any_name_is_somebody(tmp_path: Path) -> None:
    assert found(tmp_path, "[]") == []


def test_a_run_keeps_the_users_of_its_project(tmp_path: Path) -> None:
    assert found(tmp_path, "[anna, bo, cy, dee]") == []
    config, _ = load_config(tmp_path)
    plan = compile_plan(load_text(RELEASE, project=config), {})
    assert plan.users == ("anna", "bo", "cy", "dee")
