"""Addresses to listen at. A port alone means this machine only; every other interface has to be written out."""

from __future__ import annotations

import ipaddress

LOOPBACK = "127.0.0.1"
LAST_PORT = 65535
FORMS = "9464 (this machine only), 127.0.0.1:9464, or an address of an interface like 0.0.0.0:9464"


def listening(value: object) -> str:
    """`IP:PORT` of what is written as a port, or as an address with a port.

    Raises:
        ValueError: it is neither.
    """
    host, separator, port = str(value).strip().rpartition(":")
    if isinstance(value, bool) or not port.isdecimal() or not 0 < int(port) <= LAST_PORT:
        raise ValueError(f"'{value}' is no address to listen at")
    if not separator:
        return f"{LOOPBACK}:{int(port)}"
    if host == "localhost":
        host = LOOPBACK
    try:
        ip = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        what = "names no interface" if not host else f"'{host}' is no address of an interface"
        raise ValueError(f"'{value}' is no address to listen at: {what}") from None
    return f"[{ip}]:{int(port)}" if ip.version == 6 else f"{ip}:{int(port)}"


def is_open_to_others(address: str) -> bool:
    """Whether other machines can come to an address that `listening` has returned."""
    return not ipaddress.ip_address(address.rpartition(":")[0].strip("[]")).is_loopback
