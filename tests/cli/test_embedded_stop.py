"""Stopping: in order, agents first, with nothing left; and never behind the back of whoever still works."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from activities.leftovers import identity
from cli.embedded import server as servers
from cli.embedded import supervision, workers
from cli.embedded.condition import status, stop
from cli.embedded.foreground import up
from cli.embedded.processes import Process, current, gone
from cli.embedded.project import take_lock
from cli.embedded.version import differs, installation
from engine.errors import RefusedError, UnreachableError
from tests.cli.conftest import Family, Place, halt, kill, until
from tests.ports import free_port

REPOSITORY = Path(__file__).parents[2]

UP = f"""
import asyncio, sys
sys.path.insert(0, {str(REPOSITORY)!r})
from pathlib import Path
from cli.embedded.foreground import up
from cli.exiting import leave
say = lambda server: print(server.address, server.ui_port, flush=True)
port = next((int(word) for word in sys.argv if word.isdigit()), None)
print(asyncio.run(up(Path(sys.argv[1]), ui="ui" in sys.argv, port=port, on_ready=say)).name)
leave(0)
"""


async def test_stopping_leaves_nothing_and_can_be_done_twice(place: Place) -> None:
    await place.connect()
    family = await place.family()
    before = time.monotonic()
    stopped = await stop(place.root)
    print(f"down: {time.monotonic() - before:.2f} s")
    assert (stopped.was_running, stopped.refused, stopped.agents) == (True, False, ())
    assert family.living == []
    assert (await stop(place.root)).was_running is False


async def test_while_agents_run_stopping_is_refused_and_changes_nothing(place: Place) -> None:
    run = await place.run("echo $$ > began; sleep 60")
    await until(lambda: place.lines("began"))
    family = await place.family()
    stopped = await stop(place.root)
    assert stopped.refused
    assert [(agent["run"], agent["phase"], agent["agent"]) for agent in stopped.agents] == [(run.id, "p0", "r")]
    assert len(family.living) == 3
    await stop(place.root, force=True)


async def test_forced_stopping_ends_the_agents_and_their_phases_run_again_later(place: Place) -> None:
    run = await place.run("echo $$ >> began; test -e go || sleep 60; echo done >> done")
    await until(lambda: place.lines("began"))
    family = await place.family()
    before = time.monotonic()
    await stop(place.root, force=True)
    print(f"down --force with a running agent: {time.monotonic() - before:.2f} s")
    assert family.living == []
    assert identity(int(place.lines("began")[0])) is None
    (place.root / "go").touch()
    connection = await place.connect()
    result = await connection.client.get_workflow_handle(run.id).result()
    assert result["status"] == "completed"
    assert len(place.lines("began")) == 2
    assert place.lines("done") == ["done"]


async def test_what_a_killed_supervisor_left_is_stopped_too(place: Place) -> None:
    await place.run("-")
    family = await place.family()
    await kill(family.supervisor, family.server)
    before = time.monotonic()
    assert (await stop(place.root)).was_running
    print(f"down without supervisor and server: {time.monotonic() - before:.2f} s")
    assert time.monotonic() - before < 30
    assert family.living == []
    assert supervision.living(place.project) is None


async def test_a_worker_that_does_not_listen_is_killed_with_its_agents(place: Place) -> None:
    await place.run("echo $$ >> began; sleep 60")
    await until(lambda: place.lines("began"))
    family = await place.family()
    await halt(family.worker)
    await kill(family.supervisor)
    await stop(place.root, force=True, grace=0.5)
    assert family.living == []
    assert identity(int(place.lines("began")[0])) is None


# ---- by itself


async def used_until_listed(place: Place) -> None:
    """Use the project until the list of runs knows of one that is open: from then on that keeps it at work."""
    async with asyncio.timeout(60):
        while not await (await place.connect()).reader.count("ExecutionStatus='Running'"):
            await asyncio.sleep(0.05)


async def test_an_unused_project_stops_by_itself_and_starts_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHASELOOM_IDLE_EXIT", "2")
    run = await place.run("-")
    await used_until_listed(place)
    family = await place.family()
    await run.terminate()
    await until(lambda: not family.living)
    assert supervision.living(place.project) is None
    monkeypatch.delenv("PHASELOOM_IDLE_EXIT")
    await place.connect()
    assert len((await place.family()).living) == 3


async def test_an_open_run_keeps_everything_alive(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHASELOOM_IDLE_EXIT", "4")
    run = await place.run("-")
    await used_until_listed(place)
    family = await place.family()
    await asyncio.sleep(6)
    assert len(family.living) == 3
    await run.terminate()
    await until(lambda: not family.living)


# ---- another installation


def test_another_name_of_an_interpreter_is_no_other_installation(tmp_path: Path) -> None:
    """`.venv/bin/phaseloom` may be run by `python3` and a test or script by `python`: both are of one environment."""
    ours = Path(sys.executable)
    names = [path for path in ours.parent.glob("python*") if path.samefile(ours)]
    assert not any(differs({**installation(), "interpreter": str(name)}) for name in names)
    (tmp_path / ours.name).symlink_to(ours)
    (tmp_path / "python9").touch()
    for other in (tmp_path / ours.name, tmp_path / "python9", ours.with_name("gone"), None):
        assert differs({**installation(), "interpreter": other and str(other)})
    assert differs({**installation(), "version": "0.0.1"})


def pretend(place: Place, name: str, **values: str) -> None:
    """Let a process have recorded another installation."""
    place.project.write(name, {**place.project.read(name), **values})


async def test_a_newer_client_says_so_and_replaces_the_worker_when_no_agent_runs(place: Place) -> None:
    run = await place.run("echo >> began; until test -e go; do sleep 0.05; done")
    await until(lambda: place.lines("began"))
    family = await place.family()
    for name in (supervision.RECORD, workers.RECORD):
        pretend(place, name, version="0.0.1")
    connection = await place.connect()
    assert "phaseloom 0.0.1" in connection.notices[0]
    assert "as soon as no agent runs" in connection.notices[0]
    during = await place.family()
    assert during.supervisor != family.supervisor
    assert (during.server, during.worker) == (family.server, family.worker)
    (place.root / "go").touch()
    assert (await run.result())["status"] == "completed"
    await until(lambda: not family.worker.alive)
    after = await place.family()
    assert after.server == family.server
    assert len(place.lines("began")) == 1
    assert (await place.connect()).notices == ()


async def test_an_older_client_says_so_and_replaces_nothing(place: Place) -> None:
    await place.connect()
    family = await place.family()
    pretend(place, supervision.RECORD, version="999.0")
    connection = await place.connect()
    assert "newer than this command" in connection.notices[0]
    assert await place.family() == family


# ---- in the foreground


async def start_up(place: Place, *options: str) -> tuple[asyncio.subprocess.Process, str]:
    """`up` in a process of its own, and what it said when it was ready."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-c", UP, str(place.root), *options),
        cwd=place.root,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    return process, (await process.stdout.readline()).decode().strip()


