"""What people hand over by reference: the message names contents of the artifact store, as results of agents do."""

from __future__ import annotations

import re
from typing import Any

from engine import expressions
from engine.errors import RefusedError

Json = dict[str, Any]

FILE = frozenset({"name", "sha256", "size", "media_type"})
VALUE = frozenset({"$artifact", "size", "media_type"})
LARGE_TYPES = frozenset({"any", "string", "list", "object"})
"""Types of outputs whose values may be large enough to be kept in the store."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


def typed(value: Any, to: Any) -> Any:
    """A given output as the type that it is declared with; ExpressionError if it cannot be that.

    Of a value in the store only whoever put it there knows the type; it is some text, list or object.
    """
    if to in LARGE_TYPES and _is_stored(value):
        return value
    return expressions.coerce(value, to)


def files(given: list[Any]) -> list[Json]:
    """The files of the artifact store among the references of a message; the others are for whoever reads the journal.

    Raises RefusedError for what is no reference, and for a file with a wrong digest or a name that leads elsewhere.
    """
    found = []
    for item in given:
        if not isinstance(item, str | dict):
            raise RefusedError("'artifacts' must be a list of references")
        if isinstance(item, dict) and item.keys() >= FILE:
            found.append(_file(item))
    return found


def _file(item: Json) -> Json:
    name, digest, size, kind = (item[key] for key in ("name", "sha256", "size", "media_type"))
    parts = name.split("/") if isinstance(name, str) else []
    if not parts or any(part in {"", ".", ".."} for part in parts) or "\0" in name:
        raise RefusedError(f"the name of an artifact leads elsewhere: {str(name)[:80]!r}")
    if not (isinstance(digest, str) and _DIGEST.fullmatch(digest)):
        raise RefusedError(f"the artifact {name!r} has no sha256 of 64 digits")
    if not isinstance(size, int) or size < 0 or not isinstance(kind, str):
        raise RefusedError(f"the artifact {name!r} has no size, or no media type")
    return {"name": name, "sha256": digest, "size": size, "media_type": kind}


def _is_stored(value: Any) -> bool:
    if not isinstance(value, dict) or value.keys() != VALUE or not isinstance(value["size"], int):
        return False
    kind, _, digest = str(value["$artifact"]).partition(":")
    return kind == "sha256" and _DIGEST.fullmatch(digest) is not None
