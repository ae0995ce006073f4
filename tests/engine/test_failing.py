"""Classes of failures, when two of them are the same, and whether another attempt follows."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from activities.failures import Code
from engine.failing import CLASS_OF_CODE, ERROR_CLASSES, Limits, class_of, classified, fingerprint, verdict
from engine.plan import Retry

Json = dict[str, Any]

WRITTEN = Retry(max_attempts=10, every_failure=True)


def failed(code: str = "exit_code", message: str = "no", **more: Any) -> Json:
    failure: Json = classified({"code": code, "message": message, "exit_code": 1, "tail": "", **more})
    return {**failure, "fingerprint": fingerprint(failure)}


def test_every_code_of_an_attempt_belongs_to_one_class() -> None:
    assert set(get_args(Code)) <= set(CLASS_OF_CODE)
    assert set(CLASS_OF_CODE.values()) == set(ERROR_CLASSES)


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        ({"code": "exit_code", "exit_code": 1}, "deterministic"),
        ({"code": "exit_code", "exit_code": 75}, "transient"),
        ({"code": "signal"}, "transient"),
        ({"code": "tests_failed", "exit_code": 75}, "quality"),
        ({"code": "http_status", "class": "transient"}, "transient"),
        ({"code": "http_status", "class": "nonsense"}, "deterministic"),
        ({"code": "SomebodyElsesError"}, "deterministic"),
        ({}, "deterministic"),
    ],
)
def test_a_failure_has_the_class_that_it_says_else_that_of_its_code(failure: Json, expected: str) -> None:
    assert class_of(failure) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3 of 12 tests failed in 1.25s", "4 of 12 tests failed in 980ms"),
        ("see /tmp/pytest-of-ana/x.py", "see /tmp/tmpab12cd/x.py"),
        ("no object 0x7f3a2b at commit 1a2b3c4d", "no object 0x9c at commit ffee0011aa"),
        ("run 550e8400-e29b-41d4-a716-446655440000", "run 123e4567-e89b-12d3-a456-426614174000"),
        ("a  b\nc", "a b c"),
        ("left in tmp_k3j4h2l", "left in tmp_99aabb"),
    ],
)
def test_numbers_ids_durations_and_temporary_paths_make_no_difference(one: str, other: str) -> None:
    assert fingerprint(failed(message=one)) == fingerprint(failed(message=other))
    assert fingerprint(failed(tail=one)) == fingerprint(failed(tail=other))


def test_other_words_codes_and_exit_codes_make_one() -> None:
    marks = [
        fingerprint(failed()),
        fingerprint(failed(message="yes")),
        fingerprint(failed(code="timeout")),
        fingerprint(failed(exit_code=2)),
        fingerprint(failed(tail="more")),
    ]
    assert len(set(marks)) == len(marks)


@pytest.mark.parametrize(
    ("code", "attempts"),
    [("signal", 3), ("workspace", 3), ("tests_failed", 3), ("exit_code", 1), ("timeout", 1), ("not_found", 1)],
)
def test_without_a_rule_the_class_decides_how_often(code: str, attempts: int) -> None:
    failures = [failed(code, f"m{'x' * number}") for number in range(attempts)]
    for made in range(1, attempts):
        assert verdict(failures[:made], Retry()).again
    assert verdict(failures, Retry()).again is False


def test_quality_is_given_two_rounds_by_whoever_is_told_what_was_wrong_and_none_by_others() -> None:
    failures = [failed("tests_failed", word) for word in ("a", "b", "c")]
    patient = Retry(max_attempts=9)
    assert [verdict(failures[:n], patient).again for n in (1, 2, 3)] == [True, True, False]
    assert not verdict(failures[:1], patient, mends=False).again


def test_a_written_rule_repeats_everything_but_what_only_a_person_can_mend() -> None:
    assert verdict([failed()], WRITTEN).again
    assert verdict([failed("tests_failed")], WRITTEN, mends=False).again
    assert not verdict([failed("expression")], WRITTEN).again
    only = Retry(max_attempts=9, every_failure=True, on=("quality",))
    assert verdict([failed("bad_output")], only).again
    assert not verdict([failed("signal")], only).again


def test_the_same_error_three_times_in_a_row_stops_a_rule_that_would_go_on() -> None:
    same = [failed(message=f"{n} tests failed") for n in (1, 2, 3)]
    assert verdict(same[:2], WRITTEN).again
    stopped = verdict(same, WRITTEN)
    assert (stopped.again, stopped.stopped_early, stopped.words) == (False, "repeated", "the same error 3 times")
    assert verdict([same[0], failed(message="other"), *same[:2]], WRITTEN).again


def test_two_errors_that_take_turns_stop_it_too() -> None:
    one, other = failed(message="lint"), failed(message="types")
    assert verdict([one, other, one], WRITTEN).again
    assert verdict([one, other, one, other], WRITTEN).stopped_early == "oscillating"
    assert verdict([one, other, other, one], WRITTEN).again


def test_transient_failures_are_never_stopped_early() -> None:
    assert verdict([failed("signal")] * 6, WRITTEN).again
    assert verdict([failed("signal"), failed("no_answer")] * 3, WRITTEN).again
    assert not verdict([failed("signal")] * 10, WRITTEN).again


def test_attempts_that_are_used_up_are_not_stopped_early() -> None:
    stopped = verdict([failed()] * 3, Retry(max_attempts=3, every_failure=True))
    assert (stopped.again, stopped.stopped_early) == (False, None)


def test_a_breaker_counts_what_failed_before_this_activity() -> None:
    counted = Limits(max_attempts=5, max_error_repeats=3, failed=3)
    first, second = failed(message="a"), failed(message="b")
    assert verdict([first], WRITTEN, limits=counted).again
    assert verdict([first, second], WRITTEN, limits=counted).stopped_early == "attempts"
    known = Limits(max_attempts=50, max_error_repeats=3, failed=2, last=fingerprint(first), same=2)
    assert verdict([first], WRITTEN, limits=known).stopped_early == "repeated"
    assert verdict([second], WRITTEN, limits=known).again
    probe = Limits(max_attempts=50, max_error_repeats=30, probe=True)
    assert verdict([failed("signal")], WRITTEN, limits=probe).stopped_early == "attempts"
