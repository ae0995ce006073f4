"""What people hand over with a phase is stored, listed and handed on as what agents leave."""

from __future__ import annotations

import pytest

from cli.api import Client, UsageError
from tests.cli.program.person import Person, until

LONG = 100 * 1024

HANDED = """\
id: handed
agents:
  reader:
    uses: command
    env: {PLAN: "${phases.write.artifacts['plans/plan.pdf'].path}", NOTE: "${phases.look.artifacts['note.txt'].path}"}
    tasks:
      - 'cat "$PLAN" "$NOTE"'
      - |
        python3 -c 'import json, os; given = json.load(open(os.environ["PHASELOOM_INPUT"]))
        write = given["phases"]["write"]["outputs"]
        print(len(write["report"]), write["who"], write["size"])'
phases:
  - {name: Write, outputs: {report: {type: string}, who: {type: string}, size: {type: integer}}}
  - {name: Look}
  - {name: Read, agents: [reader], inputs: [write.report, write.who, write.size, write.artifacts, look.artifacts]}
"""

ITEMS = """\
id: handed-items
phases:
  - {name: Choose, outputs: {parts: {type: list}}}
  - {name: Build, agents: [lead], for_each: "${phases.choose.outputs.parts}"}
"""


def test_files_and_large_outputs_of_a_person_reach_later_phases_and_are_listed(person: Person) -> None:
    person.write("handed.yaml", HANDED)
    person.write("report.md", "r" * LONG)
    person.write("plan", "the plan\n")
    person.write("note.txt", "the note\n")
    person.types("workflow", "start", "handed.yaml")
    given = ["-o", "report=@report.md", "-o", "who=@@ana", "-o", "size=3", "--artifact", "plans/plan.pdf=plan"]
    person.types("workflow", "complete-phase", "write", *given)
    person.types("workflow", "next", "--artifact", "note.txt")
    until(lambda: person.view()["status"] == "completed")
    log = [line.partition("] ")[2] or line for line in person.types("workflow", "logs", "read").lines]
    assert any(line.endswith("the plan") for line in log)
    assert any(line.endswith("the note") for line in log)
    assert any(line.endswith(f"{LONG} @ana 3") for line in log)
    listed = person.types("artifacts", "list", "--json").json["artifacts"]
    assert [(each["phase"], each["name"], each["size"], each["media_type"]) for each in listed] == [
        ("write", "plans/plan.pdf", 9, "application/octet-stream"),
        ("write", "outputs.report", LONG + 2, "application/json"),
        ("look", "note.txt", 9, "text/plain"),
    ]
    assert person.types("artifacts", "get", "write/plans/plan.pdf", PYTHONUTF8="1").out == "the plan\n"
    assert "plans/plan.pdf" in person.types("workflow", "why", "write").out


def test_what_cannot_be_handed_over_is_refused_and_the_phase_stays_open(person: Person) -> None:
    person.write("handed.yaml", HANDED)
    person.types("workflow", "start", "handed.yaml")
    person.write("list.json", f'["{"x" * LONG}"]')
    (person.root / "binary").write_bytes(b"\xff\xfe")
    for given, words in (
        (("-o", "report=@away.md"), "output 'report': away.md cannot be read: No such file or directory"),
        (("-o", "report=@binary"), "output 'report': binary is no text"),
        (("-o", "report=@list.json"), "output 'report' of Write must be string"),
        (("--artifact", "away.pdf"), "there is no file away.pdf"),
        (("--artifact", "."), "--artifact '.' is not written NAME=FILE"),
        (("--artifact", "x=.phaseloom"), ".phaseloom is a directory"),
        (("--artifact", "../x=binary"), "'../x' cannot be the name of an artifact"),
        (("--artifact", "binary", "--artifact", "binary"), "--artifact names 'binary' twice"),
    ):
        said = person.tries("workflow", "complete-phase", "write", *given)
        assert (said.code, f"error: {words}" in said.err) == (2, True), said.err
    assert person.view()["phases"][0]["status"] == "in_progress"
    person.types("workflow", "cancel")


async def test_the_client_hands_over_files_and_a_list_that_a_phase_runs_for_stays_in_sight(person: Person) -> None:
    person.write("items.yaml", ITEMS)
    (person.root / "parts.txt").write_text("two parts\n", encoding="utf-8")
    async with Client.connect(person.root) as client:
        run = await client.start(str(person.root / "items.yaml"))
        parts = ["a" * 2000, "b" * 2000, "c" * 2000]
        with_path = {"seen/parts.txt": person.root / "parts.txt"}
        with pytest.raises(UsageError, match="cannot be the name of an artifact"):
            await run.next(artifacts={"/parts": person.root / "parts.txt"})
        await run.next(outputs={"parts": parts}, artifacts=with_path)
        view = await run.view()
        assert "build.1" in [row.id for row in view.active]
        found = await run.artifacts()
        assert [(each.word, each.size) for each in found] == [(f"{run.id}/choose/seen/parts.txt", 10)]
        listed = [person.root / "parts.txt"]
        await run.complete_phase("build.0", artifacts=listed)
        assert (await run.artifacts())[-1].name == "parts.txt"
        await run.cancel()
