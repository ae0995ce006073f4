"""The activity `notify`, against a real receiver on this machine."""

from __future__ import annotations

import importlib.util
import logging
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.notify import NoticeActivities
from activities.worker_context import WorkerContext
from tests.receiver import Receiver, receiving

if TYPE_CHECKING:
    from tests.activities.conftest import Project

Json = dict[str, Any]
SECRET = "/hook/T0/B0/hush-hush"
BODY: Json = {
    "kind": "paused",
    "run": "wf_test01",
    "definition": "demo",
    "name": "Demo",
    "at": "2024-02-19T10:00:00.000Z",
    "text": "Demo (wf_test01): Build has failed and waits for a decision.",
    "commands": ["phaseloom workflow why build --run wf_test01"],
    "phase": {"index": 0, "id": "build", "name": "Build"},
    "epoch": 0,
}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


async def notify(project: Project, target: Json, key: str = "wf_test01/4/team") -> None:
    activities = NoticeActivities(WorkerContext(project.root, project.settings, project.environ))
    await project.env.run(activities.notify, {"kind": "notice", "key": key, "to": target, "body": BODY})


async def refusal(project: Project, target: Json) -> ApplicationError:
    with pytest.raises(ApplicationError) as refused:
        await notify(project, target)
    assert refused.value.type == "not_delivered"
    return refused.value


def log(project: Project) -> str:
    return (project.root / ".phaseloom/workflows/wf_test01/logs/notices.log").read_text(encoding="utf-8")


async def test_a_web_hook_gets_the_notice_as_json_under_its_key(project: Project, receiver: Receiver) -> None:
    await notify(project, {"name": "team", "to": receiver.url})
    (seen,) = receiver.seen
    assert seen["body"] == {**BODY, "key": "wf_test01/4/team"}
    assert seen["headers"]["idempotency-key"] == "wf_test01/4/team"
    assert seen["headers"]["content-type"] == "application/json"
    assert "[INFO] Notice: paused to team (wf_test01/4/team) - Delivered (attempt 1)" in log(project)


async def test_an_address_in_a_variable_of_the_worker_is_in_no_log_and_no_failure(
    project: Project, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    project.environ["TEAM_URL"] = f"http://{receiver.place}{SECRET}"
    receiver.answer = lambda number: (500 if number == 0 else 200, {})
    refused = await refusal(project, {"name": "team", "url_env": "TEAM_URL"})
    assert (refused.message, refused.non_retryable) == ("it answered 500", False)
    await notify(project, {"name": "team", "url_env": "TEAM_URL"})
    assert [seen["path"] for seen in receiver.seen] == [SECRET, SECRET]
    assert len(set(receiver.keys)) == 1
    assert "hush" not in log(project) + str(refused) + caplog.text
    missing = await refusal(project, {"name": "team", "url_env": "NOT_THERE"})
    assert (missing.message, missing.non_retryable) == ("NOT_THERE is not set where the worker runs", True)


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 503])
async def test_what_may_be_otherwise_soon_is_tried_again(project: Project, receiver: Receiver, status: int) -> None:
    receiver.answer = lambda _: (status, {})
    assert not (await refusal(project, {"name": "team", "to": receiver.url})).non_retryable


@pytest.mark.parametrize("status", [400, 401, 404, 410, 302])
async def test_what_stays_as_it_is_is_given_up(project: Project, receiver: Receiver, status: int) -> None:
    receiver.answer = lambda _: (status, {"location": "/elsewhere"})
    assert (await refusal(project, {"name": "team", "to": receiver.url})).non_retryable
    assert f"Given up: it answered {status}" in log(project)
    assert len(receiver.seen) == 1


async def test_a_redirect_is_followed_within_its_scheme_and_never_out_of_it(
    project: Project, receiver: Receiver
) -> None:
    receiver.answer = lambda number: (307, {"location": "/other"}) if number == 0 else (204, {})
    await notify(project, {"name": "team", "to": receiver.url})
    assert [seen["path"] for seen in receiver.seen] == ["/hook", "/other"]
    assert len(set(receiver.keys)) == 1
    receiver.answer = lambda _: (308, {"location": "https://127.0.0.1:1/"})
    assert (
        await refusal(project, {"name": "team", "to": receiver.url})
    ).message == "it was redirected to another scheme"


async def test_nobody_there_is_tried_again(project: Project) -> None:
    with receiving() as gone:
        url = gone.url
    refused = await refusal(project, {"name": "team", "to": url})
    assert (refused.non_retryable, "no answer" in refused.message) == (False, True)


@pytest.mark.parametrize("address", ["file:///etc/passwd", "exec://ls", "syslog://localhost", "no address", "dbus://x"])
async def test_a_variable_cannot_name_what_is_not_allowed_either(project: Project, address: str) -> None:
    project.environ["TEAM_URL"] = address
    refused = await refusal(project, {"name": "team", "url_env": "TEAM_URL"})
    assert refused.non_retryable
    assert "passwd" not in refused.message


async def test_other_services_are_reached_through_the_extra(project: Project, receiver: Receiver) -> None:
    if importlib.util.find_spec("apprise") is None:
        pytest.skip("the extra notify is not installed")
    project.environ["TEAM_URL"] = f"json://{receiver.place}/hush"
    await notify(project, {"name": "team", "url_env": "TEAM_URL"})
    (seen,) = receiver.seen
    assert (seen["body"]["title"], seen["path"]) == ("Demo: paused", "/hush")
    assert BODY["text"] in seen["body"]["message"]
    assert BODY["commands"][0] in seen["body"]["message"]
    receiver.answer = lambda _: (500, {})
    refused = await refusal(project, {"name": "team", "url_env": "TEAM_URL"})
    assert (refused.non_retryable, refused.message) == (False, "the service behind json:// did not take it")
    assert "hush" not in log(project)
    project.environ["TEAM_URL"] = "slack://no"
    assert (await refusal(project, {"name": "team", "url_env": "TEAM_URL"})).non_retryable


async def test_without_the_extra_the_log_says_what_is_missing(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    refused = await refusal(project, {"name": "team", "to": "discord://a/b"})
    assert "pip install 'phaseloom[notify]'" in refused.message
    assert refused.message in log(project)
    assert not refused.non_retryable  # it may be installed before the day is over
