"""Reads an expression and rewrites it into the code that MiniJinja runs; whatever is not listed here is refused.

The language is MiniJinja's, without what could hurt a run or surprise its author. From the weakest to the strongest:

    a if c else b
    or
    and
    not
    == != < <= > >= in, not in                 (not chained)
    + -
    ~                                          (joins the texts of two values)
    * / // %
    x|filter  x|filter(a)  x is test  x is not test
    -x
    x.name  x['key']  x[0]  x[1:3]
    'text'  3  0.5  true  false  none  [a, b]  {'k': a}  (a)

Each path (`phases.design-contract.outputs.contract`) becomes a variable, so ids with hyphens need no escape, only what
is read is handed over, and what is absent is known before anything runs. Each literal becomes a variable as well:
the code holds nothing that the author wrote. Operands whose type matters pass a checked operation (`operations.py`);
where the source alone shows a wrong type, the error comes already here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from engine.expressions.operations import ADDED, FILTERS, HOLDER, NUMBER, ORDERED, TESTS
from engine.expressions.terms import Code, Level, Slot, Terms
from engine.expressions.tokens import Token, tokens_of
from engine.expressions.values import ExpressionError, worded

_ORDER = {"<": "less", "<=": "at_most", ">": "greater", ">=": "at_least"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A compiled expression: `code` for MiniJinja, over variables `v<n>` and, for `asked` slots, `d<n>` (is there).

    `type` is what it yields, if the source shows it. `alone`: it is nothing but this path.
    """

    code: str
    slots: tuple[Slot, ...]
    constants: dict[str, Any]
    type: str
    alone: Slot | None


def parse(source: str) -> Program:
    """The program of an expression (without `${ }`); ExpressionError with the place where it goes wrong."""
    parser = _Parser(tokens_of(source))
    code = parser.choice()
    if parser.peek.kind != "end":
        raise parser.unexpected()
    return Program(
        code=code.text,
        slots=tuple(parser.slots),
        constants=parser.constants,
        type="any" if code.type == "added" else code.type,
        alone=None if code.slot is None else parser.slots[code.slot],
    )


