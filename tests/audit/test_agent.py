"""The audit as Phaseloom's agents run it: stages by phase, results through files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from activities.audit.stages import stage_of
from tests.audit.repository import Repository, run_audit
from tests.audit.test_report import APP

Json = dict[str, Any]

PHASES = ("preparation", "security-audit", "performance-audit", "code-quality-audit", "report-plan")


class Run:
    """The phases of one run, one after the other, each a process with the files and variables of an attempt."""

    def __init__(self, root: Path, scratch: Path, name: str = "wf_abc123") -> None:
        self.root, self.scratch, self.name = root, scratch, name
        self.phases: Json = {}

    def phase(self, identifier: str) -> Json:
        directory = self.scratch / identifier
        (directory / "artifacts").mkdir(parents=True)
        given = {"phase": {"id": identifier}, "inputs": {}, "phases": self.phases, "run": {"id": self.name}}
        (directory / "input.json").write_text(json.dumps(given))
        env = {
            "PHASELOOM_RUN": self.name,
            "PHASELOOM_PHASE": identifier,
            "PHASELOOM_INPUT": str(directory / "input.json"),
            "PHASELOOM_OUTPUT": str(directory / "output.json"),
            "PHASELOOM_ARTIFACTS": str(directory / "artifacts"),
            "PYTHONSAFEPATH": "1",
        }
        done = run_audit(cwd=self.root, env=env)
        assert done.returncode == 0, done.stderr
        outputs: Json = json.loads((directory / "output.json").read_text())
        self.phases[identifier] = {"status": "completed", "outputs": outputs}
        return outputs


def test_five_phases_hand_on_their_results_and_leave_a_report(repository: Repository, tmp_path: Path) -> None:
    repository.write({"app.py": APP})
    repository.commit()
    before = repository.snapshot()
    run = Run(repository.root, tmp_path / "scratch")
    *_, report = [run.phase(identifier) for identifier in PHASES]
    assert report["report"] == [f".phaseloom/workflows/wf_abc123/report/report.{kind}" for kind in ("md", "html")]
    assert report["findings"] == sum(run.phases[phase]["outputs"]["total"] for phase in PHASES[1:4])
    assert report["complete"] is True
    first = [item["examples"] for item in report["plan"] if item["when"] == "first"]
    assert sorted(first) == [["app.py:14"], ["app.py:6"]]
    text = (repository.root / report["report"][0]).read_text()
    assert "run wf\\_abc123" in text
    assert {path.name for path in (tmp_path / "scratch" / "report-plan" / "artifacts").iterdir()} == {
        *("report.md", "report.html", "report.json")
    }
    after = repository.snapshot()
    assert {name: content for name, content in after.items() if not name.startswith(".phaseloom")} == before
    assert repository.git("status", "--porcelain") == ""


def test_the_outputs_are_the_same_by_hand_and_in_a_run(repository: Repository, tmp_path: Path) -> None:
    repository.write({"app.py": APP})
    run = Run(repository.root, tmp_path / "scratch")
    assert run.phase("security-audit") == repository.audit("security")


def test_a_report_never_leaves_the_project_through_a_link(repository: Repository, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (repository.root / ".phaseloom").symlink_to(outside)
    env = {"PHASELOOM_RUN": "wf_abc123", "PHASELOOM_PHASE": "report"}
    done = run_audit(cwd=repository.root, env=env | {"PYTHONSAFEPATH": "1"})
    assert done.returncode == 1
    assert "is a symbolic link" in done.stderr
    assert list(outside.iterdir()) == []
    odd = run_audit(cwd=repository.root, env=env | {"PHASELOOM_RUN": "../../up", "PYTHONSAFEPATH": "1"})
    assert (odd.returncode, "is no run id" in odd.stderr) == (1, True)


@pytest.mark.parametrize(
    ("args", "env", "said"),
    [
        (["--root", "/nonexistent"], {}, "no directory: /nonexistent"),
        (["nonsense"], {}, "invalid choice"),
        ([], {"PHASELOOM_PHASE": "cooking"}, "phase 'cooking' names no stage"),
    ],
)
def test_wrong_arguments_are_refused_with_a_reason(args: list[str], env: dict[str, str], said: str) -> None:
    done = run_audit(*args, env=env)
    assert done.returncode == 2
    assert said in done.stderr


def test_by_hand_the_report_is_printed_and_nothing_is_written(repository: Repository) -> None:
    repository.write({"app.py": APP})
    before = repository.snapshot()
    done = run_audit("--root", str(repository.root))
    assert done.stdout.startswith("# Audit of repository")
    assert repository.snapshot() == before


def test_input_that_cannot_be_read_is_an_error_not_an_empty_report(repository: Repository, tmp_path: Path) -> None:
    broken = tmp_path / "input.json"
    broken.write_text("{")
    done = run_audit("report", "--root", str(repository.root), env={"PHASELOOM_INPUT": str(broken)})
    assert done.returncode == 1
    assert "PHASELOOM_INPUT cannot be read" in done.stderr


@pytest.mark.parametrize(
    ("phase", "stage"),
    [
        ("preparation", "preparation"),
        ("Security Audit", "security"),
        ("performance-audit", "performance"),
        ("code-quality-audit", "quality"),
        ("report-plan", "report"),
        ("Report & Plan", "report"),
        ("something-else", None),
    ],
)
def test_a_phase_is_a_stage_by_its_words(phase: str, stage: str | None) -> None:
    assert stage_of(phase) == stage
