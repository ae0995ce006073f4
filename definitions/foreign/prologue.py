"""What JavaScript people write around a value: `const x: T =`, `export default`, `define('id', …)`, `as const;`."""

from __future__ import annotations

from typing import Final, NamedTuple

from definitions.foreign.tokens import LiteralError, Scanner, Token

_DECLARING: Final = frozenset({"const", "let", "var"})
_WORDS_OF_VALUES: Final = frozenset({"true", "false", "null", "undefined"})
_MAX_CALLS: Final = 8


class Opening(NamedTuple):
    """How the value was opened: the parentheses to close, the text before it in a call, the variable it is given to."""

    parentheses: tuple[Token, ...] = ()
    name: Token | None = None
    variable: str = ""


def skip_prologue(scanner: Scanner) -> Opening:
    """Take all that stands before the value."""
    _skip_directives(scanner)
    if scanner.token.text == "export":
        scanner.advance()
        if scanner.token.text == "default":
            scanner.advance()
    variable = ""
    if scanner.token.text in _DECLARING:
        scanner.advance()
        variable = scanner.token.text
        _skip_declared(scanner)
    return _skip_callers(scanner, variable)


def _skip_directives(scanner: Scanner) -> None:
    """Take `'use strict';`."""
    while scanner.token.kind == "string" and scanner.token.text[1:-1] == "use strict":
        scanner.advance()
        _skip_semicolons(scanner)


def _skip_declared(scanner: Scanner) -> None:
    """Take `name: Type =`."""
    if scanner.token.kind != "word":
        raise LiteralError("a name is missing in this declaration", scanner.token.start)
    while scanner.token.text != "=":
        if scanner.token.kind == "end" or scanner.token.text in ("{", ";"):
            raise LiteralError("'=' is missing in this declaration", scanner.token.start)
        scanner.advance()
    scanner.advance()


def _skip_callers(scanner: Scanner, variable: str) -> Opening:
    """Take `a.b.c =`, `a.b(`, `(` and a text argument before the value."""
    parentheses: list[Token] = []
    name: Token | None = None
    while len(parentheses) <= _MAX_CALLS:
        if scanner.token.kind == "word" and scanner.token.text not in _WORDS_OF_VALUES:
            path = _skip_path(scanner)
            if scanner.token.text == "=":
                scanner.advance()
                continue
            if scanner.token.text != "(":
                hint = "the file should hold one literal: { … }"
                raise LiteralError(f"{path.text[:80]!r} is no value", path.start, hint)
        if scanner.token.text != "(":
            break
        parentheses.append(scanner.advance())
        if scanner.token.kind == "string":
            name = scanner.advance()
            if scanner.token.text != ",":
                raise LiteralError("',' is missing before this", scanner.token.start)
            scanner.advance()
    return Opening(tuple(parentheses), name, variable)


def _skip_path(scanner: Scanner) -> Token:
    """Take `await`, `new`, `return` and `name.of.something`; the first token of the path."""
    first = scanner.advance()
    if first.text in ("await", "new", "return") and scanner.token.kind == "word":
        first = scanner.advance()
    while scanner.token.text == ".":
        scanner.advance()
        if scanner.token.kind == "word":
            scanner.advance()
    return first


def skip_epilogue(scanner: Scanner, opening: Opening) -> None:
    """Take all that may stand after the value; anything else is an error."""
    _skip_types(scanner)
    for parenthesis in reversed(opening.parentheses):
        if scanner.token.text == ",":
            scanner.advance()
        if scanner.token.kind == "end":
            raise LiteralError("the '(' that begins here is never closed", parenthesis.start)
        if scanner.token.text != ")":
            raise LiteralError(f"unexpected {scanner.token.text[:80]!r} where ')' belongs", scanner.token.start)
        scanner.advance()
        _skip_types(scanner)
    _skip_semicolons(scanner)
    while opening.variable and scanner.token.text in ("export", "module", "exports"):
        _skip_export(scanner, opening.variable)
    if scanner.token.kind != "end":
        raise LiteralError(f"unexpected {scanner.token.text[:80]!r} after the end of the value", scanner.token.start)


def _skip_types(scanner: Scanner) -> None:
    """Take `as const`, `as Plan`, `satisfies Plan`."""
    while scanner.token.text in ("as", "satisfies"):
        scanner.advance()
        if scanner.token.kind != "word":
            raise LiteralError("the name of a type is missing", scanner.token.start)
        _skip_path(scanner)


def _skip_semicolons(scanner: Scanner) -> None:
    while scanner.token.text == ";":
        scanner.advance()


def _skip_export(scanner: Scanner, variable: str) -> None:
    """Take `export default x;`, `export { x };` or `module.exports = x;`, where `x` is the value's variable."""
    allowed = {"export", "default", "module", "exports", ".", "=", "{", "}", variable}
    while scanner.token.kind != "end" and scanner.token.text != ";":
        if scanner.token.text not in allowed:
            raise LiteralError(f"unexpected {scanner.token.text[:80]!r} after the value", scanner.token.start)
        scanner.advance()
    _skip_semicolons(scanner)
