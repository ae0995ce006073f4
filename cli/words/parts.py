"""The parts of a phase that several work on: which are done, which are open, and what somebody at work is doing."""

from __future__ import annotations

from typing import Any

from cli.words.durations import between

Json = dict[str, Any]

MARKS = {"done": "✓", "open": "→", "at work": "⟳", "later": "·"}


def parts(row: Json, now: str, *, indent: str = "  ") -> list[str]:
    """A line per part, where there is more than one, or a command whose name says more than its role."""
    told: list[Json] = row.get("parts") or []
    if len(told) == 1 and told[0]["state"] != "at work":
        return []
    names = max((len(part["who"]) for part in told), default=0)
    return [f"{indent}{MARKS[part['state']]} {part['who']:{names}}  {_state(part, row, now)}" for part in told]


def _state(part: Json, row: Json, now: str) -> str:
    does = part.get("does", "")
    if part["state"] == "at work":
        took = between(row.get("turn_at"), now)
        return f"at work: {does}{f', for {took}' if took else ''}"
    if part["state"] == "open":
        return "open, waits for them" if not does else f"open: {does}"
    return f"{part['state']}{f': {does}' if does else ''}"
