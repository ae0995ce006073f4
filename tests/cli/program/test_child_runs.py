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
    assert said.code == 3
    assert "absent.yaml:3:39 PL408" in said.err
    assert "there is no definition 'innner'" in said.err
    (person.root / "definitions").mkdir(exist_ok=True)
    person.write(
        "definitions/loop.yaml",
        PARENT.replace("id: outer", "id: loop").replace("definition: inner", "definition: loop"),
    )
    said = person.tries("workflow", "start", "loop")
    assert said.code == 3
    assert "a run cannot contain itself: loop -> loop" in said.err


def test_validate_says_what_keeps_a_child_from_running_as_start_does(offline: Person) -> None:
    (offline.root / "definitions").mkdir()
    offline.write("definitions/outer.yaml", PARENT)
    said = offline.tries("validate", "outer", "--json")
    assert said.code == 3
    (file,) = said.json["files"]
    assert not file["ok"]
    errors = [each for each in file["diagnostics"] if each["severity"] == "error"]
    assert [(each["code"], each["line"]) for each in errors] == [("PL408", 3)]
    offline.write("definitions/inner.yaml", CHILD)
    assert offline.types("validate", "outer").lines[-1].startswith("definitions/outer.yaml: valid (outer, 2 phases")
    offline.write("definitions/inner.yaml", CHILD + "execution: {max_workers: '${env.MANY}'}\n")
    told = offline.tries("validate", "outer", "--json").json["files"][0]
    assert [each["file"] for each in told["not_startable"]] == ["definitions/inner.yaml"]


def test_plan_counts_a_child_by_its_own_forecast(offline: Person) -> None:
    (offline.root / "definitions").mkdir()
    offline.write("definitions/outer.yaml", PARENT.replace("{name: Read,", "{name: Read, estimate: 5m,"))
    offline.write("definitions/inner.yaml", CHILD)
    told = offline.types("plan", "outer", "--json").json
    assert [each["length_from"] for each in told["phases"]] == ["assumed", "estimate"]
    offline.write("definitions/inner.yaml", CHILD.replace("name: Say,", "name: Say, estimate: 10m,"))
    told = offline.types("plan", "outer", "--json").json
    assert [each["length_from"] for each in told["phases"]] == ["child", "estimate"]
    assert told["phases"][0]["length"] == {"low": 1200, "high": 1200}
    assert "1 phase as long as the child's own plan says." in offline.types("plan", "outer").out
