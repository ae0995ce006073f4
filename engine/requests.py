"""Reading an operator's message: known fields of the right type, or a refusal that says what is wrong."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from engine.errors import RefusedError

Json = dict[str, Any]

COMMON: dict[str, tuple[type, ...]] = {
    "actor": (str,),
    "note": (str,),
    "request_id": (str,),
    "expect": (list,),
    "signature": (str,),
}
"""Fields that every message may carry."""

AGENT = "agent:"
"""How the name begins under which something acts that an agent has started; it can decide about nothing."""

SIGNABLE = frozenset({"decide_gate", "delegate_gate", "waive_gate", "retry_gate", "intervene", "restore"})
"""Messages that may have to be signed where the run has keys: `engine.gates.signatures`."""

TEXT_LIMIT = 4096
"""Characters of an actor, note, reason or id; a longer one is refused."""

VALUE_LIMIT = 64 * 1024
"""Bytes of JSON of one field; larger things travel as artifacts."""

DEPTH_LIMIT = 64
EXPECT_LIMIT = 100

_WORDS = {str: "text", int: "a number", dict: "an object", list: "a list", float: "a number", bool: "true or false"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One decoded message: `fields` holds the message's own fields, `at` when it came where that is known.

    `signed` is what `engine.gates.signatures` found of its signature.
    """

    fields: Json = field(default_factory=dict)
    actor: str | None = None
    note: str | None = None
    request_id: str | None = None
    at: float | None = None
    expect: tuple[Json, ...] = ()
    signature: str | None = None
    signed: Json | None = None

    @property
    def by_agent(self) -> bool:
        """Whether an agent sent it, by what it says of itself."""
        return self.actor is not None and self.actor.startswith(AGENT)


def read(
    payload: object,
    allowed: dict[str, tuple[type, ...]],
    required: tuple[str, ...] = (),
    at: float | None = None,
) -> Request:
    """The request in `payload`, one JSON object or nothing; raises `RefusedError` for anything else."""
    if payload is None:
        payload = {}
    if not isinstance(payload, dict):
        raise RefusedError("the message must be one JSON object", hint=_shape(allowed, required))
    known = {**COMMON, **allowed}
    for name, value in payload.items():
        if name not in known:
            close = get_close_matches(str(name), known, n=1)
            meant = f" (did you mean {close[0]!r}?)" if close else ""
            raise RefusedError(f"the message has an unknown field {str(name)[:80]!r}{meant}")
        _check_type(name, value, known[name])
    for name in required:
        if payload.get(name) is None:
            raise RefusedError(f"the message has no {name!r}", hint=_shape(allowed, required))
    return Request(
        fields={name: value for name, value in payload.items() if name in allowed and value is not None},
        actor=payload.get("actor"),
        note=payload.get("note"),
        request_id=payload.get("request_id"),
        at=at,
        expect=_expectations(payload.get("expect") or []),
        signature=payload.get("signature"),
    )


def _check_type(name: str, value: object, types: tuple[type, ...]) -> None:
    if value is None:
        return
    if not _is(value, *types):
        raise RefusedError(f"{name!r} must be {' or '.join(_WORDS[t] for t in types)}")
    if isinstance(value, str) and len(value) > TEXT_LIMIT:
        raise RefusedError(f"{name!r} is longer than {TEXT_LIMIT} characters")
    if isinstance(value, dict | list | float) and _size(name, value) > VALUE_LIMIT:
        raise RefusedError(f"{name!r} is larger than {VALUE_LIMIT // 1024} KiB", hint="send it as an artifact")


def _is(value: object, *types: type) -> bool:
    return isinstance(value, types) and (not isinstance(value, bool) or bool in types)


def _size(name: str, value: object) -> int:
    if too_deep(value):
        raise RefusedError(f"{name!r} is nested more than {DEPTH_LIMIT} levels deep")
    try:
        return len(json.dumps(value, allow_nan=False))
    except ValueError as error:
        raise RefusedError(f"{name!r} holds a number that JSON does not have") from error


def too_deep(value: object, limit: int = DEPTH_LIMIT) -> bool:
    """Whether objects and lists are nested deeper than `limit`: what is close to the recursion limit kills a task."""
    layer = [value]
    for _ in range(limit):
        nested = [item for item in layer if isinstance(item, dict | list)]
        layer = [inner for item in nested for inner in (item.values() if isinstance(item, dict) else item)]
        if not layer:
            return False
    return True


def _expectations(expect: list[Any]) -> tuple[Json, ...]:
    if len(expect) > EXPECT_LIMIT:
        raise RefusedError(f"'expect' has more than {EXPECT_LIMIT} entries")
    for item in expect:
        if not isinstance(item, dict) or not _is(item.get("epoch"), int) or not _is(item.get("phase"), int, str):
            raise RefusedError("'expect' must be a list of {phase, epoch}")
    return tuple(expect)


def _shape(allowed: dict[str, tuple[type, ...]], required: tuple[str, ...]) -> str:
    if not allowed:
        return "send {} or nothing"
    fields = ", ".join(f'"{name}"' + ("" if name in required else " (optional)") for name in allowed)
    return f"fields: {fields}"
