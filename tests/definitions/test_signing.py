"""Public keys of a project: how they are written, what is wrong with them, and that runs keep them."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path

import pytest

from definitions import compile_plan, effective_settings, load_config, load_text
from definitions.project import ProjectConfig
from engine.plan import Plan


def public(number: int) -> str:
    return "ed25519:" + b64encode(bytes([number]) * 32).decode()


ANA, BO = public(1), public(2)
RELEASE = """\
gates:
  go:
    approval: {by: [ana, "group:leads"], need: 2, deadline: 1d, on_deadline: escalate, escalate_to: [cy]}
phases: [{name: Build, gates: [go]}]
"""


def project(tmp_path: Path, text: str) -> tuple[ProjectConfig, list[tuple[int, str, str]]]:
    (tmp_path / "phaseloom.yaml").write_text(text, encoding="utf-8")
    config, found = load_config(tmp_path)
    return config, [(finding.line, finding.code, finding.message) for finding in found]


def test_a_run_keeps_the_keys_that_its_project_has_when_it_starts(tmp_path: Path) -> None:
    config, found = project(tmp_path, f"signing:\n  keys:\n    ana: {ANA}\n    bo: [{BO}, {public(3)}, {BO}]\n")
    assert found == []
    plan = compile_plan(load_text("phases: [{name: Build}]", project=config), {})
    assert plan.signers == {"ana": (ANA,), "bo": (BO, public(3))}
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
    assert compile_plan(load_text("phases: [{name: Build}]"), {}).signers == {}


def test_config_show_tells_whose_keys_hold_and_where_they_stand(tmp_path: Path) -> None:
    config, _ = project(tmp_path, f"signing:\n  keys:\n    ana: {ANA}\n")
    settings, _ = effective_settings(load_text("phases: [{name: Build}]", project=config), {})
    (told,) = [setting for setting in settings if setting.name.startswith("signing")]
    assert (told.name, told.value, told.file, told.line) == ("signing.keys.ana", [ANA], "phaseloom.yaml", 3)


@pytest.mark.parametrize(
    ("written", "code", "words"),
    [
        ("{ana: 7}", "PL102", "expected a public key"),
        ("{ana: nonsense}", "PL109", "does not begin with 'ed25519:'"),
        ("{ana: 'ed25519:%'}", "PL109", "not base64"),
        ("{ana: 'ed25519:AAAA'}", "PL109", "does not hold 32 bytes"),
        ("{ana: []}", "PL110", ""),
        (f"{{ana: {ANA}, bo: {ANA}}}", "PL107", "'ana' and 'bo' have the same key"),
        (f"{{'agent:builder': {ANA}}}", "PL109", "agents decide about nothing"),
    ],
)
def test_keys_that_are_none_are_errors(tmp_path: Path, written: str, code: str, words: str) -> None:
    _, found = project(tmp_path, f"signing: {{keys: {written}}}\n")
    (problem,) = found
    assert problem[1] == code
    assert words in problem[2]


def findings(tmp_path: Path, keys: str) -> list[tuple[str, str, str]]:
    config, _ = project(tmp_path, f"groups: {{leads: [bo, dee]}}\nsigning: {{keys: {keys}}}\n")
    return [(d.code, d.path, d.message) for d in load_text(RELEASE, project=config).diagnostics if d.code != "PL402"]


def test_validate_tells_who_is_asked_and_could_not_sign(tmp_path: Path) -> None:
    every = f"{{ana: {ANA}, bo: {BO}, dee: {public(3)}, cy: {public(4)}}}"
    assert findings(tmp_path, every) == []
    assert findings(tmp_path, "{}") == []
    some = findings(tmp_path, f"{{ana: {ANA}, bo: {BO}}}")
    assert [(code, path) for code, path, _ in some] == [
        ("PL407", "gates.go.approval.by"),
        ("PL407", "gates.go.approval.escalate_to"),
    ]
    assert "no key is known of dee" in some[0][2]


def test_an_approval_that_too_few_can_sign_is_an_error(tmp_path: Path) -> None:
    found = findings(tmp_path, f"{{ana: {ANA}}}")
    ((path, message),) = [(path, message) for code, path, message in found if code == "PL110"]
    assert path == "gates.go.approval.need"
    assert message == "2 signed approvals are needed, and only 1 of those asked have a key"
    config, _ = project(tmp_path, f"signing: {{keys: {{ana: {ANA}}}}}\n")
    nobody = load_text("phases: [{name: Build, approval: {by: [bo]}}]", project=config)
    assert [d.code for d in nobody.diagnostics if d.severity == "error"] == ["PL110"]
