"""Lines and columns of a text, as an editor counts them."""

from __future__ import annotations

import re
from bisect import bisect_right

from definitions.nodes import Mark

_LINE_END = re.compile(r"\r\n|\n|\r")


class Places:
    """Turns offsets in `text` into marks; LF, CRLF and a lone CR end a line, a BOM takes no column."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0, *(end.end() for end in _LINE_END.finditer(text))]
        self._bom = text.startswith("\ufeff")

    def mark(self, offset: int) -> Mark:
        """The place of the character at `offset`."""
        line = bisect_right(self.starts, offset)
        column = offset - self.starts[line - 1] + 1
        if line == 1 and self._bom and column > 1:
            column -= 1
        return Mark(line, column)

    def lines(self) -> list[tuple[int, str]]:
        """Every line with the offset it starts at, without its end."""
        ends = [*self.starts[1:], len(self.text)]
        lines = [(start, self.text[start:end].rstrip("\r\n")) for start, end in zip(self.starts, ends, strict=True)]
        if self._bom:
            start, line = lines[0]
            lines[0] = (start + 1, line[1:])
        return lines
