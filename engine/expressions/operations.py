"""The filters, tests and checked operations that expressions have, and the one MiniJinja environment with them.

MiniJinja orders values of different types (`'n/a' >= 0.8` is true), repeats strings, takes an absent value for none
and a boolean for a number. What must not happen silently is done here instead. Each operation gets the
place in the source first, for its error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, NamedTuple, NoReturn

from minijinja import Environment

from engine.expressions.values import ExpressionError, coerce, json_of, text_of, type_of, worded

ITEMS_LIMIT = 4096
ROUND_LIMIT = 15

NUMBER = ("number",)
STRING = ("string",)
LIST = ("list",)
ROW = ("string", "list")
HOLDER = ("string", "list", "object")
ORDERED = ("number", "string")
ADDED = ("number", "string", "list")


class Missing(Exception):  # noqa: N818  # never leaves the package: evaluation makes an ExpressionError of it
    """Raised when the code comes to use the path with this number, and it is absent."""

    def __init__(self, slot: int) -> None:
        super().__init__(slot)
        self.slot = slot


class Filter(NamedTuple):
    """What a filter takes (empty: anything) and gives, and the types of its arguments, of which `least` are needed.

    One with `run` is ours, called with place, value and arguments; the others are MiniJinja's own.
    """

    takes: tuple[str, ...]
    gives: str
    arguments: tuple[tuple[str, ...], ...] = ()
    least: int = 0
    run: Callable[..., Any] | None = None


def _fail(message: str, offset: int, hint: str = "") -> NoReturn:
    raise ExpressionError(message, kind="type", offset=offset, hint=hint)


def _missing(slot: int) -> NoReturn:
    raise Missing(slot)


def _want(offset: int, types: str, value: Any) -> Any:
    if (given := type_of(value)) not in types.split():
        _fail(f"{worded(*types.split())} is needed here, this is {worded(given)}", offset)
    return value


def _ordered(offset: int, *values: Any) -> None:
    types = list(dict.fromkeys(map(type_of, values)))
    if len(types) > 1 or types[0] not in ORDERED:
        hint = "turn text into a number with |int or |float" if set(types) == set(ORDERED) else ""
        _fail(f"{' and '.join(map(worded, types))} cannot be ordered", offset, hint)


def _less(offset: int, a: Any, b: Any) -> bool:
    _ordered(offset, a, b)
    return bool(a < b)


def _at_most(offset: int, a: Any, b: Any) -> bool:
    _ordered(offset, a, b)
    return bool(a <= b)


def _greater(offset: int, a: Any, b: Any) -> bool:
    return _less(offset, b, a)


def _at_least(offset: int, a: Any, b: Any) -> bool:
    return _at_most(offset, b, a)


def _contains(offset: int, item: Any, holder: Any) -> bool:
    given = type_of(holder)
    if given not in HOLDER:
        _fail(f"`in` looks into {worded(*HOLDER)}, this is {worded(given)}", offset)
    if given != "list" and not isinstance(item, str):
        _fail(f"only a string can be in {worded(given)}", offset)
    return item in holder


def _text(offset: int, value: Any) -> str:
    return text_of(value, offset)


def _get(offset: int, holder: Any, key: Any) -> Any:
    if isinstance(holder, dict) and isinstance(key, str):
        found = key in holder
    elif isinstance(holder, list | tuple) and type_of(key) == "number" and key == int(key):
        key = int(key)
        found = -len(holder) <= key < len(holder)
    else:
        _fail(f"{worded(type_of(holder))} has no items by {worded(type_of(key))}", offset)
    if not found:
        raise ExpressionError("there is no such item", kind="undefined", offset=offset)
    return holder[key]


def _cut(offset: int, row: Any, start: Any, stop: Any) -> Any:
    _want(offset, "string list", row)
    bounds = [None if bound is None else coerce(bound, "integer", offset) for bound in (start, stop)]
    return row[bounds[0] : bounds[1]]


def _first(offset: int, row: Any) -> Any:
    if not row:
        raise ExpressionError("this is empty", kind="undefined", offset=offset)
    return row[0]


def _last(offset: int, row: Any) -> Any:
    return _first(offset, row[-1:])


def _sort(offset: int, values: list[Any]) -> list[Any]:
    if values:
        _ordered(offset, *values)
    return sorted(values)


def _sum(offset: int, values: list[Any]) -> Any:
    for value in values:
        _want(offset, "number", value)
    return sum(values)


def _min(offset: int, values: list[Any]) -> Any:
    return _first(offset, _sort(offset, values))


def _max(offset: int, values: list[Any]) -> Any:
    return _last(offset, _sort(offset, values))


def _items(offset: int, items: Iterable[str]) -> list[str]:
    items = list(items)
    if len(items) > ITEMS_LIMIT:
        raise ExpressionError(f"this makes over {ITEMS_LIMIT} items", kind="limit", offset=offset)
    return items


def _split(offset: int, text: str, separator: str | None = None) -> list[str]:
    if separator == "":
        _fail("a string cannot be split by nothing", offset)
    return _items(offset, text.split(separator, ITEMS_LIMIT))


def _lines(offset: int, text: str) -> list[str]:
    return _items(offset, text.splitlines())


def _round(offset: int, value: Any, digits: Any = 0) -> Any:
    places = coerce(digits, "integer", offset)
    if not -ROUND_LIMIT <= places <= ROUND_LIMIT:
        raise ExpressionError(f"rounds to at most {ROUND_LIMIT} digits", kind="value", offset=offset)
    return round(value, places)


def _to_json(offset: int, value: Any) -> str:
    return json_of(value, offset)


def _int(offset: int, value: Any) -> int:
    """Whole part of a number, or of text that writes one: what `|int` has always meant."""
    return int(coerce(value, "number", offset))


def _float(offset: int, value: Any) -> Any:
    return coerce(value, "number", offset)


def _bool(offset: int, value: Any) -> Any:
    return coerce(value, "boolean", offset)


FILTERS = {
    "abs": Filter(NUMBER, "number"),
    "bool": Filter((), "boolean", run=_bool),
    "capitalize": Filter(STRING, "string"),
    "count": Filter(HOLDER, "number"),
    "default": Filter((), "any", ((),), 1),
    "first": Filter(ROW, "any", run=_first),
    "float": Filter((), "number", run=_float),
    "int": Filter((), "number", run=_int),
    "last": Filter(ROW, "any", run=_last),
    "length": Filter(HOLDER, "number"),
    "lines": Filter(STRING, "list", run=_lines),
    "lower": Filter(STRING, "string"),
    "max": Filter(LIST, "any", run=_max),
    "min": Filter(LIST, "any", run=_min),
    "reverse": Filter(ROW, "any"),
    "round": Filter(NUMBER, "number", (NUMBER,), run=_round),
    "sort": Filter(LIST, "list", run=_sort),
    "split": Filter(STRING, "list", (STRING,), run=_split),
    "string": Filter((), "string", run=_text),
    "sum": Filter(LIST, "number", run=_sum),
    "title": Filter(STRING, "string"),
    "tojson": Filter((), "string", run=_to_json),
    "trim": Filter(STRING, "string"),
    "unique": Filter(LIST, "list"),
    "upper": Filter(STRING, "string"),
}
"""Every filter there is. `default` is for absent paths only and is compiled away."""

TESTS: dict[str, tuple[tuple[str, ...], tuple[str, ...] | None]] = {
    "boolean": ((), None),
    "defined": ((), None),
    "divisibleby": (NUMBER, NUMBER),
    "endingwith": (STRING, STRING),
    "even": (NUMBER, None),
    "false": ((), None),
    "integer": ((), None),
    "mapping": ((), None),
    "none": ((), None),
    "number": ((), None),
    "odd": (NUMBER, None),
    "sequence": ((), None),
    "startingwith": (STRING, STRING),
    "string": ((), None),
    "true": ((), None),
    "undefined": ((), None),
}
"""Every test there is: the types it takes (empty: anything), and those of its argument, if it has one."""

OPERATIONS: dict[str, Callable[..., Any]] = {
    "missing": _missing,
    "want": _want,
    "less": _less,
    "at_most": _at_most,
    "greater": _greater,
    "at_least": _at_least,
    "contains": _contains,
    "text": _text,
    "get": _get,
    "cut": _cut,
}
"""What programs call as `op_<name>`; a bare `get` would be the method of the dict that holds the variables."""

_REMOVED_FILTERS = ("replace", "indent", "format", "join", "batch", "slice", "map", "pprint", "attr", "groupby")
_REMOVED_GLOBALS = ("debug", "range", "dict", "namespace", "cycler", "joiner")


def _environment() -> Environment:
    environment = Environment(debug=False, pycompat=False, undefined_behavior="strict")
    for name in _REMOVED_FILTERS:  # unreachable, since only FILTERS are compiled; and so they stay
        environment.remove_filter(name)
    for name in _REMOVED_GLOBALS:
        environment.remove_global(name)
    environment.add_test("number", lambda value: type_of(value) == "number")
    environment.add_test("integer", lambda value: type_of(value) == "number" and value == int(value))
    for name, operation in OPERATIONS.items():
        environment.add_global(f"op_{name}", operation)
    for name, known in FILTERS.items():
        if known.run:
            environment.add_global(f"filter_{name}", known.run)
    # The first error imports minijinja._internal, once and for all: here, not inside of a workflow's sandbox.
    with suppress(RuntimeError):
        environment.eval_expr("1 // 0")
    return environment


ENVIRONMENT = _environment()


def run(code: str, values: dict[str, Any]) -> Any:
    """What the code of a program yields over the values of its variables, as plain JSON values."""
    return ENVIRONMENT.eval_expr(code, **values)
