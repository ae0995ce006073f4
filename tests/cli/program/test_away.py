"""Runs whose worker or server is away, and runs that are over."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from cli.reach.contact import _Waiting
from tests.cli.program.person import Person, interrupt, until

CATALOG = "full-stack-parallel"


@pytest.fixture
def elsewhere(person: Person) -> Iterator[list[str]]:
    """Options that lead to a server where nobody works for this project: another namespace of its own server."""
    address = person.types("doctor", "--json").json["address"]
    yield ["--address", address]
    for run in person.types("runs", "--address", address, "--json").json["runs"]:
        person.tries("workflow", "cancel", "--address", address, "--run", run["run"])


def test_a_message_without_a_worker_is_a_signal_that_counts_when_one_is_back(
    person: Person, elsewhere: list[str]
) -> None:
    worker = person.begins("worker", *elsewhere)
    assert worker.stdout is not None
    assert worker.stdout.readline().startswith("Working for 127.0.0.1:")
    person.types("workflow", "start", CATALOG, *elsewhere)
    assert interrupt(worker, signal.SIGTERM).code == 0
    said = person.types("workflow", "next", *elsewhere)
    assert said.lines == ["No worker answers now: sent as a signal, it counts when a worker is back."]
    assert "waiting for a worker" in said.err
    listed = person.types("runs", *elsewhere).lines
    assert listed[1].split()[-1] == "ui-ux-expert"
    worker = person.begins("worker", *elsewhere)
    assert worker.stdout is not None
    assert worker.stdout.readline().startswith("Working for 127.0.0.1:")

    counts: list[int] = []

    def completed() -> int:
        said = person.tries("workflow", "status", "--json", *elsewhere)  # the worker may not answer at once
        counts.append(int(said.json["progress"]["completed"]) if said.code == 0 else 0)
        return counts[-1]

    until(completed)
    assert counts[-1] == 1
    person.types("workflow", "cancel", *elsewhere)
    interrupt(worker, signal.SIGTERM)


def test_each_command_is_told_once_that_its_answer_takes_long() -> None:
    waiting = _Waiting()
    waiting.say()
    told: list[list[str]] = [[], []]
    for command in told:
        waiting.tell = command.append
        waiting.say()
        waiting.say()
    assert told == [["waiting for a worker to answer…"]] * 2


def test_nobody_at_the_address_ends_with_5(offline: Person) -> None:
    said = offline.tries("runs", "--address", "127.0.0.1:1")
    assert said.code == 5
    assert said.err.startswith("error: no Temporal server answers at 127.0.0.1:1")
    assert offline.tries("runs", "--address", "127.0.0.1:1", "--json").json["error"]["code"] == "unreachable"


def test_an_ended_run_is_read_while_nothing_runs(alone: Person) -> None:
    alone.write("quick.yaml", "name: Quick\nphases:\n  - {name: One, tool: sh, tasks: [echo hello]}\n")
    alone.types("run", "quick.yaml")
    run = alone.current
    alone.types("down")
    status = alone.types("workflow", "status", "--run", run)
    assert status.lines[2].startswith("Status: completed")
    assert alone.types("workflow", "why", "one", "--run", run).lines[0] == "One (index: 0) is completed."
    assert "hello" in alone.types("workflow", "logs", "one", "--run", run).out
    assert alone.types("workflow", "watch", "--run", run).lines[-2] == "✓ All steps complete"
    assert not (alone.root / ".phaseloom" / "supervisor.json").exists()
    report = alone.tries("doctor", "--json")
    assert (report.code, report.json["reachable"]) == (5, False)
    assert alone.types("down").lines == ["Nothing was running."]


def test_up_stays_in_front_and_ends_in_order(alone: Person) -> None:
    process = alone.begins("up")
    assert process.stdout is not None
    assert process.stdout.readline().startswith("Starting the server of ")
    assert process.stdout.readline().startswith("Server ready at 127.0.0.1:")
    alone.types("workflow", "start", CATALOG)
    assert alone.types("doctor").out.count("this project's own") == 1
    said = interrupt(process)
    assert said.code == 0
    assert said.lines[-1] == "Stopped. Open runs go on with the next phaseloom command here."
    assert alone.types("workflow", "next").lines[1] == "Started 2 parallel phases:"
