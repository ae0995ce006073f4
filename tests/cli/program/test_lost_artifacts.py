"""Going back to a checkpoint whose artifacts are no longer in the store: each is named, and nothing starts unasked."""

from __future__ import annotations

from typing import Any

from tests.cli.program.person import Person, until

Json = dict[str, Any]

MAKER = """\
import json, os, pathlib

pathlib.Path(os.environ["PHASELOOM_ARTIFACTS"], "gone.bin").write_bytes(bytes(9000))
pathlib.Path(os.environ["PHASELOOM_ARTIFACTS"], "hurt.txt").write_text("hurt")
written = {"large": "y" * 9000, "context": {"guide": "z" * 9000}}
json.dump(written, open(os.environ["PHASELOOM_OUTPUT"], "w"))
"""
KEEP = """\
id: keep
agents:
  maker: {uses: command, run: [python3, maker.py]}
  itemer: {uses: command, tasks: ['echo "$PHASELOOM_ITEM" > "$PHASELOOM_ARTIFACTS/item.txt"']}
context:
  guide: {type: string}
phases:
  - {name: Make, agents: [maker], context: {write: [guide]}}
  - {name: Each, agents: [itemer], for_each: [a, b]}
  - {name: Read, agents: [lead]}
"""
LOST = {
    "make/gone.bin": "the artifact make/gone.bin is gone",
    "make/hurt.txt": "the artifact make/hurt.txt is damaged",
    "make/large": "the artifact make/large is gone",
    "each.1/item.txt": "the artifact each.1/item.txt is gone",
    "context.guide": "the artifact context.guide is gone",
}


def kept(person: Person) -> str:
    """A run that waits for a person, and all whose artifacts have been lost since, but one."""
    person.write("maker.py", MAKER)
    (person.root / "definitions").mkdir(exist_ok=True)
    person.write("definitions/keep.yaml", KEEP)
    run: str = person.types("workflow", "start", "keep", "--json").json["run"]
    until(lambda: person.view()["phases"][2]["status"] == "in_progress")
    told = person.types("workflow", "checkpoints", "show", "each", "--json").json
    digests = {f"{each['phase']}/{each['name']}": each["sha256"] for each in told["artifacts"]}
    digests["context.guide"] = told["context"]["guide"]["$artifact"].removeprefix("sha256:")
    for what, text in LOST.items():
        path = person.root / ".phaseloom" / "artifacts" / digests[what][:2] / digests[what]
        path.unlink()
        if text.endswith("damaged"):
            path.write_text("hur", encoding="ascii")
    return run


def without_times(view: Json) -> Json:
    return {key: value for key, value in view.items() if key not in {"now", "eta"}}


def test_each_lost_artifact_is_named_before_anything_starts_and_yes_goes_back_all_the_same(person: Person) -> None:
    run = kept(person)
    before = without_times(person.view())
    for words in (
        ("restore", "each"),
        ("resume", "--from", "last-checkpoint"),
        ("start", "keep", "--resume-from", "last-checkpoint"),
    ):
        said = person.tries("workflow", *words)
        assert said.code == 4
        assert all(f"note: - {text}\n" in said.err for text in LOST.values())
        assert "--yes" in said.err
    error = person.tries("workflow", "restore", "each", "--json").json["error"]
    assert {each["what"]: each["text"] for each in error["differences"]} == LOST
    assert {each["what"]: each["now"] for each in error["differences"]} == {
        what: "damaged" if text.endswith("damaged") else None for what, text in LOST.items()
    }
    assert without_times(person.view()) == before
    assert person.types("workflow", "restore", "each", "--yes", "--json").json["run"] == run
    until(lambda: person.view()["phases"][2]["status"] == "in_progress")
    # Before they were made nothing is missing.
    assert person.types("workflow", "restore", "beginning", "--json").json["differences"] == []
    person.types("workflow", "cancel")


def test_a_run_that_has_ended_is_not_begun_anew_without_its_artifacts_unasked(person: Person) -> None:
    run = kept(person)
    person.types("workflow", "checkpoints", "export", "each")
    person.types("workflow", "cancel")
    exported = str(person.root / ".phaseloom" / "workflows" / run / "checkpoints" / "each.json")
    for place in ([run, "each"], [exported]):
        said = person.tries("workflow", "restore", *place)
        assert said.code == 4
        assert all(text in said.err for text in LOST.values())
    # A list learns of an end a moment after it; of a run that was begun in spite of it in the same moment.
    until(lambda: run not in person.runs())
    assert not person.runs()
    assert person.types("workflow", "restore", run, "each", "--yes", "--json").json["restored_from"] == run
    person.types("workflow", "cancel")
