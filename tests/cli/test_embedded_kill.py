"""Killing: whatever is killed comes back by itself, and no run notices more than a pause."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import time
from functools import partial

import pytest

from cli.embedded import server as servers
from cli.embedded import supervision, workers
from cli.embedded.connect import connect
from cli.embedded.project import FOLDER
from engine.errors import UnreachableError
from tests.cli.conftest import Family, Place, Run, halt, kill, remove, until

BACK = 27.0
"""Seconds from a kill, or from the command after it, to the phases running again: sooner than by the heartbeat timeout.

That is 30 s, from a second before the kill at the earliest. On a machine of its own it takes 5 s, which `bench/run.py`
keeps; here others want the processor too.
"""

THREE = tuple(f"echo $$ >> began-{i}; until test -e go; do sleep 0.05; done; echo done >> done-{i}" for i in range(3))
"""Agents that work until `go` is there: as long as a test needs them, and no longer."""


def begun(place: Place) -> int:
    return sum(len(place.lines(f"began-{i}")) for i in range(3))


def has_begun(place: Place, times: int) -> bool:
    return begun(place) == times


async def three_running(place: Place) -> tuple[Run, Family]:
    run = await place.run(*THREE)
    await until(lambda: begun(place) == 3)
    return run, await place.family()


async def each_done_once(place: Place, run: Run) -> None:
    """Let the agents come to their end."""
    (place.root / "go").touch()
    result = await run.result()
    assert result["status"] == "completed"
    assert [len(place.lines(f"done-{i}")) for i in range(3)] == [1, 1, 1]
    ledger = place.root / ".phaseloom" / "workflows" / run.id / "journal.jsonl"
    # The worker writes it down a moment after it has decided.
    await until(lambda: '"run_settled"' in ledger.read_text(encoding="utf-8").rpartition("\n")[0])
    facts = [json.loads(line) for line in ledger.read_text(encoding="utf-8").splitlines()]
    assert [fact["n"] for fact in facts] == list(range(1, len(facts) + 1))
    assert sorted(fact["phase"] for fact in facts if fact["kind"] == "phase_settled") == [0, 1, 2]


async def test_a_killed_worker_is_back_and_its_phases_run_again(place: Place) -> None:
    run, family = await three_running(place)
    killed = await kill(family.worker)
    await until(lambda: begun(place) == 6)
    print(f"worker killed -> its three phases running again: {time.monotonic() - killed:.2f} s")
    assert time.monotonic() - killed < BACK
    after = await place.family()
    assert (after.supervisor, after.server) == (family.supervisor, family.server)
    await each_done_once(place, run)


async def test_a_killed_server_is_back_and_its_agents_never_noticed(place: Place) -> None:
    run, family = await three_running(place)
    follower = await place.run("-")
    killed = await kill(family.server)
    await until(lambda: is_ready(place, family))
    ready = time.monotonic()
    await (await place.connect()).client.get_workflow_handle(follower.id).query("view")
    print(f"server killed -> ready {ready - killed:.2f} s -> the worker answers {time.monotonic() - killed:.2f} s")
    assert time.monotonic() - killed < BACK
    after = await place.family()
    assert (after.supervisor, after.worker) == (family.supervisor, family.worker)
    await each_done_once(place, run)
    assert begun(place) == 3
    await follower.terminate()


def is_ready(place: Place, before: Family) -> bool:
    record = place.project.read(servers.RECORD)
    return bool(record.get("ready")) and record.get("birth") != before.server.birth


async def test_a_killed_supervisor_is_replaced_by_the_next_command_and_adopts_both(place: Place) -> None:
    run, family = await three_running(place)
    killed = await kill(family.supervisor)
    await place.connect()
    print(f"supervisor killed -> next command connected: {time.monotonic() - killed:.2f} s")
    assert time.monotonic() - killed < BACK
    after = await place.family()
    assert after.supervisor != family.supervisor
    assert (after.server, after.worker) == (family.server, family.worker)
    await each_done_once(place, run)
    assert begun(place) == 3


@pytest.mark.parametrize("also", ["nothing", "server"])
async def test_a_worker_starts_a_supervisor_when_its_own_was_killed(place: Place, also: str) -> None:
    run, family = await three_running(place)
    killed = await kill(*((family.supervisor, family.server) if also == "server" else (family.supervisor,)))
    await until(lambda: supervision.living(place.project) is not None)
    after = await place.family()
    print(f"supervisor (and {also}) killed -> all there again: {time.monotonic() - killed:.2f} s")
    assert time.monotonic() - killed < BACK
    assert after.worker == family.worker
    assert (after.server == family.server) is (also == "nothing")
    await each_done_once(place, run)
    assert begun(place) == 3


async def test_all_killed_at_once_are_back_with_the_next_command(place: Place) -> None:
    run, family = await three_running(place)
    await kill(*family.all)
    again = time.monotonic()
    await place.connect()
    connected = time.monotonic() - again
    await until(lambda: begun(place) == 6)
    print(f"all killed -> connected {connected:.2f} s -> phases running again {time.monotonic() - again:.2f} s")
    assert time.monotonic() - again < BACK
    await each_done_once(place, run)


async def test_a_worker_killed_again_and_again_is_still_back_in_time(place: Place) -> None:
    run, family = await three_running(place)
    for times in range(2, 5):
        killed = await kill(family.worker)
        await until(partial(has_begun, place, 3 * times))
        assert time.monotonic() - killed < BACK
        family = await place.family()
    await each_done_once(place, run)


async def test_a_supervisor_killed_before_it_recorded_the_server_finds_it(place: Place) -> None:
    await place.connect()
    family = await place.family()
    await kill(family.supervisor, family.worker)
    place.project.file(servers.RECORD).unlink()
    await place.connect()
    assert (await place.family()).server == family.server


async def test_a_server_that_had_to_take_another_port_takes_its_worker_along(place: Place) -> None:
    address = (await place.connect()).address
    family = await place.family()
    await halt(family.supervisor)
    await kill(family.server)
    with socket.create_server((servers.HOST, int(address.split(":")[1]))):
        family.supervisor.send(signal.SIGCONT)
        await until(lambda: is_ready(place, family))
        run = await place.run("echo done")
        assert (await run.result())["status"] == "completed"
        assert (await place.connect()).address != address


async def test_starters_that_race_a_killed_supervisor_end_with_one_of_each(place: Place) -> None:
    await place.connect()
    family = await place.family()
    await kill(family.supervisor)
    connections = await asyncio.gather(*(place.connect() for _ in range(5)))
    assert {connection.address for connection in connections} == {connections[0].address}
    after = await place.family()
    assert (after.server, after.worker) == (family.server, family.worker)


async def test_a_project_folder_deleted_while_all_runs_ends_them_and_the_next_command_starts_anew(place: Place) -> None:
    await place.run(THREE[0])
    await until(lambda: place.lines("began-0"))
    before = await place.family()
    await remove(place.root / FOLDER)
    await place.connect()  # at once: the old ones have not noticed yet
    after = await place.family()
    assert not set(after.all) & set(before.all)
    await until(lambda: not before.living)
    assert (await place.family()) == after


async def test_a_folder_emptied_but_for_its_locks_ends_what_ran_and_the_next_command_starts_anew(place: Place) -> None:
    await place.connect()
    before = await place.family()
    for file in place.project.folder.iterdir():
        if file.is_file() and file.suffix != ".lock":
            file.unlink(missing_ok=True)  # one that is being written goes by itself
    await place.connect()
    after = await place.family()
    assert not set(after.all) & set(before.all)
    await until(lambda: not before.living)


async def test_records_that_were_deleted_are_written_again_and_nothing_is_restarted(place: Place) -> None:
    await place.connect()
    family = await place.family()
    for name in (supervision.RECORD, servers.RECORD, workers.RECORD):
        place.project.file(name).unlink()
    assert await place.family() == family
    await place.connect()
    assert await place.family() == family


async def test_a_server_that_serves_another_project_is_not_waited_for_without_end(place: Place) -> None:
    await place.connect()
    family = await place.family()
    await halt(family.supervisor)  # it would notice
    identity = place.project.file("project.json")
    known = identity.read_bytes()
    identity.write_text(json.dumps({"uuid": "another"}), encoding="utf-8")
    with pytest.raises(UnreachableError, match="answers, and not for this project"):
        await connect(place.root, patience=0.5)
    identity.write_bytes(known)
    family.supervisor.send(signal.SIGCONT)


async def test_a_worker_is_known_to_come_until_it_works(place: Place) -> None:
    await place.connect()
    family = await place.family()
    assert not workers.is_coming(place.project)
    await kill(family.worker)
    await until(lambda: workers.is_coming(place.project))
    family = await place.family()
    assert not workers.is_coming(place.project)
