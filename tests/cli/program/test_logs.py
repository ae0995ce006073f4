"""Logs from the worker's machine and from others, cut and kept as the project says."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.places import run_directory
from tests.cli.program.person import Person, interrupt, until

DEFINITION = """
name: Noisy
agents:
  builder: {uses: command, run: [sh, -c, "echo building; sleep 0.2; echo built"]}
  broken: {uses: command, run: [sh, -c, "echo what is wrong; exit 3"]}
phases:
  - {name: Build, agents: [builder]}
  - {name: Break, agents: [broken], retry: {max_attempts: 1}, depends_on: []}
  - {name: Review, agents: [lead], depends_on: [build]}
"""


@pytest.fixture(scope="module")
def shared(person: Person) -> Iterator[list[str]]:
    """Options for the project's server as others reach it, where a worker in the project's directory works."""
    options = ["--address", person.types("doctor", "--json").json["address"]]
    worker = person.begins("worker", *options)
    assert worker.stdout is not None
    assert worker.stdout.readline().startswith("Working for 127.0.0.1:")
    yield options
    interrupt(worker, signal.SIGTERM)


@pytest.fixture(scope="module")
def colleague(person: Person, tmp_path_factory: pytest.TempPathFactory) -> Person:
    """Somebody with a checkout of the same project elsewhere, who has none of the worker's files."""
    root = tmp_path_factory.mktemp("elsewhere")
    (root / ".phaseloom").mkdir()
    own = (person.root / ".phaseloom" / "project.json").read_bytes()
    (root / ".phaseloom" / "project.json").write_bytes(own)
    return Person(root)


def test_the_runs_log_is_followed_from_another_machine_until_it_ends(
    person: Person, colleague: Person, shared: list[str]
) -> None:
    person.write("noisy.yaml", DEFINITION)
    person.types("workflow", "start", "noisy.yaml", *shared)
    run = person.current
    following = colleague.begins("workflow", "logs", "-f", "--run", run, *shared)
    assert following.stdout is not None
    assert following.stdout.readline().endswith(f"[INFO] Workflow {run} started\n")
    until(lambda: "waits_for" in waiting(person, run, shared))
    person.types("workflow", "intervene", "skip", "--phase", "break", "--reason", "known", "--run", run, *shared)
    person.types("workflow", "next", "--run", run, *shared)
    out = following.stdout.read()  # ends with the command
    assert following.wait(30) == 0
    assert out.splitlines()[-1].endswith(f"[INFO] Workflow {run} completed")
    written = run_directory(person.root, run) / "logs" / "orchestrator.log"
    until(lambda: written.read_text(encoding="utf-8").splitlines()[1:] == out.splitlines())
    assert colleague.types("workflow", "logs", "--run", run, "-n", "1", *shared).lines == out.splitlines()[-1:]


def waiting(person: Person, run: str, shared: list[str]) -> str:
    rows = person.types("workflow", "status", "--run", run, "--json", *shared).json["phases"]
    ready = rows[1]["status"] == "paused" and rows[2]["status"] == "in_progress"
    return json.dumps(rows) if ready else ""


def test_agents_output_comes_from_the_store_or_it_is_said_who_has_it(
    person: Person, colleague: Person, shared: list[str]
) -> None:
    run = person.current
    where = ["--run", run, *shared]
    assert "built" in person.types("workflow", "logs", "build", *where).out
    said = colleague.tries("workflow", "logs", "build", *where)
    assert said.code == 4
    assert f"the log of Build is on {os.uname().nodename}" in said.err
    (colleague.root / ".phaseloom" / "artifacts").symlink_to(person.root / ".phaseloom" / "artifacts")
    assert (
        colleague.types("workflow", "logs", "build", *where).lines
        == person.types("workflow", "logs", "build", *where).lines
    )
    assert "built" in colleague.types("workflow", "logs", "build", "-n", "2", *where).lines
    assert "built" in colleague.types("workflow", "logs", "build", "-f", *where).lines


def test_the_log_of_a_failure_is_there_too_and_interrupting_leaves_nothing(
    person: Person, colleague: Person, shared: list[str]
) -> None:
    person.types("workflow", "start", "noisy.yaml", *shared)
    run = person.current
    until(lambda: "waits_for" in waiting(person, run, shared))
    assert "what is wrong" in colleague.types("workflow", "logs", "break", "--run", run, *shared).lines
    following = colleague.begins("workflow", "logs", "-f", "--run", run, *shared)
    assert following.stdout is not None
    assert following.stdout.readline()
    assert interrupt(following).code == 130
    person.types("workflow", "cancel", "--run", run, *shared)


def test_logs_are_cut_and_kept_as_the_project_says(alone: Person) -> None:
    alone.write("phaseloom.yaml", "logs: {keep: 1d, max_size: 64KiB}\n")
    alone.write("long.yaml", "name: Long\nphases: [{name: Count, tool: sh, tasks: [seq 100000]}]\n")
    old = run_directory(alone.root, "wf_old000")
    (old / "logs").mkdir(parents=True)
    (old / "logs" / "phase-a.log").write_text("old\n")
    (old / "archive.json").write_text("{}")
    os.utime(old / "archive.json", (1.0, 1.0))
    alone.types("run", "long.yaml")
    lines = alone.types("workflow", "logs", "count").lines
    assert "100000" in lines
    assert any("left out; the end of the output:" in line for line in lines)
    assert sum(map(len, lines)) < 70_000
    until(lambda: not (old / "logs").exists())
    run = alone.current
    log = run_directory(alone.root, run) / "logs"
    assert alone.types("logs", "prune").lines == ["No run ended so long ago, or its logs are gone already."]
    assert alone.types("logs", "prune", "--older-than", "0", "--dry-run", "--json").json["runs"][0]["run"] == run
    assert log.exists()
    assert alone.types("logs", "prune", "--older-than", "0").lines[0].startswith("Removed the logs of 1 run, ")
    assert not log.exists()
    said = alone.tries("workflow", "logs", "count", "--run", run)
    assert (said.code, said.err.splitlines()[0]) == (4, f"error: the logs of {run} have been removed")
    assert alone.types("workflow", "logs", "--run", run).lines[-1].endswith("completed"), "its archive tells it"


def test_without_a_word_about_it_nothing_is_removed(offline: Person) -> None:
    said = offline.tries("logs", "prune")
    assert said.code == 2
    assert "nothing says how old logs may become" in said.err
    folder: Path = offline.root / ".phaseloom"
    assert not folder.exists()
