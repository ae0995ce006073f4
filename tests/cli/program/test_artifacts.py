"""Artifacts as people meet them: made by agents, read by later ones, listed, fetched, checked, removed."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from datetime import timedelta
from pathlib import Path

import pytest

from activities.artifacts import ArtifactStore
from cli.api import Client
from cli.embedded import workers
from cli.embedded.connect import connect
from cli.embedded.project import open_project
from tests.cli.program.person import Person, until

BIG = 200 * 1024 * 1024
LONG = 5 * 1024 * 1024

LARGE = f"""\
id: large
agents:
  maker:
    uses: command
    tasks:
      - 'truncate -s {BIG} "$PHASELOOM_ARTIFACTS/big.bin"'
      - |
        python3 -c 'import json; print(json.dumps({{"text": "x" * {LONG}}}))' > "$PHASELOOM_OUTPUT"
    outputs: {{text: {{type: string}}}}
  reader:
    uses: command
    env: {{BIG: "${{phases.make.artifacts['big.bin'].path}}"}}
    tasks:
      - 'wc -c < "$BIG"'
      - |
        python3 -c 'import json, os; given = json.load(open(os.environ["PHASELOOM_INPUT"]))
        print(len(given["phases"]["make"]["outputs"]["text"]))'
phases:
  - {{name: Make, agents: [maker]}}
  - {{name: Read, agents: [reader]}}
"""

SMALL = """\
id: small
agents:
  maker:
    uses: command
    tasks: ['cd "$PHASELOOM_ARTIFACTS"; mkdir sub; echo one > sub/one.txt; echo two > two']
  reader: {uses: command, run: [cat, "${phases.make.artifacts['sub/one.txt'].path}"]}
phases:
  - {name: Make, agents: [maker]}
  - {name: Look, agents: [lead]}
  - {name: Read, agents: [reader], inputs: [make.artifacts]}
