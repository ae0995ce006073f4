"""Ports for what a test starts later, or again at the same place."""

from __future__ import annotations

import random

from cli.embedded import server as servers


def free_port() -> int:
    """A port that is free and stays so: not one of those that the system gives to whoever asks for any."""
    return servers.free_port(random.choice(servers.PORTS))  # noqa: S311 - no secret


def free_ports(count: int) -> list[int]:
    """As `free_port`, several of them."""
    ports: set[int] = set()
    while len(ports) < count:
        ports.add(free_port())
    return list(ports)
