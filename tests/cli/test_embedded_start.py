"""Starting: nothing to set up, one of each however many start at once, never somebody else's."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
import venv
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from cli.embedded import connect as connecting
from cli.embedded import server as servers
from cli.embedded import supervision
from cli.embedded.condition import stop
from cli.embedded.connect import Target, connect
from cli.embedded.project import take_lock
from cli.exits import exit_for
from engine.errors import UnreachableError, WorkspaceError
from tests.cli.conftest import Place, kill, remove, until

REPOSITORY = Path(__file__).parents[2]

STARTER = f"""
import asyncio, sys
sys.path.insert(0, {str(REPOSITORY)!r})
from pathlib import Path
from cli.embedded.connect import connect
from cli.exiting import leave
connection = asyncio.run(connect(Path(sys.argv[1])))
print(connection.address, connection.namespace)
leave(0)
"""


async def start_elsewhere(place: Place, **environ: str) -> str:
    """Connect in a process of its own, with the project as its directory; what it printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-c", STARTER, str(place.root)),
        cwd=place.root,
        env={**os.environ, **environ},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output.decode()


async def test_the_first_command_starts_everything_and_the_next_finds_it(place: Place) -> None:
    before = time.monotonic()
    run = await place.run("echo began")
    assert (await run.result())["status"] == "completed"
    print(f"nothing running -> a whole run: {time.monotonic() - before:.2f} s")
    family = await place.family()
    before = time.monotonic()
    connection = await place.connect()
    print(f"warm connect: {time.monotonic() - before:.3f} s")
    assert connection.embedded
    assert connection.namespace == f"phaseloom-{place.project.uuid}"
    assert connection.task_queue == f"phaseloom.{place.project.uuid}"
    assert connection.notices == ()
    assert await place.family() == family
    assert (place.root / ".phaseloom" / ".gitignore").read_text(encoding="utf-8") == "*\n"


async def test_the_namespace_keeps_runs_for_a_year_and_lists_know_their_attributes(place: Place) -> None:
    from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest  # noqa: PLC0415 - heavy

    connection = await place.connect()
    described = await connection.client.workflow_service.describe_namespace(
        DescribeNamespaceRequest(namespace=connection.namespace)
    )
    assert described.config.workflow_execution_retention_ttl.ToSeconds() == 365 * 86400
    assert await connection.reader.missing_attributes() == {}
    run = await place.run("-")
    # A list learns of a run a moment after its start: visibility is written beside the history, not with it.
    while (await connection.client.count_workflows("ExecutionStatus='Running'")).count == 0:
        await asyncio.sleep(0.05)
    counted = await connection.client.count_workflows("ExecutionStatus='Running'")
    assert counted.count == 1
    await run.terminate()


async def test_the_server_listens_on_the_loopback_alone(place: Place) -> None:
    await place.connect()
    server = (await place.family()).server
    addresses = {entry.laddr.ip for entry in psutil.Process(server.pid).net_connections() if entry.status == "LISTEN"}
    assert addresses == {"127.0.0.1"}


async def test_five_that_start_at_once_share_one_of_each(place: Place) -> None:
    told = await asyncio.gather(*(start_elsewhere(place) for _ in range(5)))
    assert len(set(told)) == 1
    family = await place.family()
    # A supervisor that is one too many waits a moment for the lock before it ends.
    await until(lambda: processes_of(place) == {process.pid for process in family.all})


def processes_of(place: Place) -> set[int]:
    """All that names the project's directory on its command line, as our background processes do, and the server."""
    told = {process.pid: process.info for process in psutil.process_iter(["cmdline", "cwd"])}
    root, folder = str(place.root), str(place.project.folder)
    return {
        pid
        for pid, info in told.items()
        if info["cwd"] == folder or any(f"{word}/".startswith(f"{root}/") for word in info["cmdline"] or ())
    }


async def test_files_of_the_user_with_our_names_are_not_run(place: Place) -> None:
    for name in ("activities", "engine", "worker", "workflows", "definitions"):
        (place.root / f"{name}.py").write_text(f"open({str(place.root / 'ran')!r}, 'a').write('{name} ')")
    (place.root / "cli").mkdir()
    (place.root / "cli" / "__init__.py").write_text(f"open({str(place.root / 'ran')!r}, 'a').write('cli ')")
    await start_elsewhere(place, PYTHONPATH=str(place.root))
    run = await place.run("echo one")
    assert (await run.result())["status"] == "completed"
    assert not (place.root / "ran").exists()


async def test_the_database_stays_in_the_project_whatever_its_folder_is_called(places: Callable[[str], Place]) -> None:
    place = places('50%41 of #1? it\'s "ours" & 日本')
    await place.connect()
    assert place.project.file(servers.DATABASE).is_file()
    assert [path.name for path in place.root.parent.iterdir()] == [place.root.name]


async def test_a_port_that_somebody_else_took_is_given_up(place: Place) -> None:
    run = await place.run("-")
    port = place.project.read(servers.RECORD)["port"]
    await stop(place.root)
    with socket.create_server((servers.HOST, port)):
        connection = await place.connect()
        assert connection.address != f"{servers.HOST}:{port}"
        assert (await connection.client.get_workflow_handle(run.id).describe()).status is not None
    assert (await place.connect()).address == connection.address


async def test_the_port_is_kept_over_restarts(place: Place) -> None:
    address = (await place.connect()).address
    await stop(place.root)
    assert (await place.connect()).address == address


