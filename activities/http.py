"""The activity `http`: an agent that is one request.

`$NAME` in a header stands for a variable of `pass_env`. It is put in here, on the worker, so it is neither in the plan
nor in the run's history; and only where the definition wrote it, never where a value of an expression looks like it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import ssl
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from temporalio import activity

from activities.execution import perform
from activities.failures import AttemptError
from activities.job import Job
from activities.masking import mask_bytes, mask_json
from activities.output import TAIL
from activities.results import parse
from activities.worker_context import MIB, WorkerContext
from engine.expressions import Literal, evaluate, parts, render_all, text_of
from engine.plan import Json

if TYPE_CHECKING:
    import httpx2

LARGEST = MIB
"""Bytes that an answer's body may have."""

REDIRECTS = 5
"""How many redirects are followed."""

CONNECT = 30.0
"""Seconds in which a connection has to be made."""

TRANSIENT = frozenset({408, 425, 429, *range(500, 600)})
"""Statuses by which a server says that it may be otherwise soon."""

_VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")


class HttpActivities:
    """Agents with `uses: http`, for one worker."""

    def __init__(self, context: WorkerContext) -> None:
        self.context = context

    @activity.defn(name="http")
    async def http(self, task: Json) -> Json:
        """Do an agent's task (`AgentTask`) with its request; the result is an `AgentResult`."""
        return await perform(self.context, task, send)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a server answered, for output expressions."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    charset: str

    @cached_property
    def text(self) -> str:
        """The body as text, whatever it is."""
        try:
            return self.content.decode(self.charset, errors="replace")
        except LookupError:
            return self.content.decode(errors="replace")

    @property
    def is_json(self) -> bool:
        """Whether the server says that the body is JSON."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return kind == "application/json" or kind.endswith("+json")

    def read(self, names: AbstractSet[str], what: str) -> Json:
        """`status` and `headers`, and of `body` and `json` what is wanted."""
        values: Json = {"status": self.status, "headers": dict(self.headers)}
        if "body" in names:
            values["body"] = self.text
        if "json" in names:
            values["json"] = parse(self.content, f"{what}: the body")
        return values

    def unwritten(self, name: str) -> Any:
        """An output with the name of a part of the answer is that part."""
        found = self.read({name}, f"output {name!r}")
        if name not in found:
            message = f"output {name!r} is declared without a value; write value: ${{json.{name}}}"
            raise AttemptError("bad_output", message)
        return found[name]

    def outputs(self) -> Json:
        """What is handed back where nothing is declared."""
        if not self.content:
            return {"status": self.status}
        part = "json" if self.is_json else "body"
        return {"status": self.status, part: self.read({part}, "the answer")[part]}


async def send(job: Job) -> None:
    """Send the request that the agent's configuration describes, and take the answer if its status is wanted."""
    import httpx2  # noqa: PLC0415 - a worker without such agents need not pay for it

    config = job.task.config
    method, url = config.get("method", "GET"), job.text(config["url"])
    content, kind = _body(config.get("body"), job)
    headers = {**kind, "accept-encoding": "identity", "user-agent": "phaseloom", **_headers(job)}
    # It would write every address, with what is secret in it, to the log of the worker.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    context = await asyncio.to_thread(httpx2.create_ssl_context)
    loop = asyncio.get_running_loop()
    own = config.get("timeout")
    limits = [limit for limit in (job.deadline, own and loop.time() + own) if limit is not None]
    client = httpx2.AsyncClient(trust_env=False, verify=context, timeout=httpx2.Timeout(None, connect=CONNECT))
    try:
        async with asyncio.timeout_at(min(limits, default=None)), client:
            request = client.build_request(method, url, headers=_encoded(headers), content=content)
            answer = await _exchange(client, request, job)
    except TimeoutError:
        most = min(limit for limit in (own, job.task.timeout) if limit is not None)
        raise AttemptError("timeout", f"{method} {_shown(url)}: no complete answer within {most:g}s") from None
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, UnicodeError) as error:
        raise AttemptError("expression", f"{method} {_shown(url)} cannot be sent: {error}") from None
    except httpx2.TransportError as error:
        raise _no_answer(f"{method} {_shown(url)}", error) from None
    job.yielded = answer
    if not job.task.agent.outputs:
        await asyncio.to_thread(job.scratch.output.write_text, json.dumps(answer.outputs()), encoding="ascii")


