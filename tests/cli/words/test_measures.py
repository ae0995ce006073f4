"""What a run has taken: the table of its steps, and bars to scale."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest

from cli.words.bars import Canvas, Spell, bars, canvas, shares
from cli.words.measures import size, summary
from cli.words.status import status
from cli.words.table import width
from tests.cli.words.stories import Story, steps

ON = Canvas(width=130)


def used(cpu: float, memory: int, calls: int, written: int) -> dict[str, Any]:
    return {
        "usage": {
            "cpu_seconds": cpu,
            "memory_peak": memory,
            "calls": calls,
            "read_bytes": 0,
            "write_bytes": written,
        }
    }


def ended() -> Story:
    story = Story(steps())
    story.later(161).done(0, **used(80.5, 64_000_000, 2, 4_000_000))
    story.later(4).done(1, **used(1, 9_400_000, 1, 0))
    return story.later(16).done(2, **used(3, 9_400_000, 1, 512))


def test_each_step_and_the_total_are_told_with_what_was_measured() -> None:
    lines = summary(ended().view, ON)
    assert [re.split(" {2,}", line.strip()) for line in lines[:5]] == [
        [
            "Step",
            "Sequential",
            "Parallel",
            "Improvement",
            "CPU avg",
            "Memory peak",
            "Calls",
            "Disk read",
            "Disk written",
        ],
        ["step-01-math-utils", "2m 41s", "54s", "66%", "50%", "64.0 MB", "2", "0 B", "4.0 MB"],
        ["step-02-string-utils", "2m 45s", "56s", "66%", "1%", "9.4 MB", "1", "0 B", "0 B"],
        ["step-03-file-utils", "3m 01s", "1m 12s", "66%", "2%", "9.4 MB", "1", "0 B", "512 B"],
        ["Total", "8m 27s", "3m 01s", "62%", "47%", "64.0 MB", "4", "0 B", "4.0 MB"],
    ]
    assert lines[-1] == "  Saved 5m 26s of 8m 27s (62%)"


def test_what_was_not_measured_is_a_dash_and_is_missing_in_the_total() -> None:
    story = Story(steps(count=2))
    story.later(10).done(0, usage={"calls": 1}).done(1, **used(1, 2, 1, 0))
    lines = summary(story.view, ON)
    assert lines[1].split()[-5:] == ["—", "—", "1", "—", "—"]
    assert lines[3].split()[-5:] == ["—", "—", "2", "—", "—"]


def test_an_open_run_and_one_without_phases_have_no_table() -> None:
    assert summary(Story(steps()).view, ON) == []


@pytest.mark.parametrize("cells", [59, 99, 159])
def test_nothing_is_wider_than_the_terminal(cells: int) -> None:
    lines = summary(ended().view, Canvas(width=cells))
    drawn = [line for line in lines if "█" in line]
    assert len(drawn) == 3
    assert max(map(width, lines)) <= cells


def test_bars_are_to_one_scale_side_by_side() -> None:
    phases = [Spell(name="a", began=0, ended=10), Spell(name="b", began=0, ended=20)]
    lines = bars(phases, sequential=30, parallel=20, on=Canvas(width=78))
    assert [line.count("█") for line in lines[1:3]] == [12 + 12, 23 + 23]
    left, right = (lines[2].index("█"), lines[2].rindex("█"))
    assert left == lines[1].index("█") + 12, "b comes after a on the left"
    assert lines[1].rindex("█") < right, "and ends later on the right"


def test_a_terminal_without_unicode_gets_ascii() -> None:
    lines = summary(ended().view, Canvas(width=80, unicode=False))
    assert "".join(lines).isascii()
    assert any("####" in line for line in lines)
    assert canvas(io.TextIOWrapper(io.BytesIO(), encoding="ascii")).unicode is False
    assert canvas(io.TextIOWrapper(io.BytesIO(), encoding="utf-8")).unicode is True


def test_steps_at_work_at_once_share_the_time_equally() -> None:
    phases = [
        Spell(name="a", began=0, ended=10),
        Spell(name="b", began=5, ended=15),
        Spell(name="c", began=20, ended=21),
    ]
    assert shares(phases) == [7.5, 7.5, 1.0]


def test_a_long_run_shows_its_longest_steps() -> None:
    phases = [Spell(name=f"p{n}", began=n, ended=n + 1 + n / 100) for n in range(300)]
    lines = bars(phases, sequential=500, parallel=300, on=ON)
    assert len(lines) == 23
    assert "  … and 280 shorter ones" in lines


def test_sizes_are_told_with_three_digits() -> None:
    assert [size(n, ON) for n in (None, 0, 999, 1000, 12_340, 999_000_000)] == [
        "—", "0 B", "999 B", "1.0 kB", "12.3 kB", "999 MB",
    ]  # fmt: skip


def test_the_status_of_an_ended_run_ends_with_its_measures() -> None:
    view = ended().view
    assert status(view, on=ON)[-len(summary(view, ON)) :] == summary(view, ON)
    assert "Saved" not in "".join(status(view, measured=False))
