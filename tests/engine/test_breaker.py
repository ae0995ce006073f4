"""The circuit breaker of a tool: who may go on, what opens and closes it, and that no lease is lost for ever."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.breaker import BY_CLASS, Admission, Breaker, Outcome
from engine.failing import ERROR_CLASSES

LASTS = 10.0
RULE: dict[str, Any] = {"threshold": 3, "recovery": 60.0}


def asked(breaker: Breaker, lease: str, at: float) -> Admission:
    return breaker.ask(lease, at, by=f"run/{lease}", lasts=LASTS)


def used(breaker: Breaker, lease: str, at: float, outcome: Outcome) -> None:
    answer = asked(breaker, lease, at)
    assert answer.granted
    breaker.report(lease, answer.era, outcome, at, **RULE)


def opened() -> Breaker:
    breaker = Breaker()
    for number in range(3):
        used(breaker, f"a{number}", float(number), "failed")
    assert breaker.state(2) == "open"
    return breaker


def test_only_failures_in_a_row_open_it() -> None:
    breaker = Breaker()
    for number, outcome in enumerate(("failed", "failed", "ok", "failed", "neutral", "failed")):
        used(breaker, f"a{number}", 0, outcome)  # type: ignore[arg-type]  # a literal in a tuple
    assert (breaker.state(0), breaker.failures) == ("closed", 2)
    used(breaker, "last", 0, "failed")
    assert breaker.state(0) == "open"


def test_an_open_one_says_how_long_to_wait_and_then_lets_one_probe_through() -> None:
    breaker = opened()
    refused = asked(breaker, "b", 32)
    assert (refused.granted, refused.wait, refused.failures) == (False, 30.0, 3)
    assert breaker.state(62) == "half_open"
    assert asked(breaker, "b", 62).probe
    second = asked(breaker, "c", 63)
    assert (second.granted, second.wait) == (False, 9.0)


def test_the_probe_closes_it_or_opens_it_anew() -> None:
    for outcome, state, failures in (("ok", "closed", 0), ("failed", "open", 4), ("neutral", "half_open", 3)):
        breaker = opened()
        used(breaker, "p", 62, outcome)  # type: ignore[arg-type]  # as above
        assert (breaker.state(63), breaker.failures, breaker.holder(63)) == (state, failures, None)


def test_a_probe_that_is_not_heard_of_again_frees_its_place_and_one_that_renews_keeps_it() -> None:
    breaker = opened()
    asked(breaker, "p", 62)
    breaker.renew("p", 70, lasts=LASTS)
    assert not asked(breaker, "q", 79).granted
    assert asked(breaker, "q", 80).probe
    breaker.renew("p", 81, lasts=LASTS)
    holder = breaker.holder(81)
    assert holder is not None
    assert (holder.lease, holder.by) == ("q", "run/q")


def test_asking_again_with_the_same_lease_is_the_same_probe() -> None:
    breaker = opened()
    assert asked(breaker, "p", 62).probe
    assert asked(breaker, "p", 63).probe


def test_reports_that_come_twice_or_late_change_nothing() -> None:
    breaker = Breaker()
    for _ in range(5):
        breaker.report("a", 0, "failed", 0, **RULE)
    assert breaker.failures == 1
    breaker = opened()
    breaker.report("of before", 0, "ok", 3, **RULE)
    assert breaker.state(3) == "open"
    answer = asked(breaker, "p", 62)
    breaker.reset()
    breaker.report("p", answer.era, "failed", 63, **RULE)
    assert (breaker.state(63), breaker.failures) == ("closed", 0)


def test_every_class_of_failure_says_something_of_the_tool_or_nothing() -> None:
    assert set(BY_CLASS) == set(ERROR_CLASSES)
    assert [kind for kind, outcome in BY_CLASS.items() if outcome == "failed"] == ["transient", "system"]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "ask", "report", "renew", "reset", "wait", "restart"]),
        st.integers(0, 5),
        st.sampled_from(["ok", "failed", "failed", "failed", "neutral"]),
    ),
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_at_most_one_probe_at_a_time_nothing_goes_on_while_open_and_it_always_recovers(steps: list[Any]) -> None:
    breaker, now = Breaker(), 0.0
    granted: dict[str, int] = {}
    for number, (what, which, outcome) in enumerate(steps):
        lease = f"l{which}"
        if what == "wait":
            now += 7.0 * (which + 1)
        elif what == "reset":
            breaker.reset()
        elif what == "renew":
            breaker.renew(lease, now, lasts=LASTS)
        elif what == "restart":
            breaker = Breaker.from_json(json.loads(json.dumps(breaker.to_json())))
        elif what == "report" and lease in granted:
            breaker.report(f"{lease}", granted.pop(lease), outcome, now, **RULE)
        elif what == "ask":
            before, holder = breaker.state(now), breaker.holder(now)
            answer = asked(breaker, lease, now)
            assert answer.granted == (
                before == "closed" or (before == "half_open" and (holder is None or holder.lease == lease))
            ), (number, before)
            assert answer.granted or 0 < answer.wait <= RULE["recovery"]
            if answer.granted:
                granted[lease] = answer.era
        assert (breaker.state(now) == "closed") == (breaker.opened_at is None)
    now += RULE["recovery"] + LASTS + 1
    assert asked(breaker, "the last one", now).granted
