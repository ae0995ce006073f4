"""Reading an operator's message: known fields of the right type, or a refusal that says what is wrong."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from engine.errors import RefusedError

Json = dict[str, Any]

COMMON: dict[str, tuple[type, ...]] = {"actor": (str,), "note": (str,), "request_id": (str,), "expect": (list,)}
"""Fields that every message may carry."""

TEXT_LIMIT = 4096
"""Characters of an actor, note, reason or id; a longer one is refused."""

VALUE_LIMIT = 64 * 1024
"""Bytes of JSON of one field; larger things travel as artifacts."""

_WORDS = {str: "text", int: "a number", dict: "an object", list: "a list", float: "a number"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One decoded message: `fields` holds the message's own fields."""

    fields: Json = field(default_factory=dict)
    actor: str | None = None
    note: str | None = None
    request_id: str | None = None
    expect: tuple[Json, ...] = ()


def read(payload: object, allowed: dict[str, tuple[type, ...]], required: tuple[str, ...] = ()) -> Request:
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
        expect=_expectations(payload.get("expect") or []),
    )


def _check_type(name: str, value: object, types: tuple[type, ...]) -> None:
    if value is None:
        return
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise RefusedError(f"{name!r} must be {' or '.join(_WORDS[t] for t in types)}")
    if isinstance(value, str) and len(value) > TEXT_LIMIT:
        raise RefusedError(f"{name!r} is longer than {TEXT_LIMIT} characters")
    if isinstance(value, dict | list) and len(json.dumps(value)) > VALUE_LIMIT:
        raise RefusedError(f"{name!r} is larger than {VALUE_LIMIT // 1024} KiB", hint="send it as an artifact")


def _expectations(expect: list[Any]) -> tuple[Json, ...]:
    for item in expect:
        if not isinstance(item, dict) or not isinstance(item.get("epoch"), int) or "phase" not in item:
            raise RefusedError("'expect' must be a list of {phase, epoch}")
    return tuple(expect)


def _shape(allowed: dict[str, tuple[type, ...]], required: tuple[str, ...]) -> str:
    if not allowed:
        return "send {} or nothing"
    fields = ", ".join(f'"{name}"' + ("" if name in required else " (optional)") for name in allowed)
    return f"fields: {fields}"
