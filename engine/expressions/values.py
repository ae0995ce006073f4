"""What expressions work on: JSON values, their names, their size, their text, and `ExpressionError`.

Text of a value (in mixed strings, for `~`, `|string` and `|tojson`): a string is itself, `true` / `false`, a number as
JSON writes it but without an empty fraction (1.0 is `1`: MiniJinja does not tell them apart), lists and objects as JSON
in their own order with non-ASCII kept; nothing (`none`) has no text and is an error, because a prompt that says `None`
is never what was meant.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Literal

from engine.agents import OutputType
from engine.errors import DefinitionError

Kind = Literal["syntax", "limit", "unsupported", "name", "undefined", "type", "value"]
"""What is wrong: it cannot be read; it is too long, deep or big; the operation, filter or test does not exist here;
the first word names nothing; the path leads nowhere; a value has the wrong type; a value cannot be used or computed."""

VALUE_LIMIT = 64 * 1024
"""What one expression may work on, and make, in characters; every item, key and number counts as `ITEM_SIZE`."""

ITEM_SIZE = 16
NESTING_LIMIT = 64
ARTIFACT = "$artifact"
"""The key that marks a reference to an artifact; the content of the output is elsewhere then."""

INTEGER_LIMIT = 2**127 - 1  # MiniJinja has 128 bits
DIGITS_LIMIT = 18

_INTEGER = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


class ExpressionError(DefinitionError):
    """Raised when an expression cannot be read or evaluated; `offset` counts characters in the text that was given.

    The message never shows a value, so it may be logged and recorded even where values are secret.
    """

    code = "expression"

    def __init__(self, message: str, *, kind: Kind, offset: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.kind: Kind = kind
        self.offset = offset

    def moved(self, by: int) -> ExpressionError:
        """The same error in a text in which the expression starts at `by`."""
        return ExpressionError(self.message, kind=self.kind, offset=self.offset + by, hint=self.hint)


def type_of(value: object) -> str:
    """The name of a value's type as authors know it: string, number, boolean, list, object or none."""
    if isinstance(value, str):
        return "string"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if value is None:
        return "none"
    if isinstance(value, list | tuple):
        return "list"
    return "object"


def worded(*types: str) -> str:
    """Type names in a sentence: `a string or an object`."""
    articled = [name if name == "none" else f"{'an' if name[0] in 'aeio' else 'a'} {name}" for name in types]
    *others, last = articled
    return f"{', '.join(others)} or {last}" if others else last


def weigh(value: object, allowance: int, offset: int, *, artifacts: bool = False) -> int:
    """The size of a JSON value; ExpressionError if it is above `allowance`, nested too deeply, or no JSON value.

    A reference to an artifact is refused too unless `artifacts`: who reads it would take it for the output itself.

    Anything but plain JSON is refused: MiniJinja would hand out the attributes of other objects, turns integers over
    128 bits into floats and mangles lone surrogates. It takes no longer than `allowance` lasts.
    """
    size = 0
    layer: list[Any] = [value]
    for _ in range(NESTING_LIMIT):
        inner: list[Any] = []
        for item in layer:
            size += _weigh_item(item, offset)
            if size > allowance:
                raise ExpressionError("the values of this expression are too big", kind="limit", offset=offset)
            if isinstance(item, list | tuple):
                inner.extend(item)
            elif isinstance(item, dict):
                size += _weigh_keys(item, offset, artifacts=artifacts)
                inner.extend(item.values())
        if not inner:
            return size
        layer = inner
    raise ExpressionError(f"a value is nested over {NESTING_LIMIT} deep", kind="limit", offset=offset)


def _weigh_item(item: object, offset: int) -> int:
    if isinstance(item, str):
        return ITEM_SIZE + _weigh_string(item, offset)
    if item is None or isinstance(item, bool):
        return ITEM_SIZE
    if isinstance(item, int | float):
        if not (-INTEGER_LIMIT <= item <= INTEGER_LIMIT):  # also false for NaN
            raise ExpressionError("a number is out of range", kind="value", offset=offset)
        return ITEM_SIZE
    if isinstance(item, list | tuple | dict):
        return ITEM_SIZE + ITEM_SIZE * len(item)
    raise ExpressionError("a value is not of a type that JSON has", kind="value", offset=offset)


def _weigh_string(value: str, offset: int) -> int:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ExpressionError("a string holds half a character", kind="value", offset=offset) from None
    return len(value)


def _weigh_keys(item: dict[Any, Any], offset: int, *, artifacts: bool) -> int:
    if ARTIFACT in item and not artifacts:
        raise ExpressionError(
            "this output is too large to be kept inline", kind="value", offset=offset, hint="declare a smaller output"
        )
    if not all(isinstance(key, str) for key in item):
        raise ExpressionError("a key of an object is not a string", kind="value", offset=offset)
    return sum(_weigh_string(key, offset) for key in item)


def text_of(value: object, offset: int = 0) -> str:
    """The value as text, by the rule at the top of this module."""
    if isinstance(value, str):
        return value
    if value is None:
        raise ExpressionError(
            "nothing (none) cannot become text", kind="type", offset=offset, hint="give it a text: x if x else '-'"
        )
    weigh(value, VALUE_LIMIT, offset)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json_of(value, offset)


def json_of(value: object, offset: int = 0) -> str:
    """The value as JSON on one line; ExpressionError when that is over `VALUE_LIMIT` characters."""
    text = json.dumps(value, ensure_ascii=False)
    if len(text) > VALUE_LIMIT:
        raise ExpressionError("the text of this value is too big", kind="limit", offset=offset)
    return text


def coerce(value: Any, to: OutputType, offset: int = 0) -> Any:
    """The value as the type of the field that takes it; ExpressionError (kind `type`) if it cannot be that.

    Text becomes a number or a boolean only if it is written as one (`3`, `0.5`, `true`); numbers and booleans become
    strings as in mixed text; a float without fraction is an integer. Lists, objects and none become nothing else.
    """
    if to == "any":
        return value
    given = type_of(value)
    text = value.strip() if isinstance(value, str) else None
    result = _COERCE[to](value, given, text)
    if result is None:
        found = "an empty string" if text == "" else worded(given)
        raise ExpressionError(f"{worded(to)} is needed here, this is {found}", kind="type", offset=offset)
    return result


def _string(value: Any, given: str, text: str | None) -> str | None:
    if text is not None:
        return str(value)
    return text_of(value) if given in {"number", "boolean"} else None


def _integer(value: Any, given: str, text: str | None) -> int | None:
    if text is not None and _INTEGER.fullmatch(text) and len(text) <= DIGITS_LIMIT:
        return int(text)
    number = _number(value, given, text)
    return int(number) if number is not None and number == int(number) else None


def _number(value: Any, given: str, text: str | None) -> int | float | None:
    if text is not None and _NUMBER.fullmatch(text):
        value = int(text) if _INTEGER.fullmatch(text) and len(text) <= DIGITS_LIMIT else float(text)
    elif given != "number":
        return None
    return value if isinstance(value, int) or math.isfinite(value) else None


def _boolean(value: Any, given: str, text: str | None) -> bool | None:
    if given == "boolean":
        return bool(value)
    return {"true": True, "false": False}.get((text or "").lower())


def _list(value: Any, given: str, _: str | None) -> list[Any] | None:
    return list(value) if given == "list" else None


def _object(value: Any, given: str, _: str | None) -> dict[str, Any] | None:
    return value if given == "object" and isinstance(value, dict) else None


_COERCE = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "list": _list,
    "object": _object,
}
