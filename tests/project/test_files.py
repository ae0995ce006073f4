"""What holds for the files of the repository as a whole."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.project.markdown import ROOT

# Written in parts, so that this file does not hold what it looks for.
HOSTS = ("pypi" + ".org", "python" + "hosted", "npm" + "js.", "pkg" + ".dev", "crates" + ".io")
PLACES = (
    r"(?<![\w.])/" + "root/",
    r"(?<![\w.])/home/" + r"[a-z]+/",
    r"(?<![\w.])/Users/" + r"[a-z]+/",
    r"(?<![\w.])/wo" + r"rk/(?:main|shared)",
)


def tracked() -> Iterator[tuple[Path, str]]:
    """Every text file that is, or may be, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    for name in listed.stdout.decode().split("\0"):
        path = ROOT / name
        if name and path.is_file():
            yield path, path.read_bytes().decode(errors="replace")


def test_no_file_names_a_package_host_or_a_place_on_somebodys_machine() -> None:
    words = re.compile("|".join([*map(re.escape, HOSTS), *PLACES]))
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path, text in tracked()
        if path.suffix not in {".gz", ".png"}
        for match in words.finditer(text)
    ]
    assert found == []


def test_no_lock_file_of_a_tool_is_committed() -> None:
    names = {path.name for path, _ in tracked()}
    assert names.isdisjoint({"uv.lock", "poetry.lock", "Pipfile.lock", "package-lock.json"})


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = (re.match(r"([A-Za-z0-9._-]+)==([^ ;\\]+)", line) for line in lines)
    return {canonicalize_name(match[1]): match[2] for match in pinned if match}


IN_USE = ("embedded", "audit", "graph", "notify")
"""The extras that something imports or starts; ADR 0006 says what the others are."""


def requirements(extras: Iterable[str] | None = None) -> list[Requirement]:
    """What pyproject.toml asks for: with these extras, or with all."""
    data = project()
    optional = data["project"]["optional-dependencies"]
    written = [*data["project"]["dependencies"], *data["build-system"]["requires"]]
    for group in (*(optional[name] for name in extras or optional), *data["dependency-groups"].values()):
        written.extend(group)
    return [Requirement(text) for text in written]


def test_every_requirement_in_use_is_pinned_at_a_version_that_it_allows() -> None:
    pinned = pins()
    for requirement in requirements(IN_USE):
        version = pinned.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement} is not in constraints.txt; run: make pin"
        assert requirement.specifier.contains(Version(version)), f"{requirement} is pinned at {version}; run: make pin"


def test_every_pin_has_hashes_and_nothing_else() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert "://" not in text
    logical = [line for line in text.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]
    assert len(logical) == len(pins())
    for line in logical:
        assert re.fullmatch(r"[a-z0-9.-]+==\S+( ; [^\"#]+?)?( +--hash=sha256:[0-9a-f]{64})+", line), line[:100]


def test_what_the_code_imports_is_declared() -> None:
    declared = {canonicalize_name(requirement.name) for requirement in requirements()}
    homes = {"yaml": "pyyaml", "google": "temporalio", "pydantic_core": "pydantic", "xdist": "pytest-xdist"}
    ours = {"activities", "bench", "cli", "definitions", "docs", "engine", "phaseloom", "tests", "worker", "workflows"}
    statement = re.compile(r"^ *(?:from|import) ([A-Za-z_]\w*)", re.MULTILINE)
    undeclared = {
        f"{path.relative_to(ROOT)}: {name}"
        for path, text in tracked()
        if path.suffix == ".py" and path.parts[len(ROOT.parts)] in ours | {"worker.py"}
        for name in statement.findall(re.sub(r'(?s)""".*?"""', "", text))
        if name not in sys.stdlib_module_names | ours
        and canonicalize_name(homes.get(name, name)) not in declared
        and not (path.parent / f"{name}.py").exists()
    }
    assert undeclared == set()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(place)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return next(place.glob("*.whl"))


def test_the_wheel_holds_the_program_with_its_data_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    info = f"phaseloom-{project()['project']['version']}.dist-info"
    assert tops == {*project()["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"], info}
    assert f"{info}/licenses/LICENSE" in names
    catalog = {path.name for path in (ROOT / "definitions" / "catalog").glob("*.yaml")}
    assert catalog == {Path(name).name for name in names if name.startswith("definitions/catalog/")}
    here = {str(path.relative_to(ROOT)) for path in _files_of_packages()}
    assert here <= set(names)


def _files_of_packages() -> Iterator[Path]:
    for package in ("activities", "cli", "definitions", "engine", "workflows"):
        for path in (ROOT / package).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def test_the_wheel_installed_elsewhere_knows_its_catalog(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(place)
    script = (
        f"import sys; sys.path.insert(0, {str(place)!r})\n"
        "import definitions, pathlib\n"
        "assert definitions.__file__.startswith(sys.path[0]), definitions.__file__\n"
        "print(*(entry.id for entry in definitions.entries(pathlib.Path.cwd()) if entry.ok))\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", script], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert set(done.stdout.split()) >= {"full-stack-parallel", "comprehensive-audit", "parallel-utilities"}


def test_make_has_the_targets_that_people_are_told_of() -> None:
    told = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert {"setup", "demo", "test", "check", "bench"} <= set(re.findall(r"^  make (\w+)", told, re.MULTILINE))


def test_ci_runs_the_readmes_test_command_and_all_that_check_does() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "make test\n" in readme
    assert "\nmake test\n" in script
    check = re.search(r"^check: (.*?) ##", makefile, re.MULTILINE)
    assert check is not None
    run = {word for line in re.findall(r"^make (.*)$", script, re.MULTILINE) for word in line.split()}
    assert run == set(check[1].split())


def test_scripts_are_plain_sh() -> None:
    for script in (*(ROOT / "docker").glob("*.sh"), *(ROOT / "docs").glob("*.sh")):
        subprocess.run(["sh", "-n", str(script)], check=True)
        assert script.read_text(encoding="utf-8").startswith("#!/bin/sh\n")


def test_the_changelog_says_of_every_change_whether_running_workflows_are_safe() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert text.startswith("# Changelog\n")
    entries = re.split(r"(?m)^- ", text)[1:]
    assert entries
    for entry in entries:
        assert re.search(r"Safe for running workflows: (yes|no)", entry), entry[:80]
