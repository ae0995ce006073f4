"""Failures of attempts: which class each belongs to, when two are the same, and when another attempt makes sense."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from engine.plan import Retry

Json = dict[str, Any]

ErrorClass = Literal["transient", "deterministic", "quality", "system", "user_input"]
StoppedEarly = Literal["repeated", "oscillating", "attempts", "circuit_open"]

ERROR_CLASSES: Final[tuple[ErrorClass, ...]] = get_args(ErrorClass)

CLASS_OF_CODE: Final[dict[str, ErrorClass]] = {
    "signal": "transient",
    "no_answer": "transient",
    "store": "transient",
    "exit_code": "deterministic",
    "timeout": "deterministic",
    "http_status": "deterministic",
    "reported": "deterministic",
    "items": "deterministic",
    "child": "deterministic",
    "error": "deterministic",
    "tests_failed": "quality",
    "bad_output": "quality",
    "gate_failed": "quality",
    "gate_rejected": "quality",
    "workspace": "system",
    "worker_lost": "system",
    "no_worker": "system",
    "cancelled": "system",
    "circuit_open": "system",
    "not_found": "user_input",
    "expression": "user_input",
    "for_each": "user_input",
    "gate_expired": "user_input",
    "deadline": "user_input",
}
"""The class of each code, where the failure itself does not say another; a code of somebody else is deterministic."""

TEMPORARY = 75
"""The exit code by which a command asks to be run again (`EX_TEMPFAIL` of sysexits.h)."""

QUALITY_ROUNDS = 2
"""How often work that was not good enough is done again without a rule, each time told what was wrong before."""

REPEATS = 3
"""So many times the same failure in a row, and another attempt would only bring it once more."""

CIRCUIT_OPEN = "circuit_open"
"""The code of a phase that is not started, or of an attempt that does not run its tool, while a circuit is open."""

_TEMPORARY_PLACES = re.compile(r"(/(?:private/)?(?:var/)?(?:tmp|folders|shm))/[^/\s:'\"]+")
_TEMPORARY_NAMES = re.compile(r"\b(tmp|temp)[-_.]?(?=\w*[\d_])\w{4,}")
_HEX = re.compile(r"\b(?:0x[0-9a-fA-F]+|(?=[0-9a-f-]*\d)[0-9a-f]{7,}(?:-[0-9a-f]{4,})*)\b")
_DURATIONS = re.compile(r"\b\d+(?:[.,]\d+)?\s?(?:ns|us|µs|ms|s|secs?|seconds?|m|mins?|minutes?|h|hours?)\b")
_NUMBERS = re.compile(r"\d+(?:[.,:]\d+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a phase's circuit breaker leaves to the attempts of one activity: see `engine.breaker_step`."""

    max_attempts: int
    max_error_repeats: int
    failed: int = 0
    last: str = ""
    same: int = 0
    probe: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether another attempt follows; where it would have, but for something else, what and in which words."""

    again: bool
    stopped_early: StoppedEarly | None = None
    words: str = ""


def class_of(failure: Json) -> ErrorClass:
    """The class that a failure says it belongs to, else that of its code; exit code 75 asks for another attempt."""
    told = failure.get("class")
    for each in ERROR_CLASSES:
        if each == told:
            return each
    code = str(failure.get("code"))
    if code == "exit_code" and failure.get("exit_code") == TEMPORARY:
        return "transient"
    return CLASS_OF_CODE.get(code, "deterministic")


def classified(failure: Json) -> Json:
    """The failure with its class."""
    return failure if "class" in failure else {**failure, "class": class_of(failure)}


def fingerprint(failure: Json) -> str:
    """Equal for two failures that differ only in numbers, ids, durations and temporary paths."""
    said = "\0".join(_plain(str(failure.get(key) or "")) for key in ("message", "tail"))
    text = f"{failure.get('code')}\0{failure.get('exit_code')}\0{said}"
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:12]


def _plain(text: str) -> str:
    text = _TEMPORARY_PLACES.sub(r"\1/#", text)
    text = _TEMPORARY_NAMES.sub("#", text)
    text = _HEX.sub("#", text)
    text = _DURATIONS.sub("#", text)
    return " ".join(_NUMBERS.sub("#", text).split())


def fingerprint_of(failure: Json) -> str:
    """The fingerprint that a failure carries, else its own."""
    return str(failure.get("fingerprint") or fingerprint(failure))


def counted(failure: Json, last: str, same: int) -> tuple[str, int]:
    """The failure's fingerprint and how often it came in a row, after `same` times `last`; none for a transient one."""
    if class_of(failure) == "transient":
        return "", 0
    mark = fingerprint_of(failure)
    return mark, same + 1 if mark == last else 1


def streak(failures: Sequence[Json], *, last: str = "", same: int = 0) -> int:
    """How often in a row the last failure came, counting `same` times `last` before these; 0 for a transient one."""
    for failure in failures:
        last, same = counted(failure, last, same)
    return same


def oscillates(failures: Sequence[Json]) -> bool:
    """Whether the last four failures are two that take turns: what mends the one brings the other."""
    if len(failures) < 4 or any(class_of(failure) == "transient" for failure in failures[-4:]):
        return False
    first, second, third, fourth = (fingerprint_of(failure) for failure in failures[-4:])
    return first == third != second == fourth


def verdict(failures: Sequence[Json], retry: Retry, *, mends: bool = True, limits: Limits | None = None) -> Verdict:
    """What follows the last of these failures of an activity. `mends`: the next attempt is told what was wrong."""
    if not _is_repeated(failures, retry, mends=mends):
        return Verdict(again=False)
    if limits is not None and (stopped := _limited(failures, limits)) is not None:
        return stopped
    if (times := streak(failures)) >= REPEATS:
        return Verdict(again=False, stopped_early="repeated", words=f"the same error {times} times")
    if oscillates(failures):
        return Verdict(again=False, stopped_early="oscillating", words="two errors take turns")
    return Verdict(again=True)


def _is_repeated(failures: Sequence[Json], retry: Retry, *, mends: bool) -> bool:
    """Whether a rule, or the class of the last failure where there is none, asks for another attempt."""
    kind = class_of(failures[-1])
    if kind == "user_input" or len(failures) >= retry.max_attempts:
        return False
    if retry.on:
        return kind in retry.on
    if retry.every_failure or kind in {"transient", "system"}:
        return True
    rounds = sum(class_of(failure) == "quality" for failure in failures)
    return kind == "quality" and mends and rounds <= QUALITY_ROUNDS


def _limited(failures: Sequence[Json], limits: Limits) -> Verdict | None:
    if limits.probe:
        return Verdict(again=False, stopped_early="attempts", words="one attempt to see whether it works again")
    if (failed := limits.failed + len(failures)) >= limits.max_attempts:
        return Verdict(again=False, stopped_early="attempts", words=f"{failed} failed attempts in this run")
    if (times := streak(failures, last=limits.last, same=limits.same)) >= limits.max_error_repeats:
        return Verdict(again=False, stopped_early="repeated", words=f"the same error {times} times")
    return None
