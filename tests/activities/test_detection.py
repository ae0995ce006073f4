"""How a project is checked, found out from its files; with the tools of this environment, and an `npm` of the test."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from activities.detection import detect
from activities.failures import AttemptError

if TYPE_CHECKING:
    from tests.activities.conftest import Project

Json = dict[str, Any]
NOWHERE = "/nonexistent"
"""A search path without any program: only what the project is configured for counts."""


def lines(kind: str, root: Path) -> list[tuple[str, str]]:
    return [(" ".join(found.run), " ".join(found.fix)) for found in detect(kind, root, NOWHERE)]


async def checked(project: Project, kind: str) -> Json:
    said = await project.gate({"name": kind, "detect": kind})
    result: Json = said["results"][0]
    return result


@pytest.fixture
def npm(project: Project) -> Callable[[], list[str]]:
    """An `npm` that notes what it is asked for, and says no to the first `lint`; what it was asked for."""
    program = project.root / "bin" / "npm"
    program.parent.mkdir()
    program.write_text(
        '#!/bin/sh\necho "$*" >> asked\n'
        'case "$*" in *lint) test -e fixed ;; *lint:fix) touch fixed ;; audit*) ! cat said 2>/dev/null ;; esac\n'
    )
    program.chmod(0o755)
    project.environ["PATH"] = f"{program.parent}{os.pathsep}{project.environ['PATH']}"
    return lambda: (project.root / "asked").read_text().splitlines()


PYTHON = """\
[build-system]
requires = ["hatchling"]
[tool.ruff]
line-length = 100
[tool.mypy]
strict = true
[tool.pytest.ini_options]
[tool.coverage.report]
fail_under = 90
[tool.bandit]
"""


def test_a_python_project_is_checked_with_the_tools_that_it_configures(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(PYTHON)
    kinds = ("lint", "format", "types", "tests", "coverage", "security", "build")
    assert [line for kind in kinds for line in lines(kind, tmp_path)] == [
        ("ruff check .", "ruff check --fix ."),
        ("ruff format --check .", "ruff format ."),
        ("mypy .", ""),
        ("pytest -q", ""),
        ("coverage report", ""),
        ("bandit -c pyproject.toml -q -r . -x ./.venv,./tests", ""),
        ("python3 -m build", ""),
    ]


@pytest.mark.parametrize(
    ("kind", "files", "line"),
    [
        ("format", {"pyproject.toml": "[tool.black]\n[tool.ruff]"}, "black --check ."),
        ("lint", {"setup.cfg": "", ".flake8": ""}, "flake8"),
        ("types", {"pyproject.toml": "[tool.pyright]\n[tool.mypy]"}, "pyright"),
        ("types", {"pyproject.toml": "[tool.mypy]\nfiles = ['src']"}, "mypy"),
        ("types", {"setup.py": "", "mypy.ini": ""}, "mypy ."),
        ("tests", {"requirements.txt": "", "conftest.py": ""}, "pytest -q"),
        ("coverage", {"pyproject.toml": "[tool.coverage.run]"}, "coverage report --fail-under=80"),
        ("build", {"setup.py": ""}, "python3 -m build"),
        ("types", {"pyproject.toml": "tool.mypy = 1"}, "mypy ."),
        ("coverage", {"pyproject.toml": "tool.coverage = 1"}, "coverage report --fail-under=80"),
    ],
)
def test_other_tools_are_known_by_their_files(tmp_path: Path, kind: str, files: dict[str, str], line: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert [run for run, _ in lines(kind, tmp_path)] == [line]


def test_the_projects_own_environment_comes_before_the_search_path(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]")
    own = tmp_path / ".venv" / "bin" / "ruff"
    own.parent.mkdir(parents=True)
    own.touch(mode=0o755)
    assert lines("lint", tmp_path) == [(f"{own} check .", f"{own} check --fix .")]


async def test_a_python_project_is_linted_mended_and_typed_by_real_tools(project: Project) -> None:
    (project.root / "pyproject.toml").write_text("[tool.ruff]\n[tool.mypy]\nstrict = true\nfiles = ['good.py']\n")
    (project.root / "good.py").write_text("import os\n\nprint( 1)\n")
    statuses = [(await checked(project, kind))["status"] for kind in ("lint", "format", "types")]
    assert statuses == ["passed", "passed", "passed"]
    assert (project.root / "good.py").read_text() == "print(1)\n"
    (project.root / "good.py").write_text("x: int = ''\n")
    result = await checked(project, "types")
    assert result["status"] == "failed"
    assert "Incompatible types" in result["tail"]


async def test_a_configured_tool_that_is_not_installed_is_an_error(project: Project) -> None:
    (project.root / "pyproject.toml").write_text("[tool.pyright]")
    project.environ["PATH"] = NOWHERE
    result = await checked(project, "types")
    assert (result["status"], result["message"]) == ("error", "pyright: command not found")


async def test_a_node_project_is_checked_by_its_scripts(project: Project, npm: Callable[[], list[str]]) -> None:
    scripts = {"lint": "eslint .", "lint:fix": "eslint --fix .", "type-check": "tsc", "test": "jest"}
    (project.root / "package.json").write_text(json.dumps({"scripts": scripts}))
    assert (await checked(project, "lint"))["fixed"]
    assert (await checked(project, "types"))["status"] == "passed"
    assert (await checked(project, "tests"))["status"] == "passed"
    assert (await checked(project, "security"))["status"] == "passed"
    assert npm() == [
        "run --silent lint",
        "run --silent lint:fix",
        "run --silent lint",
        "run --silent type-check",
        "run --silent test",
        "audit --audit-level=high",
    ]


NO_LOCKFILE = """\
npm error code ENOLOCK
npm error audit This command requires an existing lockfile.
npm error audit Try creating one first with: npm i --package-lock-only
"""
NO_REGISTRY = """\
npm warn audit request to http://127.0.0.1:9/-/npm/v1/security/advisories/bulk failed, reason: connect ECONNREFUSED
npm ERR! audit endpoint returned an error
"""


@pytest.mark.parametrize(
    ("said", "status", "message"),
    [
        (
            NO_LOCKFILE,
            "error",
            "npm audit could not look: code ENOLOCK; audit This command requires an existing lockfile.",
        ),
        (NO_REGISTRY, "error", "npm audit could not look: audit endpoint returned an error"),
        ("1 high severity vulnerability\n", "failed", "exit code 1"),
    ],
)
async def test_an_audit_that_could_not_look_has_neither_passed_nor_failed(
    project: Project, npm: Callable[[], list[str]], said: str, status: str, message: str
) -> None:
    (project.root / "package.json").write_text("{}")
    (project.root / "said").write_text(said)
    result = await checked(project, "security")
    assert (result["status"], result["message"], "value" in result) == (status, message, status == "failed")
    assert npm() == ["audit --audit-level=high"]


async def test_a_project_in_two_languages_passes_only_in_both(project: Project, npm: Callable[[], list[str]]) -> None:
    (project.root / "package.json").write_text(json.dumps({"scripts": {"lint": "eslint ."}}))
    (project.root / "pyproject.toml").write_text("[tool.ruff]")
    (project.root / "good.py").write_text("print(1)\n")
    result = await checked(project, "lint")
    assert (result["status"], result["message"]) == ("failed", "exit code 1")
    assert npm() == ["run --silent lint"]
    (project.root / "fixed").touch()
    assert (await checked(project, "lint"))["status"] == "passed"


@pytest.mark.parametrize("files", [{}, {"package.json": "{}"}, {"package.json": "[]"}, {"pyproject.toml": ""}])
async def test_where_nothing_tells_how_it_is_an_error_that_says_what_to_write(
    project: Project, files: dict[str, str]
) -> None:
    for name, text in files.items():
        (project.root / name).write_text(text)
    result = await checked(project, "build")
    assert result["status"] == "error"
    assert result["message"] == (
        "nothing in this project tells how to check its build; write the check's command under 'run'"
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", "tool = 1"),
        ("package.json", '{"scripts": null}'),
        ("package.json", '{"scripts": 3}'),
        ("pyproject.toml", "[tool"),
        ("package.json", "{"),
        ("package.json", "\udcff"),
    ],
)
def test_rubbish_in_the_files_tells_nothing(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(AttemptError, match=f"nothing in this project|{name} cannot be read"):
        detect("types", tmp_path, NOWHERE)
