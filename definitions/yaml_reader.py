"""YAML as a tree of nodes with places, by the rules that people expect today.

Built from libyaml's events and not from its documents: the parser's own composer recurses (deep nesting can end the
process), expands what it is told to and knows YAML 1.1, where `on`, `no`, `12:30` and `0777` are not what they say.
Here the plain words are those of JSON (`true`, `null`, decimal numbers); all else is text, dates too.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from definitions.diagnostics import Diagnostic
from definitions.nodes import Mark, Node

MAX_NODES = 1_000_000
MAX_DEPTH = 64
MAX_DIGITS = 18

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"-?(?:(?:0|[1-9][0-9]*)?\.[0-9]+|(?:0|[1-9][0-9]*)\.?)(?:[eE][-+]?[0-9]+)?")
_WORDS: dict[str, bool | None] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_TAG = "tag:yaml.org,2002:"
_MERGE = "\0<<"
"""Stands for an unquoted `<<`; no key of a document can be this."""
_NO_KEY = "\0"
"""Stands for what cannot be a key; it is left out with its value."""

_QUOTE_IT = 'quote it: "${…}"'

Scalar = str | int | float | bool | None


def read_yaml(text: str, *, most: int = MAX_NODES) -> tuple[Node | None, list[Diagnostic]]:
    """The document as nodes, or None where the text is no single, finite YAML document; and all that was found.

    `most`: so many values it may hold.
    """
    tree = _Tree(most)
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            tree.take(event)
    except yaml.MarkedYAMLError as error:
        tree.findings.append(_syntax(error, text))
        tree.root = None
    except (yaml.YAMLError, UnicodeError) as error:  # pragma: no cover - control characters are refused before
        tree.findings.append(Diagnostic.at(Mark(1, 1), "PL005", str(error)))
        tree.root = None
    except _RefusedError as error:
        tree.findings.append(error.diagnostic)
        tree.root = None
    return tree.root, tree.findings


def plain_value(text: str) -> Scalar:
    """What an unquoted scalar means."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "-.0123456789":
        if _INTEGER.fullmatch(text):
            return int(text) if len(text) <= MAX_DIGITS else text
        if _FLOAT.fullmatch(text) and math.isfinite(value := float(text)):
            return value
    return text


def is_beyond(value: object) -> bool:
    """Whether a value is a number that is too large to be kept exactly, which is why it is still the text of it."""
    if not isinstance(value, str):
        return False
    if _INTEGER.fullmatch(value):
        return len(value) > MAX_DIGITS
    return _FLOAT.fullmatch(value) is not None and not math.isfinite(float(value))


