"""Who is told and what runs then: what is written is checked, and compiled so that no secret gets into a run."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from definitions import compile_plan, load_config, load_text, not_in_effect
from definitions.notices import missing_extra
from definitions.project import ProjectConfig
from definitions.schema.document import json_schema
from engine.plan import HookPlan, Plan, TargetPlan
from engine.services import SERVICES, problem_of
from tests.definitions.finding import found, only, place

PHASES = "phases: [{id: a}, {id: b, name: Review It}]\n"


def plan(text: str, config: ProjectConfig | None = None) -> Plan:
    checked = load_text(dedent(text), file="x.yaml", project=config)
    assert checked.ok, checked.diagnostics
    return compile_plan(checked, {}, config)


def project(folder: Path, text: str) -> ProjectConfig:
    (folder / "phaseloom.yaml").write_text(dedent(text), encoding="utf-8")
    config, diagnostics = load_config(folder)
    assert not [each for each in diagnostics if each.severity == "error"], diagnostics
    return config


def test_a_url_alone_is_told_of_everything_and_a_target_of_what_it_names() -> None:
    made = plan(
        PHASES
        + """\
notifications:
  - https://hooks.example/all
  - {to: "https://hooks.example/some", on: [paused, gate], phases: [Review It]}
  - {url_env: TEAM_URL}
