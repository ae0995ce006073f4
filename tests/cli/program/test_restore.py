"""Going back at the command line: real agents are stopped, ended runs go on as new ones, what differs is said first."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import psutil
import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest

from cli.api import Client, Comparison, PhaseDetails
from cli.reach.runs import described_run
from tests.cli.program.person import SECONDS, Person, until

Json = dict[str, Any]

LIFE = """\
id: life
inputs: {feature: {type: string, default: till}}
agents:
  writer: {uses: command, run: [sh, write.sh]}
  maker: {uses: command, run: [sh, make.sh]}
  sleeper: {uses: command, run: [sleep, "73.25"]}
  stubborn: {uses: command, run: [sh, -c, "trap '' TERM; sleep 73.75 & wait; sleep 73.75"]}
  careful: {uses: command, run: [sh, -c, "trap 'until test -e go; do sleep 0.02; done; exit' TERM; sleep 73.75 & wait"]}
phases:
  - {name: Plan, agents: [writer]}
  - {name: Design, agents: [lead]}
  - {name: Build, agents: [writer], prompt: "${phases.design.outputs.api}"}
  - {name: Left, agents: [LEFT], parallel: true, timeout: never}
  - {name: Right, agents: [RIGHT], parallel: true, timeout: never}
  - {name: Review, agents: [lead]}
