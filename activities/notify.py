"""The activity `notify`: one notice to one address, as a POST of JSON or by the extra `notify`.

The address may be in a variable of the worker; it is in no log and in no failure. What was delivered, and what was not,
is told in `logs/notices.log` of the run.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import Mapping

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.beats import beating
from activities.logs import Level, LogFile
from activities.places import run_directory
from activities.worker_context import WorkerContext
from engine.coding import decode
from engine.plan import Json, TargetPlan
from engine.services import WEBHOOKS, problem_of, scheme_of

SECONDS = 30.0
"""How long one attempt may take."""

TRANSIENT = frozenset({408, 409, 425, 429, *range(500, 600)})
"""Statuses by which a server says that it may be otherwise soon."""

REDIRECTS = frozenset({307, 308})
"""Statuses that say to send the same to another place of the same kind."""

MOST_REDIRECTS = 3


class NotDeliveredError(Exception):
    """A notice has not arrived; `final`: nor will it. The words hold no address."""

    def __init__(self, why: str, *, final: bool) -> None:
        super().__init__(why)
        self.final = final


AT_ONCE = 16
"""Notices that a worker sends at the same time."""


class NoticeActivities:
    """Delivery of notices, for one worker."""

    def __init__(self, context: WorkerContext) -> None:
        self.context = context
        self.room = asyncio.Semaphore(AT_ONCE)

    @activity.defn(name="notify")
    async def notify(self, message: Json) -> None:
        """Deliver `{key, to, body}`; `to` is a `TargetPlan`.

        Raises:
            ApplicationError: `not_delivered`; not to be tried again where that is of no use.
        """
        target = decode(TargetPlan, message["to"])
        what = f"{message['body']['kind']} to {target.name} ({message['key']})"
        path = run_directory(self.context.root, message["body"]["run"]) / "logs" / "notices.log"
        async with beating(self.context.settings.beat), self.room, LogFile(path) as log:
            try:
                async with asyncio.timeout(SECONDS):
                    await send(address_of(target, self.context.environ), message)
            except TimeoutError:
                why, final = f"no answer within {SECONDS:g}s", False
            except NotDeliveredError as error:
                why, final = str(error), error.final
            except Exception as error:  # noqa: BLE001 - whatever a library stumbles over, its words may hold the address
                why, final = type(error).__name__, False
            else:
                await log.say("INFO", f"Notice: {what} - Delivered (attempt {activity.info().attempt})")
                return
            level: Level = "ERROR" if final else "WARNING"
            end = "Given up" if final else f"Not delivered yet (attempt {activity.info().attempt})"
            await log.say(level, f"Notice: {what} - {end}: {why}")
        raise ApplicationError(why, type="not_delivered", non_retryable=final)


def address_of(target: TargetPlan, environ: Mapping[str, str]) -> str:
    """Where to send; raises NotDeliveredError where nothing may be sent there."""
    address = target.to
    if target.url_env is not None:
        address = environ.get(target.url_env, "").strip()
        if not address:
            raise NotDeliveredError(f"{target.url_env} is not set where the worker runs", final=True)
    problem = problem_of(address or "", target.schemes)
    if problem is not None:
        raise NotDeliveredError(f"{target.url_env or target.name}: {problem}", final=True)
    return address or ""


async def send(address: str, message: Json) -> None:
    """Send a message; returns when it has been taken."""
    if scheme_of(address) in WEBHOOKS:
        await _post(address, message)
    else:
        await asyncio.to_thread(_through_service, address, message)


async def _post(url: str, message: Json) -> None:
    import httpx2  # noqa: PLC0415 - a worker without notices need not pay for it

    content = json.dumps({**message["body"], "key": message["key"]}).encode()
    headers = {"content-type": "application/json", "idempotency-key": message["key"], "user-agent": "phaseloom"}
    # It would write every address, with what is secret in it, to the log of the worker.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    context = await asyncio.to_thread(httpx2.create_ssl_context)
    # Nothing of the worker's environment: no proxy, and no password for the host that a `.netrc` may hold.
    client = httpx2.AsyncClient(trust_env=False, verify=context, timeout=httpx2.Timeout(SECONDS))
    try:
        async with client:
            request = client.build_request("POST", url, content=content, headers=headers)
            for _ in range(MOST_REDIRECTS + 1):
                # What it says beside its status may be of any size and matters to nobody.
                response = await client.send(request, stream=True)
                await response.aclose()
                following = response.next_request
                if response.status_code not in REDIRECTS or following is None:
                    break
                if following.url.scheme != request.url.scheme:
                    raise NotDeliveredError("it was redirected to another scheme", final=True)
                request = following
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, UnicodeError):
        raise NotDeliveredError("the address cannot be used", final=True) from None
    except httpx2.TransportError as error:
        raise NotDeliveredError(f"no answer: {_reason(error)}", final=False) from None
    if response.is_success:
        return
    raise NotDeliveredError(f"it answered {response.status_code}", final=response.status_code not in TRANSIENT)


def _reason(error: Exception) -> str:
    """Why there was no connection; the words of the library may hold the address, so only a kind is told."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    return "its certificate cannot be verified" if cause is not None else type(error).__name__


def _through_service(address: str, message: Json) -> None:
    try:
        import apprise  # noqa: PLC0415 - an extra, and slow to load
    except ImportError:
        why = f"{scheme_of(address)}:// needs: pip install 'phaseloom[notify]' where the worker runs"
        raise NotDeliveredError(why, final=False) from None
    # It logs addresses; what there is to say is said in our own words.
    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    asset = apprise.AppriseAsset(
        app_id="Phaseloom", app_desc="Phaseloom", async_mode=False, http_redirects=0, allow_templates=False
    )
    service = apprise.Apprise(asset=asset)
    if not service.add(address):
        raise NotDeliveredError(f"the {scheme_of(address)}:// address cannot be used", final=True)
    body = message["body"]
    lines = [body["text"], *body["commands"]]
    title = f"{body['name']}: {body['kind']}"
    if not service.notify(body="\n".join(lines), title=title, body_format=apprise.NotifyFormat.TEXT):
        raise NotDeliveredError(f"the service behind {scheme_of(address)}:// did not take it", final=False)
