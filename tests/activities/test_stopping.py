"""How attempts end that do not succeed: timeout, cancellation, a worker that shuts down, and what is retried."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.failures import AttemptError, History, pause_after
from engine.coding import encode
from engine.plan import Retry
from tests.activities.conftest import LONGER

if TYPE_CHECKING:
    from tests.activities.conftest import Project

Eventually = Callable[..., Any]
ProcessesOf = Callable[[str], list[int]]

AGAIN = {"max_attempts": 3, "initial": 2.0, "factor": 3.0, "jitter": 0.0, "every_failure": True}


async def failure(project: Project, script: str, **changes: Any) -> ApplicationError:
    with pytest.raises(ApplicationError) as caught:
        await project.command({"run": ["sh", "-c", script]}, **changes)
    return caught.value


async def test_a_hung_agent_is_killed_with_its_children_at_the_timeout(
    project: Project, processes_of: ProcessesOf
) -> None:
    script = "sleep 97541 & (setsid sleep 97541 &); echo working; exec sleep 97541"
    for seconds in LONGER:
        error = await failure(project, script, timeout=seconds)
        assert (error.type, error.non_retryable) == ("timeout", True)
        assert error.message == f"sh did not end within {seconds:g}s and was killed"
        if error.details[0]["tail"]:
            break
    assert error.details[0]["tail"] == "working"
    assert not processes_of("97541")


async def test_the_timeout_covers_all_tasks_and_tests_together(project: Project) -> None:
    for seconds in LONGER:
        tasks = [f"sleep {seconds / 4}"] * 2
        with pytest.raises(ApplicationError) as caught:
            await project.command({"tasks": tasks}, acceptance_tests=[f"sleep {seconds * 0.9}"], timeout=seconds)
        assert caught.value.type == "timeout"
        if caught.value.message.startswith("test 'sleep"):
            return
    pytest.fail(caught.value.message)


async def test_a_cancelled_activity_leaves_nothing_and_is_cancelled(
    project: Project, eventually: Eventually, processes_of: ProcessesOf
) -> None:
    task = asyncio.ensure_future(project.command({"run": ["sh", "-c", "trap '' TERM; echo up; sleep 97542 & wait"]}))
    await eventually(lambda: project.beats and project.beats[-1]["pgid"] and "up" in project.log)
    project.env.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not processes_of("97542")
    assert "[WARNING] Agent: builder - Stopped (cancelled)" in project.log


async def test_a_worker_that_shuts_down_hands_the_attempt_back(
    project: Project, eventually: Eventually, processes_of: ProcessesOf
) -> None:
    task = asyncio.ensure_future(project.command({"run": ["sh", "-c", "echo up; sleep 97543"]}))
    await eventually(lambda: project.beats and project.beats[-1]["pgid"] and "up" in project.log)
    project.env.worker_shutdown()
    with pytest.raises(ApplicationError) as caught:
        await task
    assert (caught.value.type, caught.value.non_retryable) == ("WorkerLost", False)
    assert caught.value.next_retry_delay is not None
    assert caught.value.next_retry_delay.total_seconds() < 0.01
    assert project.beats[-1]["failures"] == [], "it did not count as an attempt"
    assert not processes_of("97543")


async def test_the_first_heartbeat_comes_at_once_and_names_the_group(project: Project) -> None:
    result = await project.command(
        {"run": ["sh", "-c", "ps -o pgid= -p $$"]}, outputs={"pgid": {"type": "integer", "value": "stdout"}}
    )
    assert project.beats[0]["pgid"] is None
    named = [beat for beat in project.beats if beat["pgid"] is not None]
    assert {beat["pgid"] for beat in named} == {result["outputs"]["pgid"]}
    assert project.beats[0]["attempt_id"] == named[0]["attempt_id"]


async def test_exit_75_is_tried_again_and_exit_1_is_not(project: Project) -> None:
    once = await failure(project, "exit 1")
    assert (once.type, once.non_retryable, once.next_retry_delay) == ("exit_code", True, None)
    again = await failure(project, "exit 75")
    assert not again.non_retryable
    assert again.next_retry_delay is not None
    assert 4.0 <= again.next_retry_delay.total_seconds() <= 6.0
    killed = await failure(project, "kill -9 $$")
    assert (killed.type, killed.non_retryable, killed.message) == ("signal", False, "sh was killed by SIGKILL")


async def test_real_failures_are_counted_across_attempts_and_told(project: Project) -> None:
    first = await failure(project, "echo one; exit 1", retry=AGAIN)
    assert first.next_retry_delay is not None
    assert first.next_retry_delay.total_seconds() == 2.0
    project.next_attempt(2)
    second = await failure(project, "echo two; exit 2", retry=AGAIN)
    assert second.next_retry_delay is not None
    assert second.next_retry_delay.total_seconds() == 6.0
    project.next_attempt(5)  # two workers were lost in between
    result = await project.command(
        {"run": ["sh", "-c", 'echo "$PHASELOOM_ATTEMPT"; cp "$PHASELOOM_INPUT" "$PHASELOOM_OUTPUT"']}, retry=AGAIN
    )
    assert result["attempts"] == 3
    assert [(f["attempt"], f["exit_code"], f["tail"]) for f in result["failures"]] == [(1, 1, "one"), (2, 2, "two")]
    assert result["outputs"]["attempt"] == 3
    assert [f["exit_code"] for f in result["outputs"]["failures"]] == [1, 2]


async def test_the_last_attempt_is_final_and_has_the_whole_story(project: Project) -> None:
    for number in (1, 2):
        assert not (await failure(project, f"exit {number}", retry=AGAIN)).non_retryable
        project.next_attempt(number + 1)
    last = await failure(project, "echo three; exit 3", retry=AGAIN)
    assert last.non_retryable
    details: Any = last.details[0]
    assert details.keys() == {"code", "class", "message", "exit_code", "attempts", "failures", "tail", "tests"}
    assert (details["attempts"], details["exit_code"], details["tail"]) == (3, 3, "three")
    assert [f["exit_code"] for f in details["failures"]] == [1, 2, 3]


async def test_a_success_that_comes_with_a_shutdown_still_counts(project: Project) -> None:
    project.env.worker_shutdown()
    with pytest.raises(ApplicationError) as caught:
        await project.command({"run": ["sleep", "97544"]})
    assert caught.value.type == "WorkerLost"


def test_backoff_grows_to_its_maximum_and_is_spread_by_key() -> None:
    retry = Retry(initial=5, factor=2, maximum=30, jitter=0)
    assert [pause_after(retry, "k", n) for n in (1, 2, 3, 4, 5000)] == [5, 10, 20, 30, 30]
    spread = dataclasses.replace(retry, jitter=0.2)
    pauses = {pause_after(spread, f"key {n}", 1) for n in range(50)}
    assert len(pauses) > 40
    assert all(4 <= pause <= 6 for pause in pauses)
    assert pause_after(spread, "k", 1) == pause_after(spread, "k", 1)


def test_old_tails_are_dropped_so_that_heartbeats_stay_small() -> None:
    history = History()
    for _ in range(100):
        history.add(AttemptError("exit_code", "m" * 1000, exit_code=1, tail="t" * 2000))
    assert len(str(history.details())) < 80_000
    assert encode(history.failures)[-1]["tail"]


def test_details_of_another_version_are_no_obstacle() -> None:
    kinds: list[list[Any]] = [[], [None], ["x"], [{}], [{"failures": None, "pgid": 3}]]
    for details in kinds:
        history = History.from_details(details)
        assert (history.failures, history.trace, history.attempt) == ([], None, 1)
