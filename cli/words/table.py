"""Columns that line up."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence


def width(text: str) -> int:
    """How many cells of a terminal a text takes."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else not unicodedata.combining(char) for char in text)


LEAST = 12
"""Cells that a column keeps, however narrow the terminal."""


def table(
    rows: Sequence[Sequence[str]], *, indent: str = "", numbers: Collection[int] = (), fits: int | None = None
) -> list[str]:
    """Lines with the columns of all rows aligned, `numbers` to the right; the last column is as long as it is.

    With `fits` no line is wider than that: the widest columns give way first, then lines end with a mark.
    """
    if not rows:
        return []
    columns = max(len(row) for row in rows)
    widths = [max((width(row[i]) for row in rows if i < len(row)), default=0) for i in range(columns)]
    if fits is not None:
        widths = _narrowed(widths, fits - len(indent) - 2 * (columns - 1))
    lines = []
    for row in rows:
        last = len(row) - 1
        cells = [cell if i == last else shortened(cell, widths[i]) for i, cell in enumerate(row)]
        line = indent + "  ".join(padded(cell, widths[i], right=i in numbers) for i, cell in enumerate(cells)).rstrip()
        lines.append(line if fits is None else shortened(line, fits))
    return lines


def _narrowed(widths: list[int], room: int) -> list[int]:
    """The widths with the widest of all but the last column taken down, as far as is needed and bearable."""
    narrowed = list(widths)
    while sum(narrowed) > room and len(narrowed) > 1:
        widest = max(range(len(narrowed) - 1), key=lambda i: narrowed[i])
        if narrowed[widest] <= LEAST:
            break
        narrowed[widest] -= 1
    return narrowed


def padded(text: str, cells: int, *, right: bool = False) -> str:
    """A text that fills so many cells of a terminal, or more if it is longer."""
    room = " " * (cells - width(text))
    return room + text if right else text + room


def shortened(text: str, cells: int, *, mark: str = "…") -> str:
    """The text, or as much of it as so many cells hold with a mark at its end."""
    if width(text) <= cells:
        return text
    kept = text
    while kept and width(kept) + width(mark) > cells:
        kept = kept[:-1]
    return kept + mark
