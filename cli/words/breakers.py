"""The circuit breakers of tools, for reading."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from cli.words.durations import counted, since
from cli.words.table import table

Json = dict[str, Any]

STATES = {"closed": "closed", "open": "open", "half_open": "half-open"}


def listing(found: list[Json], *, fits: int | None = None) -> list[str]:
    """A line per tool, cut to `fits` cells; below, how to close one that is open."""
    if not found:
        return ["No tool has a circuit breaker that anybody has asked lately."]
    now = datetime.now(UTC).isoformat()
    rows = [
        (
            each["tool"],
            STATES[each["state"]],
            str(each["failures"]),
            since(each["since"], now) if each["since"] else "",
            (each["probe"] or {}).get("by", ""),
            each["last_error"] if each["state"] != "closed" else "",
        )
        for each in found
    ]
    lines = table([("TOOL", "STATE", "FAILURES", "SINCE", "PROBE", "LAST ERROR"), *rows], fits=fits)
    stopped = next((each["tool"] for each in found if each["state"] != "closed"), None)
    named = f"'{stopped}'" if stopped is not None and not stopped.replace("-", "").isalnum() else stopped
    return lines if stopped is None else [*lines, f"Close one at once with: phaseloom breakers reset {named}"]


def was_reset(before: Json) -> list[str]:
    """What a reset has changed."""
    if before["state"] == "closed":
        return [f"The circuit of {before['tool']} was closed; what it had counted is forgotten."]
    after = counted(before["failures"], "failure")
    return [f"The circuit of {before['tool']} is closed again (it was {STATES[before['state']]}, after {after})."]
