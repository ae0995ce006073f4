"""`workflow restart`: the same work once more, from its beginning, with what its author has mended since."""

from __future__ import annotations

import os
import pty
import subprocess

import psutil
import pytest

from cli.api import Client, NoWorkerError
from tests.cli.program.person import PROGRAM, SECONDS, Person, until

WAITING = """\
id: again
inputs: {word: {type: string, required: true}}
agents:
  sleeper: {uses: command, run: [sleep, "61.5"]}
  echo: {uses: command, run: [echo, "said ${inputs.word}"]}
phases:
  - {name: Say, agents: [echo]}
  - {name: Approve, agents: [lead]}
"""


def defined(person: Person, text: str) -> None:
    (person.root / "definitions").mkdir(exist_ok=True)
    person.write("definitions/again.yaml", text)


def started(person: Person, *options: str) -> str:
    run: str = person.types("workflow", "start", "again", "--input", "word=hello", "--json", *options).json["run"]
    return run


def test_an_open_run_is_cancelled_and_started_anew_with_its_inputs_and_both_know_of_it(person: Person) -> None:
    defined(person, WAITING)
    old = started(person, "--max-workers", "3")
    said = person.types("workflow", "restart", "--run", old, "--json")
    told = said.json
    assert (told["restarted_from"], told["cancelled"], told["definition_changed"]) == (old, True, False)
    new = told["run"]
    assert person.current == new
    assert person.types("workflow", "status", "--run", old, "--json").json["status"] == "cancelled"
    view = person.view()
    assert (view["status"], view["restarted_from"], view["max_workers"]) == ("running", old, 3)
    until(lambda: "said hello" in person.tries("workflow", "logs", "say", "--run", new).out)
    assert f"restarted as {new}" in person.types("workflow", "logs", "--run", old).out
    until(lambda: {old, new} <= person.runs("--all").keys())
    assert person.runs("--all")[old]["restarted_as"] == new
    assert person.runs("--all")[new]["restarted_from"] == old
    person.types("workflow", "cancel", "--run", new)


def test_it_takes_the_definition_as_it_is_now_or_the_plan_that_ran(person: Person) -> None:
    defined(person, WAITING)
    old = started(person)
    defined(person, WAITING.replace("said ", "now says "))
    said = person.types("workflow", "restart", "--run", old, "--input", "word=bye")
    assert f"note: the definition has changed since {old}" in said.err
    assert f"takes the place of {old}" in said.out
    until(lambda: "now says bye" in person.tries("workflow", "logs", "say").out)
    second = person.current
    said = person.types("workflow", "restart", "--run", old, "--as-started")
    assert "has changed" not in said.err
    assert second != person.current
    until(lambda: "said hello" in person.tries("workflow", "logs", "say").out)
    for run in (second, person.current):
        person.types("workflow", "cancel", "--run", run)


def test_nothing_is_cancelled_when_the_new_run_cannot_be_started(person: Person) -> None:
    defined(person, WAITING)
    run = started(person)
    defined(person, WAITING + "surplus: 1\n")
    assert person.tries("workflow", "restart", "--run", run).code == 3
    (person.root / "definitions" / "again.yaml").unlink()
    said = person.tries("workflow", "restart", "--run", run)
    assert (said.code, "the definition 'again' is gone" in said.err) == (4, True)
    assert "--as-started" in said.err
    defined(person, WAITING.replace("{word:", "{number: {type: integer, required: true}, word:"))
    assert person.tries("workflow", "restart", "--run", run).code == 2
    assert person.tries("workflow", "restart", "--run", "wf_nobody").code == 4
    assert person.types("workflow", "status", "--run", run, "--json").json["status"] == "running"
    person.types("workflow", "cancel", "--run", run)


async def test_the_client_restarts_an_ended_run_and_refuses_without_a_worker(person: Person) -> None:
    defined(person, WAITING)
    async with Client.connect(person.root) as client:
        run = await client.start("again", inputs={"word": "x"}, max_workers=2)
        await run.cancel()
        again = await client.restart(run.id, inputs={"word": "y"})
        view = await again.view()
        assert (view.restarted_from, view.to_json()["max_workers"]) == (run.id, 2)
        assert (await client.restart()).id != again.id
        await (await client.current()).cancel()
    async with Client.connect(person.root, task_queue="nobody-works-here", patience=0.5) as client:
        run = await client.start("again", inputs={"word": "x"})
        with pytest.raises(NoWorkerError, match="nothing was started"):
            await client.restart(run)
        await client.connection.client.get_workflow_handle(run.id).terminate()


def test_a_terminal_is_asked_before_agents_are_stopped(person: Person) -> None:
    defined(person, WAITING.replace("agents: [echo]", "agents: [sleeper]"))
    run = started(person)
    until(lambda: sleeps(person))
    assert answered(person, "n\n", "workflow", "restart") == 4
    assert person.current == run
    assert answered(person, "y\n", "workflow", "restart") == 0
    assert person.current != run
    assert answered(person, "", "workflow", "restart", "--yes") == 0
    person.types("workflow", "cancel")


def sleeps(person: Person) -> bool:
    """Whether the sleeper of this project is at work: the same test may run elsewhere on the machine."""
    found = [each.info for each in psutil.process_iter(["cmdline", "cwd"]) if "61.5" in (each.info["cmdline"] or [])]
    return any(info["cwd"] == str(person.root.resolve()) for info in found)


def answered(person: Person, answer: str, *arguments: str) -> int:
    """The exit code of a command at a terminal where somebody types this answer."""
    ours, theirs = pty.openpty()
    try:
        os.write(ours, answer.encode())
        return subprocess.run(
            [PROGRAM, *arguments],
            cwd=person.root,
            env=person.environ,
            stdin=theirs,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
        ).returncode
    finally:
        os.close(ours)
        os.close(theirs)


def test_what_came_from_the_standard_input_is_only_in_the_run_itself(person: Person) -> None:
    text = WAITING.replace("id: again", "id: unwritten")
    old = person.fed(text, "run", "-", "--input", "word=hello", "--detach", "--json").json["run"]
    said = person.tries("workflow", "restart", "--run", old)
    assert "the definition 'unwritten' is gone; it was read from '<stdin>'" in said.err
    assert "--as-started" in said.err
    new = person.types("workflow", "restart", "--run", old, "--as-started", "--json").json["run"]
    person.types("workflow", "cancel", "--run", new)
    said = person.fed(text, "workflow", "start", "-", "--resume-from", "beginning")
    assert "no definition is read from the standard input here" in said.err