"""


def life(person: Person, *, left: str = "writer", right: str = "writer") -> None:
    (person.root / "definitions").mkdir(exist_ok=True)
    person.write("write.sh", 'echo "{\\"at\\": \\"$PHASELOOM_PHASE\\"}" > "$PHASELOOM_OUTPUT"\n')
    person.write("make.sh", 'head -c 9000 /dev/zero > "$PHASELOOM_ARTIFACTS/big.txt"\n')
    person.write("definitions/life.yaml", LIFE.replace("[LEFT]", f"[{left}]").replace("[RIGHT]", f"[{right}]"))


def begun(person: Person, *options: str) -> str:
    """A run whose design a person has done."""
    run: str = person.types("workflow", "start", "life", "--json", *options).json["run"]
    until(lambda: person.view()["phases"][1]["status"] == "in_progress")
    person.types("workflow", "next", "-o", "api=v1")
    return run


def sleeping(person: Person, number: str) -> list[psutil.Process]:
    found = [each for each in psutil.process_iter(["cmdline", "cwd"]) if number in (each.info["cmdline"] or ())]
    return [each for each in found if each.info["cwd"] == str(person.root.resolve())]  # the same test may run elsewhere


def facts(person: Person, run: str) -> list[str]:
    journal = person.root / ".phaseloom" / "workflows" / run / "journal.jsonl"
    whole, _, _ = journal.read_text(encoding="utf-8").rpartition("\n")  # the last line may be half written
    return [json.loads(line)["kind"] for line in whole.splitlines()]


def statuses(view: Json) -> dict[str, str]:
    return {row["id"]: row["status"] for row in view["phases"]}


def test_checkpoints_are_listed_shown_compared_made_and_exported(person: Person) -> None:
    life(person)
    run = begun(person)
    until(lambda: person.view()["phases"][5]["status"] == "in_progress")
    listed = person.types("workflow", "checkpoints", "list", "--json").json["checkpoints"]
    assert sorted(row["name"] for row in listed) == ["build", "design", "left", "plan", "right"]
    assert "Checkpoint saved: mine" in person.types("workflow", "checkpoints", "create", "mine", "--note", "so far").out
    assert "ana: so far" in person.types("workflow", "checkpoints", "list", "--limit", "1").out
    told = person.types("workflow", "checkpoints", "show", "design", "--json").json
    assert (told["completed"], told["outputs"]["design"], told["git_commit"]) == (
        ["plan", "design"],
        {"api": "v1"},
        "unknown",
    )
    assert "Output: design.api = v1" in person.types("workflow", "checkpoints", "show", "design").out
    shown = person.types("workflow", "checkpoints", "diff", "plan", "design").out
    assert "design: pending -> completed" in shown
    assert "design.api: none -> v1" in shown
    assert person.tries("workflow", "checkpoints", "show", "desing").code == 4
    person.types("workflow", "checkpoints", "export", "design")
    folder = person.root / ".phaseloom" / "workflows" / run
    exported = json.loads((folder / "checkpoints" / "design.json").read_text(encoding="utf-8"))
    assert {key: exported[key] for key in told} == told
    assert json.loads((folder / "state.json").read_text(encoding="utf-8"))["completed"][-1] in {"left", "right"}
    # An exported checkpoint goes on anywhere, with the same view.
    moved = shutil.move(folder / "checkpoints" / "design.json", person.root.parent / "elsewhere.json")
    told_of = person.types("workflow", "restore", str(moved), "--json").json
    new = told_of["run"]
    assert (told_of["checkpoint"], told_of["restored_from"]) == ("design", run)
    again = person.types("workflow", "checkpoints", "show", "design", "--run", new, "--json").json
    assert {**again, "run": run} == told
    for each in (run, new):
        person.types("workflow", "cancel", "--run", each)


def test_a_run_goes_back_while_parallel_agents_work_and_none_survives(person: Person) -> None:
    life(person, left="sleeper", right="stubborn")
    run = begun(person)
    until(lambda: sleeping(person, "73.25") and sleeping(person, "73.75"))
    old = sleeping(person, "73.25") + sleeping(person, "73.75")
    said = person.types("workflow", "restore", run, "plan", "--note", "again")
    assert f"{run} is back at plan." in said.out
    assert "Files of the project stay as they are" in said.out
    assert not [each for each in old if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
    view = person.view()
    assert list(statuses(view).values()) == ["completed", "in_progress", *["pending"] * 4]
    assert [row["epoch"] for row in view["phases"]] == [0, 1, 1, 1, 1, 0]
    person.types("workflow", "resume", "--from", "beginning")
    until(lambda: statuses(person.view())["design"] == "in_progress")
    assert [row["epoch"] for row in person.view()["phases"][:3]] == [1, 2, 2]
    until(lambda: facts(person, run).count("restored") == 2)
    assert person.tries("workflow", "resume", "--from", "elsewhere").code == 2
    assert person.tries("workflow", "resume", "--from", "phase-start").code == 2
    person.types("workflow", "cancel", "--run", run)


def test_a_run_that_is_cancelled_while_it_goes_back_is_not_said_to_be_back(person: Person) -> None:
    life(person, left="sleeper", right="careful")
    run = begun(person)
    until(lambda: sleeping(person, "73.25") and sleeping(person, "73.75"))
    going = person.begins("workflow", "restore", run, "plan")
    until(lambda: "restoring" in person.view())
    person.types("workflow", "cancel", "--run", run, "--no-wait")  # at once: the agent is killed after its grace
    assert person.view()["stopping"] is not None
    person.write("go", "")
    out, err = going.communicate(timeout=SECONDS)
    assert going.returncode == 4
    assert f"{run} was cancelled meanwhile" in err
    assert "is back at" not in out


@pytest.mark.parametrize("end", ["completed", "failed", "cancelled", "terminated", "forgotten"])
def test_a_run_that_has_ended_goes_on_as_a_new_one_linked_both_ways(person: Person, end: str) -> None:
    life(person, left="writer" if end in {"completed", "failed"} else "sleeper")
    run = begun(person)
    until(lambda: statuses(person.view())["right"] == "completed")
    if end in {"completed", "failed"}:
        until(lambda: statuses(person.view())["review"] == "in_progress")  # the left one has its own time
    if end == "completed":
        person.types("workflow", "next", "-o", "verdict=no")
    elif end == "failed":
        person.types("workflow", "fail-phase", "review", "--error", "no")
        person.types("workflow", "intervene", "cancel", "--phase", "review")
    elif end == "cancelled":
        person.types("workflow", "cancel")
    else:
        asyncio.run(terminated(person, run, forgotten=end == "forgotten"))
    if end == "forgotten":
        says_that_it_is_lost(person, run)
    told = person.types("workflow", "restore", run, "design", "--json").json
    new = told["run"]
    assert (told["in_place"], told["restored_from"], told["differences"]) == (False, run, [])
    assert new != run
    view = person.view()
    assert (view["run"], view["status"], view["restored_from"]) == (new, "running", run)
    assert statuses(view)["design"] == "completed"
    assert asyncio.run(details(person, new, "design")).outputs == {"api": "v1"}
    before = person.types("workflow", "status", "--run", run).out
    assert f"Restored as: {new} from design" in before
    assert f"Restored from: {run} at design" in person.types("workflow", "status").out
    person.types("workflow", "cancel")
    until(lambda: {new, run} <= person.runs("--all").keys())
    found = person.runs("--all")
    assert (found[new]["restored_from"], found[run]["restored_as"]) == (run, new)


def says_that_it_is_lost(person: Person, run: str) -> None:
    """A run that neither the server nor an archive knows is listed, and whoever asks is told how to go on."""
    again = f"go on as a new run with: phaseloom workflow resume --from last-checkpoint --run {run}"
    until(lambda: person.runs("--all")[run]["status"] != "terminated")  # a list forgets a run a moment after the server
    found = person.runs("--all")[run]
    assert (found["status"], found["definition"], found["ended_at"]) == ("lost", "life", None)
    assert run not in person.types("runs").out
    status = person.types("workflow", "status", "--run", run)
    assert "Status: lost" in status.out
    assert again.capitalize() + " (or --from beginning)" in status.out
    assert "Options:" not in status.out
    for words in (("pause",), ("watch",)):
        refused = person.tries("workflow", *words, "--run", run)
        assert (refused.code, f"hint: {again}" in refused.err) == (4, True)


def test_a_run_that_only_its_archive_tells_of_is_listed_and_refuses_messages(person: Person) -> None:
    life(person)
    run = begun(person)
    person.types("workflow", "cancel")
    folder = person.root / ".phaseloom" / "workflows" / run
    until((folder / "archive.json").exists)
    shutil.copytree(folder, folder.with_name("wf_gone00"))  # the server knows nothing of it
    gone = person.runs("--all")["wf_gone00"]
    assert (gone["definition"], gone["status"], gone["waiting_for"]) == ("life", "cancelled", [])
    assert gone["current"] is False
    assert "wf_gone00" not in person.types("runs").out
    assert "error: the run is cancelled" in person.tries("workflow", "pause", "--run", "wf_gone00").err
    shutil.rmtree(folder.with_name("wf_gone00"))


async def details(person: Person, run: str, phase: str) -> PhaseDetails:
    async with Client.connect(person.root) as client:
        return await (await client.run(run)).phase(phase)


async def terminated(person: Person, run: str, *, forgotten: bool) -> None:
    """End a run without a word; and let the server forget it, as it does when its retention is over."""
    async with Client.connect(person.root) as client:
        connection = client.connection
        await connection.client.get_workflow_handle(run).terminate("for the test")
        if not forgotten:
            return
        request = DeleteWorkflowExecutionRequest(
            namespace=connection.client.namespace, workflow_execution=WorkflowExecution(workflow_id=run)
        )
        await connection.client.workflow_service.delete_workflow_execution(request)
        for _ in range(600):
            if await described_run(connection, run) is None:
                return
            await asyncio.sleep(0.1)
        raise AssertionError("the server remembers it")


async def compared(person: Person, run: str, checkpoint: str) -> Comparison:
    async with Client.connect(person.root) as client:
        return await (await client.run(run)).comparison(checkpoint)


def test_without_git_the_files_that_differ_are_named_before_anything_starts(person: Person) -> None:
    life(person)
    person.write("mine.txt", "one")
    run = begun(person)
    until(lambda: person.view()["phases"][5]["status"] == "in_progress")
    assert "files, without git" in person.types("workflow", "checkpoints", "show", "design").out
    person.write("mine.txt", "two")
    person.write("other.txt", "new")
    error = person.tries("workflow", "restore", "design", "--json").json["error"]
    text = "the files differ: changed: mine.txt; new: other.txt"
    assert error["message"] == f"not all is as it was at design: {text}"
    (difference,) = error["differences"]
    assert difference["files"] == {"changed": ["mine.txt"], "new": ["other.txt"], "gone": [], "count": 2}
    found = asyncio.run(compared(person, run, "design"))
    assert [(each.text, each.files) for each in found.differences] == [(text, difference["files"])]
    (person.root / "other.txt").unlink()
    assert "changed: mine.txt" in person.tries("workflow", "resume", "--from", "phase-start", "build").err
    assert "changed: mine.txt" in person.tries("workflow", "start", "life", "--resume-from", "build").err
    assert statuses(person.view())["review"] == "in_progress"
    shown = person.on_terminal("workflow", "restore", "design", columns=200, typed="y\n")
    assert shown.index("changed: mine.txt") < shown.index("Go back to design?") < shown.index("is back at design")
    person.write("mine.txt", "one")
    until(lambda: person.view()["phases"][5]["status"] == "in_progress")
    told = person.types("workflow", "restore", "design", "--json").json
    assert (told["differences"], told["not_compared"]) == ([], [])
    person.types("workflow", "cancel")
    (person.root / "mine.txt").unlink()


FIXED = """\
id: fixed
agents:
  writer: {uses: command, run: [sh, -c, "echo raw > mine.txt"]}
