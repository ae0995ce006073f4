"""What authors are given: SARIF for CI, native YAML of what they have, a project to start from, schemas for editors."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from definitions import MEANINGS, compile_plan, load
from tests.cli.program.person import Person

Json = dict[str, Any]

FOUND = """\
agents: {w: {uses: command, run: [echo, hi]}}
phases:
  - {name: Migrate, agents: [w], parallel: true}
  - {name: Frontend, agents: [w, designer], parallel: true}
"""
BAD = "phases:\n  - {name: A, depends_on: [B]}\n"

PLAN = """\
# Plan: kitchen

Phase 1: Menu
Phase 2: Cooking (depends on Phase 1)
Phase 3: Table (depends on Phase 1)
Phase 4: Dinner (depends on Phase 2, Phase 3)
"""
LITERAL = """\
{
  name: "Bakery: on & off",
  phases: [
    { name: "Dough", agents: ["baker"] },
    { name: "Bread", agents: ["baker"], parallel: true },
    { name: "1e3", agents: ["pastry-chef"], parallel: true },
  ],
  completionSignals: ["baked"]
}
"""
GROUPS = """\
execution_groups:
  menu: {agents: [chef], dependencies: [], parallel_capable: false, estimated_duration: "2-4_minutes"}
  cooking:
    agents: [sous_chef, baker]
    dependencies: [chef.completion]
    parallel_capable: true
    synchronization: barrier_sync
    resource_requirements: {cpu: high}
"""
PARALLEL = """\
id: table
type: parallel_group
agents:
  - {id: fork_setter, agent: butler, priority: 7, timeout: 8_minutes}
  - {id: knife_setter, agent: maid, context_requirements: {read: [butler.forks]}}
