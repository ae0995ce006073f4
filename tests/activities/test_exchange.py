"""The files by which an agent reports and asks: whatever is in them, nothing breaks and nothing is sent in vain."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from activities.command import CommandActivities
from activities.python import PythonActivities
from activities.worker_context import WorkerContext
from engine.errors import UnreachableError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.activities.conftest import Project

Json = dict[str, Any]
Eventually = Callable[..., Any]

ASK = ': > "$PHASELOOM_ASK"; while [ -e "$PHASELOOM_ASK" ]; do sleep 0.02; done; '


class Recording:
    """A board that keeps what it is told. `away`: nobody answers; `room`: reports are taken."""

    def __init__(self) -> None:
        self.reports: list[Any] = []
        self.asked = 0
        self.away = False
        self.room = True
        self.pause = 0.0
        self.outputs: Json = {}
        self.before_answer: Callable[[], None] = lambda: None

    async def report(self, progress: Any) -> float | None:
        if self.away:
            raise UnreachableError("no answer within 5s")
        if not self.room:
            return None
        self.reports.append(progress)
        return self.pause

    async def siblings(self) -> Json:
        self.asked += 1
        if self.away:
            raise UnreachableError("no answer within 5s")
        answer = {"version": self.asked, "phases": {"other": {"outputs": self.outputs}}, "more": 0}
        self.before_answer()
        return answer


@pytest.fixture
def board() -> Recording:
    return Recording()


def context(project: Project, board: Recording) -> WorkerContext:
    return WorkerContext(project.root, project.settings, project.environ, boards=lambda _task, _room: board)


async def shell(project: Project, board: Recording, script: str, **config: Any) -> Json:
    activities = CommandActivities(context(project, board))
    return await project.env.run(activities.command, project.task({"run": ["sh", "-c", script], **config}))


async def python(project: Project, board: Recording, source: str) -> Json:
    (project.root / "work.py").write_text(source)
    activities = PythonActivities(context(project, board))
    return await project.env.run(activities.python, project.task({"function": "work:go"}))


@asynccontextmanager
async def at_work(project: Project, board: Recording, eventually: Eventually, **config: Any) -> AsyncIterator[Path]:
    """An agent that works until the block ends; its directory of files."""
    script = "touch here; until [ -e leave ]; do sleep 0.02; done"
    work = asyncio.create_task(shell(project, board, script, **config))
    await eventually((project.root / "here").exists)
    [directory] = project.scratch.iterdir()
    try:
        yield directory
    finally:
        (project.root / "leave").touch()
        await work


async def test_an_agent_that_uses_neither_sends_and_asks_nothing(project: Project, board: Recording) -> None:
    await shell(project, board, "sleep 0.6")
    assert (board.reports, board.asked) == ([], 0)


async def test_the_last_report_is_sent_once_and_never_half_of_one(
    project: Project, board: Recording, eventually: Eventually
) -> None:
    async with at_work(project, board, eventually) as files:
        publish = files / "publish.json"
        publish.write_text('{"files": 1')
        os.utime(publish, (time.time() + 60, time.time() + 60))  # however long we sleep, it was written just now
        await asyncio.sleep(0.6)
        assert board.reports == []
        publish.write_text('{"files": 1}')
        await eventually(lambda: board.reports == [{"files": 1}])
        publish.write_text('{ "files": 1 }')
        await asyncio.sleep(0.6)
        publish.write_text('{"files": 2}')
        await eventually(lambda: len(board.reports) > 1)
    assert board.reports == [{"files": 1}, {"files": 2}]
    assert "WARNING" not in project.log


async def test_of_quick_reports_the_first_goes_at_once_and_then_the_last(
    project: Project, board: Recording, eventually: Eventually
) -> None:
    board.pause = 0.8
    began = time.monotonic()
    async with at_work(project, board, eventually) as files:
        for number in range(100):
            new = files / "new"
            new.write_text(str(number))
            new.replace(files / "publish.json")
            if number == 0:
                await eventually(lambda: board.reports == [0])
            await asyncio.sleep(0.01)
        await eventually(lambda: board.reports[-1:] == [99])
    assert 2 <= len(board.reports) <= 2 + (time.monotonic() - began) / board.pause


UNPUBLISHABLE = [
    (b"\x00\xff\xfe rubbish \x80", "it is not JSON"),
    (b'"' + b"x" * 20_000 + b'"', "longer than 4096 characters"),
    (b'{"text": "' + b"x" * 20_000 + b'"}', "larger than 16 KiB"),
    (b" " * 70_000, "larger than 64 KiB"),
    (b"null", "has no 'progress'"),
    (b"[" * 80 + b"]" * 80, "64 levels deep"),
    (b"[" * 50_000, "it is not JSON"),
    (b"NaN", "it is not JSON"),
]


async def test_what_cannot_be_published_is_told_once_and_harms_nobody(
    project: Project, board: Recording, eventually: Eventually
) -> None:
    async with at_work(project, board, eventually) as files:
        publish = files / "publish.json"
        for age, (content, told) in enumerate(UNPUBLISHABLE):
            publish.write_bytes(content)
            os.utime(publish, (time.time() - 60, time.time() - 60 - age))
            await eventually(lambda told=told: told in project.log)
        publish.write_text("1")
        await eventually(lambda: board.reports == [1])
    assert project.log.count("$PHASELOOM_PUBLISH is not published") == len({told for _, told in UNPUBLISHABLE})


async def test_no_odd_file_holds_the_worker_up(project: Project, board: Recording, eventually: Eventually) -> None:
    async with at_work(project, board, eventually) as files:
        os.mkfifo(files / "publish.json")
        (files / "ask").mkdir()
        (files / "siblings.json").mkdir()
        await asyncio.sleep(0.6)
        assert board.asked == 0
        (files / "publish.json").unlink()
        (files / "publish.json").write_text("1")
        (files / "ask").rmdir()
        (files / "ask").touch()
        await eventually(lambda: board.reports == [1] and "$PHASELOOM_ASK waits for an answer" in project.log)
        (files / "siblings.json").rmdir()
        await eventually((files / "siblings.json").is_file)


async def test_secrets_are_masked_in_what_is_published(
    project: Project, board: Recording, eventually: Eventually
) -> None:
    project.environ["THE_TOKEN"] = "hunter2-very-secret"
    async with at_work(project, board, eventually, pass_env=["THE_TOKEN"]) as files:
        (files / "publish.json").write_text('{"url": "x?key=hunter2-very-secret", "hunter2-very-secr\\u0065t": 1}')
        await eventually(lambda: board.reports)
    assert board.reports == [{"url": "x?key=***", "***": 1}]


async def test_a_reader_keeps_its_version_until_it_asks_again(project: Project, board: Recording) -> None:
    script = (
        f'test ! -e "$PHASELOOM_SIBLINGS"; {ASK} cp "$PHASELOOM_SIBLINGS" one; sleep 0.6;'
        f' cmp "$PHASELOOM_SIBLINGS" one && {ASK} cp "$PHASELOOM_SIBLINGS" two'
    )
    await shell(project, board, script)
    assert [json.loads((project.root / name).read_text())["version"] for name in ("one", "two")] == [1, 2]
    assert board.asked == 2


async def test_who_asks_while_an_answer_is_on_its_way_gets_a_newer_one(
    project: Project, board: Recording, eventually: Eventually
) -> None:
    async with at_work(project, board, eventually) as files:

        def ask_again() -> None:
            if board.asked == 1:
                (files / "ask").write_text("me too")

        board.before_answer = ask_again
        (files / "ask").touch()
        await eventually(lambda: not (files / "ask").exists())
        assert json.loads((files / "siblings.json").read_text())["version"] == 2


async def test_stored_outputs_of_others_are_filled_in(project: Project, board: Recording) -> None:
    board.outputs = {"large": context(project, board).store.put_json(["x"] * 2000).to_json(), "small": 1}
    await shell(project, board, f'{ASK} cp "$PHASELOOM_SIBLINGS" one')
    outputs = json.loads((project.root / "one").read_text())["phases"]["other"]["outputs"]
    assert outputs == {"large": ["x"] * 2000, "small": 1}


async def test_a_server_that_is_away_is_told_once_and_made_up_for(
    project: Project, board: Recording, eventually: Eventually
) -> None:
    board.away = True
    async with at_work(project, board, eventually) as files:
        (files / "publish.json").write_text("1")
        (files / "ask").touch()
        await eventually(lambda: board.asked > 1)
        (files / "publish.json").write_text("2")
        board.away = False
        await eventually(lambda: board.reports[-1:] == [2] and not (files / "ask").exists())
    assert board.reports in ([2], [1, 2]), "the first may have been on its way"
    assert project.log.count("no answer within 5s") == 2


async def test_where_a_run_has_no_room_for_reports_the_agent_is_told_and_works_on(
    project: Project, board: Recording, eventually: Eventually
) -> None:
    board.room = False
    async with at_work(project, board, eventually) as files:
        (files / "publish.json").write_text("1")
        await eventually(lambda: "no room for more" in project.log)
    assert board.reports == []


async def test_a_function_publishes_and_asks(project: Project, board: Recording) -> None:
    source = """
def go(phaseloom):
    phaseloom.publish({"half": True})
    first = phaseloom.siblings()
    return {"versions": [first["version"], phaseloom.siblings()["version"]], "others": list(first["phases"])}
"""
    result = await python(project, board, source)
    assert result["outputs"] == {"versions": [1, 2], "others": ["other"]}
    assert board.reports == [{"half": True}]


async def test_a_function_without_the_parameter_is_called_as_ever(project: Project, board: Recording) -> None:
    assert (await python(project, board, "def go(**given): return given"))["outputs"] == {}


async def test_a_function_hears_when_it_publishes_what_is_no_json_and_when_nobody_answers(
    project: Project, board: Recording
) -> None:
    board.away = True
    source = """
def go(phaseloom):
    told = []
    for call in (lambda: phaseloom.publish({1, 2}), lambda: phaseloom.siblings(timeout=0.3)):
        try:
            call()
        except (TypeError, TimeoutError) as error:
            told.append(str(error))
    return {"told": told}
"""
    told = (await python(project, board, source))["outputs"]["told"]
    assert told == ["Object of type set is not JSON serializable", "no answer about the siblings within 0.3s"]