async def test_up_takes_over_what_runs_and_ctrl_c_stops_all_of_it(place: Place) -> None:
    connection = await place.connect()
    family = await place.family()
    process, told = await start_up(place)
    assert told == f"{connection.address} None"
    during = await place.family()
    assert during == Family(during.supervisor, family.server, family.worker)
    assert during.supervisor.pid == process.pid
    with pytest.raises(RefusedError, match="runs already"):
        await up(place.root)
    process.send_signal(signal.SIGINT)
    assert await process.wait() == 0
    assert during.living == []


async def test_up_with_the_page_replaces_a_server_without_and_keeps_the_worker(place: Place) -> None:
    run = await place.run("echo >> began; until test -e go; do sleep 0.05; done; echo done >> done")
    await until(lambda: place.lines("began"))
    family = await place.family()
    process, told = await start_up(place, "ui")
    port = int(told.split()[1])
    page = await asyncio.to_thread(urllib.request.urlopen, f"http://127.0.0.1:{port}/")
    assert page.status == 200
    page.close()
    assert (await place.family()).worker == family.worker
    (place.root / "go").touch()
    connection = await place.connect()
    assert (await connection.client.get_workflow_handle(run.id).result())["status"] == "completed"
    assert (len(place.lines("began")), place.lines("done")) == (1, ["done"])
    process.send_signal(signal.SIGTERM)
    await process.wait()


async def test_up_on_a_port_replaces_the_server_and_later_commands_keep_to_it(place: Place) -> None:
    await place.connect()
    port = free_port()
    with (
        socket.create_server((servers.HOST, port)),
        pytest.raises(UnreachableError, match=f"port {port} of 127.0.0.1: is in use by another program"),
    ):
        await up(place.root, port=port)
    assert supervision.living(place.project) is not None, "nothing was changed"
    process, told = await start_up(place, str(port))
    assert told == f"127.0.0.1:{port} None"
    process.send_signal(signal.SIGINT)
    await process.wait()
    assert (await place.connect()).address == f"127.0.0.1:{port}"


async def test_up_on_another_port_is_refused_while_agents_run(place: Place) -> None:
    await place.run("until test -e go; do sleep 0.05; done")
    family = await place.family()
    await until(lambda: workers.running_agents(place.project) or None)
    with pytest.raises(RefusedError, match="1 agent is at work"):
        await up(place.root, port=free_port())
    assert await place.family() == family
    (place.root / "go").touch()


async def test_up_whose_terminal_is_gone_leaves_both_running_in_the_background(place: Place) -> None:
    process, _ = await start_up(place)
    family = await place.family()
    process.send_signal(signal.SIGHUP)
    await process.wait()
    await until(lambda: supervision.living(place.project))
    after = await place.family()
    assert after == Family(after.supervisor, family.server, family.worker)


# ---- the explanation


async def test_the_explanation_of_what_runs_and_of_what_does_not(place: Place) -> None:
    report = await status(place.root)
    assert report["reachable"] is False
    assert report["problems"] == ["no server runs; the next command that needs one starts it"]
    assert supervision.living(place.project) is None
    await place.connect()
    family = await place.family()
    while not all((report := await status(place.root))["pollers"].values()):
        await asyncio.sleep(0.1)
    assert report["mode"] == "embedded"
    assert report["reachable"] is True
    assert report["problems"] == []
    assert [report[name]["pid"] for name in ("supervisor", "server", "worker")] == [p.pid for p in family.all]
    assert all(report["attributes"].values())
    assert report["disk"]["database"] > 0
    assert report["client"] == installation()
    assert any("has no password" in sentence for sentence in report["unprotected"])


async def test_the_explanation_names_a_worker_that_is_gone(place: Place) -> None:
    await place.connect()
    family = await place.family()
    await kill(family.supervisor, family.worker)
    report = await status(place.root)
    assert "the supervisor is gone; the next command starts a new one" in report["problems"]
    assert report["worker"] is None


# ---- the small things underneath


async def test_a_process_is_told_from_a_later_one_with_its_number() -> None:
    me = current()
    assert me.alive
    assert not Process(me.pid, "somebody else").alive
    await gone(Process(me.pid, "somebody else"))


def test_a_lock_is_held_by_one_and_a_removed_file_is_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    held = take_lock(path)
    assert held is not None
    assert take_lock(path) is None
    os.close(held)
    again = take_lock(path)
    assert again is not None
    os.close(again)
