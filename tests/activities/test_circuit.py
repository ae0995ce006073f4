"""What an attempt does about its tool's circuit breaker where no server answers, and what others pay for it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.circuit import Desk
from activities.failures import AttemptError, History
from engine.failing import fingerprint
from tests.activities.conftest import Project

Json = dict[str, Any]

SAME: Json = {"max_attempts": 9, "initial": 0.1, "every_failure": True}


async def failure(project: Project, script: str, **changes: Any) -> Json:
    with pytest.raises(ApplicationError) as caught:
        await project.command({"run": ["sh", "-c", script]}, **changes)
    details: Json = caught.value.details[0]
    return details | {"final": caught.value.non_retryable}


async def test_a_breaker_that_cannot_be_reached_keeps_nobody_from_working(project: Project) -> None:
    beats = project.env.on_heartbeat
    project.env = ActivityEnvironment(client=await Client.connect("127.0.0.1:1", lazy=True))
    project.env.on_heartbeat = beats
    agent = {"role": "builder", "uses": "command", "config": {"run": ["true"]}, "breaker": {"tool": "oven"}}
    result = await project.command({}, agent=agent)
    assert result["attempts"] == 1
    assert "[WARNING] Agent: builder - The circuit breaker of oven cannot be reached; working without it" in project.log


async def test_attempts_that_ask_at_once_do_so_together_and_each_gets_its_own_answer() -> None:
    calls: list[int] = []

    async def send(questions: list[Json]) -> list[Json] | None:
        calls.append(len(questions))
        await asyncio.sleep(0)
        return None if len(calls) == 3 else [{"to": question["lease"]} for question in questions]

    desk = Desk()
    asking = [asyncio.ensure_future(desk.ask({"lease": n}, send)) for n in range(100)]
    await asyncio.sleep(0)  # now all of them have asked
    asking[50].cancel()
    answers = [answer for answer in await asyncio.gather(*asking, return_exceptions=True) if isinstance(answer, dict)]
    assert [answer["to"] for answer in answers] == [n for n in range(100) if n != 50]
    assert len(calls) <= 2
    assert sum(calls) == 100
    while len(calls) < 3:
        last = await desk.ask({"lease": "nobody answers"}, send)
    assert last is None


async def test_an_agent_without_one_asks_nobody(project: Project) -> None:
    await project.command({"run": ["true"]})  # this environment has no client to ask with
    assert "circuit" not in project.log


async def test_a_failure_says_its_class_and_what_it_looks_like(project: Project) -> None:
    told = await failure(project, "echo lost 12 files; exit 75")
    assert (told["class"], told["final"]) == ("transient", False)
    (entry,) = told["failures"]
    assert entry["class"] == "transient"
    assert entry["fingerprint"] == fingerprint({**entry, "tail": "lost 99 files"})


async def test_the_same_error_three_times_is_the_last_although_the_rule_allows_more(project: Project) -> None:
    for number in (1, 2):
        told = await failure(project, f"echo {number} tests fail; exit 1", retry=SAME)
        assert (told["final"], "stopped_early" in told) == (False, False)
        project.next_attempt(number + 1)
    told = await failure(project, "echo 7 tests fail; exit 1", retry=SAME)
    assert (told["final"], told["stopped_early"]) == (True, "repeated")
    assert told["message"].endswith("(stopped early: the same error 3 times)")


async def test_what_the_circuit_of_the_phase_leaves_is_kept_to(project: Project) -> None:
    limits = {"max_attempts": 5, "max_error_repeats": 3, "failed": 4}
    told = await failure(project, "exit 1", retry=SAME, limits=limits)
    assert (told["final"], told["stopped_early"]) == (True, "attempts")
    assert told["message"].endswith("(stopped early: 5 failed attempts in this run)")


async def test_work_that_fails_its_tests_is_done_again_at_once_and_tests_alone_are_not(project: Project) -> None:
    with pytest.raises(ApplicationError) as caught:
        await project.command({"run": ["true"]}, acceptance_tests=["false"])
    pause = caught.value.next_retry_delay
    assert pause is not None
    assert pause.total_seconds() < 1
    tests = {"role": "acceptance-tests", "uses": "command", "config": {"tasks": []}}
    with pytest.raises(ApplicationError) as caught:
        await project.command({}, agent=tests, acceptance_tests=["false"])
    assert caught.value.non_retryable


def test_fingerprints_survive_the_tails_that_are_dropped() -> None:
    history = History()
    for number in range(6):
        history.add(AttemptError("exit_code", "no", exit_code=1, tail="a" if number % 2 else "b"))
    assert len({failure["fingerprint"] for failure in history.failures}) == 2
    assert [bool(failure["tail"]) for failure in history.failures] == [False] * 3 + [True] * 3
