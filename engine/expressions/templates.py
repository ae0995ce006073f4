"""Text with `${ … }` in it: finds the expressions, and renders the text over a scope.

A text that is exactly one `${ … }` yields its value with its type; in any other text, values become text (see
`values.py`). `$${` writes `${`. Nothing else in the text means anything: not `{{`, `{%`, a single `$` or a backslash.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from engine.expressions.evaluation import Scope, evaluate
from engine.expressions.values import NESTING_LIMIT, ExpressionError, text_of, weigh

RENDERED_LIMIT = 1024 * 1024
"""What one call may render, sized as in `values.weigh`."""

_ENV_DEFAULT = re.compile(r"\s*env\.[A-Za-z_][A-Za-z0-9_]*\s*:-\s*")
_SIGNIFICANT = re.compile(r"""[{}]|'(?:[^'\\]|\\.)*'?|"(?:[^"\\]|\\.)*"?""", re.DOTALL)
_BRACE = re.compile(r"[{}]")


@dataclass(frozen=True, slots=True)
class Literal:
    """Text that stands for itself, `$${` already read."""

    text: str


@dataclass(frozen=True, slots=True)
class Expr:
    """The source of an expression, without `${ }` and the space inside them; it starts at `offset` of the text."""

    source: str
    offset: int


def parts(text: str) -> tuple[Literal | Expr, ...]:
    """The text in parts, never two literals in a row; ExpressionError (kind `syntax`) if a `${` is not closed.

    Braces and quotes inside an expression are paired, so `${ {'a': '}'} }` is one part.
    """
    found: list[Literal | Expr] = []
    literal: list[str] = []
    position = 0
    while (start := text.find("${", position)) >= 0:
        escaped = text.endswith("$", position, start)
        literal.append(text[position : start - escaped])
        position = start + 2
        if escaped:
            literal.append("${")
            continue
        if any(literal):
            found.append(Literal("".join(literal)))
        literal = []
        end = _end_of(text, position)
        if end is None:
            message, hint = "this `${` has no `}`", "write $${ for the characters themselves"
            raise ExpressionError(message, kind="syntax", offset=start, hint=hint)
        source = text[position:end]
        found.append(Expr(source.strip(), position + len(source) - len(source.lstrip())))
        position = end + 1
    literal.append(text[position:])
    if any(literal):
        found.append(Literal("".join(literal)))
    return tuple(found)


def _end_of(text: str, position: int) -> int | None:
    """Where the brace is that closes the expression that starts at `position`."""
    pattern = _SIGNIFICANT
    if default := _ENV_DEFAULT.match(text, position):  # plain text follows; an apostrophe in it opens no quote
        position = default.end()
        if text[position : position + 1] not in {"'", '"'}:
            pattern = _BRACE
    depth = 0
    for match in pattern.finditer(text, position):
        if match[0] == "{":
            depth += 1
        elif match[0] == "}":
            if depth == 0:
                return match.start()
            depth -= 1
    return None


def single(text: str) -> str | None:
    """The source of the expression, if the text is exactly one `${ … }`."""
    found = parts(text)
    return found[0].source if len(found) == 1 and isinstance(found[0], Expr) else None


def render(text: str, scope: Scope) -> Any:
    """The text with its expressions evaluated; offsets of errors are places in `text`."""
    return _Rendering(scope).text(text)


def render_all(value: Any, scope: Scope) -> Any:
    """A copy of nested lists and dicts in which every string is rendered; keys and everything else stay.

    An offset counts in the string that failed.
    """
    return _Rendering(scope).all(value, 0)


class _Rendering:
    """One call, with what it may still render."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.allowance = RENDERED_LIMIT

    def text(self, text: str) -> Any:
        found = parts(text)
        if len(found) == 1:
            return self.part(found[0])
        return "".join([text_of(self.part(part), part.offset if isinstance(part, Expr) else 0) for part in found])

    def part(self, part: Literal | Expr) -> Any:
        if isinstance(part, Literal):
            return part.text
        try:
            value = evaluate(part.source, self.scope)
            self.allowance -= weigh(value, self.allowance, 0, artifacts=True)
        except ExpressionError as error:
            fault = error.moved(part.offset)
        else:
            return value
        raise fault

    def all(self, value: Any, depth: int) -> Any:
        if depth > NESTING_LIMIT:
            raise ExpressionError(f"a template is nested over {NESTING_LIMIT} deep", kind="limit")
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list | tuple):
            return [self.all(item, depth + 1) for item in value]
        if isinstance(value, dict):
            return {key: self.all(item, depth + 1) for key, item in value.items()}
        return value
