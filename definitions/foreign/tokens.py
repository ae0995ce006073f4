"""The words of a JavaScript-like literal: strings, numbers, names and marks, with where each begins.

Linear in the length of the text: every repetition is possessive, so no text makes the scanner go back and try again.
"""

from __future__ import annotations

import math
import re
from typing import Final, NamedTuple

_TOKEN: Final = re.compile(
    r"""
      (?P<space>[\s\ufeff]++)
    | (?P<comment>//[^\n\r\u2028\u2029]*+ | /\*(?:[^*]++|\*(?!/))*+\*/)
    | (?P<string>"(?:[^"\\\n\r]++|\\(?:\r\n|[\s\S]))*+" | '(?:[^'\\\n\r]++|\\(?:\r\n|[\s\S]))*+'
                | `(?:[^`\\]++|\\[\s\S])*+`)
    | (?P<number>[+-]?(?:0[xX][0-9a-fA-F_]++|0[oO][0-7_]++|0[bB][01_]++
                |(?:[0-9][0-9_]*+(?:\.[0-9_]*+)?|\.[0-9][0-9_]*+)(?:[eE][+-]?[0-9]++)?)n?(?![\w$]))
    | (?P<word>(?:[^\W\d]|\$)[\w$]*+)
    | (?P<mark>=>|\.\.\.|[{}\[\](),:;=+.])
    """,
    re.VERBOSE,
)
_ESCAPE: Final = re.compile(
    r"\\(?:u\{(?P<point>[0-9a-fA-F]{1,6})\}|u(?P<unit>[0-9a-fA-F]{4})|x(?P<byte>[0-9a-fA-F]{2})"
    r"|(?P<other>\r\n|0(?![0-9])|[\s\S]))"
)
_ESCAPES: Final = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "0": "\0",
    **dict.fromkeys(("\n", "\r\n", "\r", "\u2028", "\u2029"), ""),  # a line that goes on
}
_MAX_DIGITS: Final = 300
_TOO_LARGE: Final = 10**18
_LAST_POINT: Final = 0x10FFFF
_TYPOGRAPHIC: Final = "\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb"


class Token(NamedTuple):
    """One word: `kind` is string, number, word, mark or end; `text` as written, from `start`."""

    kind: str
    text: str
    start: int


class LiteralError(Exception):
    """Raised inside the reader of literals where a text cannot be read on."""

    def __init__(self, message: str, start: int, hint: str = "", code: str = "PL005") -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.hint = hint
        self.code = code


class Scanner:
    """Hands out the tokens of `text[start:end]` one by one, without spaces and comments."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self._text = text
        self._end = end
        self._position = start
        self.token = self._scan()

    def advance(self) -> Token:
        """Take the current token; `token` becomes the next one."""
        taken = self.token
        self.token = self._scan()
        return taken

    def _scan(self) -> Token:
        while self._position < self._end:
            found = _TOKEN.match(self._text, self._position, self._end)
            if found is None:
                raise _unreadable(self._text, self._position)
            self._position = found.end()
            kind = found.lastgroup
            if kind not in ("space", "comment"):
                return Token(kind or "", found[0], found.start())
        return Token("end", "", self._end)


def _unreadable(text: str, start: int) -> LiteralError:
    """The error for a place where no token begins."""
    char = text[start]
    if char in "\"'`":
        hint = "a string in ' or \" ends on its line; use `…` for several lines" if char != "`" else ""
        return LiteralError(f"the string that begins here with {char} is never closed", start, hint)
    if text.startswith("/*", start):
        return LiteralError("the comment that begins here is never closed", start, "end it with */")
    if char.isdigit() or char in "+-.":
        return LiteralError(f"{_word_at(text, start)} is no number", start, "put text in quotes")
    if char in _TYPOGRAPHIC:
        return LiteralError(f"unexpected {char!r}", start, "use straight quotes: ' or \"")
    return LiteralError(f"unexpected {char!r}", start, "write // comments" if char == "#" else "")


def _word_at(text: str, start: int) -> str:
    found = re.compile(r"[\w$.+-]{1,40}").match(text, start)
    return repr(found[0] if found else text[start])


def string_value(token: Token) -> str:
    """The text that a string token stands for; backtick strings keep `${…}` as it is written."""
    body = token.text[1:-1]
    if token.text[0] == "`":
        body = body.replace("\r\n", "\n")
    if "\\" not in body:
        return body

    def character(found: re.Match[str]) -> str:
        other = found["other"]
        if other is None:
            point = int(found["point"] or found["unit"] or found["byte"], 16)
            if point <= _LAST_POINT:
                return chr(point)
        elif other not in "uxX123456789":
            return _ESCAPES.get(other, other)
        raise LiteralError(f"{found[0]!r} is no escape", token.start, r"write \\ for a backslash")

    value = _ESCAPE.sub(character, body)
    if "\0" in value:
        raise LiteralError("the character U+0000 cannot stand in a definition", token.start, code="PL003")
    try:  # two \u escapes may make one character; half of a pair is none
        return value.encode("utf-16", "surrogatepass").decode("utf-16") if _has_surrogate(value) else value
    except UnicodeDecodeError:
        raise LiteralError("half of a surrogate pair is no character", token.start) from None


def _has_surrogate(value: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in value)


def number_value(token: Token) -> int | float:
    """The number that a token stands for; one too large to be stored exactly as JSON does it is an error."""
    text = token.text.replace("_", "").removesuffix("n")
    if len(text) > _MAX_DIGITS:
        raise LiteralError("a number this long cannot be kept", token.start, "put it in quotes")
    digits = text.lstrip("+-")
    sign = -1 if text.startswith("-") else 1
    if digits[:2].lower() in ("0x", "0o", "0b"):
        if len(digits) == 2:
            raise LiteralError(f"{token.text!r} is no number", token.start)
        value: int | float = sign * int(digits, 0)
    else:
        value = sign * (int(digits) if digits.isdecimal() else float(digits))
    if abs(value) >= _TOO_LARGE if isinstance(value, int) else not math.isfinite(value):
        raise LiteralError("a number this large cannot be kept", token.start, "put it in quotes")
    return value
