"""Records of attempts: one process per key, and dead workers' leftovers are found, killed and handed back."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities import attempts
from activities.attempts import Record, claim, new_record, records, recover
from activities.leftovers import MARKER, Trace, find, identity, this_host

if TYPE_CHECKING:
    from temporalio.client import Client

    from tests.activities.conftest import Project

Eventually = Callable[..., Any]
ProcessesOf = Callable[[str], list[int]]


def record(key: str = "k", *, attempt_id: str = "a1", scheduled: float = 1.0) -> Record:
    return new_record(
        key=key,
        run="wf_1",
        phase="p",
        agent="a",
        attempt=1,
        attempt_id=attempt_id,
        token=b"token-" + key.encode(),
        scheduled=scheduled,
    )


def of_dead_worker(record: Record) -> Record:
    """The record as a worker would have left it that no longer lives; its id has been given to another process."""
    return dataclasses.replace(record, worker_pid=os.getpid(), worker_started="another boot:1")


def leave(root: Path, record: Record) -> Path:
    path = attempts._path(root, record.key)
    path.parent.mkdir(parents=True, exist_ok=True)
    attempts.write(path, record)
    return path


def orphan(attempt_id: str, root: Path, seconds: str = "97551") -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["sleep", seconds],
        env={"PATH": os.environ["PATH"], MARKER: attempt_id, "PHASELOOM_WORKSPACE": str(root)},
        start_new_session=True,
    )


class Server:
    """Remembers what it was told, like the part of a client that `recover` uses."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.told: list[tuple[bytes, Exception]] = []
        self.token = b""

    def get_async_activity_handle(self, *, task_token: bytes) -> Handle:
        return Handle(self, task_token)

    @property
    def client(self) -> Client:
        return cast("Client", self)


class Handle:
    def __init__(self, server: Server, token: bytes) -> None:
        self.server = server
        self.token = token

    async def fail(self, error: Exception, *, rpc_timeout: timedelta | None = None) -> None:
        assert rpc_timeout is not None
        if self.server.error:
            raise self.server.error
        self.server.told.append((self.token, error))


async def test_a_running_command_is_on_disk_with_its_group(project: Project, eventually: Eventually) -> None:
    task = asyncio.ensure_future(project.command({"run": ["sleep", "97555"]}))
    await eventually(lambda: any(r.pgid for r in records(project.root)))
    [running] = records(project.root)
    assert (running.key, running.run, running.phase) == ("wf_test01/build/0/builder#0", "wf_test01", "build")
    assert (running.token, running.worker_pid, running.ended) == (b"test", os.getpid(), False)
    assert running.pgid is not None
    assert running.started == identity(running.pgid)
    assert running.has_worker()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    [ended] = records(project.root)
    assert ended.ended, "kept for a moment: the worker could die before it tells the server"


async def test_a_record_goes_when_the_server_has_had_time_to_know(tmp_path: Path, eventually: Eventually) -> None:
    async with claim(tmp_path, record(), farewell=0.2):
        pass
    assert [left.ended for left in records(tmp_path)] == [True]
    await eventually(lambda: not list((tmp_path / ".phaseloom" / "attempts").iterdir()))


async def test_a_record_in_use_again_is_not_forgotten(tmp_path: Path) -> None:
    async with claim(tmp_path, record(), farewell=0.05):
        pass
    async with claim(tmp_path, record(attempt_id="a2")):
        await asyncio.sleep(0.2)
        assert [r.attempt_id for r in records(tmp_path)] == ["a2"]


async def test_a_newer_attempt_of_a_key_ends_the_older_one_first(
    project: Project, eventually: Eventually, processes_of: ProcessesOf
) -> None:
    seconds = f"97552.{os.getpid()}"  # others may run these tests beside us
    old = asyncio.ensure_future(project.command({"run": ["sleep", seconds]}))
    await eventually(lambda: processes_of(f"sleep {seconds}"))
    project.next_attempt(2)
    look = f"ps -A -o args= | grep -c '^sleep {seconds}' || true"
    result = await project.command({"run": ["sh", "-c", look]}, outputs={"alive": {"value": "stdout"}})
    assert result["outputs"]["alive"] == "0"
    with pytest.raises(ApplicationError) as caught:
        await old
    assert caught.value.type == "signal"


async def test_an_attempt_that_was_given_up_never_kills_the_one_after_it(tmp_path: Path) -> None:
    newer, older = record(attempt_id="new", scheduled=2.0), record(attempt_id="old", scheduled=1.0)

    async def late() -> None:
        async with claim(tmp_path, older):
            pytest.fail("it must wait")

    with orphan("new", tmp_path) as process:
        async with claim(tmp_path, newer):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(late(), 0.3)
            assert process.poll() is None
        process.kill()


async def test_other_keys_do_not_wait(tmp_path: Path) -> None:
    async with claim(tmp_path, record("a")), claim(tmp_path, record("b")):
        assert len(records(tmp_path)) == 2


