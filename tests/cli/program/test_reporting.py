"""Whoever works outside of Phaseloom says from a shell how far the work is, and that it has failed."""

from __future__ import annotations

from tests.cli.program.person import Person

CATALOG = "full-stack-parallel"


def test_reports_and_failures_from_a_shell(person: Person) -> None:
    person.types("workflow", "start", CATALOG)
    said = person.types("workflow", "report-progress", "0", "12 of 40 endpoints", "--epoch", "0", "--actor", "bot")
    assert said.lines == ["Noted; it shows in: phaseloom workflow status"]
    assert any("12 of 40 endpoints" in line for line in person.types("workflow", "status").lines)
    assert "Reported by bot just now: 12 of 40 endpoints" in person.types("workflow", "why", "0").lines
    value = '{"files": 3, "last": "api.yaml"}'
    answer = person.types("workflow", "report-progress", "0", "--json-value", value, "--json").json
    assert answer["success"] is True
    assert any("files: 3, last: api.yaml" in line for line in person.types("workflow", "status").lines)
    report = person.types("workflow", "why", "0", "--json").json["report"]
    assert (report["progress"], report["by"]) == ({"files": 3, "last": "api.yaml"}, "ana")

    refused = {
        ("report-progress", "1", "early"): (4, "Backend Development is pending, not running"),
        ("report-progress", "0", "late", "--epoch", "3"): (4, "has been started again since"),
        ("report-progress", "0"): (2, "either as TEXT or with --json-value"),
        ("report-progress", "0", "--json-value", "{"): (2, "--json-value is not JSON"),
        ("fail-phase", "0", "--epoch", "1"): (4, "has been started again since"),
        ("complete-phase", "0", "--epoch", "1"): (4, "has been started again since"),
    }
    for command, (code, words) in refused.items():
        told = person.tries("workflow", *command)
        assert (told.code, words in told.err) == (code, True), (command, told)

    failed = person.types("workflow", "fail-phase", "0", "--error", "no contract can be agreed", "--epoch", "0")
    assert failed.lines[0] == "Design & Contract (index: 0) has failed and waits for a decision."
    assert failed.lines[-1] == "See the options with: phaseloom workflow status"
    row = person.view()["phases"][0]
    assert (row["status"], row["error"]["message"]) == ("paused", "no contract can be agreed")
    assert "progress" not in row
    person.types("workflow", "cancel")
