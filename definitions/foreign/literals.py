"""Reads JSON and JavaScript-like object literals, tolerant of what people write and strict about where they err.

Accepted beside JSON: comments, trailing commas, unquoted keys, quotes ' " and `, hexadecimal numbers, `undefined` (a
key with that value is left out, as in JavaScript), strings joined with `+`, and around the value `const x =`,
`export default`, `module.exports =`, `define('id', …)`, `as const` and `;`. Nothing is ever evaluated.
"""

from __future__ import annotations

from typing import Final

from definitions.diagnostics import Diagnostic
from definitions.foreign.places import Places
from definitions.foreign.prologue import skip_epilogue, skip_prologue
from definitions.foreign.tokens import LiteralError, Scanner, Token, number_value, string_value
from definitions.foreign.trees import entries, mapping
from definitions.nodes import Mark, Node

MAX_DEPTH: Final = 64
MAX_CHARACTERS: Final = 16_000_000
MAX_VALUES: Final = 1_000_000
_MAX_FINDINGS: Final = 100
_CONSTANTS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None, "undefined": None}
_PYTHON: Final = {"True": "true", "False": "false", "None": "null"}
_CLOSING: Final = {"{": "}", "[": "]"}


def read_literal(text: str, *, start: int = 0, end: int | None = None) -> tuple[Node | None, list[Diagnostic]]:
    """The value written in `text[start:end]`, with places in the whole text; no node where it cannot be read on."""
    if len(text) > MAX_CHARACTERS:
        message = f"the file has {len(text):,} characters; {MAX_CHARACTERS:,} are possible"
        return None, [Diagnostic.at(Mark(1, 1), "PL004", message)]
    return _Reader(text, start, len(text) if end is None else end).read()


