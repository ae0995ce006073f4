"""How an attempt fails: what it tells, whether it is tried again, and after which pause.

The server retries; this module decides for it, by the classes and rules of `engine.failing`. The real failures so far
travel in the heartbeat's details, so that lost workers do not count, and the last attempt knows all of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.leftovers import Trace, this_host
from activities.masking import mask_json
from engine.errors import PhaseError
from engine.failing import CIRCUIT_OPEN, ErrorClass, Verdict, class_of, fingerprint
from engine.plan import Json, Retry

Code = Literal[
    "exit_code", "timeout", "signal", "tests_failed", "not_found", "bad_output", "expression", "workspace",
    "http_status", "no_answer", "store",
]  # fmt: skip

LONGEST_PAUSE = 600.0
"""Seconds: what a server asks for with `Retry-After` is granted up to here."""

AT_ONCE = 0.1
"""Seconds."""
STOPPED = "WorkerLost"
"""The type of what ends an attempt whose worker shuts down."""

MESSAGE = 500
"""Characters of a failure's message."""

TAILS = 3
"""How many of the last failures keep the output they ended with."""


class AttemptError(PhaseError):
    """Raised when an attempt has failed by what it did; `tests` are the results of its acceptance tests, if any ran.

    `error_class`: where it is not that of the code. `pause` are the seconds that the next one should wait at least.
    """

    def __init__(
        self,
        code: Code,
        message: str,
        *,
        exit_code: int | None = None,
        tail: str = "",
        tests: Json | None = None,
        error_class: ErrorClass | None = None,
        pause: float = 0.0,
    ) -> None:
        super().__init__(message[:MESSAGE], code=code)
        self.kind: Code = code
        self.exit_code = exit_code
        self.tail = tail
        self.tests = tests
        self.error_class: ErrorClass = error_class or class_of({"code": code, "exit_code": exit_code})
        self.pause = pause
        self.log: Json | None = None
        """Where the phase's log has been copied to, and the host it is of."""

    def masked(self, secrets: tuple[bytes, ...]) -> AttemptError:
        """The same failure without the secrets that its words may repeat (tails are masked already)."""
        message = mask_json(self.message, secrets)
        return AttemptError(
            self.kind,
            message,
            exit_code=self.exit_code,
            tail=self.tail,
            tests=self.tests,
            error_class=self.error_class,
            pause=self.pause,
        )


@dataclass(slots=True)
class History:
    """The real failures of an activity so far, and the process group of its attempt; kept in heartbeat details."""

    failures: list[Json] = field(default_factory=list)
    trace: Trace | None = None

    @classmethod
    def from_details(cls, details: Sequence[Any]) -> History:
        """What the attempt before left."""
        last = details[-1] if details and isinstance(details[-1], dict) else {}
        trace = None
        if last.get("attempt_id"):
            trace = Trace(
                attempt_id=last["attempt_id"],
                host=last.get("host", ""),
                pgid=last.get("pgid"),
                started=last.get("started"),
            )
        return cls(failures=list(last.get("failures") or ()), trace=trace)

    def details(self) -> Json:
        """What the next attempt should find."""
        trace = self.trace or Trace(attempt_id="", host=this_host())
        return {
            "pgid": trace.pgid,
            "attempt_id": trace.attempt_id,
            "host": trace.host,
            "started": trace.started,
            "failures": self.failures,
        }

    @property
    def attempt(self) -> int:
        """The number of the attempt that runs now, not counting lost workers."""
        return len(self.failures) + 1

    def add(self, error: AttemptError) -> None:
        """Remember a failure of the attempt that ran now."""
        failure: Json = {
            "code": error.code,
            "class": error.error_class,
            "message": error.message,
            "exit_code": error.exit_code,
            "attempt": self.attempt,
            "tail": error.tail,
        }
        self.failures.append({**failure, "fingerprint": fingerprint(failure)})
        self.trace = None
        for old in self.failures[:-TAILS]:
            old["tail"] = ""


def pause_after(retry: Retry, key: str, attempt: int) -> float:
    """Seconds until the next attempt; the spread comes from the key, so that phases that fail together part."""
    pause = min(retry.initial * retry.factor ** min(attempt - 1, 64), retry.maximum)
    share = int.from_bytes(hashlib.sha256(f"{key}:{attempt}".encode()).digest()[:4], "big") / 0xFFFFFFFF
    return max(pause * (1 + retry.jitter * (2 * share - 1)), 0.001)


def to_application_error(
    error: AttemptError, retry: Retry, key: str, history: History, verdict: Verdict
) -> ApplicationError:
    """The failure as the server gets it. The last entry of `history` is this failure, `verdict` what follows."""
    attempt = len(history.failures)
    again = verdict.again
    pause = max(_pause(error, retry, key, attempt), min(error.pause, LONGEST_PAUSE))
    stopped = {"stopped_early": verdict.stopped_early} if verdict.stopped_early else {}
    message = f"{error.message} (stopped early: {verdict.words})" if stopped else error.message
    return ApplicationError(
        message,
        {
            "code": error.code,
            "class": error.error_class,
            "message": message,
            **stopped,
            "exit_code": error.exit_code,
            "attempts": attempt,
            "failures": history.failures,
            "tail": error.tail,
            "tests": error.tests,
            **({"log": error.log} if error.log is not None else {}),
        },
        type=error.code,
        non_retryable=not again,
        next_retry_delay=timedelta(seconds=pause) if again else None,
    )


def _pause(error: AttemptError, retry: Retry, key: str, attempt: int) -> float:
    """Seconds until the next attempt. Without a rule, work that was not good enough is done again at once."""
    if error.error_class == "quality" and not (retry.every_failure or retry.on):
        return AT_ONCE
    return pause_after(retry, key, attempt)


def circuit_open(tool: str, pause: float) -> ApplicationError:
    """What ends an attempt that did not run its tool because that one's circuit is open: it does not count."""
    return ApplicationError(
        f"the circuit of the tool {tool} is open",
        {"code": CIRCUIT_OPEN, "class": class_of({"code": CIRCUIT_OPEN}), "stopped_early": CIRCUIT_OPEN},
        type=CIRCUIT_OPEN,
        next_retry_delay=timedelta(seconds=max(pause, AT_ONCE)),
        category=ApplicationErrorCategory.BENIGN,
    )


def worker_stopped() -> ApplicationError:
    """What ends an attempt whose worker shuts down: it starts again elsewhere at once, and does not count."""
    return ApplicationError(
        "the worker is shutting down",
        type=STOPPED,
        next_retry_delay=timedelta(milliseconds=1),
        category=ApplicationErrorCategory.BENIGN,
    )
