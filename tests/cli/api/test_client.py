"""The Python interface on a real server: it can do what the command line can, and says the same."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from cli.api import Client, NotFoundError, Queued, RefusedError, UsageError
from cli.api.views import View
from cli.embedded.processes import recorded
from definitions import InvalidDefinitionError
from tests.cli.conftest import halt
from tests.cli.program.person import Person

Json = dict[str, Any]

PHASES: list[Json] = [
    {"name": "Plan", "outputs": {"goal": "string"}},
    {"name": "Left", "parallel": True},
    {"name": "Right", "parallel": True},
    {"name": "Ship", "agents": ["echo"]},
]
AGENTS: Json = {"echo": {"run": ["echo", "ok"]}}


async def defined(client: Client) -> str:
    kept = await client.define(
        "story", name="Story", phases=PHASES, agents=AGENTS, completion_signals=["legal says yes"]
    )
    return kept.id


async def test_a_run_is_driven_to_its_end_with_typed_results(person: Person) -> None:
    async with Client.connect(person.root, actor="bo") as client:
        run = await client.start(await defined(client), run_id="wf_whole")
        assert run.id == "wf_whole"
        with pytest.raises(RefusedError, match="has not started"):
            await run.complete_phase("ship")
        done = await run.next(outputs={"goal": "better"})
        assert not isinstance(done, Queued)
        assert [phase.name for phase in done.started] == ["Left", "Right"]

        status = await run.parallel_status()
        assert (status.active, status.progress.completed, status.progress.total) == (True, 0, 2)
        again = await run.start_parallel(1)
        assert not isinstance(again, Queued)
        assert again.success
        assert [phase.index for phase in again.parallel_phases] == [1, 2]

        await run.report_progress("left", {"half": True})
        first = await run.complete_parallel("left")
        assert first.to_json() == {"success": True, "all_parallel_complete": False, "remaining": 1}
        last = await run.complete_parallel(2)
        assert last.to_json() == {"success": True, "all_parallel_complete": True, "remaining": 0}

        reported = await run.report_signal("Legal says YES")
        assert not isinstance(reported, Queued)
        assert reported.missing == ()
        async with asyncio.timeout(30):
            ended = await run.wait()
        assert ended.status == "completed"
        assert ended.phase("ship").status == "completed"
        assert "ok" in "\n".join(await run.logs("ship"))
        facts = [fact async for fact in run.follow()]
        assert [fact.n for fact in facts] == list(range(1, len(facts) + 1))
        assert {fact.actor for fact in facts if fact.kind == "signal_reported"} == {"bo"}
        with pytest.raises(RefusedError, match="completed"):
            await run.pause()


async def test_a_cancelled_group_waits_for_a_decision_and_goes_on_after_it(person: Person) -> None:
    async with Client.connect(person.root) as client:
        run = await client.start(await defined(client))
        await run.complete_phase(0, outputs={"goal": "x"})
        cancelled = await run.cancel_parallel()
        assert not isinstance(cancelled, Queued)
        assert cancelled.options == ("retry", "skip", "cancel")
        view = await run.view()
        assert view.pause is not None
        assert not view.parallel.active
        decided = await run.intervene("left", "skip", reason="not needed")
        assert not isinstance(decided, Queued)
        assert decided.phase.status == "skipped"
        await run.intervene("right", "retry")
        assert (await run.view()).phase("right").status == "in_progress"
        await run.pause(note="lunch")
        assert await run.status() == "paused"
        await run.resume()
        await run.fail_phase("right", "it cannot be done")
        assert "it cannot be done" in str((await run.phase("right")).error)
        await run.cancel()
        assert (await (await client.run(run.id)).view()).status == "cancelled"


async def test_nothing_starts_when_something_is_wrong(person: Person) -> None:
    async with Client.connect(person.root) as client:
        await client.define("needs", phases=[{"name": "A"}], inputs={"n": {"type": "integer", "required": True}})
        with pytest.raises(UsageError, match="'n'"):
            await client.start("needs")
        with pytest.raises(InvalidDefinitionError):
            await client.define("broken", phases=[{"name": "A", "depends_on": ["nobody"]}])
        with pytest.raises(NotFoundError):
            await client.run("wf_nobody")
        started = await client.start("needs", inputs={"n": 3}, run_id="wf_once")
        with pytest.raises(RefusedError, match="wf_once"):
            await client.start("needs", inputs={"n": 3}, run_id="wf_once")
        assert (await client.current()).id == "wf_once"
        await started.cancel()
        # By the time the list knows of the last one it knows of those that should not have been started before.
        await listing(client, "wf_once")
        assert [run.run for run in await client.runs(every=True) if run.definition != "story"] == ["wf_once"]


async def listing(client: Client, run: str) -> None:
    """Wait until the list of runs knows of this one and its end, of which it learns a moment later."""
    async with asyncio.timeout(60):
        while not any(each.run == run and each.ended_at for each in await client.runs(every=True)):
            await asyncio.sleep(0.05)


async def test_a_phase_outside_of_groups_is_not_completed_as_a_parallel_one(person: Person) -> None:
    async with Client.connect(person.root) as client:
        run = await client.start(await defined(client))
        with pytest.raises(RefusedError, match="no parallel group"):
            await run.complete_parallel("plan")
        assert (await run.view()).phase("plan").status == "in_progress"
        await run.cancel()


STEPS = [
    (),
    ("complete-phase", "0", "--output", "goal=g"),
    ("complete-phase", "left"),
    ("cancel-parallel",),
    ("cancel",),
]
"""Each is done in turn, and after each the answers are compared."""


async def test_the_command_line_the_query_and_the_client_say_the_same(person: Person) -> None:
    async with Client.connect(person.root) as client:
        run = await client.start(await defined(client))
        for step in STEPS:
            if step:
                await asyncio.to_thread(person.types, "workflow", *step, "--run", run.id)
            said = await asyncio.to_thread(person.types, "workflow", "status", "--json", "--run", run.id)
            parallel = await asyncio.to_thread(person.types, "workflow", "parallel-status", "--json", "--run", run.id)
            ended = said.json["ended_at"] is not None
            reached = await client.run(run.id) if ended else run
            view = await reached.view()
            assert timeless(view.to_json()) == timeless(said.json), step
            assert (await reached.parallel_status()).to_json() == parallel.json, step
            if not ended:
                handle = client._connection.client.get_workflow_handle(run.id)
                assert timeless(await handle.query("view", {})) == timeless(said.json), step
            assert View.of(said.json).phase("plan").name == "Plan"
        await listing(client, run.id)
        listed = {each.run: each.to_json() for each in await client.runs(every=True)}
        printed = await asyncio.to_thread(person.types, "runs", "--all", "--json")
        assert listed == {each["run"]: each for each in printed.json["runs"]}


def timeless(view: Json) -> Json:
    """A view without what is different a moment later, and without the estimate that only `status` adds."""
    return {key: value for key, value in view.items() if key not in {"now", "eta"}}


async def test_definitions_are_listed_and_checked_as_by_the_command_line(person: Person) -> None:
    async with Client.connect(person.root) as client:
        await defined(client)
        printed = person.types("workflow", "list", "--json").json["definitions"]
        assert [{**e.to_json(), "path": Path(e.path).name} for e in await client.definitions()] == [
            {**entry, "path": Path(entry["path"]).name} for entry in printed
        ]
        found = await client.validate("story")
        assert found.ok
        assert found.phases == 4
        told = person.types("validate", "story", "--json").json["files"][0]
        assert {**told, "file": ""} | {**found.to_json(), "file": ""} == {**told, "file": ""}


async def test_a_message_without_a_worker_is_queued(person: Person) -> None:
    """The queue is one that no worker serves."""
    async with Client.connect(person.root, task_queue="nobody-works-here", patience=0.5) as client:
        run = await client.start(await defined(client))
        answer = await run.pause()
        assert isinstance(answer, Queued)
        assert answer.to_json() == {"run": {"id": run.id}, "sent_as": "signal", "message": "pause"}
        summary = await run.summary()
        assert summary is not None
        assert summary.status == "running"
        await client._connection.client.get_workflow_handle(run.id).terminate()


async def test_a_message_is_queued_however_long_the_server_takes_when_a_worker_is_given_little_time(
    person: Person,
) -> None:
    async with Client.connect(person.root, task_queue="nobody-works-here", patience=0.1) as client:
        run = await client.start(await defined(client))
        server = recorded(person.record("server"))
        assert server is not None
        await halt(server)
        try:
            sending = asyncio.create_task(run.pause())
            await asyncio.wait({sending}, timeout=1)
            assert not sending.done()
        finally:
            server.send(signal.SIGCONT)
        assert isinstance(await sending, Queued)
        await client.connection.client.get_workflow_handle(run.id).terminate()


COLLIDING = ("cli", "engine", "definitions", "activities", "workflows", "worker")


def script(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    (folder / "script.py").write_text(textwrap.dedent(text), encoding="utf-8")
    return subprocess.run(
        [sys.executable, "script.py"], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_script_finds_the_client_beside_modules_with_our_names(tmp_path: Path) -> None:
    for name in COLLIDING:
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('this is not Phaseloom')\n", encoding="utf-8")
    (tmp_path / "phaseloom.yaml").write_text("", encoding="utf-8")
    done = script(
        tmp_path,
        """
        import sys
        import phaseloom
        assert not {"cli", "engine", "temporalio"} & sys.modules.keys(), "importing it is cheap"
        from phaseloom import Client, Queued, RefusedError
        import definitions
        print(Client.__module__, RefusedError.__module__, definitions.find_root.__module__)
        """,
    )
    assert done.stderr == ""
    assert done.stdout.split() == ["cli.api.client", "engine.errors", "definitions.root"]


def test_a_module_that_was_there_first_is_named(tmp_path: Path) -> None:
    (tmp_path / "engine.py").write_text("", encoding="utf-8")
    done = script(tmp_path, "import engine\nfrom phaseloom import Client\n")
    assert done.returncode == 1
    assert "ImportError: another module 'engine' is imported already" in done.stderr


def test_every_name_of_the_interface_is_there_and_documented() -> None:
    import phaseloom  # noqa: PLC0415 - imports the rest
    from cli import api  # noqa: PLC0415

    reference = Path(__file__).parents[3] / "docs" / "reference" / "python-api.md"
    text = reference.read_text(encoding="utf-8")
    for name in api.__all__:
        assert getattr(phaseloom, name) is getattr(api, name)
        assert f"`{name}`" in text, f"{name} is not in {reference.name}"
    for kind in (api.Client, api.RunHandle):
        for method in vars(kind):
            if not method.startswith("_"):
                assert f"`{method}" in text, f"{kind.__name__}.{method} is not in {reference.name}"
    with pytest.raises(AttributeError):
        phaseloom.Klient  # noqa: B018


def test_json_of_a_result_is_a_copy() -> None:
    raw = {"name": "n", "reported_at": None, "new": [1]}
    from cli.api import Signal  # noqa: PLC0415

    result = Signal.of(raw)
    result.to_json()["new"].append(2)
    assert json.dumps(result.to_json()) == json.dumps(raw)