"""
    )
    assert made.targets == (
        TargetPlan(name="target-1", to="https://hooks.example/all"),
        TargetPlan(name="target-2", to="https://hooks.example/some", on=("paused", "gate"), phases=(1,)),
        TargetPlan(name="target-3", url_env="TEAM_URL"),
    )
    assert plan(PHASES + "notifications: https://hooks.example/all\n").targets == made.targets[:1]
    assert Plan.from_json(made.to_json()) == made
    assert not_in_effect(made) == []


def test_a_definition_without_notices_has_no_byte_of_them_in_its_plan() -> None:
    assert not {"targets", "hooks"} & set(plan(PHASES).to_json())
    assert not {"hooks", "deadline", "remind"} & set(plan(PHASES).to_json()["phases"][0])


def test_names_are_looked_up_in_the_project_and_its_own_notices_hold_where_a_definition_has_none(
    tmp_path: Path,
) -> None:
    config = project(
        tmp_path,
        """\
        notifications:
          targets:
            team: {url_env: TEAM_URL, on: [failed]}
            ops: https://ops.example/hook
          send: [ops]
          schemes: [carrierpigeon]
        """,
    )
    assert plan(PHASES, config).targets == (TargetPlan(name="ops", to="https://ops.example/hook"),)
    named = plan(PHASES + "notifications: [team, {to: team, on: [gate]}]\n", config).targets
    assert named == (
        TargetPlan(name="team", url_env="TEAM_URL", on=("failed",), schemes=("carrierpigeon",)),
        TargetPlan(name="team", url_env="TEAM_URL", on=("gate",), schemes=("carrierpigeon",)),
    )
    assert plan(PHASES + "notifications: []\n", config).targets == ()
    assert plan(PHASES + "notifications: ['carrierpigeon://loft']\n", config).targets[0].schemes == ("carrierpigeon",)


def test_hooks_of_the_run_and_of_a_phase_are_compiled_with_their_time() -> None:
    made = plan(
        """\
        hooks: {on_failure: [tell, "${status}"], on_recovery: {shell: echo back, timeout: 5s}}
        phases: [{id: a, hooks: {on_retry: "echo again"}, deadline: 2d, remind: 12h}]
        """
    )
    assert made.hooks == {
        "failure": HookPlan(run=("tell", "${status}")),
        "recovery": HookPlan(shell="echo back", timeout=5.0),  # noqa: S604 - nothing is run
    }
    assert made.phases[0].hooks == {"retry": HookPlan(shell="echo again")}  # noqa: S604 - nothing is run
    assert (made.phases[0].deadline, made.phases[0].remind) == (172800.0, 43200.0)
    assert not_in_effect(made) == []


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        ("file:///etc/passwd", "notices are not sent by file://", "notifications.schemes"),
        ("syslog://localhost", "notices are not sent by syslog://", ""),
        ("dbus://here", "notices are not sent by dbus://", ""),
        ("teem", "there is no target 'teem'", "notifications.targets"),
        ("https://x.example/${env.TOKEN}", "an address is taken as it stands; nothing is evaluated in it", "url_env"),
    ],
)
def test_an_address_that_cannot_be_used_is_an_error_at_its_place(written: str, message: str, hint: str) -> None:
    diagnostic = only(PHASES + f"notifications:\n  - '{written}'\n", "PL413")
    assert (diagnostic.message, place(diagnostic)) == (message, (3, 5))
    assert hint in diagnostic.hint


def test_other_mistakes_in_targets_and_hooks_are_found() -> None:
    assert only(PHASES + "notifications: [{on: [gate]}]\n", "PL105").message == "a target needs 'to' or 'url_env'"
    twice = "notifications: [{to: 'https://x.example', url_env: X}]\n"
    assert only(PHASES + twice, "PL111").message == "'to' and 'url_env' exclude each other"
    assert found(PHASES + "notifications: [{url_env: X, on: [sometimes]}]\n", "PL106")
    unknown = only(PHASES + "notifications: [{url_env: X, phases: [revew-it]}]\n", "PL103")
    assert unknown.message == "no phase 'revew-it'"
    secret = only(PHASES + "notifications: ['https://ann:hush@x.example/']\n", "PL305")
    assert (secret.severity, "url_env" in secret.hint) == ("warning", True)
    assert only("hooks: {on_failure: {timeout: 3s}}\n" + PHASES, "PL105").message == "a hook needs 'run' or 'shell'"
    assert found("hooks: {on_success: [x]}\n" + PHASES, "PL101")


def test_a_project_file_is_checked_the_same_way(tmp_path: Path) -> None:
    text = "notifications: {targets: {a: nowhere, b: 'exec://ls'}, send: [c, {to: a, phases: [x]}]}\n"
    (tmp_path / "phaseloom.yaml").write_text(text, encoding="utf-8")
    said = [(each.code, each.path, each.severity) for each in load_config(tmp_path)[1]]
    assert said == [
        ("PL413", "notifications.targets.a", "error"),
        ("PL413", "notifications.targets.b", "error"),
        ("PL413", "notifications.send[0]", "error"),
        ("PL407", "notifications.send[1]", "warning"),
    ]
    assert project(tmp_path, "notifications: [https://x.example]\n").settings.notifications is not None


def test_a_service_whose_extra_is_missing_is_said_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = PHASES + "notifications: ['slack://a/b/c', 'https://x.example/hook']\n"
    config = project(tmp_path, "notifications: {targets: {team: 'slack://a/b/c', ops: 'https://x.example'}}\n")
    assert not load_text(text).diagnostics
    assert missing_extra(config.settings) == []
    monkeypatch.setitem(sys.modules, "apprise", None)
    diagnostic = only(text, "PL413")
    assert (diagnostic.severity, diagnostic.hint) == ("warning", "pip install 'phaseloom[notify]'")
    assert missing_extra(config.settings) == ["slack"]


def test_no_service_of_the_list_writes_files_runs_programs_or_talks_to_the_worker_itself() -> None:
    dangerous = {
        "file",
        "exec",
        "dbus",
        "qt",
        "kde",
        "glib",
        "gnome",
        "macosx",
        "windows",
        "syslog",
        "rsyslog",
        "vapid",
    }
    assert not SERVICES & dangerous
    assert {problem_of(f"{scheme}://x") is None for scheme in dangerous} == {False}
    assert problem_of("SLACK://a/b/c") is None
    assert problem_of("slack:/a") is not None


def test_editors_know_what_can_be_written() -> None:
    schema = json.dumps(json_schema()["properties"]["notifications"]) + json.dumps(json_schema("project")["properties"])
    assert "notifications" in schema
    assert "escalated" in json.dumps(json_schema()["$defs"])