DYING_WORKER = """
import asyncio, os, subprocess, sys
from pathlib import Path
from activities.attempts import claim, new_record

async def main(root):
    record = new_record(
        key="k", run="r", phase="p", agent="a", attempt=1, attempt_id="x", token=b"t", scheduled=1.0
    )
    async with claim(root, record) as held:
        env = {"PATH": os.environ["PATH"], "PHASELOOM_WORKSPACE": str(root)}
        null = subprocess.DEVNULL
        print(subprocess.Popen(["sleep", "97553"], env=env, stdout=null, pass_fds=(held.lock,)).pid, flush=True)
        os._exit(9)

asyncio.run(main(Path(sys.argv[1])))
"""


async def test_whoever_holds_the_lock_keeps_others_out_beyond_its_workers_death(tmp_path: Path) -> None:
    """As a keeper does that is still ending its command."""
    worker = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", DYING_WORKER, str(tmp_path)],
        stdout=subprocess.PIPE,
        check=False,
        env=os.environ | {"PYTHONPATH": str(Path(attempts.__file__).parent.parent)},
    )
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(_claimed(tmp_path, "y"), 0.3)
    os.kill(int(worker.stdout), signal.SIGKILL)
    await asyncio.wait_for(_claimed(tmp_path, "y"), 60)


async def _claimed(root: Path, attempt_id: str) -> None:
    async with claim(root, record(attempt_id=attempt_id, scheduled=2.0)):
        pass


async def test_leftovers_of_a_dead_worker_are_killed_and_handed_back(tmp_path: Path) -> None:
    with orphan("lost", tmp_path) as process:
        leave(tmp_path, of_dead_worker(record("dead", attempt_id="lost")))
        server = Server()
        [recovered] = await recover(tmp_path, server.client)
        assert process.wait(60) == -signal.SIGKILL
    assert (recovered.killed, recovered.told, recovered.kept) == (1, True, False)
    [(token, error)] = server.told
    assert token == b"token-dead"
    assert isinstance(error, ApplicationError)
    assert (error.type, error.non_retryable, error.next_retry_delay) == ("WorkerLost", False, timedelta(milliseconds=1))
    assert records(tmp_path) == []


async def test_attempts_of_living_workers_and_of_other_hosts_are_left(tmp_path: Path) -> None:
    elsewhere = dataclasses.replace(of_dead_worker(record("far", attempt_id="far")), host="another-host")
    leave(tmp_path, record("near", attempt_id="near"))
    leave(tmp_path, elsewhere)
    server = Server()
    with orphan("near", tmp_path) as near, orphan("far", tmp_path) as far:
        assert await recover(tmp_path, server.client) == []
        assert near.poll() is None
        assert far.poll() is None
        near.kill()
        far.kill()
    assert server.told == []
    assert len(records(tmp_path)) == 2


async def test_an_unrelated_process_with_a_reused_id_is_never_killed(tmp_path: Path) -> None:
    with orphan("somebody-else", tmp_path) as innocent:
        stale = dataclasses.replace(record("k", attempt_id="gone"), pgid=innocent.pid, started="another boot:7")
        leave(tmp_path, of_dead_worker(stale))
        [recovered] = await recover(tmp_path, Server().client)
        assert recovered.killed == 0
        assert innocent.poll() is None
        innocent.kill()


def test_a_group_is_known_by_its_keepers_start() -> None:
    """Also where a command has cleaned its environment."""
    with subprocess.Popen(["env", "-i", "/bin/sleep", "97554"], start_new_session=True) as process:
        trace = Trace(attempt_id="x", host=this_host(), pgid=process.pid, started=identity(process.pid))
        assert find([trace]) == [process.pid]
        assert find([dataclasses.replace(trace, started=None)]) == []
        process.kill()


async def test_a_stale_token_is_forgotten_and_an_unreachable_server_is_asked_again(tmp_path: Path) -> None:
    leave(tmp_path, of_dead_worker(record("k")))
    away = Server(RPCError("down", RPCStatusCode.UNAVAILABLE, b""))
    [kept] = await recover(tmp_path, away.client)
    assert (kept.told, kept.kept) == (False, True)
    assert len(records(tmp_path)) == 1
    [gone] = await recover(tmp_path, Server(RPCError("stale", RPCStatusCode.NOT_FOUND, b"")).client)
    assert (gone.told, gone.kept) == (False, False)
    assert records(tmp_path) == []


async def test_a_damaged_record_is_no_obstacle(tmp_path: Path) -> None:
    path = leave(tmp_path, record("k"))
    path.write_text("{")
    path.with_name("other.json").write_text(json.dumps({"key": 1}))
    assert records(tmp_path) == []
    assert await recover(tmp_path, Server().client) == []
    async with claim(tmp_path, record("k")):
        assert len(records(tmp_path)) == 1


async def test_the_leftovers_that_a_heartbeat_tells_of_are_killed_before_the_retry(project: Project) -> None:
    with orphan("told", project.root) as process:
        project.beats.append({"pgid": None, "attempt_id": "told", "host": this_host(), "started": None, "failures": []})
        project.next_attempt(2)
        result = await project.command({"run": ["true"]})
        assert process.wait(60) == -signal.SIGKILL
    assert result["attempts"] == 1
