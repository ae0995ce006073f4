"""Lanes of an open run: readable on any terminal, with what is to come."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cli.words.bars import Canvas
from cli.words.narration import Narration
from cli.words.swimlanes import Scene, scene, swimlanes
from cli.words.symbols import PLAIN
from cli.words.table import width
from engine.forecast import Span
from engine.plan import PhasePlan, Plan
from tests.cli.words.stories import SH, START, Story, delivery, fleet

ON = Canvas(width=99)


def seen(story: Story, lengths: dict[int, Span] | None = None) -> Scene:
    narration = Narration(story.plan)
    for fact in story.engine.ledger:
        narration.feed(fact)
    return scene(story.plan, narration.stand, began=START, now=story.at, lengths=lengths or {}, workers=None)


def automatic() -> Plan:
    plan = delivery()
    return replace(plan, phases=tuple(replace(phase, agents=(SH,)) for phase in plan.phases))


def many(count: int) -> Story:
    phases = tuple(PhasePlan(id=f"phase-number-{i}", name=f"P{i}", index=i, agents=(SH,)) for i in range(count))
    return Story(Plan(id="x", name="X", phases=phases)).later(30).done(0).later(5).broke(1)


def test_every_phase_has_a_lane_with_its_time_and_what_is_to_come() -> None:
    story = Story(automatic()).later(60).done(0).later(20)
    lines = swimlanes(seen(story, dict.fromkeys(range(5), (60, 60))), story.at, ON, rows=10)
    assert [line.split()[0] for line in lines[:5]] == ["✓", "⟳", "⟳", "·", "·"]
    assert [line.split("  ")[-1].strip() for line in lines[:5]] == ["1m 00s", "20s", "20s", "in ~40s", "in ~1m 40s"]
    assert lines[-2:] == [
        "  elapsed 1m 20s · 1/5 done · ETA ~2m 40s",
        "  * critical path: backend-development → integration-testing → review-deploy",
    ]
    assert [line.split()[1].endswith("*") or line.split()[2] == "*" for line in lines[:5]] == [
        False, True, False, True, True,
    ]  # fmt: skip


def test_a_clock_goes_on_between_two_looks() -> None:
    story = Story(automatic()).later(60).done(0)
    lines = swimlanes(seen(story, dict.fromkeys(range(5), (60, 60))), story.at + 5, ON, rows=10)
    assert "  elapsed 1m 05s · 1/5 done · ETA ~2m 55s" in lines


def test_what_this_run_has_taken_so_far_is_only_a_guess() -> None:
    story = Story(automatic()).later(60).done(0)
    assert "ETA ~3m 00s, a guess" in "".join(swimlanes(seen(story), story.at, ON, rows=10))


def test_people_have_no_known_length() -> None:
    story = Story(delivery()).later(60)
    lines = swimlanes(seen(story), story.at, ON, rows=10)
    assert "ETA unknown" in lines[-1]
    assert "1m 00s api" in lines[0]


@pytest.mark.parametrize("cells", [59, 99, 159])
def test_300_phases_stay_readable_with_those_at_work_first(cells: int) -> None:
    story = many(300)
    lines = swimlanes(seen(story), story.at, Canvas(width=cells), rows=10)
    assert [line.split()[0] for line in lines[:4]] == ["⟳", "⟳", "⟳", "‖"]
    assert lines[9] == "  … and 291 more"
    assert len(lines) == 13
    assert max(map(width, lines)) <= cells


def test_without_unicode_symbols_differ_still() -> None:
    story = many(30)
    lines = swimlanes(seen(story), story.at, Canvas(width=59, unicode=False), rows=10)
    assert "".join(lines).isascii()
    assert len(set(PLAIN.values())) == len(PLAIN)


def test_a_huge_plan_is_drawn_without_a_forecast() -> None:
    story = many(2500)
    shown = seen(story)
    assert shown.rest is None
    assert swimlanes(shown, story.at, ON, rows=10)[-1] == "  elapsed 35s · 1/2500 done"


def test_items_have_no_lane_but_are_counted_in_that_of_their_phase() -> None:
    story = Story(fleet()).later(60).done(2)
    lines = swimlanes(seen(story), story.at, ON, rows=10)
    assert lines[0].endswith("1/3 items")
    assert [line.split()[1] for line in lines[:2]] == ["build", "ship"]
    assert "0/2 done" in lines[3]
