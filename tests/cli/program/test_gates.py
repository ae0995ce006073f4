"""Gates as people meet them: a run stops, is mended and checked again; they decide from here and from Temporal."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.cli.program.person import Json, Person, until

TEMPORAL = str(Path(sys.executable).parent / "temporal")

CHECKED = """\
id: checked
agents: {builder: {uses: command, run: [sh, -c, "echo built >> built"]}}
gates:
  pre-push:
    checks:
      - {name: notes, run: [test, -s, NOTES]}
      - {name: built, shell: 'test "$(wc -l < built)" = 1'}
phases:
  - {name: Build, agents: [builder], gates: [pre-push]}
  - {name: Roll out, agents: [operator]}
"""

APPROVED = """\
id: approved
agents: {builder: {uses: command, run: ["true"]}}
gates:
  go:
    checks: [{name: fine, run: ["true"]}]
    approval: {by: [ana, bo], need: 1}
phases:
  - {name: Build, agents: [builder], gates: [go]}
  - {name: Roll out, agents: [operator]}
"""


def facts(person: Person) -> list[Json]:
    """The current run's journal, as the worker has written it."""
    file = person.root / ".phaseloom" / "workflows" / person.current / "journal.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True) if file.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]  # the last one may be half written


def of_kind(person: Person, kind: str) -> list[Json]:
    return [fact for fact in facts(person) if fact["kind"] == kind]


def stands(person: Person, status: str) -> Json:
    """The one gate, as soon as it stands so."""
    found: list[Json] = []

    def look() -> bool:
        found[:] = [row for row in person.view()["gates"] if row["gate_status"] == status]
        return bool(found)

    until(look)
    return found[0]


def signals(person: Person, name: str, **payload: Any) -> None:
    """The stock `temporal` command sends a signal to the current run."""
    server = person.types("doctor", "--json").json
    subprocess.run(
        [
            TEMPORAL, "workflow", "signal", "--address", server["address"], "--namespace", server["namespace"],
            "--workflow-id", person.current, "--name", name, "--input", json.dumps(payload),
        ],
        env=person.environ,
        capture_output=True,
        check=True,
    )  # fmt: skip


def test_a_failing_gate_stops_the_run_until_it_is_mended_and_checked_again(person: Person) -> None:
    said = person.tries("run", person.write("checked.yaml", CHECKED))
    assert said.code == 75
    assert "pre-push: 1 of 2 checks failed: notes (exit code 1)" in said.out
    assert person.view()["status"] == "paused"
    again = person.types("workflow", "gate", "retry", "pre-push")
    assert again.lines == ["pre-push is being checked."]
    stands(person, "failed")
    person.write("NOTES", "what is new\n")
    person.types("workflow", "gate", "retry", "pre-push")
    until(lambda: person.view()["phases"][1]["status"] == "in_progress")
    assert (person.root / "built").read_text() == "built\n", "the phase's agent did not run again"
    assert person.types("workflow", "next").lines[-1] == "The workflow is complete."
    until(lambda: of_kind(person, "run_settled"))
    statuses = [fact["data"]["status"] for fact in of_kind(person, "gate_checked")]
    assert statuses == ["failed", "failed", "passed"]


def test_a_gate_is_approved_with_the_evidence_that_was_looked_at(person: Person) -> None:
    person.types("workflow", "start", person.write("approved.yaml", APPROVED))
    gate = stands(person, "waiting")
    blind = person.tries("workflow", "gate", "approve", "go")
    assert blind.code != 0
    assert "evidence" in blind.err
    stale = person.tries("workflow", "gate", "approve", "go", "--evidence", "sha256:0", "--actor", "bo")
    assert stale.code == 4
    assert "has changed since" in stale.err
    stranger = person.tries("workflow", "gate", "approve", "go", "--evidence", gate["evidence"], "--actor", "dee")
    assert stranger.code == 4
    assert "dee may not decide about 'go'" in stranger.err
    said = person.types("workflow", "gate", "approve", "go", "--evidence", gate["evidence"], "--comment", "ship it")
    assert said.lines[:2] == ["go is passed.", "Started Roll out (index: 1)."]
    until(lambda: of_kind(person, "gate_decided"))
    (decided,) = of_kind(person, "gate_decided")
    assert (decided["actor"], decided["data"]["comment"]) == ("ana", "ship it")
    person.types("workflow", "next")


def test_the_stock_client_decides_by_signal_and_the_journal_tells_who_when_and_on_what(person: Person) -> None:
    person.types("workflow", "start", person.write("approved.yaml", APPROVED))
    gate = stands(person, "waiting")
    signals(person, "decide_gate", gate="go", decision="approve", actor="bo")
    until(lambda: of_kind(person, "message_refused"))
    (refused,) = of_kind(person, "message_refused")
    assert refused["actor"] == "bo"
    assert "does not name the evidence" in json.dumps(refused["data"])
    assert stands(person, "waiting")["approvals"] == 0
    signals(person, "decide_gate", gate="go", decision="approve", actor="bo", evidence=gate["evidence"])
    until(lambda: of_kind(person, "gate_decided"))
    (decided,) = of_kind(person, "gate_decided")
    assert (decided["actor"], decided["data"]["decision"]) == ("bo", "approve")
    assert decided["data"]["evidence"] == gate["evidence"]
    assert refused["at"] < decided["at"]
    until(lambda: person.view()["phases"][1]["status"] == "in_progress")
    person.types("workflow", "cancel")