async def _exchange(client: httpx2.AsyncClient, request: httpx2.Request, job: Job) -> Answer:
    """The answer, its redirects followed; its status is one of those wanted."""
    wanted = job.task.config.get("ok_status") or [200]
    for _ in range(REDIRECTS + 1):
        what = f"{request.method} {_shown(str(request.url))}"
        response = await client.send(request, stream=True)
        try:
            follow = response.next_request if response.status_code not in wanted else None
            content = b"" if follow else await _content(response, what)
        finally:
            await response.aclose()
        await _say(job, f"{what}: {response.status_code}, {len(content)} bytes")
        if follow is None:
            break
        _require_same_place(request, follow, job)
        request = follow
    else:
        raise AttemptError("http_status", f"{what} was redirected more than {REDIRECTS} times")
    answer = Answer(
        status=response.status_code,
        headers=dict(response.headers.items()),
        content=content,
        charset=response.charset_encoding or "utf-8",
    )
    if answer.status not in wanted:
        raise _unwanted(answer, what, job)
    return answer


async def _content(response: httpx2.Response, what: str) -> bytes:
    """The body, of which never much more than the limit is held."""
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > LARGEST:
            message = f"{what}: the answer is larger than {LARGEST // MIB} MiB; fetch it to a file with a command"
            raise AttemptError("bad_output", message)
    return bytes(content)


def _require_same_place(request: httpx2.Request, follow: httpx2.Request, job: Job) -> None:
    """Refuse to carry what `pass_env` handed over to another host, or out of the encryption."""
    safe = request.url.host == follow.url.host and (request.url.scheme, follow.url.scheme) != ("https", "http")
    if job.task.config.get("pass_env") and not (safe and _port(follow) in (_port(request), 443)):
        message = f"{request.method} {_shown(str(request.url))} was redirected to {_shown(str(follow.url))}"
        raise AttemptError("http_status", f"{message}, which is not given the secrets of pass_env; write that url")


def _port(request: httpx2.Request) -> int:
    return request.url.port or (443 if request.url.scheme == "https" else 80)


def _unwanted(answer: Answer, what: str, job: Job) -> AttemptError:
    secrets = job.environment.secrets
    room = TAIL + max(map(len, secrets), default=0)
    tail = mask_bytes(answer.content[:room], secrets)[:TAIL].decode(errors="replace")
    transient = answer.status in TRANSIENT
    pause = _asked_pause(answer.headers.get("retry-after", ""), datetime.now(UTC)) if transient else 0.0
    message = f"{what} answered {answer.status}"
    return AttemptError("http_status", message, tail=tail, error_class="transient" if transient else None, pause=pause)


def _asked_pause(written: str, now: datetime) -> float:
    """The seconds that `Retry-After` asks for, as a number or a date; 0 where it says nothing that can be read."""
    text = written.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        then = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return 0.0
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    return max((then - now).total_seconds(), 0.0)


def _no_answer(what: str, error: Exception) -> AttemptError:
    """No connection, or one that broke: nobody knows whether the next does. A wrong certificate stays wrong."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    words = str(cause or error) or type(error).__name__
    return AttemptError("no_answer", f"{what}: {words}", error_class=None if cause is None else "deterministic")


def _body(template: Any, job: Job) -> tuple[bytes | None, dict[str, str]]:
    """What is sent, and the header that says what it is: a text as it stands, all else as JSON."""
    value = render_all(template, job.scope)
    if value is None:
        return None, {}
    if isinstance(value, str):
        return value.encode(errors="replace"), {"content-type": "text/plain; charset=utf-8"}
    return json.dumps(value).encode(), {"content-type": "application/json"}


def _headers(job: Job) -> dict[str, str]:
    """The written headers, names in lower case, rendered, secrets put in."""
    found = {}
    for name, template in (job.task.config.get("headers") or {}).items():
        pieces = (
            _with_secrets(name, part.text, job)
            if isinstance(part, Literal)
            else text_of(evaluate(part.source, job.scope))
            for part in parts(template)
        )
        value = "".join(pieces).strip()
        if any(character in value for character in "\r\n\0"):
            raise AttemptError("expression", f"header {name}: a value is one line")
        found[name.lower()] = value
    return found


def _with_secrets(header: str, text: str, job: Job) -> str:
    passed = job.task.config.get("pass_env") or ()

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name not in passed:
            return match[0]
        if name not in job.environment.variables:
            raise AttemptError("expression", f"header {header}: {name} of pass_env is not set where the worker runs")
        return job.environment.variables[name]

    return _VARIABLE.sub(value, text)


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value.encode(errors="surrogateescape")) for name, value in headers.items()]


def _shown(url: str) -> str:
    """A URL for a log: without a user's name and password."""
    return re.sub(r"(?<=://)[^/?#@]*@", "", url)[:300]


async def _say(job: Job, line: str) -> None:
    await job.log.log.say("INFO", f"{job.log.label} - {mask_json(line, job.environment.secrets)}")
