"""Ports for servers that tests start themselves, later, or again at the same place."""

from __future__ import annotations

import random

from cli.embedded.server import PORTS
from cli.embedded.server import free_port as free_from


def free_port() -> int:
    """A free port, as a project finds its own: below those that systems hand out by themselves.

    One of those may be given to anybody between here and the server's start; and whoever asks again and again whether
    a server listens on it may at last connect to itself.
    """
    return free_from(random.SystemRandom().choice(PORTS))


def free_ports(count: int) -> list[int]:
    """As `free_port`, several of them."""
    ports: set[int] = set()
    while len(ports) < count:
        ports.add(free_port())
    return list(ports)
