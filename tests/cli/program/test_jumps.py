"""Phases that are repeated, as people meet it: what `run`, `status` and `why` say while control goes back and forth."""

from __future__ import annotations

from tests.cli.program.person import Person, until

REPEATED = """\
id: repeated
agents:
  tests: {uses: command, run: [cat, verdict], outputs: {failed: {type: integer, value: "${stdout_json.failed}"}}}
phases:
  - name: Test
    agents: [tests]
    next: [{if: "${outputs.failed > 0}", go_to: Fix}]
  - {name: Fix, agents: [fixer], on_jump: true, prompt: "Make ${phases.test.outputs.failed} failing tests pass."}
  - {name: Release, agents: [lead]}
"""


def said(person: Person, *words: str) -> list[str]:
    return person.types("workflow", *words).lines


def test_people_see_where_control_is_and_what_it_comes_back_to(person: Person) -> None:
    person.write("verdict", '{"failed": 2}')
    file = person.write("repeated.yaml", REPEATED)
    began = person.tries("run", file)
    assert began.code == 75
    assert "PL303" not in began.err, "a phase may read what sends control to it"
    assert [line.partition(" (")[0] for line in began.lines if "[" in line] == [
        "↷ [fix] Skipped: it runs only when control is sent to it",
        "  → [test] Starting...",
        "✓ [test] Complete",
        "  → [test] Control goes to fix",
        "  → [fix] Starting...",
    ]
    assert "  Make 2 failing tests pass." in said(person, "why", "fix")
    waits = said(person, "why", "test")
    assert waits[1] == "It waits for:"
    assert waits[2].startswith("- Fix (index: 1): in_progress")
    assert "itself waits for fix" in said(person, "why", "release")[2]
    person.write("verdict", '{"failed": 0}')
    assert said(person, "next")[:2] == ["Phase completed.", "Started Test (index: 0)."]
    until(lambda: person.view()["phases"][2]["status"] == "in_progress")
    assert said(person, "next")[-1] == "The workflow is complete."


def test_status_says_why_a_phase_beside_the_way_does_not_run(person: Person) -> None:
    person.write("verdict", '{"failed": 0}')
    person.types("workflow", "start", person.write("repeated.yaml", REPEATED))
    until(lambda: person.view()["phases"][2]["status"] == "in_progress")
    assert any(line.endswith("skipped: it runs only when control is sent to it") for line in said(person, "status"))
    assert said(person, "why", "fix")[1:] == ["It runs only when control is sent to it."]
    person.types("workflow", "next")
