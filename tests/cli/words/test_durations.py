"""Lengths of time and moments in words."""

from __future__ import annotations

import pytest

from cli.words.durations import ago, between, counted, duration, saving, since

MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0s"),
        (0.4, "0s"),
        (45, "45s"),
        (59.6, "1m 00s"),
        (165, "2m 45s"),
        (181, "3m 01s"),
        (HOUR + 125, "1h 02m"),
        (2 * HOUR - 1, "2h 00m"),
        (DAY - 1, "1d 00h"),
        (3 * DAY + 4 * HOUR + 29 * MINUTE, "3d 04h"),
        (3 * DAY - 0.8, "3d 00h"),
        (-5, "0s"),
    ],
)
def test_a_length_of_time_has_two_units_at_most(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "just now"),
        (59, "just now"),
        (60, "1m ago"),
        (30 * MINUTE, "30m ago"),
        (2 * HOUR + 59 * MINUTE, "2h ago"),
        (50 * HOUR, "2d ago"),
        (-3, "just now"),
    ],
)
def test_a_moment_is_told_by_how_long_ago_it_was(seconds: float, words: str) -> None:
    assert ago(seconds) == words


def test_moments_are_compared_whatever_their_offset() -> None:
    assert since("2024-02-19T10:00:00.000Z", "2024-02-19T13:30:00.000+01:00") == "2h ago"
    assert between("2024-02-19T10:00:00.000Z", "2024-02-19T10:02:45.200Z") == "2m 45s"
    assert since(None, "2024-02-19T10:00:00Z") == between(None, None) == ""


@pytest.mark.parametrize(
    ("sequential", "parallel", "words"),
    [
        (8 * MINUTE + 47, 3 * MINUTE + 1, "Sequential would have taken ~9min - 66% time saved"),
        (9.2, 3.1, "Sequential would have taken ~9s - 66% time saved"),
        (119, 60, "Sequential would have taken ~119s - 49% time saved"),
        (120, 60, "Sequential would have taken ~2min - 50% time saved"),
        (3 * HOUR, HOUR, "Sequential would have taken ~3h - 66% time saved"),
        (10, 10, None),
        (10, 12, None),
        (9.4, 9.1, None),
        (0.9, 0.3, None),
        (0, 0, None),
    ],
)
def test_the_saving_is_computed_from_the_rounded_totals(sequential: float, parallel: float, words: str | None) -> None:
    assert saving(sequential, parallel) == words


@pytest.mark.parametrize(
    ("number", "word", "words"),
    [
        (1, "phase", "1 phase"),
        (2, "phase", "2 phases"),
        (0, "dependency", "0 dependencies"),
        (1, "dependency", "1 dependency"),
    ],
)
def test_a_number_agrees_with_its_noun(number: int, word: str, words: str) -> None:
    assert counted(number, word) == words