class _Parser(Terms):
    """Recursive descent: a method per level, each gives the code of what it has read."""

    def choice(self) -> Code:
        return self.nested(self.chosen)

    def chosen(self) -> Code:
        value = self.either()
        if not self.take("if"):
            return value
        condition = self.either()
        self.expect("else")
        other = self.choice()
        code = f"{value.at(Level.OR)} if {condition.at(Level.OR)} else {other.at(Level.OR)}"
        return Code(code, Level.CHOICE, value.start, _common(value, other))

    def either(self) -> Code:
        return self.logic("or", (Level.OR, Level.AND), self.both)

    def both(self) -> Code:
        return self.logic("and", (Level.AND, Level.NOT), self.negation)

    def logic(self, word: str, levels: tuple[Level, Level], operand: Callable[[], Code]) -> Code:
        left = operand()
        while self.take(word):
            right = operand()
            code = f"{left.at(levels[0])} {word} {right.at(levels[1])}"
            left = Code(code, levels[0], left.start, _common(left, right))
        return left

    def negation(self) -> Code:
        if not (token := self.take("not")):
            return self.comparison()
        return Code(f"not {self.nested(self.negation).at(Level.NOT)}", Level.NOT, token.start, "boolean")

    def comparison(self) -> Code:
        left = self.sum()
        if not (operator := self.comparator()):
            return left
        right = self.sum()
        if again := self.comparator():
            hint = "write `a < b and b < c`, or use parentheses"
            raise ExpressionError("comparisons cannot be chained", kind="syntax", offset=again.start, hint=hint)
        if operator.text in {"==", "!="}:
            code = f"{left.at(Level.SUM)} {operator.text} {right.at(Level.SUM)}"
            return Code(code, Level.COMPARE, left.start, "boolean")
        if operator.text in {"in", "not"}:
            self.wanted(right, HOLDER)
            code = f"op_contains({operator.start}, {left.text}, {right.text})"
            return Code(code if operator.text == "in" else f"(not {code})", Level.ATOM, left.start, "boolean")
        return self.ordered(left, operator, right)

    def comparator(self) -> Token | None:
        if self.sees("not") and self.tokens[self.next + 1].text == "in":
            self.step()
            return self.step() and self.tokens[self.next - 2]
        return self.take("==", "!=", "<", "<=", ">", ">=", "in")

    def ordered(self, left: Code, operator: Token, right: Code) -> Code:
        for side in (left, right):
            self.wanted(side, ORDERED)
        if not {left.type, right.type} & {"any", "added"} and left.type != right.type:
            message = f"{worded(left.type)} and {worded(right.type)} cannot be ordered"
            hint = "turn text into a number with |int or |float"
            raise ExpressionError(message, kind="type", offset=operator.start, hint=hint)
        code = f"op_{_ORDER[operator.text]}({operator.start}, {left.text}, {right.text})"
        return Code(code, Level.ATOM, left.start, "boolean")

    def sum(self) -> Code:
        left = self.joined()
        while operator := self.take("+", "-"):
            takes = ADDED if operator.text == "+" else NUMBER
            left, right = self.wanted(left, takes), self.wanted(self.joined(), takes)
            known = {left.type, right.type} - {"any", "added"}
            if len(known) == 2:
                message = f"{worded(left.type)} and {worded(right.type)} cannot be added"
                raise ExpressionError(message, kind="type", offset=operator.start, hint="join text with ~")
            code = f"{left.at(Level.SUM)} {operator.text} {right.at(Level.JOIN)}"
            left = Code(code, Level.SUM, left.start, known.pop() if known else "added")
        return left

    def joined(self) -> Code:
        left = self.product()
        parts = [left]
        while self.take("~"):
            parts.append(self.product())
        if len(parts) == 1:
            return left
        code = " ~ ".join(f"op_text({part.start}, {part.text})" for part in parts)
        return Code(code, Level.JOIN, left.start, "string")

    def product(self) -> Code:
        left = self.filtered()
        while operator := self.take("*", "/", "//", "%"):
            left, right = self.wanted(left, NUMBER), self.wanted(self.filtered(), NUMBER)
            code = f"{left.at(Level.PRODUCT)} {operator.text} {right.at(Level.FILTER)}"
            left = Code(code, Level.PRODUCT, left.start, "number")
        return left

    # Filters and tests

    def filtered(self) -> Code:
        value = self.minus()
        while True:
            if self.take("|"):
                value = self.filter(value, self.expect_kind("name", "the name of a filter"))
            elif self.take("is"):
                negated = bool(self.take("not"))
                value = self.test(value, self.expect_kind("name", "the name of a test"), negated=negated)
            else:
                return value

    def filter(self, value: Code, name: Token) -> Code:
        known = FILTERS.get(name.text)
        if not known:
            hint = f"there are {', '.join(FILTERS)}"
            raise ExpressionError(f"there is no filter {name.text!r}", kind="unsupported", offset=name.start, hint=hint)
        self.count_step(name)
        arguments = self.arguments(name, known.arguments, known.least)
        if name.text == "default":
            number = self.asked(value, name)
            code = f"v{number} if d{number} else {arguments[0].at(Level.OR)}"
            return Code(f"({code})", Level.ATOM, value.start)
        value = self.wanted(value, known.takes)
        if known.run:
            listed = ", ".join([str(value.start), value.text, *(a.text for a in arguments)])
            return Code(f"filter_{name.text}({listed})", Level.ATOM, value.start, known.gives)
        return Code(f"{value.at(Level.FILTER)}|{name.text}", Level.FILTER, value.start, known.gives)

    def test(self, value: Code, name: Token, *, negated: bool) -> Code:
        if name.text not in TESTS:
            hint = f"there are {', '.join(TESTS)}"
            raise ExpressionError(f"there is no test {name.text!r}", kind="unsupported", offset=name.start, hint=hint)
        takes, argument = TESTS[name.text]
        listed = self.arguments(name, (argument,) if argument else (), 1 if argument else 0)
        if name.text in {"defined", "undefined"}:
            there = negated == (name.text == "undefined")
            number = self.asked(value, name)
            return Code(f"d{number}" if there else f"(not d{number})", Level.ATOM, value.start, "boolean")
        given = f"({listed[0].text if listed else ''})"  # without parentheses it would read on
        code = f"{self.wanted(value, takes).at(Level.FILTER)} is {'not ' if negated else ''}{name.text}{given}"
        return Code(code, Level.FILTER, value.start, "boolean")

    def arguments(self, name: Token, types: tuple[tuple[str, ...], ...], least: int) -> list[Code]:
        found: list[Code] = []
        if self.take("("):
            found = self.listed(")", self.choice)
        if not least <= len(found) <= len(types):
            wants = f"{least} to {len(types)}" if least < len(types) else str(least)
            message = f"{name.text!r} takes {wants} arguments, not {len(found)}"
            raise ExpressionError(message, kind="syntax", offset=name.start)
        return [self.wanted(code, takes) for code, takes in zip(found, types, strict=False)]

    def asked(self, value: Code, name: Token) -> int:
        if value.slot is None:
            message = f"{name.text!r} works on a path only, like inputs.name"
            raise ExpressionError(message, kind="unsupported", offset=name.start)
        self.slots[value.slot] = replace(self.slots[value.slot], asked=True)
        return value.slot


def _common(left: Code, right: Code) -> str:
    return left.type if left.type == right.type else "any"
