"""What all results have in common: typed fields, and the JSON that they came as."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field, fields
from typing import Any, Self

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Result:
    """A result. `to_json()` is what the command line prints of it with `--json`, also what has no field here."""

    raw: Json = field(repr=False, compare=False)

    @classmethod
    def of(cls, raw: Json) -> Self:
        """The result that this JSON object tells; fields that it lacks have their defaults."""
        typed: Json = {}
        for each in fields(cls):
            if each.name != "raw" and each.name in raw:
                value, convert = raw[each.name], each.metadata.get("of")
                typed[each.name] = convert(value) if convert is not None and value is not None else value
        return cls(raw=raw, **typed)

    def to_json(self) -> Json:
        """The result as JSON values; changing them changes nothing here."""
        return deepcopy(self.raw)


def one(kind: type[Result]) -> Json:
    """The metadata of a field that is a result of its own."""
    return {"of": kind.of}


def several(kind: type[Result]) -> Json:
    """The metadata of a field with a tuple of results."""

    def convert(items: list[Json]) -> tuple[Result, ...]:
        return tuple(kind.of(item) for item in items)

    return {"of": convert}


PLAIN: Json = {"of": tuple}
"""The metadata of a field with a tuple of values that stay as they are."""
