"""Amounts of data as people write them: `10MB`, `512 KiB`, `1048576`."""

from __future__ import annotations

import re

UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}

MOST = 2**50
"""Bytes; up to here sizes are exact, and no disk holds more."""

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)")


def size(value: object) -> int:
    """The bytes that are meant.

    Raises:
        ValueError: it is no size, or no disk has it.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        written = float(value)
    else:
        found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
        if found is None or found[2].lower() not in UNITS:
            raise ValueError("a size is written like 500KB, 10MB or 1GiB")
        written = float(found[1]) * UNITS[found[2].lower()]
    if written > MOST:
        raise ValueError("a size is at most 1024 TiB")
    return int(written)
