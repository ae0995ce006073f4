"""The activity `http`, against a real server on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.http import HttpActivities
from activities.worker_context import WorkerContext

if TYPE_CHECKING:
    from tests.activities.conftest import Project

Json = dict[str, Any]
Reply = tuple[int, dict[str, str], bytes]

TOKEN = "hush-hush-hush"


class Server(ThreadingHTTPServer):
    """Answers every request with what `reply` says of it, and remembers it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[Json] = []
        self.reply: Callable[[str], Reply] = lambda _: (200, {}, b"")
        self.silent = threading.Event()
        self.hang = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.seen.append({"method": self.command, "path": self.path, "headers": headers, "body": body})
        if self.server.hang:
            self.server.silent.wait(60)
            return
        status, given, content = self.server.reply(self.path)
        self.send_response(status)
        for name, value in given.items():
            self.send_header(name, value)
        if "content-length" not in given:
            self.send_header("content-length", str(len(content)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(content)

    do_GET = do_POST = do_PUT = answer  # noqa: N815 - the parent looks for these names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
        """Print nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.silent.set()
    server.shutdown()
    thread.join()
    server.server_close()


def says(status: int, value: object = None, **headers: str) -> Callable[[str], Reply]:
    content = b"" if value is None else json.dumps(value).encode()
    given = {"content-type": "application/json"} | {name.replace("_", "-"): text for name, text in headers.items()}
    return lambda _: (status, given, content)


async def ask(project: Project, config: Json, **changes: Any) -> Json:
    activities = HttpActivities(WorkerContext(project.root, project.settings, project.environ))
    task = project.task(config, **changes)
    return await project.env.run(activities.http, {**task, "agent": {**task["agent"], "uses": "http"}})


async def failure(project: Project, config: Json, **changes: Any) -> ApplicationError:
    with pytest.raises(ApplicationError) as caught:
        await ask(project, config, **changes)
    return caught.value


async def test_without_declared_outputs_they_are_the_status_and_the_body(project: Project, server: Server) -> None:
    server.reply = says(200, {"id": 7})
    assert (await ask(project, {"url": server.url}))["outputs"] == {"status": 200, "json": {"id": 7}}
    server.reply = lambda _: (200, {"content-type": "text/plain; charset=iso-8859-1"}, "grün".encode("iso-8859-1"))
    assert (await ask(project, {"url": server.url}))["outputs"] == {"status": 200, "body": "grün"}
    server.reply = says(204)
    assert (await ask(project, {"url": server.url, "ok_status": [204]}))["outputs"] == {"status": 204}
    assert list(project.scratch.iterdir()) == []


async def test_declared_outputs_are_read_from_the_answer(project: Project, server: Server) -> None:
    server.reply = says(201, {"id": "7", "rows": [{"name": "a"}]}, x_left="12")
    outputs = {
        "id": {"type": "integer", "value": "json.id"},
        "first": {"value": "json.rows[0].name"},
        "left": {"type": "integer", "value": "headers['x-left']"},
        "made": {"type": "boolean", "value": "status == 201"},
        "text": {"value": "body | length > 5"},
        "status": {"type": "integer"},
    }
    result = await ask(project, {"url": server.url, "method": "POST", "ok_status": [200, 201]}, outputs=outputs)
    assert result["outputs"] == {"id": 7, "first": "a", "left": 12, "made": True, "text": True, "status": 201}


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ({"n": {"value": "json.a"}}, "output 'n': the body is not JSON"),
        ({"n": {"type": "integer", "value": "body"}}, "output 'n':"),
        ({"n": {}}, "output 'n' is declared without a value; write value: ${json.n}"),
    ],
)
async def test_an_answer_that_does_not_hold_an_output_fails_for_good(
    project: Project, server: Server, output: Json, words: str
) -> None:
    server.reply = lambda _: (200, {}, b"<p>")
    error = await failure(project, {"url": server.url}, outputs=output)
    assert (error.type, error.non_retryable) == ("bad_output", True)
    assert error.message.startswith(words)


async def test_url_headers_and_body_are_rendered(project: Project, server: Server) -> None:
    values = {"inputs": {"n": 3, "list": [1, 2]}, "phases": {}, "env": {}, "run": {}}
    config = {
        "url": f"{server.url}/items/${{inputs.n}}?a=b c",
        "method": "PUT",
        "headers": {"X-Number": "n=${inputs.n}"},
        "body": {"n": "${inputs.n}", "deep": ["${inputs.list}", "text ${inputs.n}"]},
    }
    await ask(project, config, values=values)
    await ask(project, config | {"body": "n=${inputs.n}", "headers": {"Content-Type": "a/b"}}, values=values)
    first, second = server.seen
    assert (first["method"], first["path"]) == ("PUT", "/items/3?a=b%20c")
    assert json.loads(first["body"]) == {"n": 3, "deep": [[1, 2], "text 3"]}
    assert (first["headers"]["x-number"], first["headers"]["content-type"]) == ("n=3", "application/json")
    assert (second["body"], second["headers"]["content-type"]) == (b"n=3", "a/b")


async def test_an_address_is_not_in_the_log_of_the_worker(
    project: Project, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await ask(project, {"url": f"{server.url}/?token=hush"})
    assert "hush" not in caplog.text


async def test_a_secret_is_sent_in_a_header_and_shown_nowhere(project: Project, server: Server) -> None:
    project.environ["API_TOKEN"] = TOKEN
    config = {"url": server.url, "headers": {"Authorization": "Bearer $API_TOKEN"}, "pass_env": ["API_TOKEN"]}
    server.reply = says(200, {"you": f"are {TOKEN}"})
    assert (await ask(project, config))["outputs"]["json"] == {"you": "are ***"}
    assert server.seen[0]["headers"]["authorization"] == f"Bearer {TOKEN}"
    server.reply = says(401, {"no": TOKEN})
    error = await failure(project, {**config, "url": f"{server.url}/{TOKEN}"})
    assert error.details[0]["tail"] == '{"no": "***"}'
    assert TOKEN not in project.log + error.message + str(error.details) + json.dumps(project.beats)


async def test_only_what_the_definition_wrote_names_a_secret(project: Project, server: Server) -> None:
    project.environ |= {"API_TOKEN": TOKEN, "OTHER_TOKEN": "never-passed"}
    values = {"inputs": {"said": "$API_TOKEN"}, "phases": {}, "env": {}, "run": {}}
    headers = {"X-A": "${inputs.said}", "X-B": "$OTHER_TOKEN costs $5"}
    await ask(project, {"url": server.url, "headers": headers, "pass_env": ["API_TOKEN"]}, values=values)
    sent = server.seen[0]["headers"]
    assert (sent["x-a"], sent["x-b"]) == ("$API_TOKEN", "$OTHER_TOKEN costs $5")


async def test_a_secret_that_is_not_set_is_not_sent_as_nothing(project: Project, server: Server) -> None:
    config = {"url": server.url, "headers": {"Authorization": "Bearer $GONE_TOKEN"}, "pass_env": ["GONE_TOKEN"]}
    error = await failure(project, config)
    assert (error.type, error.non_retryable) == ("expression", True)
    assert "GONE_TOKEN of pass_env is not set" in error.message
    assert server.seen == []


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
async def test_statuses_that_may_pass_are_tried_again(project: Project, server: Server, status: int) -> None:
    server.reply = says(status)
    error = await failure(project, {"url": server.url})
    assert (error.type, error.non_retryable) == ("http_status", False)
    assert error.message == f"GET {server.url} answered {status}"


@pytest.mark.parametrize("status", [201, 304, 400, 404])
async def test_other_statuses_are_tried_again_only_by_a_rule(project: Project, server: Server, status: int) -> None:
    server.reply = says(status)
    assert (await failure(project, {"url": server.url})).non_retryable
    rule = {"max_attempts": 3, "every_failure": True}
    assert not (await failure(project, {"url": server.url}, retry=rule)).non_retryable


@pytest.mark.parametrize(
    ("after", "least", "most"),
    [
        ("40", 40, 40),
        ("999999", 600, 600),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 1, 1),
        ("soon", 1, 1),
        ("-3", 1, 1),
    ],
)
async def test_the_pause_that_a_server_asks_for_is_kept(
    project: Project, server: Server, after: str, least: float, most: float
) -> None:
    server.reply = says(429, retry_after=after)
    error = await failure(project, {"url": server.url}, retry={"initial": 1.0, "jitter": 0.0})
    assert error.next_retry_delay is not None
    assert least <= error.next_retry_delay.total_seconds() <= most


async def test_the_pause_may_be_a_date(project: Project, server: Server) -> None:
    server.reply = says(429, retry_after=format_datetime(datetime.now(UTC) + timedelta(seconds=500), usegmt=True))
    error = await failure(project, {"url": server.url}, retry={"initial": 1.0, "jitter": 0.0})
    assert error.next_retry_delay is not None
    assert 300 <= error.next_retry_delay.total_seconds() <= 500


async def test_no_connection_is_tried_again(project: Project, server: Server) -> None:
    server.server_close()
    error = await failure(project, {"url": server.url})
    assert (error.type, error.non_retryable) == ("no_answer", False)


async def test_an_answer_that_breaks_off_is_tried_again(project: Project, server: Server) -> None:
    server.reply = lambda _: (200, {"content-length": "100"}, b"only this")
    error = await failure(project, {"url": server.url})
    assert (error.type, error.non_retryable) == ("no_answer", False)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/a", "no url", "http://[::1", "http:///x"])
async def test_what_is_no_url_of_http_fails_for_good(project: Project, url: str) -> None:
    error = await failure(project, {"url": url})
    assert (error.type, error.non_retryable) == ("expression", True)


async def test_a_header_of_two_lines_is_refused(project: Project, server: Server) -> None:
    values = {"inputs": {"a": "x\r\nX-Evil: 1"}, "phases": {}, "env": {}, "run": {}}
    error = await failure(project, {"url": server.url, "headers": {"X-A": "${inputs.a}"}}, values=values)
    assert (error.type, error.message) == ("expression", "header X-A: a value is one line")
    assert server.seen == []


@pytest.mark.parametrize(("own", "phases"), [(0.3, 30.0), (None, 0.3), (20.0, 0.3)])
async def test_a_server_that_hangs_fails_at_the_earlier_timeout(
    project: Project, server: Server, own: float | None, phases: float
) -> None:
    server.hang = True
    error = await failure(project, {"url": server.url, **({"timeout": own} if own else {})}, timeout=phases)
    assert (error.type, error.non_retryable) == ("timeout", True)
    assert error.message == f"GET {server.url}: no complete answer within 0.3s"


async def test_a_request_that_is_cancelled_ends_at_once(
    project: Project, server: Server, eventually: Callable[..., Any]
) -> None:
    server.hang = True
    task = asyncio.ensure_future(ask(project, {"url": server.url}))
    await eventually(lambda: server.seen)
    project.env.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 30)
    assert "[WARNING] Agent: builder - Stopped (cancelled)" in project.log


async def test_an_answer_above_the_limit_fails_before_it_is_read_to_its_end(project: Project, server: Server) -> None:
    server.reply = lambda _: (200, {"content-length": str(10**12)}, b"x" * (2**20 + 1))
    error = await failure(project, {"url": server.url})
    assert (error.type, error.non_retryable) == ("bad_output", True)
    assert "is larger than 1 MiB" in error.message


async def test_an_answer_of_the_limit_is_an_artifact(project: Project, server: Server) -> None:
    server.reply = lambda _: (200, {}, b"x" * 2**20)
    result = await ask(project, {"url": server.url})
    assert result["outputs"]["body"]["size"] == 2**20 + 2


async def test_redirects_on_one_host_are_followed_and_not_for_ever(project: Project, server: Server) -> None:
    server.reply = lambda path: (302, {"location": "/b"}, b"") if path == "/a" else (200, {}, b"here")
    assert (await ask(project, {"url": f"{server.url}/a"}))["outputs"]["body"] == "here"
    server.reply = lambda _: (302, {"location": "/a"}, b"")
    error = await failure(project, {"url": f"{server.url}/a"})
    assert error.message.endswith("was redirected more than 5 times")


async def test_a_redirect_to_another_place_gets_no_secret(project: Project, server: Server) -> None:
    project.environ["API_TOKEN"] = TOKEN
    elsewhere = server.url.replace("127.0.0.1", "localhost")
    server.reply = lambda path: (307, {"location": f"{elsewhere}/b"}, b"") if path == "/a" else (200, {}, b"here")
    config = {"url": f"{server.url}/a", "headers": {"X-Key": "$API_TOKEN"}, "pass_env": ["API_TOKEN"]}
    error = await failure(project, config)
    assert (error.type, error.non_retryable) == ("http_status", True)
    assert "which is not given the secrets of pass_env" in error.message
    assert [seen["path"] for seen in server.seen] == ["/a"]
    assert (await ask(project, {"url": f"{server.url}/a"}))["outputs"]["body"] == "here"


async def test_proxies_of_the_environment_are_not_used(
    project: Project, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert (await ask(project, {"url": server.url}))["outputs"] == {"status": 200}


async def test_the_log_says_what_was_asked_and_answered_without_a_password(project: Project, server: Server) -> None:
    server.reply = lambda _: (200, {}, b"12345")
    await ask(project, {"url": server.url.replace("://", "://me:pass@") + "/x"})
    assert f"Agent: builder - GET {server.url}/x: 200, 5 bytes" in project.log
    assert "me:pass" not in project.log
