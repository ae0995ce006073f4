"""Cuts the source of an expression into tokens, and reads them one by one. Every error has its place."""

from __future__ import annotations

import re
from typing import NamedTuple

from engine.expressions.values import ExpressionError

SOURCE_LIMIT = 1024
OPERATOR_LIMIT = 100

INSTEAD = {
    "**": "there is no power operator",
    "&&": "write `and`",
    "||": "write `or`",
    "!": "write `not`",
    "=": "write `==`",
    "?": "write `a if condition else b`",
    "{{": "the expression stands alone, without {{ }}",
    "{%": "there are no statements",
    ":-": "a default after `:-` works as ${env.NAME:-text} only; elsewhere use `|default(…)` or `or`",
    "(": "there are no functions and methods; a filter is written x|length",
}
"""What people write in other languages, and what to write here."""

WORDS = {"and", "or", "not", "if", "else", "in", "is"}

_TOKEN = re.compile(
    r"""(?P<float>[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+)
    | (?P<int>[0-9]+)
    | (?P<name>[^\W\d]\w*)
    | (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    | (?P<op>\*\*|//|==|!=|<=|>=|&&|\|\||\{\{|\{%|:-|[-+*/%~<>|.,:()\[\]{}=!?])""",
    re.VERBOSE | re.DOTALL,
)
_SPACE = re.compile(r"[ \t\r\n]*")
_PHASE_ID = re.compile(r"\w+(?:-+\w+)*")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", "'": "'", '"': '"', "/": "/"}
_CLOSING = {".", ")", "]", "}"}


class Token(NamedTuple):
    """A word of the source. `kind` is float, int, name, text (a quoted string), op, id (of a phase) or end."""

    kind: str
    text: str
    start: int


def tokens_of(source: str) -> list[Token]:
    """All tokens and an `end`; ExpressionError if the source is too long, too much or holds something else.

    Directly after `phases.` an id of a phase is one token, hyphens included: `phases.design-contract`.
    """
    if len(source) > SOURCE_LIMIT or len(source.encode("utf-8", "surrogatepass")) > SOURCE_LIMIT:
        raise ExpressionError("the expression is longer than 1 KiB", kind="limit")
    tokens: list[Token] = []
    position = _after_space(source, 0)
    while position < len(source):
        after_phases = [t.text for t in tokens[-2:]] == ["phases", "."] and (len(tokens) == 2 or tokens[-3].text != ".")
        match = (after_phases and _PHASE_ID.match(source, position)) or _TOKEN.match(source, position)
        if not match:
            raise _unreadable(source, position)
        tokens.append(Token(match.lastgroup or "id", match.group(), position))
        position = _after_space(source, match.end())
    if sum(map(_is_operator, tokens)) > OPERATOR_LIMIT:
        raise ExpressionError(f"the expression has over {OPERATOR_LIMIT} operators", kind="limit")
    return [*tokens, Token("end", "", len(source))]


def _is_operator(token: Token) -> bool:
    return token.text not in _CLOSING if token.kind == "op" else token.text in WORDS


def _after_space(source: str, position: int) -> int:
    match = _SPACE.match(source, position)
    assert match
    return match.end()


def _unreadable(source: str, position: int) -> ExpressionError:
    if source[position] in "'\"":
        return ExpressionError("this string has no end", kind="syntax", offset=position)
    return ExpressionError(f"{source[position]!r} means nothing here", kind="syntax", offset=position)


def string_of(token: Token) -> str:
    """The string that a `text` token writes."""

    def unescaped(match: re.Match[str]) -> str:
        code = match.group(1)
        if code in _ESCAPES:
            return _ESCAPES[code]
        if len(code) == 5 and not 0xD800 <= (number := int(code[1:], 16)) <= 0xDFFF:
            return chr(number)
        raise ExpressionError(
            "a string knows no such escape", kind="syntax", offset=token.start + 1 + match.start(),
            hint=r"a backslash is written \\",
        )  # fmt: skip

    text = token.text[1:-1]
    for position, character in enumerate(text):
        if (character < " " and character not in "\t\r\n") or "\ud800" <= character <= "\udfff":
            offset = token.start + 1 + position
            raise ExpressionError(f"a string cannot hold {character!r}", kind="syntax", offset=offset)
    return _ESCAPE.sub(unescaped, text)


class Cursor:
    """Reads tokens in order; a token that does not fit is an ExpressionError at its place."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.next = 0

    @property
    def peek(self) -> Token:
        """The token that comes next; the last one is the `end`."""
        return self.tokens[self.next]

    def sees(self, *texts: str) -> bool:
        """Whether one of these operators or words comes next."""
        return self.peek.text in texts and self.peek.kind in {"op", "name"}

    def take(self, *texts: str) -> Token | None:
        """The next token, read, if it is one of these operators or words."""
        return self.step() if self.sees(*texts) else None

    def take_kind(self, *kinds: str) -> Token | None:
        """The next token, read, if it is of one of these kinds."""
        return self.step() if self.peek.kind in kinds else None

    def step(self) -> Token:
        """The next token, read."""
        self.next += 1
        return self.tokens[self.next - 1]

    def expect(self, text: str) -> None:
        """Reads this operator or word."""
        if not self.take(text):
            raise self.unexpected(f"`{text}` is missing")

    def expect_kind(self, kind: str, what: str) -> Token:
        """Reads a token of this kind."""
        if token := self.take_kind(kind):
            return token
        raise self.unexpected(f"{what} is missing")

    def unexpected(self, why: str = "") -> ExpressionError:
        """The error that the next token does not fit."""
        token = self.peek
        hint = INSTEAD.get(token.text, "") if token.kind == "op" else ""
        found = "the expression ends too early" if token.kind == "end" else f"{token.text!r} does not fit here"
        return ExpressionError(found, kind="unsupported" if hint else "syntax", offset=token.start, hint=hint or why)
