"""What stands in a picture of a graph: symbols, words and colours, the same in every format.

A status is told by a colour, a symbol and a word, so nobody has to tell colours apart. The symbols exist in the font
that pictures are made with. The hues are those of Okabe and Ito's palette (2008), which colour-blind people can
distinguish.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

from definitions.graphs.model import Graph, Group, Node

PERSON = "☺"
IN_CIRCLE = "in a circle"
GOES_ON = "numbers: it goes on where the same number stands"
LINE, LINES = 26, 3
"""A name is cut into at most so many lines of so many characters."""

CIRCLE_COLOUR = "#C01010"
PLAIN = "#333333"


@dataclass(frozen=True, slots=True)
class Look:
    """How a phase with a status looks."""

    symbol: str
    word: str
    fill: str
    stroke: str


LOOKS: dict[str, Look] = {
    "pending": Look("·", "pending", "#F4F4F4", "#6E6E6E"),
    "in_progress": Look("►", "in progress", "#CFE6F7", "#0068A8"),
    "paused": Look("‖", "paused", "#FCE9B6", "#9A6700"),
    "completed": Look("√", "completed", "#CBEBDD", "#00704F"),
    "failed": Look("×", "failed", "#FAD3C4", "#B33C00"),  # noqa: RUF001 - meant
    "cancelled": Look("■", "cancelled", "#E8D9EC", "#6B3A7C"),
    "skipped": Look("»", "skipped", "#FFFFFF", "#6E6E6E"),
}
"""By the status that a run's view shows."""

SYMBOLS = frozenset({PERSON, *(look.symbol for look in LOOKS.values())})

_UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff\u200e\u200f\u202a-\u202e\u2066-\u2069]+"
)


def seen(text: str) -> str:
    """The text on one line, without characters that XML forbids or that turn the direction of others."""
    return " ".join(_UNSEEN.sub(" ", text).split())


def has_letters_for(text: str) -> bool:
    """Whether the font that pictures are made with has all these letters: Latin, Greek, Cyrillic, Hebrew and ours."""
    return all(
        character < "\u0530"
        or "\u0590" <= character < "\u0600"
        or "\u1e00" <= character < "\u2070"
        or character in SYMBOLS
        for character in text
    )


def label(node: Node, *, identified: bool = False) -> list[str]:
    """The lines in a phase's box: its name, and what there is to say about it.

    `identified`: its id too, where the name has letters that pictures lack.
    """
    name = seen(node.name) or seen(node.id)
    lines = textwrap.wrap(name, LINE, max_lines=LINES, placeholder=" …") or [name[:LINE]]
    if node.people:
        lines[0] = f"{PERSON} {lines[0]}"
    if identified and not has_letters_for(name):
        lines.append(f"({seen(node.id)})")
    if node.status is not None:
        look = LOOKS.get(node.status)
        lines.append(f"{look.symbol} {look.word}" if look is not None else seen(node.status))
    if node.in_circle:
        lines.append(IN_CIRCLE)
    return lines


def heading(graph: Graph, *, identified: bool = False) -> list[str]:
    """The lines above a picture: what it shows, and what its symbol means if there is one.

    `identified`: as in `label`.
    """
    count = len(graph.nodes)
    name = seen(graph.name) or seen(graph.id)
    if identified and not has_letters_for(name):
        name += f" ({seen(graph.id)})"
    lines = [name, f"{count} phase{'' if count == 1 else 's'}"]
    if graph.circles:
        lines[1] += ", some wait for each other in a circle"
    if any(node.people for node in graph.nodes):
        lines.append(f"{PERSON} somebody works on it")
    return lines


def group_label(group: Group) -> str:
    """The words at a parallel group."""
    return f"{len(group.members)} in parallel"
