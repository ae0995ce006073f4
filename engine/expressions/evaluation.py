"""Evaluates expressions over a scope: a mapping of names to JSON values, of which only what is read is touched.

`env.NAME` is `''` when unset; any other absent path is an error when it is used, never none. An expression that is
nothing but a path gives that very value; any other works on, and makes, at most 64 KiB. Values are never changed, but
a result may be one of them or share parts with them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from engine.expressions.grammar import Program, parse
from engine.expressions.operations import Missing, run
from engine.expressions.terms import ROOTS, Path, Slot
from engine.expressions.tokens import SOURCE_LIMIT
from engine.expressions.values import ARTIFACT, VALUE_LIMIT, ExpressionError, type_of, weigh, worded

Scope = Mapping[str, Any]

_ENV_DEFAULT = re.compile(r"\s*(env\.[A-Za-z_][A-Za-z0-9_]*)\s*:-(.*)", re.DOTALL)
_VARIABLE = re.compile(r"\bv(\d+)\b")
_ABSENT = object()
_KEYS_SHOWN = 8


def check(source: str, roots: Collection[str] = ROOTS) -> None:
    """Raises ExpressionError unless the expression can be read, within the limits, using only these first names."""
    program, _ = _compiled(source)
    for slot in program.slots:
        if slot.path[0] not in roots:
            message, hint = f"{slot.path[0]!r} has no value here", f"here a path starts with {', '.join(roots)}"
            raise ExpressionError(message, kind="name", offset=slot.offset, hint=hint)


def references(source: str) -> tuple[str, ...]:
    """The dotted paths that an expression reads, in order and once each, ids as they are written.

    A path ends before its first subscript that is no string: `inputs.list[0].name` reads `inputs.list`.
    """
    program, _ = _compiled(source)
    return tuple(dict.fromkeys(_dotted(_names(slot.path)) for slot in program.slots))


def yields(source: str) -> str:
    """The type an expression yields, as far as its source alone shows: a name as in OutputType, `none`, or `any`."""
    return _compiled(source)[0].type


def evaluate(source: str, scope: Scope) -> Any:
    """The value of an expression; ExpressionError, without a trace of the values, if it has none."""
    program, default = _compiled(source)
    if program.alone:
        value = _look_up(scope, program.alone.path)
        if value is _ABSENT:
            raise _undefined(scope, program.alone)
        return value if default is None else value or default
    values, absent = _values(program, scope)
    code = program.code
    if absent:
        code = _VARIABLE.sub(lambda match: f"op_missing({match[1]})" if int(match[1]) in absent else match[0], code)
    fault: ExpressionError
    try:
        result = run(code, values)
    except Missing as error:
        fault = _undefined(scope, program.slots[error.slot])
    except RuntimeError as error:  # TemplateError; in a sandbox that loads MiniJinja anew, not the class seen here
        fault = _failure(program, code, error)
    except ArithmeticError:
        fault = ExpressionError("a number is out of range", kind="value")
    else:
        weigh(result, VALUE_LIMIT, 0)
        return result
    raise fault  # outside of the handlers: their errors show values


def condition(source: str, scope: Scope) -> bool:
    """Whether the condition holds; ExpressionError (kind `type`) if it yields anything but true or false."""
    value = evaluate(source, scope)
    if not isinstance(value, bool):
        message, hint = f"a condition must be a boolean, this is {worded(type_of(value))}", "compare it with something"
        raise ExpressionError(message, kind="type", hint=hint)
    return value


@lru_cache(maxsize=4096)
def _compiled(source: str) -> tuple[Program, str | None]:
    """The program, and the text after `env.NAME:-`."""
    if len(source) <= SOURCE_LIMIT and (match := _ENV_DEFAULT.fullmatch(source)):
        return parse(match[1]), _default_text(match[2], match.start(2))
    return parse(source), None


def _default_text(written: str, offset: int) -> str:
    """The default that is written after `:-`: without the space around it, or what one pair of quotes holds."""
    if "${" in written:
        raise ExpressionError(
            "a default is plain text", kind="unsupported", offset=offset, hint="write ${env.A or env.B or 'text'}"
        )
    text = written.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    return text


def _values(program: Program, scope: Scope) -> tuple[dict[str, Any], set[int]]:
    values = dict(program.constants)
    absent: set[int] = set()
    allowance = VALUE_LIMIT
    for slot in program.slots:
        value = _look_up(scope, slot.path)
        if value is _ABSENT:
            absent.add(slot.number)
        else:
            allowance -= weigh(value, allowance, slot.offset)
            values[f"v{slot.number}"] = value
        if slot.asked:
            values[f"d{slot.number}"] = value is not _ABSENT
    return values, absent


def _look_up(scope: Scope, path: Path) -> Any:
    value: Any = scope
    for step in path:
        if isinstance(step, str):
            value = value.get(step, _ABSENT) if isinstance(value, Mapping) else _ABSENT
        elif isinstance(value, list) and -len(value) <= step < len(value):
            value = value[step]
        else:
            value = _ABSENT
        if value is _ABSENT:
            return "" if path[0] == "env" else _ABSENT
    return value


def _undefined(scope: Scope, slot: Slot) -> ExpressionError:
    found = next(n for n in range(len(slot.path)) if _look_up(scope, slot.path[: n + 1]) is _ABSENT)
    holder = _look_up(scope, slot.path[:found])
    hint = ""
    if isinstance(holder, dict) and ARTIFACT in holder:
        hint = f"{_dotted(slot.path[:found])} is too large to be kept inline; declare a smaller output"
    elif isinstance(holder, dict) and found and len(holder) <= _KEYS_SHOWN:
        hint = f"{_dotted(slot.path[:found])} has {', '.join(map(str, holder)) or 'nothing'}"
    message = f"{_dotted(slot.path[: found + 1])} is not defined"
    return ExpressionError(message, kind="undefined", offset=slot.offset, hint=hint)


def _failure(program: Program, code: str, error: RuntimeError) -> ExpressionError:
    """MiniJinja's error in our words: its own text shows the values of variables."""
    start, end = getattr(error, "range", None) or (0, len(code))
    numbers = [int(match[1]) for match in _VARIABLE.finditer(code[start:end])]
    offset = program.slots[numbers[0]].offset if numbers else 0
    if getattr(error, "kind", "") == "SyntaxError":
        return ExpressionError("the expression is nested too deeply", kind="limit", offset=offset)
    if (getattr(error, "detail", "") or "").startswith("tried to use"):
        return ExpressionError("values of these types cannot be added", kind="type", offset=offset)
    message = "this cannot be computed: a division by zero, or a number out of range"
    return ExpressionError(message, kind="value", offset=offset)


def _names(path: Path) -> Path:
    number = next((n for n, step in enumerate(path) if isinstance(step, int)), len(path))
    return path[:number]


def _dotted(path: Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