class _RefusedError(Exception):
    def __init__(self, mark: Mark, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.diagnostic = Diagnostic.at(mark, code, message, hint=hint)


@dataclass(slots=True)
class _Open:
    """A collection that is still being read: its node, and for a mapping the key that waits for its value."""

    node: Node
    anchor: str | None
    key: str | None = None
    key_mark: Mark | None = None
    merges: list[Node] = field(default_factory=list)
    is_key: bool = False
    refused: bool = False
    """Whether a key of it was left out."""
    size: int = 1
    height: int = 1


@dataclass(slots=True)
class _Anchored:
    node: Node
    size: int
    height: int


class _Tree:
    def __init__(self, most: int) -> None:
        self.most = most
        self.root: Node | None = None
        self.findings: list[Diagnostic] = []
        self._open: list[_Open] = []
        self._anchors: dict[str, _Anchored | None] = {}
        self._nodes = 0
        self._documents = 0

    def take(self, event: Any) -> None:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            self._scalar(event)
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            self._start(event, {} if kind is yaml.MappingStartEvent else [])
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self._end()
        elif kind is yaml.AliasEvent:
            self._alias(event)
        elif kind is yaml.DocumentStartEvent:
            self._documents += 1
            if self._documents > 1:
                raise _RefusedError(
                    _mark(event), "PL007", "one file holds one definition", "split the file at the `---`"
                )

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        mark, text = _mark(event), event.value
        parent = self._open[-1] if self._open else None
        if parent is not None and isinstance(parent.node.value, dict) and parent.key_mark is None:
            self._key(parent, text, mark, quoted=not event.implicit[0])
            return
        value: Scalar = text
        if event.tag is not None and event.tag != "!":
            value = self._tagged(event.tag, text, mark)
        elif event.implicit[0] and event.tag is None and not self._is_version(parent):
            value = plain_value(text)
        node = Node(value, mark)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(node, 1, 0)
        self._add(node, 1, 0)

    def _is_version(self, parent: _Open | None) -> bool:
        """Whether this is the document's `version`, which is a text: 1.10 is not 1.1."""
        return parent is not None and parent.key == "version" and len(self._open) == 1

    def _key(self, parent: _Open, text: str, mark: Mark, *, quoted: bool) -> None:
        if "${" in text and not quoted:
            raise _RefusedError(mark, "PL014", f"YAML reads '{text}' as a key", _QUOTE_IT)
        if not text:
            self._no_key(parent, mark, "a key is empty")
            return
        parent.key, parent.key_mark = (_MERGE if text == "<<" and not quoted else text), mark

    def _no_key(self, parent: _Open, mark: Mark, message: str, hint: str = "") -> None:
        self.findings.append(Diagnostic.at(mark, "PL012", message, hint=hint))
        parent.key, parent.key_mark, parent.refused = _NO_KEY, mark, True

    def _tagged(self, tag: str, text: str, mark: Mark) -> Scalar:
        name = tag.removeprefix(_TAG)
        value = plain_value(text)
        if name == "str":
            return text
        if (name in ("int", "float") and isinstance(value, int | float) and not isinstance(value, bool)) or (
            (name == "bool" and isinstance(value, bool)) or (name == "null" and value is None)
        ):
            return value
        message = f"the tag '{tag.removeprefix(_TAG) if tag.startswith(_TAG) else tag}' has no meaning here"
        self.findings.append(Diagnostic.at(mark, "PL013", message, hint="leave the tag out"))
        return text

    def _start(
        self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent, empty: dict[str, Node] | list[Node]
    ) -> None:
        mark = _mark(event)
        if len(self._open) >= MAX_DEPTH:
            raise _RefusedError(mark, "PL011", f"nested more than {MAX_DEPTH} levels deep")
        is_key = self._open and isinstance(self._open[-1].node.value, dict) and self._open[-1].key_mark is None
        if is_key:
            hint = 'an expression is written "${…}", in quotes' if event.flow_style else ""
            self._no_key(self._open[-1], mark, "a key is a text, not a list or a mapping", hint)
        if event.tag is not None and event.tag not in ("!", f"{_TAG}map", f"{_TAG}seq"):
            message = f"the tag '{event.tag.removeprefix(_TAG)}' has no meaning here"
            self.findings.append(Diagnostic.at(mark, "PL013", message, hint="leave the tag out"))
        if event.anchor is not None:
            self._anchors[event.anchor] = None  # until it is complete, an alias to it would contain itself
        self._open.append(_Open(Node(empty, mark), event.anchor, is_key=bool(is_key)))

    def _end(self) -> None:
        done = self._open.pop()
        for merged in done.merges:
            self._merge(done, merged)
        if done.refused and not done.node.value and self._open:
            done.node = Node(None, done.node.mark)  # `{{ x }}` was not meant as a mapping: nothing more is said of it
        if done.anchor is not None:
            self._anchors[done.anchor] = _Anchored(done.node, done.size, done.height)
        if not done.is_key:
            self._add(done.node, done.size, done.height)

    def _alias(self, event: yaml.AliasEvent) -> None:
        mark = _mark(event)
        if event.anchor not in self._anchors:
            raise _RefusedError(mark, "PL005", f"no anchor '&{event.anchor}' before this alias")
        anchored = self._anchors[event.anchor]
        if anchored is None:
            raise _RefusedError(mark, "PL010", f"the alias '*{event.anchor}' contains itself")
        parent = self._open[-1] if self._open else None
        if parent is not None and isinstance(parent.node.value, dict) and parent.key_mark is None:
            self._no_key(parent, mark, "a key is a text, not an alias")
            return
        if len(self._open) + anchored.height > MAX_DEPTH:
            raise _RefusedError(mark, "PL011", f"aliases nest more than {MAX_DEPTH} levels deep")
        self._add(anchored.node, anchored.size, anchored.height, alias=mark)

    def _add(self, node: Node, size: int, height: int, *, alias: Mark | None = None) -> None:
        self._nodes += size if alias is not None else 1
        if self._nodes > self.most:
            code, what = ("PL010", "aliases expand to") if alias is not None else ("PL004", "the file holds")
            raise _RefusedError(alias or node.mark, code, f"{what} more than {self.most:,} values")
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        parent.size += size
        parent.height = max(parent.height, height + 1)
        holder = parent.node.value
        if isinstance(holder, list):
            holder.append(node)
            return
        assert isinstance(holder, dict)
        assert parent.key is not None
        assert parent.key_mark is not None
        key, mark = parent.key, parent.key_mark
        parent.key = parent.key_mark = None
        if key == _NO_KEY:
            return
        if key == _MERGE:
            parent.merges.append(node)
        elif key in holder:
            first = parent.node.key_marks[key]
            message = f"'{key}' is already written in line {first.line}"
            self.findings.append(Diagnostic.at(mark, "PL006", message, hint="keep one of the two"))
        else:
            holder[key] = node
            parent.node.key_marks[key] = mark

    def _merge(self, into: _Open, merged: Node) -> None:
        """The merge key of YAML 1.1: what `<<` names fills the keys that are not written."""
        holder = into.node.value
        assert isinstance(holder, dict)
        for source in merged.value if isinstance(merged.value, list) else [merged]:
            if not isinstance(source.value, dict):
                message = "`<<` takes a mapping or a list of mappings"
                self.findings.append(Diagnostic.at(merged.mark, "PL102", message))
                return
            for key, value in source.value.items():
                if key not in holder:
                    holder[key] = value
                    into.node.key_marks[key] = source.key_marks[key]


def _mark(event: Any) -> Mark:
    start = event.start_mark
    return Mark(start.line + 1, start.column + 1)


def _syntax(error: yaml.MarkedYAMLError, text: str) -> Diagnostic:
    place = error.problem_mark or error.context_mark
    mark = Mark(place.line + 1, place.column + 1) if place is not None else Mark(1, 1)
    lines = text.split("\n")
    line = lines[mark.line - 1] if mark.line <= len(lines) else ""
    opening = _unquoted_expression(line)
    if opening is not None:
        return Diagnostic.at(
            Mark(mark.line, opening + 1), "PL014", "YAML reads this ${…} as something else", hint=_QUOTE_IT
        )
    message = str(error.problem or error.context or "this is not YAML")
    context = f" {error.context}" if error.problem and error.context else ""
    hint = ""
    if "\t" in line[: mark.column]:
        hint = "indent with spaces, not tabs"
    elif "mapping values are not allowed" in message:
        hint = "quote a text that holds ': '"
    return Diagnostic.at(mark, "PL005", message + context, hint=hint)


def _unquoted_expression(line: str) -> int | None:
    """Where the first `${` outside quotes begins in a line that YAML could not read."""
    quote = ""
    for i, char in enumerate(line):
        if quote:
            quote = "" if char == quote and line[i - 1] != "\\" else quote
        elif char in "'\"" and (i == 0 or line[i - 1] in " \t[{,:("):
            quote = char
        elif char == "$" and line[i + 1 : i + 2] == "{":
            return i
    return None