async def test_the_server_of_another_project_is_never_taken_for_ours(places: Callable[[str], Place]) -> None:
    ours, theirs = places("ours"), places("theirs")
    await theirs.connect()
    record = theirs.project.read(servers.RECORD)
    server = servers.Server.from_json(record)
    assert server is not None
    assert await connecting._reader(ours.project, server) is None
    ours.project.write(servers.RECORD, {**record, "namespace": ours.project.namespace})
    connection = await ours.connect()
    assert connection.address != server.address
    assert server.process.alive


async def test_a_copied_project_gets_a_server_of_its_own(places: Callable[[str], Place]) -> None:
    original = places("original")
    await original.connect()
    family = await original.family()
    copy = Place(original.root.with_name("copy"))
    shutil.copytree(original.root, copy.root)
    assert (await copy.connect()).address != (await original.connect()).address
    assert not set((await copy.family()).all) & set(family.all)
    assert await original.family() == family


async def test_a_moved_project_goes_on_in_its_new_place(places: Callable[[str], Place]) -> None:
    old = places("old")
    run = await old.run("-")
    family = await old.family()
    new = Place(old.root.with_name("new"))
    old.root.rename(new.root)
    connection = await new.connect()
    assert (await connection.client.get_workflow_handle(run.id).describe()).id == run.id
    await new.family()
    await until(lambda: not family.living)


async def test_no_supervisor_is_started_while_another_one_has_not_left_its_place(place: Place) -> None:
    lock = take_lock(place.project.file(supervision.LOCK))
    assert lock is not None
    with pytest.raises(UnreachableError, match="not ready after 1 s"):
        await connect(place.root, patience=1.0)
    assert not place.project.file(supervision.LOG).exists()
    os.close(lock)
    assert (await place.connect()).embedded


async def test_a_deleted_project_leaves_no_process(place: Place) -> None:
    await place.connect()
    family = await place.family()
    await remove(place.root)
    await until(lambda: not family.living)


def test_without_the_server_program_the_hint_names_the_extra(place: Place, tmp_path: Path) -> None:
    """In an environment that has what we have, but no programs."""
    venv.create(tmp_path / "bare", symlinks=True)
    libraries = [str(REPOSITORY), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    done = subprocess.run(
        [str(tmp_path / "bare" / "bin" / "python"), "-m", "phaseloom", "runs"],
        cwd=place.root,
        env={"PATH": str(tmp_path), "HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(libraries)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == exit_for(UnreachableError(""))
    assert "hint: pip install 'phaseloom[embedded]'" in done.stderr
    assert supervision.living(place.project) is None


async def test_a_server_that_cannot_start_is_explained_by_its_log(place: Place) -> None:
    place.project.file(servers.DATABASE).mkdir()
    with pytest.raises(UnreachableError, match="the server ended at once"):
        await place.connect()


async def test_a_database_in_use_by_an_unseen_process_is_said_to_be(place: Place) -> None:
    lock = take_lock(place.project.file(servers.LOCK))
    assert lock is not None
    with pytest.raises(UnreachableError, match="in use by a process that cannot be seen"):
        await place.connect()
    os.close(lock)


async def test_a_folder_that_cannot_be_written_is_an_error_of_the_workspace(tmp_path: Path) -> None:
    (tmp_path / ".phaseloom").write_text("a file", encoding="utf-8")
    with pytest.raises(WorkspaceError, match="cannot be used"):
        await connect(tmp_path)


@pytest.mark.parametrize("how", ["option", "variable", "profile"])
async def test_a_configured_address_starts_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, how: str
) -> None:
    target = Target()
    if how == "option":
        target = Target(address="127.0.0.1:1")
    elif how == "variable":
        monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    else:
        (tmp_path / "temporal.toml").write_text('[profile.far]\naddress = "127.0.0.1:1"\n', encoding="utf-8")
        monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "temporal.toml"))
        target = Target(profile="far")
    with pytest.raises(UnreachableError, match=r"no Temporal server answers at 127\.0\.0\.1:1"):
        await connect(place.root, target)
    assert supervision.living(place.project) is None


async def test_a_profile_that_does_not_exist_is_said_to_be_missing(place: Place) -> None:
    with pytest.raises(UnreachableError, match="nowhere"):
        await connect(place.root, Target(profile="nowhere"))


async def test_a_shared_server_is_used_as_it_is(places: Callable[[str], Place]) -> None:
    host, guest = places("host"), places("guest")
    shared = await host.connect()
    connection = await connect(guest.root, Target(address=shared.address, namespace=shared.namespace, task_queue="q"))
    assert not connection.embedded
    assert connection.attributes
    assert (connection.namespace, connection.task_queue) == (shared.namespace, "q")
    assert supervision.living(guest.project) is None
    with pytest.raises(UnreachableError, match="has no namespace 'other'"):
        await connect(guest.root, Target(address=shared.address, namespace="other"))


async def test_an_agent_leaves_starting_a_supervisor_to_its_worker(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    await place.connect()
    family = await place.family()
    await kill(family.supervisor)
    monkeypatch.setenv(supervision.ATTEMPT_VARIABLE, "of-an-agent")
    await place.connect()
    after = await place.family()
    assert psutil.Process(after.supervisor.pid).ppid() == family.worker.pid
    assert (after.server, after.worker) == (family.server, family.worker)
