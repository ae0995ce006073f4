"""What somebody reads who knows the README only: the run that was meant, the next command, any terminal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.program.person import Person, until

CATALOG = "full-stack-parallel"

SHARED = """
name: Shared
agents:
  backend: {uses: command, run: [sh, -c, "until [ -f go ]; do sleep 0.05; done"]}
  frontend: {uses: manual, instructions: Look at it.}
phases:
  - {name: Build, agents: [backend, frontend], agents_mode: parallel}
  - {name: Ship, agents: [frontend], estimate: 1h}
"""


@pytest.fixture(autouse=True)
def nothing_open(person: Person) -> Iterator[None]:
    """Runs of one test are not the next one's business."""
    yield
    for run in person.types("runs", "--json").json["runs"]:
        person.tries("workflow", "cancel", "--run", run["run"])


def test_after_the_current_run_nothing_is_done_to_another_one_by_mistake(person: Person) -> None:
    person.types("workflow", "start", CATALOG)
    other = person.current
    person.types("workflow", "start", CATALOG)
    ended = person.current
    person.types("workflow", "cancel")
    for words in (["cancel"], ["next"], ["intervene", "retry", "--phase", "0"]):
        said = person.tries("workflow", *words)
        assert said.code == 4
        assert said.err.splitlines() == [
            f"error: the current run {ended} has ended; open is:",
            f"  {other}  {CATALOG}",
            f"hint: say which one by adding to the command: --run {other}",
        ]
    shown = person.types("workflow", "status")
    assert shown.lines[0] == f"Run: {other}"
    assert f"note: the current run {ended} has ended; this is about {other}. To act on it, add: --run" in shown.err
    wrong = person.tries("workflow", "logs", "testing")
    assert f"hint: phaseloom workflow status --run {other} shows the phases" in wrong.err
    assert person.types("workflow", "cancel", "--run", other).lines[-1].startswith(f"Cancelled {other}.")


def test_who_works_on_a_shared_phase_and_what_is_left_to_do(person: Person) -> None:
    (person.root / "go").unlink(missing_ok=True)
    person.types("workflow", "start", person.write("shared.yaml", SHARED))
    assert "    phaseloom workflow next" in person.types("workflow", "status").lines
    recorded = person.types("workflow", "next").lines
    assert recorded[0].startswith("Recorded. Build (index: 0) goes on: frontend's part is done; backend works on it: ")
    said = person.tries("workflow", "next")
    assert said.code == 4
    assert "frontend's part is done; backend works on it: command sh -c until" in said.err
    assert "hint: look on with: phaseloom workflow watch; its output: phaseloom workflow logs build" in said.err
    status = person.types("workflow", "status").lines
    assert "       ✓ frontend  done" in status
    assert status[3] == "Progress: 0/2 (0%), ETA at least 1h 00m"
    assert person.view()["eta"]["critical_path"] == ["build", "ship"]
    person.write("go", "")
    until(lambda: person.view()["active"][0]["name"] == "Ship")
    assert "  Look at it." in person.types("workflow", "why", "ship").lines


def test_a_terminal_without_unicode_reads_ascii(person: Person) -> None:
    person.types("workflow", "start", CATALOG)
    shown = person.types("workflow", "status", PYTHONIOENCODING="ascii")
    assert "  > 0  Design & Contract" in shown.out
    assert "  . 1  Backend Development" in shown.out
    assert "?" not in shown.out


def test_what_is_bound_to_nothing_is_one_line_and_names_where_to_bind_it(person: Person) -> None:
    settings = person.root / person.write("phaseloom.yaml", "agents: {backend-expert: {run: [make, test]}}\n")
    said = person.types("workflow", "start", CATALOG)
    settings.unlink()
    assert said.err == (
        "note: bound to nothing, so people do it: api-expert, ui-ux-expert, frontend-expert, testing-expert, "
        "devops-expert (bind roles under agents: in phaseloom.yaml)\n"
    )


def test_missing_inputs_are_told_as_the_whole_command(offline: Person) -> None:
    offline.write("ins.yaml", "inputs: {goal: string, size: integer, at: {default: 1}}\nphases: [{name: A}]\n")
    said = offline.tries("workflow", "start", "ins.yaml", "-i", "size=3")
    assert said.code == 2
    assert "hint: type: phaseloom workflow start ins.yaml -i size=3 -i goal=…; there are: goal (string)" in said.err
    assert "hint: type: phaseloom run ins.yaml -i goal=… -i size=…" in offline.tries("run", "ins.yaml").err


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that nobody can write")
def test_reading_commands_need_no_writable_folder(offline: Person) -> None:
    nowhere = Person.__new__(Person)
    nowhere.root, nowhere.environ = Path("/proc"), offline.environ
    assert nowhere.types("runs").lines == ["No run is open. Ended ones: phaseloom runs --all"]
    assert nowhere.types("runs", "--json").json == {"runs": []}
    said = nowhere.tries("workflow", "status")
    assert (said.code, said.err.splitlines()[0]) == (4, "error: no run is open")
    report = nowhere.tries("doctor", "--json")
    assert report.code == 5
    assert any("no run can be started here" in problem for problem in report.json["problems"])
    assert nowhere.tries("workflow", "start", CATALOG).code == 6


def test_a_command_that_stands_below_workflow_is_named_with_it(offline: Person) -> None:
    said = offline.tries("checkpoints", "list", "--run", "wf_1")
    assert said.code == 2
    assert said.err.splitlines() == [
        "error: no such command 'checkpoints'",
        "hint: did you mean: phaseloom workflow checkpoints list --run wf_1",
    ]
