"""A phase that runs once per item, as an operator sees it: what `run` prints, `status`, decisions, logs, people."""

from __future__ import annotations

from tests.cli.program.person import Person, until

FLEET = """\
id: fleet
inputs: {services: {type: list, default: [api, web, db]}}
agents:
  builder:
    uses: command
    shell: 'test -e "$SERVICE" && echo "$PHASELOOM_ITEM_INDEX $PHASELOOM_ITEM"'
    env: {SERVICE: "${item}"}
phases:
  - {name: Build, agents: [builder], for_each: "${inputs.services}", max_parallel: 2}
  - {name: Check, agents: [tester], for_each: [east, west]}
"""


def test_items_run_fail_alone_and_are_decided_about_and_completed_one_by_one(person: Person) -> None:
    file = person.write("fleet.yaml", FLEET)
    for name in ("api", "db"):
        person.write(name, "")
    said = person.tries("run", file)
    assert said.code == 75
    assert "not in effect" not in said.err
    assert "    3 items" in said.lines
    assert any(line.startswith("✗ [build.1] Failed") for line in said.lines)
    shown = person.types("workflow", "status").out
    assert "(2/3 items, started" in shown
    assert "‖ build.1  paused" in shown
    assert '0 "api"' in person.types("workflow", "logs", "build.0").out
    person.write("web", "")
    person.types("workflow", "intervene", "retry", "--phase", "build.1")
    until(lambda: len([row for row in person.view()["active"] if row.get("waits_for") == "person"]) == 2)
    assert person.types("workflow", "why", "check").lines[1].endswith("0 of 2 are done, 2 running.")
    person.types("workflow", "complete-phase", "check.1", "--output", "ok=true")
    person.types("workflow", "complete-phase", "check.0")  # the last one of the run
    outputs = person.types("workflow", "status", "check", "--json").json["outputs"]
    assert outputs == {"items": [{}, {"ok": True}]}


REPORTS = """\
id: reports
agents:
  writer: {uses: command, tasks: ['echo "about $PHASELOOM_ITEM" > "$PHASELOOM_ARTIFACTS/report.md"']}
  binder: {uses: command, run: [sh, -c, 'cd "$PHASELOOM_FILES" && find . -type f | sort && cat write/items/*/*']}
  reader: {uses: command, run: [cat, "${phases.write.artifacts['items/1/report.md'].path}"]}
phases:
  - {name: Write, agents: [writer], for_each: [cellar, roof]}
  - {name: Bind, agents: [binder], inputs: [write.artifacts]}
  - {name: Read, agents: [reader]}
  - {name: Sign, agents: [lead]}
"""


def test_the_files_of_items_lie_before_a_later_agent_also_in_a_fork(person: Person) -> None:
    person.types("workflow", "start", person.write("reports.yaml", REPORTS))
    their_files_are_read(person)
    changed = person.write("changed.yaml", REPORTS.replace("sort &&", "sort -u &&").replace("[cat,", "[cat, -u,"))
    assert "Reused: write\n" in person.types("workflow", "fork", "--definition", changed).out
    their_files_are_read(person)
    listed = person.types("artifacts", "list", "--json").json["artifacts"]
    assert [(each["phase"], each["name"]) for each in listed] == [
        ("write", "items/0/report.md"),
        ("write", "items/1/report.md"),
    ]
    person.types("artifacts", "get", "write/items/1/report.md", "-o", "roof.md")
    assert (person.root / "roof.md").read_text(encoding="utf-8") == 'about "roof"\n'
    person.types("workflow", "cancel")


def their_files_are_read(person: Person) -> None:
    until(lambda: person.view()["phases"][3]["status"] == "in_progress")
    bound = person.types("workflow", "logs", "bind").out
    assert './write/items/0/report.md\n./write/items/1/report.md\nabout "cellar"\nabout "roof"' in bound
    read = person.types("workflow", "logs", "read").out
    assert 'about "roof"' in read
    assert 'about "cellar"' not in read
