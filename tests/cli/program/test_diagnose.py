"""One failure in one file: all that is known, no secret that is known, nothing followed and nothing replaced."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program.person import Person, until

SECRET = "hush-hush-hush-42"
BROKEN = f"""\
id: broken
agents:
  builder: {{uses: command, run: [sh, -c, "echo begun; echo token is {SECRET}; echo no compiler >&2; exit 3"]}}
  fine: {{uses: command, run: ['true']}}
phases:
  - {{name: Fine, agents: [fine], depends_on: []}}
  - {{name: Build, agents: [builder], depends_on: []}}
"""


def contents(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


@pytest.fixture
def broken(person: Person) -> Iterator[Person]:
    """Somebody whose run waits for a decision about a phase that has failed."""
    person.environ["BUILD_TOKEN"] = SECRET
    person.write("broken.yaml", BROKEN)
    person.types("run", "broken.yaml", "--detach")
    until(lambda: person.view()["status"] == "paused")
    yield person
    person.tries("workflow", "cancel")
    (person.root / "x.zip").unlink(missing_ok=True)


def test_all_about_a_failure_goes_into_one_file_with_secrets_hidden(broken: Person) -> None:
    said = broken.types("workflow", "diagnose")
    path = broken.root / f"diagnose-{broken.current}-build.zip"
    assert said.lines[0].startswith(f"Written: {path.name} (")
    assert said.lines[-1] == "Secrets that are known are hidden. Look through it before you share it."
    files = contents(path)
    assert set(files) == {
        "README.txt", "phase.json", "failures.json", "gates.json", "run.json", "facts.jsonl", "plan.json",
        "environment.json", "doctor.json", "logs/phase-build.log", "logs/orchestrator.log",
    }  # fmt: skip
    assert not [name for name, text in files.items() if SECRET in text]
    assert not [name for name, text in files.items() if str(broken.root) in text]
    assert "token is ***" in files["logs/phase-build.log"]
    failures = json.loads(files["failures.json"])
    assert (failures["error"]["code"], failures["error"]["exit_code"]) == ("exit_code", 3)
    assert len(failures["failures"]) == 1
    facts = [json.loads(line) for line in files["facts.jsonl"].splitlines()]
    assert {fact.get("phase") for fact in facts} == {None, 1}
    assert [fact["kind"] for fact in facts][-1] == "run_paused"
    plan = json.loads(files["plan.json"])
    assert (plan["phase"]["id"], plan["run"]["id"], plan["run"]["phases"]) == ("build", "broken", 2)
    environment = json.loads(files["environment.json"])
    assert (environment["server"], environment["reachable"]) == ("embedded", True)
    assert environment["packages"]["temporalio"]
    assert json.loads(files["doctor.json"])["worker"]["state"] == "polling"
    assert path.stat().st_mode & 0o077 == 0


def test_the_file_is_listed_as_json_and_never_replaced_unasked(broken: Person) -> None:
    told: dict[str, Any] = broken.types("workflow", "diagnose", "1", "-o", "x.zip", "--json").json
    assert (told["path"], told["run"], told["phase"]) == ("x.zip", broken.current, "build")
    assert {each["name"] for each in told["files"]} == set(contents(broken.root / "x.zip"))
    refused = broken.tries("workflow", "diagnose", "-o", "x.zip")
    assert (refused.code, "exists already" in refused.err) == (4, True)
    victim = broken.root / "victim"
    victim.write_text("mine", encoding="utf-8")
    (broken.root / "link.zip").symlink_to(victim)
    assert broken.tries("workflow", "diagnose", "-o", "link.zip").code == 4
    broken.types("workflow", "diagnose", "-o", "link.zip", "--force")
    assert victim.read_text(encoding="utf-8") == "mine"
    assert contents(broken.root / "link.zip")
    assert broken.tries("workflow", "diagnose", "-o", "nowhere/x.zip").code == 6


def test_a_log_that_is_a_link_stays_where_it_is_and_a_long_one_is_cut(broken: Person) -> None:
    logs = broken.root / ".phaseloom" / "workflows" / broken.current / "logs"
    outside = broken.root / "outside.txt"
    outside.write_text("not for anybody", encoding="utf-8")
    (logs / "phase-build.log").unlink()
    (logs / "phase-build.log").symlink_to(outside)
    (logs / "hooks.log").write_text("first\n" + "x" * 80 + "\n" + "line\n" * 400_000 + "last\n", encoding="utf-8")
    broken.types("workflow", "diagnose", "-o", "x.zip")
    files = contents(broken.root / "x.zip")
    assert "logs/phase-build.log" not in files
    assert not [name for name, text in files.items() if "not for anybody" in text]
    cut = files["logs/hooks.log"]
    assert len(cut) < 1_100_000
    assert (cut.startswith("[… "), cut.endswith("line\nlast\n")) == (True, True)


def test_an_ended_run_can_be_diagnosed_and_a_good_one_has_nothing_to_say(broken: Person) -> None:
    broken.types("workflow", "intervene", "cancel", "--phase", "build")
    until(lambda: broken.tries("workflow", "status", "--json").json["status"] == "failed")
    nothing = broken.tries("workflow", "diagnose")
    assert (nothing.code, "no phase of" in nothing.err) == (4, True)
    broken.types("workflow", "diagnose", "build", "-o", "x.zip")
    assert json.loads(contents(broken.root / "x.zip")["phase.json"])["status"] == "cancelled"


def test_of_several_failures_one_has_to_be_named(person: Person) -> None:
    person.write(
        "two.yaml",
        "agents: {bad: {uses: command, run: ['false']}}\nexecution: {on_failure: isolate}\n"
        "phases: [{name: One, agents: [bad], depends_on: []}, {name: Two, agents: [bad], depends_on: []}]\n",
    )
    person.tries("run", "two.yaml")
    said = person.tries("workflow", "diagnose")
    assert (said.code, "2 phases have failed: one, two" in said.err) == (2, True)
    assert person.types("workflow", "diagnose", "two", "-o", "two.zip").code == 0
