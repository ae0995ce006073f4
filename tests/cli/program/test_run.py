"""`run` and `watch`: progress as it happens, and every way of leaving it."""

from __future__ import annotations

import os
import re
import signal
import sys

import psutil
import pytest

from tests.cli.program.person import SECONDS, Person, interrupt, until

WORKSTREAM = """{
  "id": "ws-pair", "description": "Two files and their index",
  "execution": {"max_workers": 2},
  "steps": [
    {"id": "step-01-a", "description": "a", "tool": "sh", "tasks": ["sleep 1.2; echo a > a.txt"], "depends_on": [],
     "acceptance_tests": ["test -f a.txt"]},
    {"id": "step-02-b", "description": "b", "tool": "sh", "tasks": ["sleep 1.2; echo b > b.txt"], "depends_on": [],
     "acceptance_tests": ["test -f b.txt"]},
    {"id": "step-03-index", "description": "index", "tool": "sh", "tasks": ["ls *.txt > INDEX"],
     "depends_on": ["step-01-a", "step-02-b"], "acceptance_tests": ["grep -q a.txt INDEX", "grep -q b.txt INDEX"]}
  ]
}"""

FAILING = """
name: Failing
agents:
  tester: {uses: command, run: [sh, -c, "echo FAILED tests/test_x.py; exit 3"]}
  ship: {uses: command, run: [echo, shipped]}
phases:
  - {name: Testing, agents: [tester]}
  - {name: Ship, agents: [ship]}
"""

SLOW = """
name: Slow
agents:
  waiter: {uses: command, run: [sleep, "1234.5"]}
phases:
  - {name: One, agents: [waiter], parallel: true}
  - {name: Two, agents: [waiter], parallel: true}
"""

TIMES = re.compile(r"\((\d+m )?\d+s\)|(in|after) (\d+m )?\d+s|~\d+(s|min)|\d+% time")


def sleeping(person: Person) -> list[int]:
    """Agents of `SLOW` that are alive in this project: the same test may run elsewhere on the machine."""
    here = str(person.root.resolve())
    found = [each for each in psutil.process_iter(["cmdline", "cwd"]) if "1234.5" in (each.info["cmdline"] or [])]
    return [process.pid for process in found if process.info["cwd"] == here]


def test_a_workstream_is_told_line_by_line_without_control_characters(person: Person) -> None:
    person.write("ws-pair.json", WORKSTREAM)
    said = person.types("run", "ws-pair.json")
    assert "\x1b" not in said.out
    lines = [TIMES.sub("…", line) for line in said.lines]
    assert lines[:6] == [
        "✓ Loading workstream: ws-pair",
        "✓ Validating schema",
        "✓ Checking file scope conflicts",
        "✓ Building dependency graph (3 steps, 2 dependencies)",
        "✓ Initializing worker pool (max_workers=2)",
        "⟳ Executing steps in parallel:",
    ]
    assert lines[6:8] == ["  → [step-01-a] Starting...", "  → [step-02-b] Starting..."]
    assert sorted(lines[8:10]) == ["✓ [step-01-a] Complete …", "✓ [step-02-b] Complete …"]
    assert lines[10:] == [
        "  → [step-03-index] Starting...",
        "✓ [step-03-index] Complete …",
        "✓ All steps complete",
        "✓ Running acceptance tests (3/3)",
        "  → step-01-a: PASS",
        "  → step-02-b: PASS",
        "  → step-03-index: PASS",
        "✓ Workstream complete …",
        "  (Sequential would have taken … - … saved)",
    ]
    again = person.types("workflow", "watch")
    assert again.lines[-2:] == said.lines[-2:]


def test_a_failure_waits_for_a_decision_and_the_options_are_numbered(person: Person) -> None:
    person.write("failing.yaml", FAILING)
    said = person.tries("run", "failing.yaml")
    assert said.code == 75
    assert "✗ [testing] Failed …: sh exited with 3" in [TIMES.sub("…", line) for line in said.lines]
    assert "    | FAILED tests/test_x.py" in said.lines
    assert "waits for a person" in said.err
    status = person.types("workflow", "status").lines
    at = status.index("The workflow has paused because tests are failing.")
    assert status[at + 1] == "Options:"
    assert status[at + 5] == "  4. Skip the testing phase (not recommended)"
    assert "FAILED tests/test_x.py" in person.types("workflow", "logs", "testing").out
    assert "- Testing (index: 0): paused" in person.types("workflow", "why", "ship").lines
    refused = person.tries("workflow", "intervene", "4")
    assert (refused.code, "--reason" in refused.err) == (4, True)
    assert person.tries("workflow", "intervene", "9").code == 2
    said = person.types("workflow", "intervene", "4", "--reason", "flaky")
    assert said.lines[0] == "Testing (index: 0) is skipped."
    assert person.types("workflow", "watch").lines[-2] == "✓ All steps complete"


def test_a_run_that_fails_ends_with_1(person: Person) -> None:
    person.write("failing.yaml", FAILING)
    said = person.tries("run", "failing.yaml", "--non-interactive")
    assert said.code == 1
    assert [TIMES.sub("…", line) for line in said.lines[-2:]] == [
        "✗ 0 of 2 steps complete, 1 failed, 1 skipped",
        "✗ Workflow failed …",
    ]
    told = person.tries("run", "failing.yaml", "--non-interactive", "--json")
    assert told.code == 1
    assert told.json["status"] == told.json["view"]["status"] == "failed"


