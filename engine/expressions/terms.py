"""The terms of an expression: literals, lists, objects, and paths with their subscripts; see `grammar.py`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

from engine.expressions.operations import ADDED, NUMBER, ROW
from engine.expressions.tokens import INSTEAD, WORDS, Cursor, Token, string_of
from engine.expressions.values import DIGITS_LIMIT, ExpressionError, worded

DEPTH_LIMIT = 12
STEP_LIMIT = 10

ROOTS = (
    "inputs", "phases", "context", "env", "run", "outputs", "status", "item", "item_index",
    "prompt_file", "review", "stdout", "stdout_json", "exit_code", "body", "json", "headers",
)  # fmt: skip
"""The names that a path may start with. Not every one has a value everywhere."""

Path = tuple[str | int, ...]

_LITERALS = {"true": True, "false": False, "none": None, "True": True, "False": False, "None": None}


class Level(IntEnum):
    """How strongly an operation binds."""

    CHOICE = 0
    OR = 1
    AND = 2
    NOT = 3
    COMPARE = 4
    SUM = 5
    JOIN = 6
    PRODUCT = 7
    FILTER = 8
    MINUS = 9
    ATOM = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A path in the source and the number of the variable that stands for it; `asked`: `is defined` or `default`."""

    number: int
    path: Path
    offset: int
    asked: bool = False


class Code(NamedTuple):
    """A piece of code, how strongly it binds, its place in the source, its type; `slot`: it is one path.

    Besides the names of types there are `any` and `added`: surely one of the types that `+` gives.
    """

    text: str
    level: Level
    start: int
    type: str = "any"
    slot: int | None = None

    def at(self, level: Level) -> str:
        """The text, in parentheses if it binds less strongly than `level`."""
        return self.text if self.level >= level else f"({self.text})"