gates:
  tidy:
    checks: [{name: tidied, run: [grep, -q, tidy, mine.txt], fix: [sh, -c, "echo tidy > mine.txt"]}]
phases:
  - {name: Write, agents: [writer], gates: [tidy]}
  - {name: Look, agents: [lead]}
"""


def test_what_the_fixes_of_a_gate_left_is_how_the_files_were(person: Person) -> None:
    person.write("fixed.yaml", FIXED)
    run = person.types("workflow", "start", "fixed.yaml", "--json").json["run"]
    until(lambda: person.view()["phases"][1]["status"] == "in_progress")
    assert (person.root / "mine.txt").read_text(encoding="utf-8") == "tidy\n"
    assert asyncio.run(compared(person, run, "write")).differences == ()
    person.types("workflow", "cancel")
    for name in ("fixed.yaml", "mine.txt"):
        (person.root / name).unlink()


def test_what_is_no_longer_as_it_was_is_said_and_needs_a_yes(person: Person) -> None:
    life(person)
    git = ("git", "-c", "user.name=ana", "-c", "user.email=ana@example.org")
    (person.root / "notes.txt").write_text("one\n", encoding="utf-8")
    for words in (("init", "-q"), ("add", "notes.txt"), ("commit", "-qm", "one")):
        subprocess.run([*git, *words], cwd=person.root, check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], cwd=person.root, check=True, capture_output=True, text=True)
    run = begun(person)
    until(lambda: person.view()["phases"][5]["status"] == "in_progress")
    told = person.types("workflow", "checkpoints", "show", "design", "--json").json
    assert told["git_commit"] == head.stdout.strip()
    life(person, left="sleeper")
    (person.root / "notes.txt").write_text("two\n", encoding="utf-8")
    subprocess.run([*git, "commit", "-qam", "two"], cwd=person.root, check=True)
    refused = person.tries("workflow", "restore", "design")
    assert refused.code == 4
    assert "note: - the definition life has changed since; the plan that ran goes on" in refused.err
    assert "the files are at commit" in refused.err
    assert "--yes" in refused.err
    assert statuses(person.view())["review"] == "in_progress"
    answer = person.types("workflow", "restore", "design", "--yes", "--json").json
    assert [each["kind"] for each in answer["differences"]] == ["definition", "files"]
    assert (answer["in_place"], answer["run"], answer["checkpoint"]) == (True, run, "design")
    person.types("workflow", "cancel")


def test_in_git_a_file_that_was_dirty_already_is_named_when_it_changes_again(person: Person) -> None:
    life(person)
    git = ("git", "-c", "user.name=ana", "-c", "user.email=ana@example.org")
    person.write("notes.txt", "committed\n")
    for words in (("init", "-q"), ("add", "."), ("commit", "-qm", "three")):
        subprocess.run([*git, *words], cwd=person.root, check=True)
    person.write("notes.txt", "by hand\n")
    run = begun(person)
    shown = person.types("workflow", "checkpoints", "show", "design").out
    assert "Files: 1 not committed; changed: notes.txt" in shown
    assert person.types("workflow", "checkpoints", "show", "design", "--json").json["files"]["changed"] == ["notes.txt"]
    person.types("workflow", "checkpoints", "create", "mine")
    person.write("notes.txt", "again\n")
    for checkpoint in ("design", "mine"):
        (difference,) = person.tries("workflow", "restore", checkpoint, "--json").json["error"]["differences"]
        assert difference["what"] == "uncommitted"
        assert difference["files"] == {"changed": ["notes.txt"], "new": [], "gone": [], "count": 1}
    (difference,) = person.types("workflow", "restore", "design", "--yes", "--json").json["differences"]
    assert (run, difference["files"]["count"]) == (person.current, 1)
    person.types("workflow", "cancel")


def planned_by_a_script(person: Person, script: str | None = None) -> None:
    """A run of `life` whose plan comes from a script, by default from the one that `life` has."""
    life(person)
    if script is not None:
        person.write("make.sh", script)
    text = (person.root / "definitions" / "life.yaml").read_text(encoding="utf-8")
    text = text.replace("{name: Plan, agents: [writer]}", "{name: Plan, agents: [maker]}")
    person.write("definitions/life.yaml", text)
    begun(person)


def test_more_artifacts_than_a_result_lists_are_compared_too(person: Person) -> None:
    planned_by_a_script(person, 'for i in $(seq 70); do echo $i > "$PHASELOOM_ARTIFACTS/$i"; done\n')
    assert asyncio.run(compared(person, person.current, "plan")).differences == ()
    digest = hashlib.sha256(b"7\n").hexdigest()
    (person.root / ".phaseloom" / "artifacts" / digest[:2] / digest).unlink()
    assert "the artifact plan/7 is gone" in person.tries("workflow", "restore", "plan").err
    person.types("workflow", "cancel")


def test_on_a_terminal_a_long_comparison_of_artifacts_tells_how_far_it_is(person: Person) -> None:
    planned_by_a_script(person, 'truncate -s 70000000 "$PHASELOOM_ARTIFACTS/large"\n')
    shown = person.on_terminal("workflow", "restore", "plan", columns=200)
    assert "comparing artifacts" in shown
    assert "70.0" in shown
    person.types("workflow", "cancel")


def test_a_damaged_artifact_is_a_difference(person: Person) -> None:
    planned_by_a_script(person)
    (artifact,) = person.types("workflow", "checkpoints", "show", "plan", "--json").json["artifacts"]
    assert (artifact["phase"], artifact["name"], artifact["size"]) == ("plan", "big.txt", 9000)
    stored = person.root / ".phaseloom" / "artifacts" / artifact["sha256"][:2] / artifact["sha256"]
    stored.chmod(0o644)
    Path(stored).write_text("else", encoding="ascii")
    assert "the artifact plan/big.txt is damaged" in person.tries("workflow", "restore", "plan").err
    stored.unlink()
    assert "the artifact plan/big.txt is gone" in person.tries("workflow", "restore", "plan").err
    person.types("workflow", "cancel")


def test_a_definition_goes_on_with_its_last_run(person: Person) -> None:
    life(person)
    assert person.tries("workflow", "start", "life", "--resume-from", "build").code == 4
    run = begun(person)
    until(lambda: statuses(person.view())["review"] == "in_progress")
    assert person.types("workflow", "start", "life", "--resume-from", "build", "--json").json["run"] == run
    until(lambda: statuses(person.view())["review"] == "in_progress")
    assert [row["epoch"] for row in person.view()["phases"]] == [0, 0, 1, 1, 1, 1]
    assert person.tries("run", "life", "--resume-from", "build", "-i", "feature=x").code == 2
    person.types("workflow", "cancel")
    said = person.tries("run", "life", "--resume-from", "plan")
    assert said.code == 75
    assert f"Going on from start of plan of {run}" in said.out
    assert "[build]" not in said.out  # what the old run did is not told again
    assert person.current != run
    person.types("workflow", "cancel")
    logged = person.types("workflow", "logs").out
    assert f"goes on from start of plan of {run} by ana" in logged
