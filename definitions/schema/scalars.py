"""The single values of a definition, and the two kinds of mapping: exact ones, and ones that are only kept.

Every validator raises `refusal(code, …)`, whose code is a diagnostic's; `definitions.shape` gives it a place.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, LiteralString

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from definitions import durations, slugs
from definitions.yaml_reader import is_beyond, plain_value

NEVER = "never"
"""What is written where a timeout is meant not to exist."""

MAX_PATTERN = 500

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,79}")
_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_ACCESS = re.compile(r"(?:write_only|read_only|read_(?:\w+?)_write_\w+|read_\w+|write_\w+|none)")
_DURATION_SCHEMA = {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string"}]}
_LEVELS = ("low", "medium", "high", "very_high")


class Exact(BaseModel):
    """A mapping of which every key is known; YAML text is never turned into another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True, defer_build=True)


class Kept(BaseModel):
    """A mapping that later work gives its effect: what is known of it is checked, all of it is kept."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True, use_attribute_docstrings=True, defer_build=True)


def refusal(code: LiteralString, message: str, hint: str = "") -> PydanticCustomError:
    """An error of validation that becomes the diagnostic with this code."""
    return PydanticCustomError(code, "{message}", {"message": message, "hint": hint})


def found(value: object) -> str:
    """A value in the words of a message: `the text 'x'`, `a list`, `true`."""
    if is_beyond(value):
        return f"the number {_short(str(value))}"
    if isinstance(value, str):
        return f"the text '{_short(value)}'"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else f"the number {_short(str(value))}"


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "…"


def beyond(value: object) -> str:
    """What is wrong with a number that `is_beyond`."""
    return f"{found(value)} is too {'small' if str(value).startswith('-') else 'large'}"


def whole(value: object) -> str:
    """How the whole number is written that stands there as a text, or as a fraction that is none; for a hint."""
    meant = plain_value(value) if isinstance(value, str) and value else value
    if isinstance(meant, bool) or not isinstance(meant, int | float) or not float(meant).is_integer():
        return ""
    return f"write {int(meant)}"


def is_expression(value: object) -> bool:
    """Whether a value is left to an expression."""
    return isinstance(value, str) and "${" in value


def _text(value: object) -> str:
    if not isinstance(value, str):
        hint = f"quote it: '{value}'" if isinstance(value, int | float) and not isinstance(value, bool) else ""
        raise refusal("PL102", f"expected a text, found {found(value)}", hint)
    return value


def _line(value: object) -> str:
    text = _text(value)
    if not text.strip() or len(text) > 200 or "\n" in text.strip():
        raise refusal("PL109", "a name is one line of 1 to 200 characters")
    return text


def _identifier(value: object) -> str:
    text = _text(value)
    if not slugs.is_id(text):
        fitting = slugs.slug(text)
        raise refusal("PL109", f"'{text[:40]}' cannot be an id: {slugs.ID_RULE}", f"write '{fitting}'")
    return text


def _name(value: object) -> str:
    text = _text(value)
    if _NAME.fullmatch(text) is None:
        message = f"'{text[:40]}' cannot be a name here: letters, digits and '_', beginning with a letter or '_'"
        raise refusal("PL109", message, f"write '{re.sub(r'[^A-Za-z0-9_]+', '_', text)[:40]}'")
    return text


def _duration(value: object) -> float:
    try:
        return durations.seconds(value)
    except durations.DurationError as error:
        raise _duration_refusal(value, error) from None


def _duration_refusal(value: object, error: Exception) -> PydanticCustomError:
    if isinstance(value, int | float) and not isinstance(value, bool) and value < 0:
        return refusal("PL110", str(error))
    return refusal("PL110" if "negative" in str(error) else "PL104", str(error))


def _positive_duration(value: object) -> float:
    length = _duration(value)
    if length == 0:
        raise refusal("PL110", "a limit of 0 seconds ends everything before it begins")
    return length


def _timeout(value: object) -> float | str:
    return NEVER if value == NEVER else _positive_duration(value)


def _estimate(value: object) -> tuple[float, float]:
    try:
        return durations.span(value)
    except durations.DurationError as error:
        raise _duration_refusal(value, error) from None


def _env_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return _text(value)


def _condition(value: object) -> bool | str:
    if isinstance(value, bool | str):
        return value
    raise refusal("PL304", f"a condition is true, false or an expression, not {found(value)}", "write ${ … }")


def _function(value: object) -> str:
    text = _text(value)
    if _FUNCTION.fullmatch(text) is None:
        raise refusal("PL109", f"'{text[:40]}' does not name a function", "write 'package.module:function'")
    return text


def _level(value: object) -> float | str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        if value < 0:
            raise refusal("PL110", "a resource need cannot be negative")
        return float(value)
    if is_beyond(value):
        raise refusal("PL110", beyond(value))
    if value not in _LEVELS:
        raise refusal("PL106", f"expected a number of units or one of {', '.join(_LEVELS)}, found {found(value)}")
    return str(value)


def _access(value: object) -> str:
    text = _text(value)
    if _ACCESS.fullmatch(text) is None:
        hint = "write write_only, read_X_write_Y, read_multiple_write_Y or read_all_write_Y"
        raise refusal("PL106", f"'{text[:40]}' is no context access", hint)
    return text


def _relative(value: object) -> str:
    text = _text(value)
    parts = text.replace("\\", "/").split("/")
    if not text or text.startswith(("/", "~")) or ".." in parts or ":" in parts[0]:
        raise refusal("PL109", f"'{text[:60]}' is not a path inside the project", "write it relative, without '..'")
    return text


def _pattern(value: object) -> str:
    """A path or glob inside the project; a leading `./` is the same as none."""
    text = _text(value)
    if len(text) > MAX_PATTERN:
        raise refusal("PL109", f"a file pattern has at most {MAX_PATTERN} characters")
    return _relative(text.removeprefix("./") or ".")


Text = Annotated[str, PlainValidator(_text), WithJsonSchema({"type": "string"})]
Line = Annotated[str, PlainValidator(_line), WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 200})]
Id = Annotated[
    str, PlainValidator(_identifier), WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9_][A-Za-z0-9_-]{0,79}$"})
]
Name = Annotated[
    str, PlainValidator(_name), WithJsonSchema({"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]{0,79}$"})
]
Duration = Annotated[float, PlainValidator(_duration), WithJsonSchema(_DURATION_SCHEMA)]
Limit = Annotated[float, PlainValidator(_positive_duration), WithJsonSchema(_DURATION_SCHEMA)]
Timeout = Annotated[float | str, PlainValidator(_timeout), WithJsonSchema(_DURATION_SCHEMA)]
Estimate = Annotated[tuple[float, float], PlainValidator(_estimate), WithJsonSchema(_DURATION_SCHEMA)]
EnvText = Annotated[str, PlainValidator(_env_text), WithJsonSchema({"type": ["string", "number", "boolean"]})]
Condition = Annotated[bool | str, PlainValidator(_condition), WithJsonSchema({"type": ["boolean", "string"]})]
Function = Annotated[str, PlainValidator(_function), WithJsonSchema({"type": "string"})]
Level = Annotated[
    float | str,
    PlainValidator(_level),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, {"enum": list(_LEVELS)}]}),
]
Access = Annotated[str, PlainValidator(_access), WithJsonSchema({"type": "string"})]
RelativePath = Annotated[str, PlainValidator(_relative), WithJsonSchema({"type": "string"})]
Pattern = Annotated[str, PlainValidator(_pattern), WithJsonSchema({"type": "string"})]
Count = Annotated[int, Field(ge=1)]
Units = Annotated[float, Field(ge=0)]
OnFailureWord = Literal["pause", "isolate", "fail_fast"]
TypeWord = Literal["any", "string", "integer", "number", "boolean", "list", "object"]
JsonValue = Any
