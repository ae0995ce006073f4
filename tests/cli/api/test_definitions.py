"""What the Client says of definitions is what the commands say, and it keeps whatever they keep."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cli.api import Client, Diagnostic, InvalidDefinitionError, UsageError
from engine.errors import DefinitionError
from tests.cli.program.person import Person

ADVISABLE = """\
id: advisable
agents:
  worker: {run: [echo, done]}
phases:
  - {name: Migrate accounts, agents: [worker], parallel: true}
  - {name: Frontend, agents: [worker], parallel: true}
  - {name: Handbook, agents: [worker], estimate: 20m}
"""
PLAN = "# Plan: Dinner\n\n## Phase 1: Shop\n\n- Buy things\n\n## Phase 2: Cook\n\n- Cook them\n"


async def test_each_answer_is_the_commands_json(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(person.root)
    person.write("advisable.yaml", ADVISABLE)
    async with Client.connect() as client:
        found = await client.validate("advisable.yaml")
        assert found.to_json() == person.types("validate", "advisable.yaml", "--json").json["files"][0]
        assert all(isinstance(finding, Diagnostic) for finding in found.findings)
        assert "PL503" in [finding.code for finding in found.findings]
        shown = await client.show("advisable.yaml")
        assert shown.to_json() == person.types("workflow", "show", "advisable.yaml", "--json").json
        ahead = await client.plan("advisable.yaml", workers=2)
        assert ahead.to_json() == person.types("plan", "advisable.yaml", "--workers", "2", "--json").json
        fitting = await client.suggest("audit a repository")
        assert fitting.to_json() == person.types("workflow", "suggest", "audit", "a", "repository", "--json").json
        assert fitting.suggestions[0].reasons


async def test_a_file_or_a_text_is_kept_in_the_project(person: Person, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("name: Mine\nphases: [{name: A}]\n", encoding="utf-8")
    async with Client.connect(person.root) as client:
        kept = await client.define(file)
        assert (kept.id, (await client.show("mine")).name) == ("mine", "Mine")
        file.write_text("name: Mine too\nphases: [{name: A}]\n", encoding="utf-8")
        await client.define(str(file))
        assert (await client.show("mine")).name == "Mine too"
        assert (await client.define(ADVISABLE)).id == "advisable"
        assert person.types("workflow", "show", "advisable", "--json").json["id"] == "advisable"
        with pytest.raises(UsageError, match="no id"):
            await client.define(ADVISABLE.removeprefix("id: advisable\n"))
        with pytest.raises(InvalidDefinitionError):
            await client.define(ADVISABLE + "surplus: 1\n")
        with pytest.raises(DefinitionError, match="there is no file"):
            await client.define(tmp_path / "missing.yaml")
        with pytest.raises(TypeError, match="only together with phases"):
            await client.define(file, name="Other")


async def test_another_format_is_imported_into_the_project(person: Person, tmp_path: Path) -> None:
    (tmp_path / "dinner.md").write_text(PLAN, encoding="utf-8")
    async with Client.connect(person.root) as client:
        done = await client.import_definition(tmp_path / "dinner.md", identifier="supper")
        assert (done.id, done.format, done.phases) == ("supper", "markdown", 2)
        assert (person.root / "definitions" / "supper.yaml").exists()


async def test_a_child_is_looked_for_in_the_clients_project(person: Person) -> None:
    """Wherever the script stands."""
    async with Client.connect(person.root) as client:
        await client.define("inner", phases=[{"name": "A"}])
        outer = {"part": {"uses": "workflow", "definition": "inner"}}
        await client.define("outer", phases=[{"name": "Sub", "agents": ["part"]}], agents=outer)
        run = await client.start("outer")
        assert (await run.plan()).id == "outer"
        assert await run.is_open()
        await run.cancel()
        assert not await run.is_open()


async def test_a_log_is_read_and_followed_to_its_end(person: Person) -> None:
    async with Client.connect(person.root) as client:
        agents = {"echo": {"run": ["echo", "one", "two"]}}
        await client.define("talk", phases=[{"name": "Say", "agents": ["echo"]}], agents=agents)
        run = await client.start("talk")
        followed = [line async for lines in run.follow_log() for line in lines]
        log = await run.log()
        assert tuple(followed) == log.lines
        assert any("one two" in line for line in await run.logs(0))
        said = await asyncio.to_thread(person.types, "workflow", "logs", "say", "--run", run.id, "--json")
        printed = said.json
        assert (await run.log("say")).to_json() == printed
        watched = [fact.n async for facts in run.watch().news() for fact in facts]
        assert watched == list(range(1, len(watched) + 1))
