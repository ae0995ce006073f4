"""Somebody is told, whatever dies meanwhile: a worker in the middle of a delivery."""

from __future__ import annotations

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
    desk.until(lambda: receiver.seen, "the first try")
    desk.kill("worker")
    desk.until(lambda: len(receiver.seen) >= 2, "the second one")
    assert len(set(receiver.keys)) == 1
    assert receiver.seen[1]["body"]["kind"] == "completed"
