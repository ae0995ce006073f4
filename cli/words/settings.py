"""Settings for reading: name, value, origin."""

from __future__ import annotations

import json
from typing import Any

from cli.words.durations import duration
from cli.words.table import table

Json = dict[str, Any]

SECONDS = ("timeout_per_step", "rate_limit_delay", "timeout")


def listing(root: str, settings: list[Json]) -> list[str]:
    """A line per setting."""
    rows = [(setting["name"], _value(setting), _origin(setting)) for setting in settings]
    return [f"Project: {root}", *table([("SETTING", "VALUE", "FROM"), *rows])]


def _value(setting: Json) -> str:
    value = setting["value"]
    if setting["name"].rpartition(".")[2] in SECONDS and isinstance(value, int | float):
        return duration(value)
    return value if isinstance(value, str) else json.dumps(value)


def _origin(setting: Json) -> str:
    if setting["origin"] == "default":
        return "default"
    line = f":{setting['line']}" if setting["line"] else ""
    return f"{setting['file']}{line} ({setting['origin']})"
