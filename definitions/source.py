"""The text of a file, safely read, and exact places in it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from definitions.diagnostics import Diagnostic
from definitions.nodes import Mark, Node

MAX_BYTES = 16 * 1024 * 1024
"""The largest file that is read: 10,000 phases with prompts fit, a mistaken archive does not."""

_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(slots=True)
class Source:
    """A text with the name it is reported under."""

    file: str
    text: str
    _lines: list[str] = field(default_factory=list, repr=False)

    @property
    def lines(self) -> list[str]:
        """The lines without their ends."""
        if not self._lines:
            self._lines = self.text.split("\n")
        return self._lines

    def place_in(self, node: Node, offset: int) -> Mark:
        """The place of a character of a text value, as exactly as quoting and folding allow."""
        if not isinstance(node.value, str) or not 0 < node.mark.line <= len(self.lines):
            return node.mark
        before = node.value[:offset].split("\n")
        row, column = len(before) - 1, len(before[-1])
        written = node.value.split("\n")[row]
        first = self.lines[node.mark.line - 1][node.mark.column - 1 :]
        if row == 0:
            for opening in ("", "'", '"'):
                if first.startswith(opening + written[: column + 1]) and written:
                    return Mark(node.mark.line, node.mark.column + len(opening) + column)
        line = node.mark.line + 1 + row  # a block scalar: its text begins on the line after its `|`
        if first[:1] in ("|", ">") and line <= len(self.lines):
            indent = self.lines[line - 1].find(written)
            if indent >= 0:
                return Mark(line, indent + column + 1)
        return node.mark


def read_source(path: Path, shown_as: str, *, pipes: bool = False) -> tuple[Source | None, list[Diagnostic]]:
    """The text of the file at `path`, or why it cannot be had.

    With `pipes` also what comes out of a pipe or a device, up to its end or the largest size of a file. That is waited
    for, and gone then: it is for what a person names, not for a file that is only found somewhere.
    """
    try:
        if path.is_dir():
            return None, [Diagnostic(code="PL001", message="this is a directory", file=shown_as)]
        if path.exists() and not path.is_file() and not (pipes and (path.is_fifo() or path.is_char_device())):
            return None, [Diagnostic(code="PL001", message="this is no regular file", file=shown_as)]
        with path.open("rb") as stream:
            return read_stream(stream, shown_as)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return None, [Diagnostic(code="PL001", message=f"the file cannot be read: {reason}", file=shown_as)]


def read_stream(stream: BinaryIO, shown_as: str) -> tuple[Source | None, list[Diagnostic]]:
    """The text of a stream up to its end, or why there is none; a stream without an end is too large.

    Raises:
        OSError: it cannot be read.
    """
    data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        return None, [_too_large(shown_as)]
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        start = data.rfind(b"\n", 0, error.start) + 1
        column = len(data[start : error.start].decode("utf-8", "replace")) + 1
        message = f"the byte 0x{data[error.start]:02x} is not UTF-8"
        hint = "save the file as UTF-8"
        return None, [
            Diagnostic(code="PL002", message=message, file=shown_as, line=line, column=column, hint=hint),
        ]
    return source_of(text, shown_as)


def source_of(text: str, shown_as: str) -> tuple[Source | None, list[Diagnostic]]:
    """A text that is already in memory, held to the same limits as a file."""
    if len(text) > MAX_BYTES:
        return None, [_too_large(shown_as)]
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if (found := _CONTROL.search(text)) is not None:
        line = text.count("\n", 0, found.start()) + 1
        column = found.start() - text.rfind("\n", 0, found.start())
        message = f"the character U+{ord(found[0]):04X} cannot stand in a definition"
        return None, [Diagnostic(code="PL003", message=message, file=shown_as, line=line, column=column)]
    return Source(shown_as, text), []


def _too_large(shown_as: str) -> Diagnostic:
    message = f"the file is larger than {MAX_BYTES // 1024 // 1024} MiB"
    return Diagnostic(code="PL004", message=message, file=shown_as)
