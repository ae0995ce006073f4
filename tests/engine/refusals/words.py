"""What the code of the engine refuses with, read from its source: each `RefusedError`, as templates of its sentence."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

SHORTEST = 12
"""Characters of a part of a sentence that can stand for the whole."""


@dataclass(frozen=True)
class Refusal:
    """One sentence at one place: its fixed parts, with something between each two of them."""

    place: str
    parts: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The sentence as a reader of the source sees it."""
        return "…".join(self.parts)

    def is_said_by(self, words: str) -> bool:
        """Whether these words are this whole sentence, with anything in its gaps."""
        return re.fullmatch(".*".join(map(re.escape, self.parts)), words, re.DOTALL) is not None

    def has(self, words: str) -> bool:
        """Whether these words are a part of the sentence that is always the same."""
        return len(words) >= SHORTEST and any(words in part for part in self.parts)


def refusals(engine: Path) -> list[Refusal]:
    """All refusals in the files below a directory, in order; AssertionError where a sentence cannot be read."""
    found = [found for file in sorted(engine.rglob("*.py")) for found in _of_file(file, engine.parent)]
    return sorted(found, key=lambda refusal: (refusal.place.partition(":")[0], int(refusal.place.rpartition(":")[2])))


def _of_file(file: Path, root: Path) -> Iterator[Refusal]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        for call in ast.walk(function):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "RefusedError":
                if isinstance(call.args[0], ast.Attribute) and call.args[0].attr == "message":
                    continue  # the sentence of an error that was caught: it is said, and tested, there
                place = f"{file.relative_to(root)}:{call.lineno}"
                sentences = list(_sentences(call.args[0], tree, function))
                assert sentences, f"{place}: write the sentence where it is raised, as a text or an f-string"
                yield from (Refusal(place, parts) for parts in sentences)


def _sentences(node: ast.expr, tree: ast.Module, function: ast.FunctionDef) -> Iterator[tuple[str, ...]]:
    """The fixed parts of what an expression yields: several where it chooses."""
    match node:
        case ast.Constant(value=str(text)):
            yield (text,)
        case ast.JoinedStr(values=values):
            yield from map(_joined, product(*(list(_piece(value, tree)) for value in values)))
        case ast.Name(id=name):
            for value in _assigned(name, function):
                yield from _sentences(value, tree, function)
        case ast.Call(func=ast.Name(id=name)):
            for called in [each for each in tree.body if isinstance(each, ast.FunctionDef) and each.name == name]:
                for each in ast.walk(called):
                    if isinstance(each, ast.Return) and each.value is not None:
                        yield from _sentences(each.value, tree, called)


def _assigned(name: str, function: ast.FunctionDef) -> Iterator[ast.expr]:
    for each in ast.walk(function):
        if isinstance(each, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in each.targets):
            yield each.value


def _piece(value: ast.expr, tree: ast.Module) -> Iterator[tuple[str, ...]]:
    """A piece of an f-string: a text, the texts of a table that it is looked up in, or a gap."""
    if isinstance(value, ast.Constant):
        yield (str(value.value),)
        return
    assert isinstance(value, ast.FormattedValue)
    table = value.value
    if isinstance(table, ast.Subscript) and isinstance(table.value, ast.Name):
        for each in tree.body:
            if isinstance(each, ast.Assign) and isinstance(each.value, ast.Dict):
                names = [target.id for target in each.targets if isinstance(target, ast.Name)]
                if table.value.id in names:
                    yield from ((str(text.value),) for text in each.value.values if isinstance(text, ast.Constant))
                    return
    yield ("", "")


def _joined(pieces: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    parts = [""]
    for first, *rest in pieces:
        parts[-1] += first
        parts += rest
    return tuple(parts)


def texts(tests: Path, *but: Path) -> set[str]:
    """All texts in the tests below a directory `but` these, as they are written and as patterns mean them."""
    found: set[str] = set()
    for file in sorted(set(tests.rglob("*.py")) - set(but)):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        found |= {text for node in ast.walk(tree) if (text := _text(node)) is not None}
    return found | {re.sub(r"\\(.)", r"\1", text) for text in found}


def _text(node: ast.AST) -> str | None:
    """A text; of an f-string one with a gap that a name of ours fills."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(v.value) if isinstance(v, ast.Constant) else "…" for v in node.values)
    return None
