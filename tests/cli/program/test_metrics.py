"""What runs have taken, asked by somebody at a shell: open and ended ones, and many together."""

from __future__ import annotations

import asyncio
import json

from activities.artifacts import ArtifactStore
from activities.places import run_directory
from cli.api import Client
from cli.reach.ended import archived
from engine.facts import Fact
from engine.metrics import metrics
from engine.plan import Plan
from engine.spells import Spells
from tests.cli.program.person import Person, until

DEFINITION = """
name: Measured
execution: {max_workers: 1}
agents:
  builder: {uses: command, run: [sh, -c, "sleep 0.3"]}
phases:
  - {name: Backend, agents: [builder], parallel: true}
  - {name: Frontend, agents: [builder], parallel: true}
  - {name: Review, agents: [lead]}
"""


def test_an_open_run_and_its_archive_tell_the_same_numbers(person: Person) -> None:
    person.write("measured.yaml", DEFINITION)
    person.types("workflow", "start", "measured.yaml")
    until(lambda: person.view()["phases"][2]["status"] == "in_progress")
    opened = person.types("metrics", "--json").json
    assert opened["ended_at"] is None
    assert opened["retries"] == 0
    assert opened["attempts"] == 2
    assert opened["seconds"]["people"] > 0
    backend, frontend, review = opened["phases"]
    assert backend["seconds"] >= 0.3
    assert frontend["queue_seconds"] >= 0.3, "one worker slot: it waited for the other"
    assert review["runs"] == 1
    run = person.current
    person.types("workflow", "next")
    until(lambda: archived(person.root, run) is not None)
    ended = person.types("metrics", run, "--json").json
    assert ended["phases"][:2] == opened["phases"][:2]
    assert ended["status"] == "completed"
    lines = person.types("metrics", "--run", run).lines
    assert lines[0] == f"Measured ({run}): completed"
    assert any(line.split()[:2] == ["Queue", "wait"] for line in lines)


def test_all_phases_of_a_large_open_run_are_told(person: Person) -> None:
    phases = "".join(f"  - {{name: P{number}, agents: [lead], depends_on: []}}\n" for number in range(205))
    person.write("large.yaml", f"name: Large\nphases:\n{phases}")
    before = person.current
    person.types("workflow", "start", "large.yaml")
    found = person.types("metrics", "--json").json
    assert [row["index"] for row in found["phases"]] == list(range(205))
    person.types("workflow", "cancel")
    person.write(".phaseloom/current", before)


def test_metrics_are_those_of_the_exported_facts(person: Person) -> None:
    run = person.current
    folder = run_directory(person.root, run)
    # The worker writes a fact down a moment after it has decided.
    until(lambda: '"run_settled"' in (folder / "journal.jsonl").read_text(encoding="utf-8").rpartition("\n")[0])
    told = [json.loads(line) for line in (folder / "journal.jsonl").read_text(encoding="utf-8").splitlines()]
    pointer = json.loads((folder / "archive.json").read_bytes())
    plan = Plan.from_json(ArtifactStore(person.root).get_json(pointer["sha256"])["ledger"]["plan"])
    facts = [Fact.from_json(fact) for fact in told]
    assert person.types("metrics", run, "--json").json == metrics(Spells.of(plan, facts), facts, facts[-1].at)


def test_many_ended_runs_are_measured_together_without_a_server(person: Person, offline: Person) -> None:
    found = person.types("metrics", "--across", "--definition", "measured", "--since", "1h", "--json").json
    assert found["runs"] == found["completed"] == 1
    assert [row["id"] for row in found["definitions"][0]["phases"]] == ["backend", "frontend", "review"]
    assert person.types("metrics", "--across", "--definition", "other", "--json").json["runs"] == 0
    assert offline.types("metrics", "--across").lines == ["There are no ended runs to measure in this project."]
    assert not (offline.root / ".phaseloom").exists()


def test_the_last_two_hundred_ended_runs_are_measured(person: Person, offline: Person) -> None:
    pointer = json.loads((run_directory(person.root, person.current) / "archive.json").read_bytes())
    content = ArtifactStore(person.root).get_bytes(pointer["sha256"])
    store = ArtifactStore(offline.root, durable=False)
    ref = store.put_bytes(content, "application/json")
    for number in range(201):
        folder = run_directory(offline.root, f"wf_{number:06}")
        folder.mkdir(parents=True)
        (folder / "archive.json").write_text(json.dumps({"sha256": ref.sha256}), encoding="ascii")
    assert offline.types("metrics", "--across", "--json").json["runs"] == 200
    few = offline.types("metrics", "--across", "--limit", "3", "--json").json
    assert (few["runs"], few["unread"]) == (3, 0)


def test_archives_that_cannot_be_read_are_left_out_and_counted(person: Person, offline: Person) -> None:
    pointer = json.loads((run_directory(person.root, person.current) / "archive.json").read_bytes())
    content = ArtifactStore(person.root).get_json(pointer["sha256"])
    content["ledger"]["facts"][1]["kind"] = "of_tomorrow"
    newer = ArtifactStore(offline.root).put_json(content)
    for run, told in (("wf_newer", {"sha256": newer.sha256}), ("wf_gone", {"sha256": "0" * 64})):
        folder = run_directory(offline.root, run)
        folder.mkdir(parents=True)
        (folder / "archive.json").write_text(json.dumps(told), encoding="ascii")
    assert offline.types("metrics", "--across").lines == [
        "There are no ended runs to measure in this project.",
        "",
        "Archives that cannot be read here, and are left out: 2",
    ]


def test_what_makes_no_sense_together_is_refused(offline: Person) -> None:
    for words in (("--across", "wf_abc123"), ("--since", "1h"), ("--across", "--since", "soon")):
        assert offline.tries("metrics", *words).code == 2


def test_the_python_interface_has_both(person: Person) -> None:
    async def ask() -> None:
        async with Client.connect(person.root) as client:
            assert (await (await client.run(person.current)).metrics()).attempts == 2
            assert (await client.metrics(definition="measured")).completed == 1

    asyncio.run(ask())
