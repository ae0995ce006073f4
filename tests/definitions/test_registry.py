"""A definition is found by its id, wherever it is kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from definitions import InvalidDefinitionError, compile_plan, define, entries, find, keep, load
from definitions.registry import CATALOG
from engine.errors import DefinitionError

PHASES: list[dict[str, Any]] = [{"name": "A", "agents": ["x"]}, {"name": "B", "agents": ["y"], "parallel": True}]


def write(path: Path, text: str = "phases: [{name: A}]\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_nearest_place_wins(tmp_path: Path) -> None:
    assert find("full-stack-parallel", tmp_path) == CATALOG / "full-stack-parallel.yaml"
    write(tmp_path / "phaseloom.yaml", "catalogs: [more]\n")
    named = write(tmp_path / "more" / "full-stack-parallel.yaml")
    assert find("full-stack-parallel", tmp_path) == named
    kept = write(tmp_path / ".phaseloom" / "definitions" / "full-stack-parallel.yaml")
    assert find("full-stack-parallel", tmp_path) == kept
    own = write(tmp_path / "definitions" / "other.yaml", "id: full-stack-parallel\nphases: [{name: A}]\n")
    assert find("full-stack-parallel", tmp_path) == own
    origins = [entry.origin for entry in entries(tmp_path) if entry.id == "full-stack-parallel"]
    assert origins == ["project"]


def test_a_path_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "sub" / "x.yaml")
    assert find(str(path), tmp_path) == path
    monkeypatch.chdir(tmp_path)
    assert find(f"sub{os.sep}x.yaml", tmp_path) == Path("sub/x.yaml")


def test_a_file_name_is_found_when_its_id_is_another(tmp_path: Path) -> None:
    path = write(tmp_path / "definitions" / "file.yaml", "id: flow\nphases: [{name: A}]\n")
    assert find("file", tmp_path) == path
    assert find("flow", tmp_path) == path


def test_an_unknown_name_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError) as error:
        find("full-stack-paralel", tmp_path)
    assert error.value.hint == "did you mean 'full-stack-parallel'?"
    with pytest.raises(DefinitionError, match="no file"):
        find("nothing.yaml", tmp_path)


def test_broken_files_are_listed_as_broken(tmp_path: Path) -> None:
    write(tmp_path / "definitions" / "bad.yaml", "phases: [")
    write(tmp_path / "definitions" / "bin.yaml").write_bytes(b"\xff")
    listed = {entry.id: entry.ok for entry in entries(tmp_path)}
    assert (listed["bad"], listed["bin"], listed["full-stack-parallel"]) == (False, False, True)
    assert find("bad", tmp_path).name == "bad.yaml"


def test_a_workflow_defined_in_python_is_kept_and_found(tmp_path: Path) -> None:
    path = define(
        "my-flow",
        name="My on/off Flow",
        description="yes: 12:30",
        phases=PHASES,
        completion_signals=["All done"],
        root=tmp_path,
        inputs={"when": {"default": "0777"}},
    )
    assert path == tmp_path / ".phaseloom" / "definitions" / "my-flow.yaml"
    assert (tmp_path / ".phaseloom" / ".gitignore").read_text() == "*\n"
    assert find("my-flow", tmp_path) == path
    plan = compile_plan(load(path), {})
    assert (plan.id, plan.name, plan.description) == ("my-flow", "My on/off Flow", "yes: 12:30")
    assert plan.completion_signals == ("All done",)
    assert plan.inputs["when"].default == "0777"
    assert [phase.id for phase in plan.phases] == ["a", "b"]


def test_what_does_not_validate_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(InvalidDefinitionError, match="PL101"):
        keep({"id": "x", "phases": [{"name": "A", "agnts": []}]}, tmp_path)
    with pytest.raises(InvalidDefinitionError, match="PL109"):
        define("../x", phases=PHASES, root=tmp_path)
    assert not (tmp_path / ".phaseloom").exists()
