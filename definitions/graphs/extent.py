"""How much room words take in the font of the pictures.

Graphviz runs here without fonts and measures by guess: too little for accents, too much for other scripts. Arimo has
the widths of Helvetica, which are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import combining, east_asian_width, normalize

from definitions.graphs.texts import SYMBOLS

POINTS = 72
LEADING = 1.2
"""A line is so many times as high as its letters."""

AROUND = (24, 14)
"""Points in a box that stay free beside and above its words, both sides together."""

_WIDTHS = {
    222: "ijl'",
    278: "ftI !,./:;[]\\|",
    340: 'r()-`{}"',
    430: "*^",
    500: "cksvxyzJ",
    556: "abdeghnopqu0123456789#$?L_",
    611: "FTZ+<=>~",
    667: "ABEKPSVXY&",
    722: "CDHNRUw",
    778: "GOQ",
    840: "mM",
    944: "W%",
    1015: "@",
}
_WIDTH = {letter: width / 1000 for width, letters in _WIDTHS.items() for letter in letters}
_OTHER = 0.6
"""Letters of other alphabets: Greek and Cyrillic ones are about as wide."""


def extent(lines: Sequence[str], size: float) -> tuple[float, float]:
    """The width and height in inches of a box with these lines in letters of `size` points."""
    ems = max((sum(map(_ems, normalize("NFD", line))) for line in lines), default=0.0)
    return (ems * size + AROUND[0]) / POINTS, (len(lines) * size * LEADING + AROUND[1]) / POINTS


def _ems(character: str) -> float:
    if combining(character):
        return 0.0
    if character in SYMBOLS or east_asian_width(character) in "WF":
        return 1.0
    return _WIDTH.get(character, _OTHER)
