"""The collector of diagnostics: it turns a path in the document into a place and readable words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

from definitions.diagnostics import Diagnostic, Severity, did_you_mean
from definitions.nodes import Mark, Node
from definitions.slugs import slug
from definitions.source import Source

Path = tuple[str | int, ...]

MAX_FINDINGS = 1000
MAX_COMPARISONS = 20_000
"""Suggestions compare a word with all ids, which is slow: after this many, diagnostics come without."""

_KEY = re.compile(r"[\"']?([\w-]+)")
_LONG_WORD = 120
_LONG_QUOTE = re.compile(f"'([^']{{{_LONG_WORD - 1}}})[^']{{2,}}'")


class Findings:
    """All that is found in one file. Paths are those of the document after its format was made native."""

    def __init__(self, source: Source, root: Node) -> None:
        self.source = source
        self.root = root
        self._list: list[Diagnostic] = []
        self._compared = 0
        self._seen: set[tuple[str, int, int, str]] = set()
        self._left: dict[Path, list[int]] = {}
        """Of lists of which items were cut out: where what is left of them stands in the text."""

    def add(
        self,
        code: str,
        path: Path,
        message: str,
        *,
        hint: str = "",
        severity: Severity = "error",
        on_key: bool = False,
        offset: int | None = None,
    ) -> None:
        """Report something at `path`: at the value, at its key, or at a character of a text value."""
        if len(self._list) > MAX_FINDINGS:
            return
        path = self._written(path)
        mark = self._mark(path, on_key=on_key, offset=offset)
        key = (code, mark.line, mark.column, message)
        if key in self._seen:
            return
        self._seen.add(key)
        self._list.append(
            Diagnostic(
                code=code,
                message=shortened(message),
                severity=severity,
                file=self.source.file,
                line=mark.line,
                column=mark.column,
                path=self.words(path),
                hint=hint,
            )
        )

    def suggest(self, word: str, candidates: Callable[[], Iterable[str]] | Iterable[str]) -> str:
        """`did you mean …?`, as long as the file does not ask for too many comparisons."""
        if self._compared > MAX_COMPARISONS:
            return ""
        words = list(candidates() if callable(candidates) else candidates)
        self._compared += len(words)
        return did_you_mean(word, words)

    def line_at(self, path: Path) -> str:
        """The line of the text in which the value at `path` begins."""
        number = self.root.value_mark_of(self._written(path)).line
        return self.source.lines[number - 1] if number <= len(self.source.lines) else ""

    def key_in_text(self, path: Path) -> str:
        """The key at `path` as the file spells it; empty where no word stands there."""
        mark = self.root.mark_of(self._written(path))
        line = self.source.lines[mark.line - 1] if mark.line <= len(self.source.lines) else ""
        word = _KEY.match(line, mark.column - 1)
        return word[1] if word is not None else ""

    def cut(self, path: Path, position: int, count: int) -> None:
        """Note that an item of the list at `path`, which has `count` of them, is cut out: later ones move up."""
        del self._left.setdefault(path, list(range(count)))[position]

    def _written(self, path: Path) -> Path:
        """Where a value stands in the text, before anything was cut out."""
        for depth in range(1, len(path)) if self._left else ():
            left, step = self._left.get(path[:depth]), path[depth]
            if left is not None and isinstance(step, int) and step < len(left):
                return (*path[:depth], left[step], *path[depth + 1 :])
        return path

    def words(self, path: Sequence[str | int]) -> str:
        """A path as people read it: `phases.review.depends_on` (a phase under its id, needs without position)."""
        text, previous = "", ""
        for depth, step in enumerate(path):
            if isinstance(step, str):
                shown = step if len(step) <= _LONG_WORD else f"{step[: _LONG_WORD - 1]}…"
                text += f".{shown}" if text else shown
                previous = step
            elif depth == 1 and previous in self._labels and step < len(self._labels[previous]):
                text += f".{self._labels[previous][step]}"
            elif previous != "depends_on":
                text += f"[{step}]"
        return text

    def sorted(self) -> tuple[Diagnostic, ...]:
        """Everything in the order of the file."""
        ordered = sorted(self._list[:MAX_FINDINGS], key=lambda d: (d.line, d.column, d.code))
        if len(self._list) > MAX_FINDINGS:
            last = ordered[-1]
            message = f"only the first {MAX_FINDINGS} findings are shown"
            ordered.append(
                Diagnostic(
                    code="PL406", message=message, severity="note", file=last.file, line=last.line, column=last.column
                )
            )
        return tuple(ordered)

    @property
    def has_errors(self) -> bool:
        """Whether any error was reported so far."""
        return any(d.severity == "error" for d in self._list)

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Take over what a reader found; it gets the file's name."""
        for d in diagnostics:
            self._list.append(
                Diagnostic(
                    code=d.code,
                    message=shortened(d.message),
                    severity=d.severity,
                    file=self.source.file,
                    line=d.line,
                    column=d.column,
                    path=d.path,
                    hint=d.hint,
                )
            )

    def _mark(self, path: Path, *, on_key: bool, offset: int | None) -> Mark:
        if on_key:
            return self.root.mark_of(path)
        if offset is not None:
            return self.source.place_in(self.root.nearest(path), offset)
        return self.root.value_mark_of(path)

    @cached_property
    def _labels(self) -> dict[str, list[str]]:
        labels: dict[str, list[str]] = {}
        top = self.root.value if isinstance(self.root.value, dict) else {}
        for key in ("phases", "steps"):
            node = top.get(key)
            if node is not None and isinstance(node.value, list):
                labels[key] = [_label(item, position) for position, item in enumerate(node.value)]
        return labels


def shortened(message: str) -> str:
    """A message whose quotations are cut to what people read: a key may be a megabyte long."""
    return _LONG_QUOTE.sub(r"'\1…'", message)


def _label(node: Node, position: int) -> str:
    if isinstance(node.value, dict):
        for key, make in (("id", str), ("name", slug)):
            named = node.value.get(key)
            if named is not None and isinstance(named.value, str) and named.value.strip():
                return make(named.value)
    return str(position)
