"""Definitions that come out of a pipe: read once, up to their end, and only where a person names the pipe."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.program.person import PROGRAM, SECONDS, Person

GOOD = "id: good\nagents: {w: {run: [echo, hi]}}\nphases: [{id: a, agents: [w]}, {id: b, agents: [w]}]\n"
BAD = "id: bad\nphases:\n  - {id: a, depends_on: [b]}\n"


@contextmanager
def pipe(path: Path, text: str) -> Iterator[str]:
    """A named pipe into which somebody writes this once."""
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=(text,))
    writer.start()
    yield str(path)
    writer.join(SECONDS)
    assert not writer.is_alive()


def test_a_dash_is_the_standard_input_and_what_is_wrong_in_it_has_its_place(offline: Person) -> None:
    said = offline.fed(BAD, "validate", "-")
    assert said.code == 3
    assert said.lines == ["<stdin>:3:26 PL103 phases.a.depends_on: no phase 'b'", "<stdin>: 1 error"]
    offline.write("other.yaml", GOOD)
    found = offline.fed(BAD, "validate", "other.yaml", "-", "--json").json
    assert [(file["file"], file["ok"]) for file in found["files"]] == [("other.yaml", True), ("<stdin>", False)]


def test_it_is_checked_under_the_project_that_the_command_stands_in(offline: Person) -> None:
    offline.write("phaseloom.yaml", "agents: {backend: {run: [make]}}\n")
    (offline.root / "definitions").mkdir()
    offline.write("definitions/good.yaml", GOOD)
    text = (
        "agents: {c: {uses: workflow, definition: good}}\nphases: [{id: a, agents: [backend]}, {id: b, agents: [c]}]\n"
    )
    assert offline.fed(text, "validate", "-", "--strict").lines == ["<stdin>: valid (stdin, 2 phases)"]


def test_a_plan_and_a_picture_are_made_of_it_too(offline: Person) -> None:
    assert offline.fed(GOOD, "plan", "-", "--json").json["id"] == "good"
    assert "p0 --> p1" in offline.fed(GOOD, "graph", "-", "--format", "mermaid").out


def test_a_named_pipe_and_a_process_substitution_are_read_once(offline: Person) -> None:
    with pipe(offline.root / "pipe.yaml", GOOD):
        assert offline.types("validate", "pipe.yaml").lines == ["pipe.yaml: valid (good, 2 phases)"]
    ours, theirs = os.pipe()
    os.write(theirs, GOOD.encode())
    os.close(theirs)
    try:
        assert offline.types("plan", f"/dev/fd/{ours}", "--json").json["id"] == "good"
    finally:
        os.close(ours)


def test_what_has_no_end_is_too_large_and_what_is_empty_holds_nothing(offline: Person) -> None:
    assert offline.tries("validate", "/dev/zero").lines[0] == "/dev/zero:1:1 PL004 the file is larger than 16 MiB"
    with Path("/dev/zero").open("rb") as endless:
        done = subprocess.run(
            [PROGRAM, "validate", "-"], cwd=offline.root, stdin=endless, capture_output=True, text=True, check=False
        )
    assert done.stdout.startswith("<stdin>:1:1 PL004 ")
    assert offline.tries("validate", "-").lines[0] == "<stdin>:1:1 PL008 the file holds no definition"


@pytest.mark.parametrize("command", [("config", "show", "-"), ("workflow", "show", "-")])
def test_other_commands_say_that_they_read_none_there(offline: Person, command: tuple[str, ...]) -> None:
    said = offline.fed(GOOD, *command)
    assert said.code == 4
    assert "no definition is read from the standard input here" in said.err
    assert "validate, plan, graph, run and workflow start" in said.err


def test_it_can_be_read_once(offline: Person) -> None:
    said = offline.tries("validate", "-", "-")
    assert said.code == 2
    assert "the standard input can be read once" in said.err


def test_a_pipe_that_is_only_found_somewhere_is_not_waited_for(offline: Person) -> None:
    (offline.root / "definitions").mkdir()
    os.mkfifo(offline.root / "definitions" / "silent.yaml")
    offline.write("definitions/spoken.yaml", GOOD)
    assert offline.types("validate", "good").lines == ["definitions/spoken.yaml: valid (good, 2 phases)"]
    assert "there is no definition 'silent'" in offline.tries("validate", "silent").err
