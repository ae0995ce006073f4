"""Durations are read as people write them; what cannot be one is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from definitions.durations import MAX_SECONDS, DurationError, seconds, span

HOUR, DAY = 3600.0, 86400.0


@pytest.mark.parametrize(
    ("written", "length"),
    [
        (300, 300.0),
        (1.5, 1.5),
        (0, 0.0),
        ("45", 45.0),
        ("5m", 300.0),
        ("2h30m", 2.5 * HOUR),
        ("2h 30m", 2.5 * HOUR),
        ("3d", 3 * DAY),
        ("1.5h", 1.5 * HOUR),
        ("250ms", 0.25),
        ("10_minutes", 600.0),
        ("8 minutes", 480.0),
        ("1 hour 30 min", 1.5 * HOUR),
        ("2 weeks", 14 * DAY),
        ("PT5M", 300.0),
        ("P3DT2H", 3 * DAY + 2 * HOUR),
        ("P1W", 7 * DAY),
        (" 5M ", 300.0),
    ],
)
def test_durations(written: object, length: float) -> None:
    assert seconds(written) == length
    assert span(written) == (length, length)


@pytest.mark.parametrize(
    ("written", "low", "high"),
    [
        ("3-5_minutes", 180.0, 300.0),
        ("2-4 minutes", 120.0, 240.0),
        ("30m-2h", 1800.0, 2 * HOUR),
        ("3 to 5 minutes", 180.0, 300.0),
        ("3_to_5_minutes", 180.0, 300.0),
        ("1\u20132h", HOUR, 2 * HOUR),
        ("60-90", 60.0, 90.0),
    ],
)
def test_ranges(written: str, low: float, high: float) -> None:
    assert span(written) == (low, high)
    with pytest.raises(DurationError):
        seconds(written)


@pytest.mark.parametrize(
    "written",
    ["", "5x", "m", "-5m", -1, "5m2h", "5m5m", "P", "PT", "P5H", "5-3m", "1e3", True, None, [], "9999999d",
     float("nan"), float("inf"), "5 m 3 q", "--5"],
)  # fmt: skip
def test_what_is_no_duration(written: object) -> None:
    with pytest.raises(DurationError):
        span(written)


@given(st.one_of(st.text(max_size=30), st.integers(), st.floats(), st.from_regex(r"[0-9]+[smhd_ -]*[a-z0-9]*")))
def test_nothing_else_than_a_length_or_an_error(written: object) -> None:
    try:
        low, high = span(written)
    except DurationError:
        return
    assert 0 <= low <= high <= MAX_SECONDS