class Terms(Cursor):
    """Reads terms and numbers their paths and literals; `choice` reads a whole expression."""

    def __init__(self, tokens: list[Token]) -> None:
        super().__init__(tokens)
        self.depth = 0
        self.steps = 0
        self.slots: list[Slot] = []
        self.constants: dict[str, Any] = {}

    def choice(self) -> Code:
        """The code of an expression of any kind."""
        raise NotImplementedError

    def nested(self, read: Callable[[], Code]) -> Code:
        """What `read` reads, one level deeper."""
        self.depth += 1
        if self.depth > DEPTH_LIMIT:
            message = f"the expression is nested over {DEPTH_LIMIT} deep"
            raise ExpressionError(message, kind="limit", offset=self.peek.start)
        code = read()
        self.depth -= 1
        return code

    def count_step(self, token: Token) -> None:
        """Counts a filter or a computed subscript: each may walk a whole value, and nests the code."""
        self.steps += 1
        if self.steps > STEP_LIMIT:
            message = f"the expression has over {STEP_LIMIT} filters and computed subscripts"
            raise ExpressionError(message, kind="limit", offset=token.start)

    def wanted(self, code: Code, types: tuple[str, ...]) -> Code:
        """The code with a check of its type, if the source does not show it; ExpressionError if it shows another."""
        shown = ADDED if code.type == "added" else (code.type,)
        if not types or set(shown) <= set(types):
            return code
        if code.type not in {"any", "added"}:
            message = f"{worded(*types)} is needed here, this is {worded(code.type)}"
            raise ExpressionError(message, kind="type", offset=code.start)
        sure = types[0] if len(types) == 1 else "added" if types == ADDED else "any"
        return Code(f"op_want({code.start}, '{' '.join(types)}', {code.text})", Level.ATOM, code.start, sure)

    def minus(self) -> Code:
        """A term, or a negative one."""
        if not (token := self.take("-")):
            return self.postfix()
        if self.peek.kind in {"int", "float"}:
            return self.number(-1)
        code = self.wanted(self.nested(self.minus), NUMBER)
        return Code(f"-{code.at(Level.ATOM)}", Level.MINUS, token.start, "number")

    def postfix(self) -> Code:
        """A term and the subscripts after it that are not written out (those belong to its path)."""
        code = self.term()
        while True:
            if dot := self.take("."):
                self.count_step(dot)
                key = self.constant(self.expect_kind("name", "a name").text)
                code = Code(f"op_get({dot.start}, {code.text}, {key})", Level.ATOM, code.start)
            elif bracket := self.take("["):
                self.count_step(bracket)
                code = self.subscript(code, bracket.start)
            elif self.sees("("):
                raise self.unexpected()
            else:
                return code

    def subscript(self, code: Code, offset: int) -> Code:
        """`code[a]` or `code[a:b]`, read up to the `]`."""
        start = None if self.sees(":") else self.choice()
        if start and self.take("]"):
            return Code(f"op_get({offset}, {code.text}, {start.text})", Level.ATOM, code.start)
        self.expect(":")
        stop = None if self.sees("]") else self.choice()
        self.expect("]")
        bounds = ", ".join(self.wanted(bound, NUMBER).text if bound else "none" for bound in (start, stop))
        return Code(f"op_cut({offset}, {self.wanted(code, ROW).text}, {bounds})", Level.ATOM, code.start, code.type)

    def term(self) -> Code:
        """A literal, a list, an object, a path, or an expression in parentheses."""
        token = self.peek
        if token.kind in {"int", "float"}:
            return self.number(1)
        if self.take_kind("text"):
            return Code(self.constant(string_of(token)), Level.ATOM, token.start, "string")
        if self.take("("):
            code = self.choice()
            self.expect(")")
            return code
        if self.take("["):
            listed = ", ".join(code.text for code in self.listed("]", self.choice))
            return Code(f"[{listed}]", Level.ATOM, token.start, "list")
        if self.take("{"):
            entries = ", ".join(code.text for code in self.listed("}", self.entry))
            return Code(f"{{{entries}}}", Level.ATOM, token.start, "object")
        return self.word()

    def word(self) -> Code:
        """A path or a literal that is a word."""
        token = self.peek
        if token.kind != "name" or token.text in WORDS:
            raise self.unexpected("a value is missing")
        self.step()
        if token.text in _LITERALS:
            known = "none" if _LITERALS[token.text] is None else "boolean"
            return Code(token.text.lower(), Level.ATOM, token.start, known)
        if token.text not in ROOTS:
            raise self.unknown(token)
        return self.path(token)

    def listed(self, end: str, read: Callable[[], Code]) -> list[Code]:
        """What stands between commas, up to and with `end`; a comma may come last."""
        found: list[Code] = []
        while not self.take(end):
            found.append(read())
            if not self.sees(end):
                self.expect(",")
        return found

    def entry(self) -> Code:
        """One `'key': value` of an object."""
        key = self.expect_kind("text", "a key in quotes")
        self.expect(":")
        return Code(f"{self.constant(string_of(key))}: {self.choice().text}", Level.CHOICE, key.start)

    def number(self, sign: int) -> Code:
        """A number as it is written, times `sign`."""
        token = self.step()
        value = int(token.text) if token.kind == "int" and len(token.text) <= DIGITS_LIMIT else float(token.text)
        if len(token.text) > DIGITS_LIMIT or math.isinf(value):
            message = f"a number has over {DIGITS_LIMIT} digits or is out of range"
            raise ExpressionError(message, kind="limit", offset=token.start)
        return Code(self.constant(sign * value), Level.ATOM, token.start, "number")

    def constant(self, value: str | float) -> str:
        """The variable that stands for a literal."""
        name = f"c{len(self.constants)}"
        self.constants[name] = value
        return name

    def path(self, root: Token) -> Code:
        """The path that starts with `root`, up to where it is no longer written out."""
        path: list[str | int] = [root.text]
        while (key := self.key()) is not None:
            path.append(key)
        named = len(path) > 1 and isinstance(path[1], str)
        if root.text == "phases" and not named:
            message, hint = "`phases` needs the id of a phase after it", "write phases.<id>.outputs.<name>"
            raise ExpressionError(message, kind="unsupported", offset=root.start, hint=hint)
        if root.text == "env" and not (named and len(path) == 2):
            message, hint = "`env` needs one name after it", "write env.NAME"
            raise ExpressionError(message, kind="unsupported", offset=root.start, hint=hint)
        number = len(self.slots)
        self.slots.append(Slot(number=number, path=tuple(path), offset=root.start))
        return Code(f"v{number}", Level.ATOM, root.start, "string" if root.text == "env" else "any", number)

    def key(self) -> str | int | None:
        """The next step of a path, if it is written out: `.name`, `['name']`, `[0]` or `[-1]`."""
        kinds = [token.text if token.kind == "op" else token.kind for token in self.tokens[self.next : self.next + 4]]
        if kinds[:2] in ([".", "name"], [".", "id"]):
            self.next += 2
            return self.tokens[self.next - 1].text
        if kinds[:3] == ["[", "text", "]"]:
            self.next += 3
            return string_of(self.tokens[self.next - 2])
        sign = -1 if kinds[1:2] == ["-"] else 1
        if kinds == ["[", "-", "int", "]"] or kinds[:3] == ["[", "int", "]"]:
            self.next += 4 if sign < 0 else 3
            return sign * int(self.tokens[self.next - 2].text[:DIGITS_LIMIT])
        return None

    def unknown(self, root: Token) -> ExpressionError:
        """The error that no path starts with this word."""
        if self.sees("("):
            message, hint = f"there is no function {root.text!r}", INSTEAD["("]
            return ExpressionError(message, kind="unsupported", offset=root.start, hint=hint)
        hint = f"a path starts with {', '.join(ROOTS)}"
        before = self.tokens[max(self.next - 2, 0)]
        if before.text == "-" and before.start == root.start - 1:
            hint = "a hyphen reads as minus here: write outputs['the-name']"
        return ExpressionError(f"there is no name {root.text!r}", kind="name", offset=root.start, hint=hint)
