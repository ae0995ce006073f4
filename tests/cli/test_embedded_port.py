"""A port that a project asks for: its server listens there whoever starts it, unless `up --port` says otherwise."""

from __future__ import annotations

import asyncio
import os
import signal
import socket

import pytest

from cli.embedded import server as servers
from cli.embedded import supervision
from cli.embedded.condition import stop
from engine.errors import UnreachableError
from tests.cli.conftest import Place, until
from tests.cli.program.person import PROGRAM
from tests.ports import free_ports


def asks_for(place: Place, port: int) -> None:
    (place.root / "phaseloom.yaml").write_text(f"server: {{port: {port}}}\n", encoding="utf-8")


async def up(place: Place, *options: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        PROGRAM, "up", *options, cwd=place.root, env=dict(os.environ), stdout=asyncio.subprocess.DEVNULL
    )


async def listens(place: Place, port: int) -> None:
    """Wait until the project's server serves at a port."""

    def there() -> bool:
        record = place.project.read(servers.RECORD)
        return bool(record.get("ready")) and record.get("port") == port

    await until(there)


async def test_a_server_that_a_command_starts_listens_where_the_project_says_and_stays_there_while_it_lives(
    place: Place,
) -> None:
    first, second, third = free_ports(3)
    asks_for(place, first)
    assert (await place.connect()).address == f"{servers.HOST}:{first}"
    asks_for(place, second)
    assert (await place.connect()).address == f"{servers.HOST}:{first}"
    process = await up(place, "--port", str(third))
    await listens(place, third)
    process.send_signal(signal.SIGINT)
    assert await process.wait() == 0
    process = await up(place)
    await listens(place, second)
    process.send_signal(signal.SIGINT)
    assert await process.wait() == 0


async def test_a_port_that_somebody_else_has_is_an_error_that_names_the_file_and_starts_nothing(place: Place) -> None:
    with socket.create_server((servers.HOST, 0)) as taken:
        port = taken.getsockname()[1]
        asks_for(place, port)
        with pytest.raises(UnreachableError, match=f"port {port} of 127.0.0.1: is in use by another program") as raised:
            await place.connect()
        assert raised.value.hint.startswith("phaseloom.yaml asks for it (server.port)")
        assert supervision.living(place.project) is None
        assert await (await up(place)).wait() == 5
    await stop(place.root)


async def test_a_file_with_errors_keeps_nobody_from_working(place: Place) -> None:
    (place.root / "phaseloom.yaml").write_text("server: {port: 70000}\n", encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        PROGRAM, "up", cwd=place.root, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    await until(lambda: place.project.read(servers.RECORD).get("ready"))
    process.send_signal(signal.SIGINT)
    _, said = await process.communicate()
    assert b"phaseloom.yaml:1:16 PL110 server.port: the number 70000 is too large: at most 65535" in said
