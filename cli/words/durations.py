"""Lengths of time and moments in words."""

from __future__ import annotations

from datetime import datetime

MINUTE, HOUR, DAY = 60, 3600, 86400

SECONDS_BELOW = 2 * MINUTE
"""A total shorter than this is rounded to seconds, a longer one to minutes."""

MINUTES_BELOW = 2 * HOUR
"""From here on a total is rounded to hours."""


def rounded(value: float) -> int:
    """To the nearest whole number, halves up."""
    return int(value + 0.5)


def duration(seconds: float) -> str:
    """A length of time, to the nearest of its smaller unit: `45s`, `2m 45s`, `1h 02m`, `3d 04h`."""
    total = rounded(max(0.0, seconds))
    if total < MINUTE:
        return f"{total}s"
    if total < HOUR:
        return f"{total // MINUTE}m {total % MINUTE:02}s"
    minutes, hours = rounded(total / MINUTE), rounded(total / HOUR)
    if minutes < DAY // MINUTE:
        return f"{minutes // 60}h {minutes % 60:02}m"
    return f"{hours // 24}d {hours % 24:02}h"


def ago(seconds: float) -> str:
    """How long ago something was: `2h ago`, `30m ago`, `just now`."""
    total = int(max(0.0, seconds))
    if total < MINUTE:
        return "just now"
    if total < HOUR:
        return f"{total // MINUTE}m ago"
    if total < DAY:
        return f"{total // HOUR}h ago"
    return f"{total // DAY}d ago"


def moment(text: str | None) -> datetime | None:
    """The moment that ISO 8601 text names; None for nothing."""
    return None if text is None else datetime.fromisoformat(text)


def since(then: str | None, now: str) -> str:
    """How long before `now` a moment was, in words; both are ISO 8601."""
    began, ends = moment(then), moment(now)
    if began is None or ends is None:
        return ""
    return ago((ends - began).total_seconds())


def due(row: dict[str, object], now: str, verb: str = "") -> str:
    """When a phase is due, behind a comma: `, due in 2d 04h`; nothing where it has no deadline."""
    deadline = row.get("deadline")
    if not isinstance(deadline, str):
        return ""
    return f", {verb}due in {between(now, deadline)}" if deadline > now else f", {verb}due now"


def between(begin: str | None, end: str | None) -> str:
    """The length of time between two ISO 8601 moments, in words."""
    began, ended = moment(begin), moment(end)
    if began is None or ended is None:
        return ""
    return duration((ended - began).total_seconds())


def saving(sequential: float, parallel: float) -> str | None:
    """What running in parallel has saved: `Sequential would have taken ~9min - 66% time saved`; None if nothing.

    Both totals (seconds) are rounded to the unit that is shown; the percentage comes from the rounded ones, truncated.
    """
    long, short, unit = _in_units(sequential, parallel)
    percent = improvement(sequential, parallel)
    # What took no time at all in the unit shown says nothing about what was saved.
    return f"Sequential would have taken ~{long}{unit} - {percent}% time saved" if short and percent > 0 else None


def improvement(sequential: float, parallel: float) -> int:
    """The same percentage alone; below zero where it took longer."""
    long, short, _ = _in_units(sequential, parallel)
    return int((long - short) * 100 / long) if long else 0


def _in_units(sequential: float, parallel: float) -> tuple[int, int, str]:
    if sequential < SECONDS_BELOW:
        size, unit = 1, "s"
    elif sequential < MINUTES_BELOW:
        size, unit = MINUTE, "min"
    else:
        size, unit = HOUR, "h"
    return rounded(sequential / size), rounded(parallel / size), unit


def counted(number: int, word: str) -> str:
    """A number with its noun: `1 phase`, `2 phases`."""
    if number == 1:
        return f"1 {word}"
    return f"{number} {word[:-1]}ies" if word.endswith("cy") else f"{number} {word}s"