class _Reader:
    """Recursive descent over the tokens; what is merely untidy is noted and read on, the rest ends the reading."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self._text = text
        self._start = start + text.startswith("\ufeff", start, end)
        self._end = end
        self._places = Places(text)
        self._values = 0
        self._found: list[Diagnostic] = []

    def read(self) -> tuple[Node | None, list[Diagnostic]]:
        try:
            self._scanner = Scanner(self._text, self._start, self._end)
            return self._document(), self._found
        except LiteralError as error:
            self._note(error)
            return None, self._found

    def _note(self, error: LiteralError) -> None:
        if len(self._found) < _MAX_FINDINGS:
            mark = self._places.mark(error.start)
            self._found.append(Diagnostic.at(mark, error.code, error.message, hint=error.hint))

    def _document(self) -> Node:
        if self._scanner.token.kind == "end":
            raise LiteralError("there is nothing in here", self._start, code="PL008")
        opening = skip_prologue(self._scanner)
        node = self._value(0)
        if opening.name is not None and isinstance(node.value, dict) and "id" not in node.value:
            name = Node(string_value(opening.name), self._places.mark(opening.name.start))
            node = mapping([("id", name.mark, name), *entries(node)], node.mark)
        skip_epilogue(self._scanner, opening)
        return node

    def _value(self, depth: int) -> Node:
        token = self._scanner.token
        self._values += 1
        if self._values > MAX_VALUES:
            raise LiteralError(f"more than {MAX_VALUES:,} values", token.start, code="PL004")
        if token.text in _CLOSING and token.kind == "mark":
            if depth >= MAX_DEPTH:
                raise LiteralError(f"nested more than {MAX_DEPTH} levels deep", token.start, code="PL011")
            return self._object(depth) if token.text == "{" else self._array(depth)
        mark = self._places.mark(token.start)
        if token.kind == "string":
            return Node(self._string(), mark)
        if token.kind == "number":
            return Node(number_value(self._scanner.advance()), mark)
        if token.text in _CONSTANTS:
            self._scanner.advance()
            return Node(_CONSTANTS[token.text], mark)
        raise _no_value(token)

    def _string(self) -> str:
        """A string, or several joined with `+`."""
        pieces = [string_value(self._scanner.advance())]
        while self._scanner.token.text == "+":
            self._scanner.advance()
            if self._scanner.token.kind != "string":
                raise LiteralError("only strings can be joined with +", self._scanner.token.start)
            pieces.append(string_value(self._scanner.advance()))
        return "".join(pieces)

    def _array(self, depth: int) -> Node:
        opening = self._scanner.advance()
        items: list[Node] = []
        while not self._closed(opening):
            items.append(self._value(depth + 1))
            self._separated(opening)
        return Node(items, self._places.mark(opening.start))

    def _object(self, depth: int) -> Node:
        opening = self._scanner.advance()
        node = Node({}, self._places.mark(opening.start))
        assert isinstance(node.value, dict)
        while not self._closed(opening):
            key, at = self._key()
            mark = self._places.mark(at)
            undefined = self._scanner.token.text == "undefined"
            value = self._value(depth + 1)
            if key in node.value:
                first = node.key_marks[key]
                self._note(
                    LiteralError(f"the key {key!r} is written twice", at, f"first in line {first.line}", "PL006")
                )
            elif not undefined:
                node.value[key] = value
                node.key_marks[key] = mark
            self._separated(opening)
        return node

    def _key(self) -> tuple[str, int]:
        """The key and where it stands; its `:` is taken too."""
        token = self._scanner.token
        if token.kind == "string":
            key = string_value(token)
        elif token.kind == "number":
            key = str(number_value(token))
        elif token.kind == "word":
            key = token.text
        else:
            raise _no_key(token)
        self._scanner.advance()
        if self._scanner.token.text != ":":
            hint = f"write {key}: …" if self._scanner.token.text in (",", "}", "=", "(") else ""
            raise LiteralError(f"':' is missing after the key {key!r}", self._scanner.token.start, hint)
        self._scanner.advance()
        return key, token.start

    def _closed(self, opening: Token) -> bool:
        """Whether the bracket ends here (then it is taken); stray commas are noted and skipped."""
        while self._scanner.token.text == ",":
            self._note(LiteralError("unexpected ','", self._scanner.token.start))
            self._scanner.advance()
        token = self._scanner.token
        if token.kind == "end":
            raise LiteralError(f"the {opening.text!r} that begins here is never closed", opening.start)
        if token.kind == "mark" and token.text == _CLOSING[opening.text]:
            self._scanner.advance()
            return True
        return False

    def _separated(self, opening: Token) -> None:
        """Take the comma after an item; one that is forgotten is noted."""
        token = self._scanner.token
        if token.text == ",":
            self._scanner.advance()
        elif token.kind in ("string", "number", "word") or (token.text in _CLOSING and opening.text == "["):
            self._note(LiteralError("',' is missing before this", token.start))
        elif token.kind != "end" and token.text != _CLOSING[opening.text]:
            line = self._places.mark(opening.start).line
            expected = f"',' or {_CLOSING[opening.text]!r}"
            hint = f"the {opening.text!r} of line {line} is open"
            raise LiteralError(f"unexpected {token.text!r} where {expected} belongs", token.start, hint)


def _no_value(token: Token) -> LiteralError:
    """The error for a token that begins no value."""
    if token.kind == "end":
        return LiteralError("a value is missing at the end of the text", token.start)
    if token.kind == "word":
        meant = _PYTHON.get(token.text)
        hint = f"write {meant}" if meant else "nothing is evaluated here: put text in quotes"
        return LiteralError(f"{token.text[:80]!r} is no value", token.start, hint)
    return LiteralError(f"unexpected {token.text!r} where a value belongs", token.start)


def _no_key(token: Token) -> LiteralError:
    """The error for a token that begins no key."""
    hint = {"...": "nothing is evaluated here: write the entries out", "[": "computed keys are not read"}
    return LiteralError(f"unexpected {token.text!r} where a key belongs", token.start, hint.get(token.text, ""))
