"""Columns that line up."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence


def width(text: str) -> int:
    """How many cells of a terminal a text takes."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else not unicodedata.combining(char) for char in text)


def table(rows: Sequence[Sequence[str]], *, indent: str = "", numbers: Collection[int] = ()) -> list[str]:
    """Lines with the columns of all rows aligned, `numbers` to the right; the last column is as long as it is."""
    if not rows:
        return []
    columns = max(len(row) for row in rows)
    widths = [max((width(row[i]) for row in rows if i < len(row)), default=0) for i in range(columns)]
    return [
        indent + "  ".join(padded(cell, widths[i], right=i in numbers) for i, cell in enumerate(row)).rstrip()
        for row in rows
    ]


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
