"""A definition can run another as one of its phases: the child is a run like every other."""

from __future__ import annotations

from tests.cli.program.person import Person, until

CHILD = """\
id: inner
inputs: {word: {type: string}}
agents:
  echo: {uses: command, run: [echo, "${inputs.word}"], outputs: {said: {type: string, value: "${stdout}"}}}
phases:
  - {name: Say, agents: [echo]}
  - {name: Approve, agents: [lead]}
"""
PARENT = """\
id: outer
agents:
  inner: {uses: workflow, definition: inner, inputs: {word: hello}}
  reader: {uses: command, run: [echo, "${phases.sub.outputs.say.said}"]}
phases:
  - {name: Sub, agents: [inner]}
  - {name: Read, agents: [reader]}
"""


def test_a_child_run_is_listed_driven_and_read_like_every_run(person: Person) -> None:
    (person.root / "definitions").mkdir()
    person.write("definitions/inner.yaml", CHILD)
    person.write("definitions/outer.yaml", PARENT)
    person.types("workflow", "start", "outer")
    child = f"{person.current}.sub"
    until(lambda: child in person.types("runs", "--json").out)
    until(
        lambda: (
            person.types("workflow", "status", "--run", child, "--json").json["phases"][1]["status"] == "in_progress"
        )
    )
    assert person.types("workflow", "next", "--run", child).lines[-1] == "The workflow is complete."
    until(lambda: person.view()["status"] == "completed")
    assert "hello" in person.types("workflow", "logs", "read").out
    assert "Status: completed" in person.types("workflow", "status", "--run", child).out


def test_what_cannot_be_a_child_is_refused_before_anything_starts(person: Person) -> None:
    absent = person.write("absent.yaml", PARENT.replace("definition: inner", "definition: innner"))
    said = person.tries("workflow", "start", absent)
    assert said.code != 0
    assert "there is no definition 'innner'" in said.err
    (person.root / "definitions").mkdir(exist_ok=True)
    person.write(
        "definitions/loop.yaml",
        PARENT.replace("id: outer", "id: loop").replace("definition: inner", "definition: loop"),
    )
    said = person.tries("workflow", "start", "loop")
    assert said.code != 0
    assert "a run cannot contain itself: loop -> loop" in said.err
