"""Somebody is told, whatever dies meanwhile: a worker in the middle of a delivery, a receiver that is away."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.acceptance.conftest import Desk
from tests.receiver import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def test_a_notice_arrives_under_the_same_key_when_the_worker_dies_while_it_is_sent(
    desk: Desk, receiver: Receiver
) -> None:
    receiver.hang = {0}
    desk.write(
        "told.yaml",
        f"""\
id: told
notifications: [{{to: '{receiver.url}', on: [completed]}}]
agents: {{worker: {{uses: command, run: ['true']}}}}
phases: [{{name: One, agents: [worker]}}]
""",
    )
    printed = desk.type("run", "told.yaml")
    assert "complete" in printed  # the run has ended while nobody has taken the notice
    desk.until(lambda: len(receiver.seen) == 1, "the first try")
    desk.kill("worker")
    desk.until(lambda: len(receiver.seen) == 2, "the second one")
    assert len(set(receiver.keys)) == 1
    assert receiver.seen[1]["body"]["kind"] == "completed"


def test_a_failing_command_runs_its_hooks_and_the_run_goes_on_whatever_becomes_of_them(
    desk: Desk, receiver: Receiver
) -> None:
    receiver.answer = lambda _: (404, {})
    desk.write(
        "hooked.yaml",
        f"""\
id: hooked
notifications: ['{receiver.url}']
hooks:
  on_failure: [sh, -c, 'echo "$1" >> hooks; cp "$PHASELOOM_EVENT" event.json; exit 9', sh, '${{status}}']
  on_retry: 'echo "retry $PHASELOOM_EPOCH" >> hooks'
  on_recovery: 'echo recovered >> hooks'
agents:
  worker: {{uses: command, run: [sh, -c, 'echo x >> tries; test "$(wc -l < tries)" -gt 2']}}
phases: [{{name: One, agents: [worker], retry: {{max_attempts: 2, initial: 10ms}}}}]
""",
    )
    desk.type("run", "hooked.yaml", "--detach")
    # The second attempt is a repeated one; then a person is needed.
    desk.until(lambda: sorted(desk.lines("hooks")) == ["paused", "retry 0"], "the first hooks")
    desk.until((desk.root / "event.json").exists, "the event")
    event = json.loads((desk.root / "event.json").read_text(encoding="utf-8"))
    assert (event["kind"], event["phase"]["id"], event["error"]["code"]) == ("failure", "one", "exit_code")
    desk.until(lambda: "Notice not delivered: target-1" in desk.type("workflow", "logs"), "the journal to say so")
    desk.type("workflow", "intervene", "retry")
    desk.until(lambda: sorted(desk.lines("hooks")[2:]) == ["recovered", "retry 1"], "the last hooks")
    desk.type("workflow", "watch")
    (log,) = (desk.root / ".phaseloom" / "workflows").glob("wf_*/logs/hooks.log")
    assert "Failed: exit code 9" in log.read_text(encoding="utf-8")