"""


FAT = "id: fat\nphases:\n" + "".join(
    f"  - {{name: P{number}, agents: [lead], prompt: {'x' * 8000}}}\n" for number in range(40)
)


def digest(line: str) -> str:
    return hashlib.sha256(f"{line}\n".encode()).hexdigest()


def peak(pid: int) -> int:
    """The most memory that a process has had, in bytes."""
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


async def history_bytes(root: Path, run: str) -> int:
    connection = await connect(root)
    history = await connection.client.get_workflow_handle(run).fetch_history()
    return sum(event.ByteSize() for event in history.events)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux for a process's memory")
def test_a_large_file_and_a_long_output_pass_through_a_run_and_neither_history_nor_worker_grows(person: Person) -> None:
    worker = workers.adopt(open_project(person.root))
    assert worker is not None
    before = peak(worker.process.pid)
    person.write("large.yaml", LARGE)
    person.types("run", "large.yaml")
    log = person.types("workflow", "logs", "read").lines
    assert any(line.endswith(str(BIG)) for line in log)
    assert any(line.endswith(str(LONG)) for line in log)
    assert asyncio.run(history_bytes(person.root, person.current)) < 100 * 1024
    assert peak(worker.process.pid) - before < 100 * 1024 * 1024
    listed = person.types("artifacts", "list", "--json").json["artifacts"]
    assert [(each["phase"], each["name"], each["size"], each["media_type"]) for each in listed] == [
        ("make", "big.bin", BIG, "application/octet-stream"),
        ("make", "outputs.text", LONG + 2, "application/json"),
    ]


def test_what_was_made_is_listed_and_fetched_by_name_or_digest(person: Person) -> None:
    person.write("small.yaml", SMALL)
    person.types("workflow", "start", "small.yaml")
    until(lambda: person.view()["active"])
    until(lambda: len(person.types("artifacts", "list", "--json").json["artifacts"]) == 2)
    run, one = person.current, digest("one")
    said = person.types("artifacts", "list", "make")
    assert said.lines[0].split() == ["PHASE/NAME", "SIZE", "TYPE", "SHA256"]
    assert said.lines[2].split() == ["make/sub/one.txt", "4", "B", "text/plain", one[:16]]
    assert person.types("artifacts", "get", "make/sub/one.txt", PYTHONUTF8="1").out == "one\n"
    said = person.types("artifacts", "get", f"{run}/make/two", "-o", "got")
    assert said.lines == [f"✓ got (4 bytes, sha256:{digest('two')})"]
    assert person.types("artifacts", "get", one[:12], "-o", "got", "--json").json == {
        "sha256": one, "size": 4, "path": "got",
    }  # fmt: skip
    assert (person.root / "got").read_bytes() == b"one\n"
    assert "✓ got (4 bytes" in person.on_terminal("artifacts", "get", "make/two", "-o", "got", columns=100)
    said = person.tries("artifacts", "get", "make/three")
    assert said.code == 4
    assert f"error: the run {run} has no artifact 'make/three'; of 'make' there are: two, sub/one.txt" in said.err
    assert person.tries("artifacts", "get", "three").code == 2
    assert person.tries("artifacts", "list", "mark").code == 4
    assert one[:16] in person.types("artifacts", "list", "--all").out


def test_an_altered_or_missing_artifact_is_named_with_who_needs_it_and_stops_who_reads_it(person: Person) -> None:
    run, store = person.current, ArtifactStore(person.root)
    one, two = (store.path(digest(line)) for line in ("one", "two"))
    assert person.types("artifacts", "verify", "--run", run).lines[-1].startswith("✓ 2 artifacts, 8 B read")
    one.unlink()
    one.write_bytes(b"fake")
    two.rename(two.with_name("away"))
    said = person.tries("artifacts", "verify", "--run", run)
    assert said.code == 6
    assert f"✗ altered: sha256:{one.name} in {one}, which {run}/make/sub/one.txt needs" in said.lines
    assert f"✗ missing: sha256:{two.name} in {store.directory}, which {run}/make/two needs" in said.lines
    told = person.tries("artifacts", "verify", "--json")
    assert told.code == 6
    assert {each["sha256"]: each["what"] for each in told.json["problems"]} == {
        one.name: "altered", two.name: "missing",
    }  # fmt: skip
    said = person.tries("artifacts", "get", "make/sub/one.txt", "-o", "not-got")
    assert said.code == 6
    assert f"error: artifact sha256:{one.name} is damaged: {one}" in said.err
    assert not (person.root / "not-got").exists()
    person.types("workflow", "next")
    until(lambda: person.view()["status"] == "paused")
    assert f"artifact sha256:{one.name} is damaged" in person.types("workflow", "why", "read").out
    two.with_name("away").rename(two)
    store.put_bytes(b"one\n")
    person.types("workflow", "intervene", "retry", "--phase", "read")
    until(lambda: person.view()["status"] == "completed")
    assert any(line.endswith("one") for line in person.types("workflow", "logs", "read").lines)
    assert person.types("artifacts", "verify").lines[-1].endswith("all are what was stored")


def aged(store: ArtifactStore) -> None:
    """Let everything that is stored have been stored two days ago."""
    then = time.time() - 2 * 86400
    for path in store.directory.glob("??/*"):
        os.utime(path, (then, then))


def test_prune_removes_what_no_run_needs_and_never_what_an_open_run_needs(person: Person) -> None:
    store = ArtifactStore(person.root)
    one = digest("one")
    ended = person.current
    # A list learns of an end a moment after it.
    until(lambda: ended not in person.runs())
    waste = store.put_bytes(b"nobody's").sha256
    person.write("fat.yaml", FAT)
    person.types("workflow", "start", "fat.yaml")
    assert person.types("artifacts", "prune", "--yes", "--older-than", "0s").lines[0].startswith("Nothing to remove.")
    aged(store)
    said = person.types("artifacts", "prune", "--dry-run", "--json", "--older-than", "30d").json
    assert [each["sha256"] for each in said["removed"]] == [waste]
    assert said["bytes"] == 8
    said = person.types("artifacts", "prune", "--dry-run", "--json", "--older-than", "0s", "--keep-runs", "1").json
    assert one not in [each["sha256"] for each in said["removed"]], "the newest ended run keeps what it made"
    assert said["runs_let_go"] == 1
    assert store.has(waste)
    said = person.tries("artifacts", "prune", "--older-than", "0s")
    assert said.code == 2
    assert "--yes does not ask" in said.err
    removed = person.types("artifacts", "prune", "--older-than", "0s", "--yes", "--json").json
    gone = {each["sha256"] for each in removed["removed"]}
    assert {waste, one} <= gone
    assert not store.has(waste)
    assert removed["bytes"] > BIG
    assert person.types("workflow", "status", "--run", ended).lines, "the ledger of an ended run stays"
    person.types("workflow", "next")
    assert person.types("artifacts", "verify").code == 0


def test_a_plan_that_is_kept_in_the_store_outlives_a_pruning_and_a_new_worker(alone: Person) -> None:
    alone.write("fat.yaml", FAT)
    alone.types("workflow", "start", "fat.yaml")
    assert asyncio.run(history_bytes(alone.root, alone.current)) < 20 * 1024
    store = ArtifactStore(alone.root)
    waste = store.put_bytes(b"nobody's").sha256
    aged(store)
    said = alone.types("artifacts", "prune", "--older-than", "0s", "--yes", "--json").json
    assert [each["sha256"] for each in said["removed"]] == [waste]
    alone.types("down", "--force")
    alone.types("workflow", "next")
    assert alone.view()["counts"]["completed"] == 1
    assert alone.types("artifacts", "verify", "--run", alone.current).lines[-1].startswith("✓ ")


def test_the_word_of_a_store_that_cannot_be_is_refused_before_anything_starts(person: Person) -> None:
    said = person.tries("runs", PHASELOOM_ARTIFACT_STORE="ftp://somewhere")
    assert said.code == 3
    assert "$PHASELOOM_ARTIFACT_STORE: 'ftp://' is no artifact store" in said.err
    assert "for example s3://bucket/folder" in said.err


async def test_a_script_finds_reads_and_looks_after_artifacts(person: Person, tmp_path: Path) -> None:
    async with Client.connect(person.root) as client:
        run = await client.start(str(person.root / "small.yaml"))
        async with asyncio.timeout(30):
            while not (made := await run.artifacts()):
                await asyncio.sleep(0.05)
        assert [artifact.name for artifact in made] == ["two", "sub/one.txt"]
        one = await run.artifact("make/sub/one.txt")
        assert client.artifacts.find(one.sha256[:10]) == one.sha256
        client.artifacts.get(one.sha256, tmp_path / "one")
        assert (tmp_path / "one").read_bytes() == client.artifacts.read(one.sha256).read_bytes() == b"one\n"
        found = await client.artifacts.verify(run)
        assert (found.checked, found.bytes, found.problems) == (2, 8, ())
        waste = await client.artifacts.waste(older_than=timedelta(0))
        assert one.sha256 not in {each.sha256 for each in waste.contents}
        await run.cancel()
