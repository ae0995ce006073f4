"""When an open run ends, by estimates and by what earlier runs took."""

from __future__ import annotations

from cli.words.prospect import prospect
from engine.plan import PhasePlan, Plan
from tests.cli.words.stories import SH, Story, need

HOUR = 3600.0


def plan(*estimates: float | None) -> Plan:
    """Two phases beside each other, and one that needs both."""
    needs = ((), (), (need(0), need(1)))
    phases = tuple(
        PhasePlan(
            id=f"p{index}",
            name=f"P{index}",
            index=index,
            agents=(SH,),
            needs=needs[index],
            estimate=(each, each) if each is not None else None,
        )
        for index, each in enumerate(estimates)
    )
    return Plan(id="x", name="X", phases=phases)


def test_the_critical_path_and_the_slack_of_the_others() -> None:
    made = plan(HOUR, 1200.0, HOUR)
    found = prospect(made, Story(made).later(600).view, {})
    assert found is not None
    assert (found["text"], found["high"]) == ("ETA ~1h 50m", 6600.0)
    assert found["critical_path"] == ["p0", "p2"]
    assert found["slack"] == {"p1": 2400.0}


def test_what_earlier_runs_took_counts_where_nothing_is_estimated() -> None:
    made = plan(None, None, None)
    view = Story(made).view
    assert prospect(made, view, {}) is None
    found = prospect(made, view, {0: (60.0, 60.0), 1: (60.0, 60.0), 2: (30.0, 90.0)})
    assert found is not None
    assert found["text"] == "ETA 1m 30s to 2m 30s"


def test_an_ended_run_has_no_eta() -> None:
    made = plan(1.0, 1.0, 1.0)
    story = Story(made).done(0).done(1).done(2)
    assert prospect(made, story.view, {}) is None
