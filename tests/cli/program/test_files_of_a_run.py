"""What is said of the project's files where a run began, and between two of its checkpoints."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from typing import Any

from cli.api import Client
from cli.api.starting import prepared
from tests.cli.program.person import Person, until

Json = dict[str, Any]

DRAFT = """\
id: draft
agents:
  writer: {uses: command, run: [sh, -c, "echo written > made.txt"]}
phases:
  - {name: Write, agents: [writer]}
  - {name: Read, agents: [lead]}
  - {name: Sign, agents: [lead]}
"""
MADE = {"changed": [], "new": ["made.txt"], "gone": [], "count": 1}


def drafted(person: Person) -> str:
    """A run whose agent has made a file since its start."""
    (person.root / "made.txt").unlink(missing_ok=True)
    (person.root / "definitions").mkdir(exist_ok=True)
    person.write("definitions/draft.yaml", DRAFT)
    run: str = person.types("workflow", "start", "draft", "--json").json["run"]
    written(person)
    return run


def written(person: Person) -> None:
    until(lambda: person.view()["phases"][1]["status"] == "in_progress")


def refused(person: Person, *words: str) -> Json:
    """The one thing that differs, for which a command does nothing."""
    said = person.tries("workflow", *words, "--json")
    assert said.code == 4
    (difference,) = said.json["error"]["differences"]
    assert isinstance(difference, dict)
    return difference


def test_back_to_the_beginning_of_a_run_the_files_that_differ_are_named(person: Person) -> None:
    run = drafted(person)
    found = refused(person, "restore", "beginning")
    assert (found["text"], found["files"]) == ("the files differ: new: made.txt", MADE)
    for words in (("resume", "--from", "beginning"), ("start", "draft", "--resume-from", "beginning")):
        assert refused(person, *words)["files"] == MADE
    assert refused(person, "restore", "--start-of", "write")["files"] == MADE
    (person.root / "made.txt").unlink()
    back = person.types("workflow", "restore", "beginning", "--json").json
    assert (back["run"], back["differences"], back["not_compared"]) == (run, [], [])
    written(person)  # not while the next test has its files told
    person.types("workflow", "cancel")


def test_a_run_that_has_ended_a_fork_and_a_restart_know_how_their_files_began(person: Person) -> None:
    run = drafted(person)
    person.types("workflow", "cancel")
    assert refused(person, "restore", run, "beginning")["files"] == MADE
    person.types("workflow", "restore", run, "beginning", "--yes")
    written(person)
    # It is the old run that goes on: where it began, the file was not there.
    assert refused(person, "restore", "beginning")["files"] == MADE
    person.types("workflow", "fork")
    written(person)
    assert asyncio.run(differing(person)) == []
    person.types("workflow", "restart")
    written(person)
    assert asyncio.run(differing(person)) == []
    (person.root / "made.txt").unlink()
    assert refused(person, "restore", "beginning")["text"] == "the files differ: gone: made.txt"
    person.types("workflow", "cancel")


def test_the_files_that_differ_between_two_checkpoints_are_named(person: Person) -> None:
    run = drafted(person)
    between = ("workflow", "checkpoints", "diff")
    assert person.types(*between, "beginning", "write", "--json").json["files"] == MADE
    person.write("made.txt", "by hand")
    person.write("more.txt", "more")
    assert "  file made.txt: new" in person.types(*between, "beginning", "write").lines  # as they were told then
    until_now = {"changed": ["made.txt"], "new": ["more.txt"], "gone": [], "count": 2}
    assert person.types(*between, "write", "--json").json["files"] == until_now
    person.types("workflow", "next")
    (person.root / "more.txt").unlink()
    shown = person.types(*between, "write", "read").lines
    assert shown[2:] == ["  file made.txt: changed", "  file more.txt: new"]
    person.types("workflow", "cancel")
    # Of a run that has ended it is what its newest result tells, whatever has become of the files.
    assert person.types(*between, "write", "--run", run, "--json").json["files"] == until_now


async def differing(person: Person) -> list[str]:
    """What differs from the beginning of the current run."""
    async with Client.connect(person.root) as client:
        found = await (await client.current()).comparison("beginning")
    assert found.not_compared == ()
    return [each.text for each in found.differences]


def test_in_git_the_start_of_a_run_tells_the_commit_too(person: Person) -> None:
    git = ("git", "-c", "user.name=ana", "-c", "user.email=ana@example.org")
    (person.root / "made.txt").unlink(missing_ok=True)
    person.write(".gitignore", ".phaseloom\ndefinitions\nno-config\n")
    for words in (("init", "-q"), ("add", ".gitignore"), ("commit", "-qm", "one")):
        subprocess.run([*git, *words], cwd=person.root, check=True)
    drafted(person)
    shown = person.types("workflow", "checkpoints", "show", "beginning").out
    assert "Files: all committed" in shown
    found = refused(person, "restore", "beginning")
    assert (found["what"], found["files"]) == ("uncommitted", MADE)
    person.types("workflow", "cancel")
    shutil.rmtree(person.root / ".git")


def test_of_a_run_that_another_client_started_it_is_not_known(person: Person) -> None:
    run = asyncio.run(started_elsewhere(person))
    told = person.types("workflow", "restore", run, "beginning", "--json").json
    assert told["differences"] == []
    assert "nothing until then tells what they were" in told["not_compared"][0]["text"]
    person.types("workflow", "cancel", "--run", run)


async def started_elsewhere(person: Person) -> str:
    """A run whose start tells nothing of files."""
    async with Client.connect(person.root) as client:
        connection = client.connection
        plan = prepared("draft", person.root).plan
        start = {"plan": plan.to_json(), "search_attributes": connection.attributes}
        await connection.client.start_workflow("PhaseRun", start, id="wf_else00", task_queue=connection.task_queue)
    return "wf_else00"
