"""Durations as people write them: `300`, `5m`, `2h30m`, `3d`, `PT5M`, `10_minutes`, and ranges: `3-5_minutes`."""

from __future__ import annotations

import re

MAX_SECONDS = 3650 * 86400.0
"""Ten years: no timer is longer, and sums stay exact."""

_UNITS = {
    "ms": 0.001,
    "millisecond": 0.001,
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "m": 60.0,
    "min": 60.0,
    "minute": 60.0,
    "h": 3600.0,
    "hr": 3600.0,
    "hour": 3600.0,
    "d": 86400.0,
    "day": 86400.0,
    "w": 604800.0,
    "week": 604800.0,
}
_NUMBER = r"(?:[0-9]{1,12}(?:\.[0-9]{1,6})?)"
_PART = re.compile(rf"({_NUMBER})[ _]?([a-z]+)[ _]*")
_PLAIN = re.compile(_NUMBER)
_ENDLESS = re.compile(r"[0-9]{13,}(?:\.[0-9]*)?")
_RANGE = re.compile(rf"({_NUMBER}(?:[ _]?[a-z]+)?)[ ]?(?:-|\u2013|\.\.| to |_to_)[ ]?({_NUMBER}[ _]?[a-z]*)")
_UNIT_AT_END = re.compile(r"[a-z]+$")
_ISO = re.compile(
    rf"p(?:({_NUMBER})w)?(?:({_NUMBER})d)?(?:t(?:({_NUMBER})h)?(?:({_NUMBER})m)?(?:({_NUMBER})s)?)?",
)
_ISO_SECONDS = (604800.0, 86400.0, 3600.0, 60.0, 1.0)

WRITTEN = "300, 5m, 2h30m, 3d, PT5M or 10_minutes"
"""How durations are written, for messages."""


class DurationError(ValueError):
    """Raised when a value is no duration; `str()` says what is wrong with it."""


def seconds(value: object) -> float:
    """The length of a duration in seconds; a number is seconds, a text has units.

    Raises:
        DurationError: when the value cannot be read, is negative, or is longer than ten years.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise DurationError(f"a duration is written {WRITTEN}")
    length = float(value) if isinstance(value, int | float) else _text_seconds(value.strip().lower(), value)
    if length < 0:
        raise DurationError("a duration cannot be negative")
    if not length <= MAX_SECONDS:
        raise DurationError("a duration is at most ten years")
    return length


def span(value: object) -> tuple[float, float]:
    """An estimate as (low, high) in seconds; a single duration is both. `3-5_minutes` shares the unit.

    Raises:
        DurationError: as `seconds`, and when the low end is above the high end.
    """
    if isinstance(value, str) and (found := _RANGE.fullmatch(value.strip().lower())) is not None:
        low_text, high_text = found[1], found[2]
        unit = _UNIT_AT_END.search(high_text)
        if unit is not None and _PLAIN.fullmatch(low_text):
            low_text += unit[0]
        low, high = seconds(low_text), seconds(high_text)
        if low > high:
            raise DurationError(f"the range '{value}' ends before it begins")
        return low, high
    length = seconds(value)
    return length, length


def _text_seconds(text: str, shown: str) -> float:
    negative = text.startswith("-")
    text = text.removeprefix("-")
    if _PLAIN.fullmatch(text):
        length = float(text)
    elif _ENDLESS.fullmatch(text):
        length = float("inf")
    elif text.startswith("p"):
        length = _iso_seconds(text, shown)
    else:
        length = _parts_seconds(text, shown)
    return -length if negative else length


def _parts_seconds(text: str, shown: str) -> float:
    total, position, smallest = 0.0, 0, float("inf")
    while position < len(text):
        found = _PART.match(text, position)
        unit = _unit(found[2]) if found is not None else None
        if found is None or unit is None or unit >= smallest:
            raise DurationError(f"'{_short(shown)}' is not a duration; write {WRITTEN}")
        total += float(found[1]) * unit
        position, smallest = found.end(), unit
    if not text:
        raise DurationError(f"a duration is written {WRITTEN}")
    return total


def _unit(word: str) -> float | None:
    return _UNITS.get(word, _UNITS.get(word.removesuffix("s")))


def _iso_seconds(text: str, shown: str) -> float:
    found = _ISO.fullmatch(text)
    if found is None or not any(found.groups()):
        raise DurationError(f"'{_short(shown)}' is not an ISO 8601 duration; write for example PT1H30M or P3D")
    return sum(float(part) * unit for part, unit in zip(found.groups(), _ISO_SECONDS, strict=True) if part)


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "…"
