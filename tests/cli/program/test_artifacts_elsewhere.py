"""A project that keeps its artifacts on an S3 server: also while that is away, and for another host."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.cli.program.person import Person, until
from tests.s3 import S3, serving

CHAIN = """\
id: chain
agents:
  maker:
    uses: command
    tasks: ['until test -e go; do sleep 0.05; done; echo made > "$PHASELOOM_ARTIFACTS/file"; echo >> worked']
  reader: {uses: command, run: [cat, "${phases.make.artifacts.file.path}"]}
phases:
  - {name: Make, agents: [maker]}
  - {name: Look, agents: [lead]}
  - {name: Read, agents: [reader]}
""" + "".join(f"  - {{name: P{number}, agents: [lead], prompt: {'x' * 8000}}}\n" for number in range(40))


@pytest.fixture
def s3() -> Iterator[S3]:
    with serving() as served:
        yield served


def test_a_phase_is_completed_once_its_artifact_is_in_the_store_and_is_not_done_again_for_it(
    s3: S3, alone: Person
) -> None:
    alone.environ.update(s3.variables)
    alone.write("phaseloom.yaml", f"artifacts: {{store: '{s3.url}'}}\n")
    alone.write("chain.yaml", CHAIN)
    shown = {each["name"]: each for each in alone.types("config", "show", "--json").json["settings"]}
    assert shown["artifacts.store"] == {
        "name": "artifacts.store", "value": s3.url, "origin": "project", "file": "phaseloom.yaml", "line": 1,
    }  # fmt: skip
    alone.types("runs")
    s3.stop()
    said = alone.tries("workflow", "start", "chain.yaml")
    assert said.code == 5, "the plan is too large to go anywhere but into the store"
    assert f"error: the artifact store {s3.url} does not answer (connection refused)" in said.err
    assert f"- the artifact store {s3.url} does not answer (connection refused)" in alone.types("doctor").lines
    s3.start()
    alone.types("workflow", "start", "chain.yaml")
    until(lambda: alone.view()["active"])
    s3.stop()
    alone.write("go", "")
    until(lambda: "does not answer" in alone.types("workflow", "logs", "make").out)
    assert f"the artifact store {s3.url} does not answer (connection refused); trying again for 60s" in (
        alone.types("workflow", "logs", "make").out
    )
    assert alone.view()["phases"][0]["status"] == "in_progress"
    assert alone.tries("artifacts", "list", "--all").code == 5
    s3.start()
    until(lambda: alone.view()["phases"][0]["status"] == "completed")
    assert (alone.root / "worked").read_text() == "\n", "the work was done once"
    assert alone.types("artifacts", "verify").lines[-1].endswith("all are what was stored")
    shutil.rmtree(alone.root / ".phaseloom/artifacts")  # as on another host
    alone.types("workflow", "next")
    until(lambda: alone.view()["phases"][2]["status"] == "completed")
    assert any(line.endswith("made") for line in alone.types("workflow", "logs", "read").lines)
    assert alone.types("artifacts", "list", "--json").json["artifacts"][0]["name"] == "file"
    everything = "".join(
        path.read_text(errors="replace") for path in (alone.root / ".phaseloom").rglob("*.lo*") if path.is_file()
    )
    assert s3.variables["AWS_SECRET_ACCESS_KEY"] not in everything


CONTEXT = """\
id: told
context: {text: {type: string}}
agents:
  maker:
    uses: command
    shell: |
      echo made > "$PHASELOOM_ARTIFACTS/file"
      printf '{"context": {"text": "%09000d"}}' 7 > "$PHASELOOM_OUTPUT"
phases:
  - {name: Make, agents: [maker], context: {write: [text]}}
  - {name: Look, agents: [lead]}
"""


def test_on_another_host_restores_and_the_context_find_in_the_store_what_was_kept(s3: S3, alone: Person) -> None:
    alone.environ.update(s3.variables)
    alone.write("phaseloom.yaml", f"artifacts: {{store: '{s3.url}'}}\n")
    alone.write("told.yaml", CONTEXT)
    alone.types("workflow", "start", "told.yaml")
    until(lambda: alone.view()["phases"][1]["status"] == "in_progress")
    kept = alone.root / ".phaseloom/artifacts"
    shutil.rmtree(kept)  # as on another host
    assert alone.types("workflow", "context", "show", "text").out.strip().endswith("0007")
    shutil.rmtree(kept)
    assert alone.types("workflow", "restore", "make", "--json").json["differences"] == []
    alone.types("workflow", "cancel")


def test_in_a_store_that_others_use_nothing_is_removed_unless_that_is_said(s3: S3, alone: Person) -> None:
    alone.environ.update(s3.variables)
    alone.environ["PHASELOOM_ARTIFACT_STORE"] = s3.url
    alone.types("runs")
    s3.put("team/projects/another", b"")
    said = alone.tries("artifacts", "prune", "--yes")
    assert said.code == 6
    assert f"another project keeps artifacts in {s3.url}" in said.err
    assert alone.types("artifacts", "prune", "--yes", "--shared").lines[0].startswith("Nothing to remove.")
    until(alone.has_worker)
    assert "the worker keeps artifacts" not in alone.types("doctor").out
    del alone.environ["PHASELOOM_ARTIFACT_STORE"]
    assert (
        f"- the worker keeps artifacts in {s3.url}, the settings of now say the project: phaseloom down ends it"
        in alone.types("doctor").lines
    )
