"""Notices and hooks of a real run, as the person sees them whose run it is."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.cli.program.person import Person, until
from tests.receiver import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def lines(person: Person, name: str) -> list[str]:
    path = person.root / name
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def test_a_failing_command_runs_its_hooks_and_the_run_goes_on_whatever_becomes_of_them(
    person: Person, receiver: Receiver
) -> None:
    receiver.answer = lambda _: (404, {})
    person.write(
        "hooked.yaml",
        f"""\
id: hooked
notifications: ['{receiver.url}']
hooks:
  on_failure: [sh, -c, 'echo "$1" >> hooks; cp "$PHASELOOM_EVENT" new; mv new event.json; exit 9', sh, '${{status}}']
  on_retry: 'echo "retry $PHASELOOM_EPOCH" >> hooks'
  on_recovery: 'echo recovered >> hooks'
agents:
  worker: {{uses: command, run: [sh, -c, 'echo x >> tries; test "$(wc -l < tries)" -gt 2']}}
phases: [{{name: One, agents: [worker], retry: {{max_attempts: 2, initial: 10ms}}}}]
""",
    )
    person.types("run", "hooked.yaml", "--detach")
    # The second attempt is a repeated one; then a person is needed.
    until(lambda: sorted(lines(person, "hooks")) == ["paused", "retry 0"])
    until((person.root / "event.json").exists)
    event = json.loads((person.root / "event.json").read_text(encoding="utf-8"))
    assert (event["kind"], event["phase"]["id"], event["error"]["code"]) == ("failure", "one", "exit_code")
    until(lambda: "Notice not delivered: target-1" in person.types("workflow", "logs").out)
    until(lambda: "notices were given up in the last day" in person.types("doctor").out)
    person.types("workflow", "intervene", "retry")
    until(lambda: sorted(lines(person, "hooks")[2:]) == ["recovered", "retry 1"])
    log = person.root / ".phaseloom" / "workflows" / person.current / "logs" / "hooks.log"
    until(lambda: person.view()["status"] == "completed")
    until(lambda: "Failed: exit code 9" in log.read_text(encoding="utf-8"))
