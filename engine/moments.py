"""Moments and long texts as they are shown: light, because every command that looks at a run needs them."""

from __future__ import annotations

from datetime import UTC, datetime


def iso(at: float | None) -> str | None:
    """A moment as `2024-02-19T10:00:00.000Z`."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def cut(text: str, length: int) -> str:
    """The text, or as much of it as `length` characters hold with an ellipsis."""
    return text if len(text) <= length else text[: length - 1] + "…"


def next_after(due: float, every: float, at: float) -> float:
    """The next of moments `every` so many seconds, after the one that was `due`; those gone by are left out."""
    return due + every * max(1, int((at - due) // every) + 1)
