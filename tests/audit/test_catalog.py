from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from definitions import compile_plan, find, load
from engine.expressions import coerce
from engine.plan import PhasePlan, Plan
from tests.audit.repository import PROJECT, Repository, run_audit
from tests.audit.test_report import APP

MODULES = ("math_utils.py", "string_utils.py", "file_utils.py")


def plan(identifier: str, root: Path) -> Plan:
    checked = load(find(identifier, root))
    assert [str(diagnostic) for diagnostic in checked.diagnostics] == []
    return compile_plan(checked, {}, None)


def test_the_audit_has_its_phases_and_roles_in_order(tmp_path: Path) -> None:
    audit = plan("comprehensive-audit", tmp_path)
    assert audit.name == "Comprehensive Audit"
    assert [(phase.name, [agent.role for agent in phase.agents], phase.group) for phase in audit.phases] == [
        ("Preparation", ["architecture-expert"], None),
        ("Security Audit", ["security-expert"], 0),
        ("Performance Audit", ["performance-expert"], 0),
        ("Code Quality Audit", ["code-review-expert"], 0),
        ("Report & Plan", ["architecture-expert"], None),
    ]
    assert {agent.uses for phase in audit.phases for agent in phase.agents} == {"command"}


def test_every_declared_output_is_delivered_in_its_type(repository: Repository, tmp_path: Path) -> None:
    for files in ({}, {"app.py": APP, "broken.py": "def f(:\n"}):
        repository.write(files)
        for phase in plan("comprehensive-audit", tmp_path).phases:
            env = {"PHASELOOM_PHASE": phase.id, "PHASELOOM_RUN": "wf_abc123"}
            done = run_audit("--json", "--root", str(repository.root), env=env)
            outputs: dict[str, Any] = json.loads(done.stdout)
            for name, output in phase.outputs.items():
                assert coerce(outputs[name], output.type) == outputs[name], (phase.id, name)


def test_the_report_names_what_it_reads(tmp_path: Path) -> None:
    *audits, report = plan("comprehensive-audit", tmp_path).phases
    assert report.reads == tuple(f"phases.{phase.id}.outputs" for phase in audits)


def shell(script: str, root: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    return subprocess.run(
        ["sh", "-c", script], cwd=root, env={"PATH": path}, capture_output=True, text=True, check=False
    )


def work(step: PhasePlan, root: Path) -> str:
    for task in step.agents[0].config["tasks"]:
        done = shell(task, root)
        if done.returncode:
            return done.stderr
    return ""


def test_the_utilities_are_three_steps_that_need_nothing_of_each_other(tmp_path: Path) -> None:
    utilities = plan("parallel-utilities", tmp_path)
    steps = ["step-01-math-utils", "step-02-string-utils", "step-03-file-utils"]
    assert (utilities.kind, [step.id for step in utilities.phases]) == ("workstream", steps)
    assert [step.needs for step in utilities.phases] == [()] * 3
    assert (utilities.execution.parallel, utilities.execution.max_workers) == (True, 3)
    assert all(step.acceptance_tests and step.files_create for step in utilities.phases)


@pytest.mark.parametrize("order", [*itertools.permutations(range(3))])
def test_each_step_writes_its_module_and_passes_its_tests_in_any_order(tmp_path: Path, order: tuple[int, ...]) -> None:
    steps = plan("parallel-utilities", tmp_path).phases
    for index in order:
        assert work(steps[index], tmp_path) == ""
        (test,) = steps[index].acceptance_tests
        assert shell(test, tmp_path).returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(MODULES)


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    steps = plan("parallel-utilities", tmp_path).phases
    for step in steps:
        work(step, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert [work(step, tmp_path) for step in steps] == [""] * 3
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_runs_at_the_same_time_do_not_meet(tmp_path: Path) -> None:
    for step in plan("parallel-utilities", tmp_path).phases:
        write, put = step.agents[0].config["tasks"]
        for run in ("wf_one", "wf_two"):
            assert shell(f"PHASELOOM_RUN={run}\n{write}", tmp_path).returncode == 0
        for run in ("wf_one", "wf_two"):
            done = shell(f"PHASELOOM_RUN={run}\n{put}", tmp_path)
            assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(MODULES)


def identity(path: Path) -> tuple[int, ...]:
    status = path.lstat()
    return status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns


@pytest.mark.parametrize("kind", ["other content", "directory", "dangling link"])
def test_what_is_somebody_elses_is_left_alone(tmp_path: Path, kind: str) -> None:
    for step, name in zip(plan("parallel-utilities", tmp_path).phases, MODULES, strict=True):
        path = tmp_path / name
        if kind == "other content":
            path.write_text("mine = 1\n")
        elif kind == "directory":
            path.mkdir()
        else:
            path.symlink_to("nowhere")
        before = identity(path)
        assert (
            work(step, tmp_path)
            == f"{name} is here already with other content and was left as it is: move it away and retry\n"
        )
        assert identity(path) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(MODULES)


def test_an_acceptance_test_fails_for_a_module_without_the_behaviour(tmp_path: Path) -> None:
    for step, name in zip(plan("parallel-utilities", tmp_path).phases, MODULES, strict=True):
        work(step, tmp_path)
        source = (tmp_path / name).read_text()
        for promise, broken in (
            ("raise ValueError", "return 0 #"),
            ('(text or "")', "str(text)"),
            ("return None", "raise"),
        ):
            if promise in source:
                (tmp_path / name).write_text(source.replace(promise, broken))
        assert (tmp_path / name).read_text() != source or name == "file_utils.py"
        if (tmp_path / name).read_text() != source:
            assert shell(step.acceptance_tests[0], tmp_path).returncode != 0


def test_the_written_modules_are_clean(tmp_path: Path) -> None:
    for step in plan("parallel-utilities", tmp_path).phases:
        work(step, tmp_path)
    tools = Path(sys.executable).parent
    ruff = [
        str(tools / "ruff"),
        "check",
        "--no-cache",
        "--config",
        str(PROJECT / "pyproject.toml"),
        "--ignore",
        "INP001",
    ]
    assert subprocess.run([*ruff, *MODULES], cwd=tmp_path, check=False).returncode == 0
    mypy = [str(tools / "mypy"), "--strict", "--cache-dir", os.devnull, "--config-file", os.devnull]
    assert subprocess.run([*mypy, *MODULES], cwd=tmp_path, check=False).returncode == 0