def test_people_are_refused_or_waited_for_without_a_terminal(person: Person) -> None:
    said = person.tries("run", "full-stack-parallel", "--non-interactive")
    assert said.code == 4
    assert "people are needed for: design-contract" in said.err
    said = person.tries("run", "full-stack-parallel")
    assert said.code == 75
    assert said.lines[-1] == "    waits for api-expert, ui-ux-expert: phaseloom workflow complete-phase 0"
    assert f"workflow status --run {person.current}" in said.err
    person.types("workflow", "cancel")

    def listed() -> list[str]:
        runs = person.runs("--all")
        return [run for run, about in runs.items() if about["definition"] == "full-stack-parallel"]

    # By the time the list knows of this one it knows of one that should not have been started before.
    until(listed)
    assert listed() == [person.current]


def test_ctrl_c_cancels_the_run_and_waits_until_its_agents_are_gone(person: Person) -> None:
    person.write("slow.yaml", SLOW)
    process = person.begins("run", "slow.yaml")
    until(lambda: len(sleeping(person)) == 2)
    said = interrupt(process)
    assert said.code == 130
    assert sleeping(person) == []
    assert "cancelling the run" in said.err
    assert said.lines[-1].startswith("⊘ Workflow cancelled after")
    until(lambda: person.types("runs").lines == ["No run is open. Ended ones: phaseloom runs --all"])


def test_a_hang_up_leaves_the_run_alone_and_watching_never_harms(person: Person) -> None:
    person.write("slow.yaml", SLOW)
    process = person.begins("run", "slow.yaml")
    until(lambda: len(sleeping(person)) == 2)
    said = interrupt(process, signal.SIGHUP)
    assert said.code == 75
    assert "goes on without this command" in said.err
    watching = person.begins("workflow", "watch")
    assert watching.stdout is not None
    until(lambda: "Starting..." in (watching.stdout.readline() if watching.stdout else ""))
    assert interrupt(watching).code == 130
    assert len(sleeping(person)) == 2
    following = person.begins("workflow", "logs", "-f")
    refused = person.tries("down")
    assert refused.code == 4
    assert "/one/0/waiter#0" in refused.err
    said = person.types("workflow", "cancel")
    assert said.lines[-1] == f"Cancelled {person.current}. No agent is left running."
    assert sleeping(person) == []
    out, _ = following.communicate(timeout=SECONDS)
    assert out.splitlines()[-1].endswith(f"[WARN] Workflow {person.current} cancelled")


def test_detaching_returns_at_once(person: Person) -> None:
    person.write("ws-pair.json", WORKSTREAM)
    said = person.types("run", "ws-pair.json", "--detach")
    assert re.fullmatch(r"Started wf_[0-9a-z]{6}: ws-pair", said.lines[-2])
    assert person.types("workflow", "watch", "--json").json["status"] == "completed"


def test_more_agents_than_slots_queue(person: Person) -> None:
    person.write(
        "many.yaml",
        "name: Many\nagents: {a: {uses: command, run: [sleep, '60']}}\nphases:\n"
        + "".join(f"  - {{name: P{i}, agents: [a], parallel: true}}\n" for i in range(3)),
    )
    said = person.types("workflow", "start", "many.yaml", "--max-workers", "1")
    assert said.lines[1:] == [
        "Started 1 parallel phase:",
        "- P0 (index: 0)",
        "2 queued (waiting for a worker slot)",
        "Follow it with: phaseloom workflow watch",
    ]
    person.types("workflow", "cancel")


@pytest.mark.parametrize("colours", [True, False])
def test_on_a_terminal_phases_at_work_are_live_and_lines_stay_whole(person: Person, *, colours: bool) -> None:
    go = person.root / "go"
    go.unlink(missing_ok=True)
    person.write("ws-pair.json", WORKSTREAM.replace("sleep 1.2", "until test -e go; do sleep 0.05; done"))

    def see(shown: str) -> None:
        if re.search(r"step-01-a\*? +[█░]+ +\d+s", shown):
            go.touch()

    environ = {} if colours else {"NO_COLOR": "1"}
    shown = person.on_terminal("run", "ws-pair.json", columns=100, seeing=see, **environ)
    assert go.exists()
    assert ("\x1b[32m" in shown) is colours
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).replace("\r", "\n")
    lines = [line.rstrip() for line in plain.splitlines()]
    for words in ("✓ All steps complete", "✓ Running acceptance tests (3/3)", "  → step-03-index: PASS"):
        assert lines.count(words) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="process ids come from the records")
def test_a_run_in_front_survives_that_everything_behind_it_is_killed(alone: Person) -> None:
    alone.write(
        "two.yaml",
        "name: Two\nagents: {a: {uses: command, shell: 'until test -e go; do sleep 0.05; done'}}\n"
        "phases:\n  - {name: A, agents: [a]}\n",
    )
    process = alone.begins("run", "two.yaml")
    assert process.stdout is not None
    until(lambda: "Starting..." in (process.stdout.readline() if process.stdout else ""))
    until(alone.has_worker)
    for name in ("supervisor", "worker", "server"):
        os.kill(alone.record(name)["pid"], signal.SIGKILL)
    alone.write("go", "")  # not before: it is a run in the middle of its work that survives
    out, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, err
    assert "✓ All steps complete" in out.splitlines()
