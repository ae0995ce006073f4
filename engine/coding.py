"""Frozen dataclasses as JSON values and back: fields at their default are left out, what is unknown is left aside.

Fields that are worked out from others (`init=False`) have no place in the JSON.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable
from functools import cache
from types import NoneType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

Json = dict[str, Any]

T = TypeVar("T")

_PLAIN = (str, int, float, NoneType)


def encode(value: Any) -> Any:
    """Dataclasses, tuples and dicts as plain JSON values; dataclass fields at their default are left out."""
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, (tuple, list)):
        return [encode(item) for item in value]
    if isinstance(value, dict):
        return {key: encode(item) for key, item in value.items()}
    kind: Any = type(value)
    return {
        name: encode(item)
        for name, default in _defaults(kind)
        if (item := getattr(value, name)) is not default and item != default
    }


def decode(cls: type[T], data: Json) -> T:
    """An instance of the dataclass `cls` from what `encode` made of it."""
    hints = _hints(cast("Hashable", cls))
    return cls(**{name: _decode(hints[name], value) for name, value in data.items() if name in hints})


def _decode(hint: Any, value: Any) -> Any:
    origin = get_origin(hint)
    if origin is tuple:
        item = get_args(hint)[0]
        return tuple(_decode(item, v) for v in value)
    if origin is dict:
        item = get_args(hint)[1]
        return {key: _decode(item, v) for key, v in value.items()}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return decode(hint, value)
    if isinstance(value, list) and origin is not None:  # an optional tuple
        return tuple(value)
    if isinstance(value, dict) and origin is not None:  # an optional dataclass
        for choice in get_args(hint):
            if dataclasses.is_dataclass(choice) and isinstance(choice, type):
                return decode(choice, value)
    return value


@cache
def _hints(cls: Hashable) -> dict[str, Any]:
    assert isinstance(cls, type)
    hints = get_type_hints(cls)
    return {f.name: hints[f.name] for f in _fields(cls)}


@cache
def _defaults(cls: Hashable) -> tuple[tuple[str, Any], ...]:
    assert isinstance(cls, type)

    def default(f: dataclasses.Field[Any]) -> Any:
        return f.default_factory() if f.default_factory is not dataclasses.MISSING else f.default

    return tuple((f.name, default(f)) for f in _fields(cls))


def _fields(cls: type) -> list[dataclasses.Field[Any]]:
    return [f for f in dataclasses.fields(cls) if f.init]