"""
STREAM = json.dumps(
    {
        "id": "ws-tea",
        "steps": [
            {"id": "boil", "tool": "sh", "tasks": ["true"], "acceptance_tests": ["true"]},
            {"id": "pour", "tool": "sh", "tasks": ["true"], "depends_on": ["boil"], "circuit_breaker": {}},
        ],
    }
)
FOREIGN = {"plan.md": PLAN, "bakery.txt": LITERAL, "kitchen.yaml": GROUPS, "table.yaml": PARALLEL, "tea.json": STREAM}


def findings(log: Json) -> list[Json]:
    """The results of a SARIF log, with everything that the format demands of it."""
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert run["tool"]["driver"]["name"] == "phaseloom"
    assert {rule["id"]: rule["shortDescription"]["text"] for rule in rules} == MEANINGS
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"error", "warning", "note"}
        assert result["message"]["text"]
        (location,) = result["locations"]
        region = location["physicalLocation"]["region"]
        assert min(region["startLine"], region["startColumn"]) >= 1
    results: list[Json] = run["results"]
    return results


def place(result: Json) -> tuple[str, int, int]:
    physical = result["locations"][0]["physicalLocation"]
    region = physical["region"]
    return physical["artifactLocation"]["uri"], region["startLine"], region["startColumn"]


def test_sarif_says_what_words_say_with_addresses_in_the_project(offline: Person) -> None:
    offline.write("phaseloom.yaml", "name: x\ncatalogs: [nowhere]\n")
    (offline.root / "my definitions").mkdir()
    offline.write("my definitions/found.yaml", FOUND)
    offline.write("bad.yaml", BAD)
    said = offline.tries("validate", "my definitions/found.yaml", "bad.yaml", "--sarif")
    assert said.code == 3
    log = said.json
    told = {(result["ruleId"], result["level"], *place(result)) for result in findings(log)}
    assert told == {
        ("PL001", "warning", "phaseloom.yaml", 2, 12),
        ("PL503", "warning", "my%20definitions/found.yaml", 3, 5),
        ("PL402", "warning", "my%20definitions/found.yaml", 4, 34),
        ("PL103", "error", "bad.yaml", 2, 28),
    }
    assert log["runs"][0]["invocations"] == [{"executionSuccessful": True, "exitCode": 3}]
    words = offline.tries("validate", "my definitions/found.yaml", "bad.yaml").out
    assert all(result["message"]["text"].partition(" (")[0] in words for result in findings(log))


def test_sarif_names_files_from_the_project_wherever_it_is_typed(offline: Person, tmp_path: Path) -> None:
    offline.write("phaseloom.yaml", "name: x\n")
    (offline.root / "below").mkdir()
    below = Person(offline.root / "below")
    below.write("bad.yaml", BAD)
    outside = tmp_path / "outside.yaml"
    outside.write_text(BAD, encoding="utf-8")
    inside, beyond = findings(below.tries("validate", "bad.yaml", str(outside), "--sarif").json)
    assert place(inside)[0] == "below/bad.yaml"
    assert inside["locations"][0]["physicalLocation"]["artifactLocation"]["uriBaseId"] == "%SRCROOT%"
    assert place(beyond)[0] == outside.resolve().as_uri()


def test_sarif_names_a_file_whose_name_is_not_utf_8(offline: Person) -> None:
    name = os.fsdecode(b"caf\xe9.yaml")
    offline.write(name, BAD)
    [finding] = findings(offline.tries("validate", name, "--sarif").json)
    assert place(finding)[0] == "caf%E9.yaml"


def test_sarif_of_a_good_definition_is_empty_and_json_is_something_else(offline: Person) -> None:
    assert findings(offline.types("validate", "full-stack-parallel", "--sarif").json) == []
    assert offline.tries("validate", "full-stack-parallel", "--sarif", "--json").code == 2


def test_advice_is_said_and_fails_only_what_is_strict(offline: Person) -> None:
    offline.write("found.yaml", FOUND.replace(", designer", ""))
    said = offline.types("validate", "found.yaml")
    assert said.lines[0].startswith("found.yaml:3:5 warning PL503 phases.migrate: the migration 'migrate' runs")
    assert said.lines[-1] == "found.yaml: valid (found, 2 phases, 1 warning)"
    assert offline.tries("validate", "found.yaml", "--strict").code == 3
    (told,) = offline.types("validate", "found.yaml", "--json").json["files"]
    assert [finding["code"] for finding in told["diagnostics"]] == ["PL503"]


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_imported_is_the_same_definition(name: str, offline: Person) -> None:
    file = offline.write(name, FOREIGN[name])
    before = compile_plan(load(offline.root / file), {})
    told = offline.types("import", file, "--json").json
    assert (told["id"], told["phases"]) == (before.id, len(before.phases))
    written = load(offline.root / told["path"])
    after = compile_plan(written, {})
    assert after.phases == before.phases
    assert (after.id, after.name, after.inputs, after.execution) == (
        before.id,
        before.name,
        before.inputs,
        before.execution,
    )
    assert (after.step_groups, after.completion_signals, after.deferred) == (
        before.step_groups,
        before.completion_signals,
        before.deferred,
    )
    assert told["path"] == f"definitions/{before.id}.yaml"
    assert offline.types("validate", before.id, "--json").json["files"][0]["file"] == told["path"]


def test_import_says_the_format_and_what_is_not_in_effect(offline: Person) -> None:
    offline.write("kitchen.yaml", GROUPS)
    lines = offline.types("import", "kitchen.yaml").lines
    assert "Imported kitchen.yaml (execution-groups) as definitions/kitchen.yaml (kitchen, 3 phases)" in lines
    assert any(line.startswith("Not in effect yet: ") and "resource_requirements" in line for line in lines)
    assert lines[-1] == "Start it with: phaseloom run kitchen"


def test_import_replaces_nothing_unless_it_is_told_to(offline: Person) -> None:
    offline.write("plan.md", PLAN)
    offline.types("import", "plan.md", "--id", "supper")
    path = offline.root / "definitions" / "supper.yaml"
    path.write_text("# mine\n", encoding="utf-8")
    said = offline.tries("import", "plan.md", "--id", "supper")
    assert (said.code, "--force" in said.err, path.read_text(encoding="utf-8")) == (4, True, "# mine\n")
    offline.types("import", "plan.md", "--id", "supper", "--force")
    assert "Dinner" in path.read_text(encoding="utf-8")
    offline.types("import", "plan.md", "--id", "supper")  # the same again is no harm
    said = offline.types("import", "plan.md", "--output", "elsewhere/there.yaml")
    assert said.lines[-1] == "Start it with: phaseloom run elsewhere/there.yaml"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["good.yaml"], 2, "native format already"),
        (["bad.md"], 3, "PL015"),
        (["missing.md"], 4, "there is no file 'missing.md'"),
        (["plan.md", "--id", "not an id"], 2, "--id 'not an id'"),
        (["plan.md", "--output", "plan.md/x.yaml"], 6, "cannot be written"),
    ],
)
def test_what_cannot_be_imported_is_said(arguments: list[str], code: int, words: str, offline: Person) -> None:
    offline.write("good.yaml", "phases: [{name: A}]\n")
    offline.write("bad.md", "# Nothing\n")
    offline.write("plan.md", PLAN)
    said = offline.tries("import", *arguments)
    assert (said.code, words in said.err) == (code, True), said
    assert sorted(path.name for path in offline.root.iterdir()) == ["bad.md", "good.yaml", "plan.md"]


def test_a_schema_can_be_written_to_a_file(offline: Person) -> None:
    offline.types("schema", "--output", "made/definition.json")
    written = json.loads((offline.root / "made" / "definition.json").read_text(encoding="utf-8"))
    assert written == offline.types("schema").json
    offline.write("file", "")
    assert offline.tries("schema", "--output", "file/x.json").code == 6


def test_a_new_project_validates_and_runs_as_it_stands(alone: Person) -> None:
    said = alone.types("init")
    assert said.lines[0].split() == ["created", "phaseloom.yaml"]
    assert said.lines[-2:] == ["  phaseloom validate hello", "  phaseloom run hello --input who=Ana"]
    assert alone.types("validate", "hello", "--strict").lines == ["definitions/hello.yaml: valid (hello, 3 phases)"]
    said = alone.types("run", "hello", "--input", "who=Ana", "--non-interactive")
    assert "All steps complete" in said.out
    assert "Greeted with: Hello, Ana!" in alone.types("workflow", "logs", "sum-up").out


def test_editors_are_told_of_the_schemas(offline: Person) -> None:
    offline.types("init", "new/project")
    root = offline.root / "new" / "project"
    settings = json.loads((root / ".vscode" / "settings.json").read_text(encoding="utf-8"))
    for name, kind in settings["yaml.schemas"].items():
        schema = json.loads((root / name).read_text(encoding="utf-8"))
        assert schema == offline.types("schema", *(["--project"] if "phaseloom.yaml" in kind else [])).json
    for file in ("phaseloom.yaml", "definitions/hello.yaml"):
        first = (root / file).read_text(encoding="utf-8").splitlines()[0]
        named = first.removeprefix("# yaml-language-server: $schema=")
        assert ((root / file).parent / named).resolve().is_file()


def test_a_project_that_is_there_keeps_its_files(offline: Person) -> None:
    offline.write("phaseloom.yaml", "name: mine\n")
    told = {each["path"]: each["done"] for each in offline.types("init", "--json").json["files"]}
    assert (told["phaseloom.yaml"], told["definitions/hello.yaml"]) == ("kept", "created")
    assert (offline.root / "phaseloom.yaml").read_text(encoding="utf-8") == "name: mine\n"
    told = {each["path"]: each["done"] for each in offline.types("init", "--force", "--json").json["files"]}
    assert (told.pop("phaseloom.yaml"), set(told.values())) == ("replaced", {"unchanged"})
