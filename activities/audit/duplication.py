"""Copied code: blocks of lines that occur more than once, compared without comments, docstrings and spacing."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from itertools import pairwise

from activities.audit.finding import Finding, Outcome
from activities.audit.languages import lines_of
from activities.audit.syntax import Module

TOOL = "duplication"

WINDOW = 8
"""The shortest block that counts, in lines of code."""

_MIN_CHARACTERS = 160
_MIN_DIFFERENT = 5


@dataclass(frozen=True, slots=True)
class Lines:
    """One file's lines of code: a number per different text, and where each stands."""

    file: str
    codes: list[int]
    numbers: list[int]


class Duplication:
    """Collects files one by one, then finds what they share. Memory grows with the lines of code, not with pairs."""

    def __init__(self) -> None:
        self.files: list[Lines] = []
        self._codes: dict[str, int] = {}
        self._lengths: list[int] = []

    def add(self, module: Module) -> None:
        """Takes a module in."""
        skipped = _passed_over(module.tree)
        codes, numbers = [], []
        for number, line in enumerate(lines_of(module.text), 1):
            if number in skipped:
                continue
            text = "".join(line.split())
            if not text or text[0] == "#":
                continue
            code = self._codes.setdefault(text, len(self._codes))
            if code == len(self._lengths):
                self._lengths.append(len(text))
            codes.append(code)
            numbers.append(number)
        self.files.append(Lines(module.file.name, codes, numbers))

    @property
    def lines(self) -> int:
        """All lines of code looked at."""
        return sum(len(file.codes) for file in self.files)

    def outcome(self) -> tuple[Outcome, int]:
        """One finding per block that occurs elsewhere too, at its first place; and how many lines are copies."""
        places = self._places()
        covered: set[tuple[int, int]] = set()
        copies: set[tuple[int, int]] = set()
        outcome = Outcome(TOOL)
        for index, file in enumerate(self.files):
            position = 0
            while position + WINDOW <= len(file.codes):
                others = [] if (index, position) in covered else self._others(places, index, position)
                if not others:
                    position += 1
                    continue
                length, others = self._extended(places, index, position, others)
                for other, start in others:
                    covered.update((other, start + k) for k in range(length - WINDOW + 1))
                    copies.update((other, start + k) for k in range(length))
                outcome.findings.append(self._finding(file, position, length, others))
                position += length
        return outcome, len(copies)

    def _places(self) -> dict[int, list[tuple[int, int]]]:
        first: dict[int, tuple[int, int]] = {}
        places: dict[int, list[tuple[int, int]]] = {}
        for index, file in enumerate(self.files):
            for position in range(len(file.codes) - WINDOW + 1):
                window = file.codes[position : position + WINDOW]
                key = hash(tuple(window))
                if key not in first:
                    first[key] = index, position
                elif key in places or self._telling(window):
                    places.setdefault(key, [first[key]]).append((index, position))
        return places

    def _key(self, index: int, position: int) -> int:
        return hash(tuple(self.files[index].codes[position : position + WINDOW]))

    def _telling(self, window: list[int]) -> bool:
        """Whether equal windows mean a copy: enough text, not the same line over and over."""
        return sum(self._lengths[c] for c in window) >= _MIN_CHARACTERS and len(set(window)) >= _MIN_DIFFERENT

    def _others(self, places: dict[int, list[tuple[int, int]]], index: int, position: int) -> list[tuple[int, int]]:
        """Where else the window at a position occurs later on, without overlaps."""
        later = [p for p in places.get(self._key(index, position), ()) if p > (index, position)]
        apart = [p for p in later if p[0] != index or p[1] >= position + WINDOW]
        return apart[:1] + [b for a, b in pairwise(apart) if a[0] != b[0] or b[1] >= a[1] + WINDOW]

    def _extended(
        self, places: dict[int, list[tuple[int, int]]], index: int, position: int, others: list[tuple[int, int]]
    ) -> tuple[int, list[tuple[int, int]]]:
        """The longest block from a position on that at least one of the others shares whole, and those that do."""
        length = WINDOW
        # A block ends where its next copy in the same file begins, or a repeated pattern would be compared for ever.
        longest = min(
            (start - position for file, start in others if file == index), default=len(self.files[index].codes)
        )
        while length < longest:
            step = length - WINDOW + 1
            found = set(places.get(self._key(index, position + step), ()))
            shared = [(file, start) for file, start in others if (file, start + step) in found]
            if not shared:
                break
            length, others = length + 1, shared
        return length, others

    def _finding(self, file: Lines, position: int, length: int, others: list[tuple[int, int]]) -> Finding:
        named = ", ".join(f"{self.files[i].file}:{self.files[i].numbers[start]}" for i, start in others[:3])
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        return Finding(
            file=file.file,
            line=file.numbers[position],
            rule="duplicate-code",
            severity="medium" if length * len(others) >= 40 else "low",
            message=f"{length} lines of code also at {named}{more}",
            tool=TOOL,
        )


def _passed_over(tree: ast.Module) -> set[int]:
    """The lines of docstrings and imports: alike everywhere, and nobody's copy."""
    lines: set[int] = set()
    for node in ast.walk(tree):
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        if text or isinstance(node, ast.Import | ast.ImportFrom):
            assert isinstance(node, ast.stmt)
            lines.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines
