"""A report as data: titled sections of paragraphs, lists, tables and bars, which each format renders its own way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from activities.audit.finding import Severity


@dataclass(frozen=True, slots=True)
class Code:
    """Text in a fixed-width font, taken literally: names of files and functions."""

    text: str


@dataclass(frozen=True, slots=True)
class Strong:
    """Text that stands out."""

    text: str


@dataclass(frozen=True, slots=True)
class Level:
    """A severity, with a number where it counts something."""

    severity: Severity
    number: int | None = None


Part = str | int | Code | Strong | Level
Line = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text; `warning` stands out."""

    parts: Line
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    """A list, numbered or not."""

    items: tuple[Line, ...]
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head; columns named in `numeric` are aligned right."""

    head: tuple[str, ...]
    rows: tuple[tuple[Part | Line, ...], ...]
    numeric: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Bars:
    """A bar chart: label and value per bar; `unit` is the noun of what is counted, in the singular."""

    title: str
    bars: tuple[tuple[str, int], ...]
    unit: str


@dataclass(frozen=True, slots=True)
class Stacks:
    """Bars made of high, medium and low parts."""

    title: str
    bars: tuple[tuple[str, tuple[int, int, int] | str], ...]  # a text instead of numbers: why there are none


Block = Paragraph | Items | Table | Bars | Stacks


@dataclass(slots=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: list[Block] = field(default_factory=list)

    def say(self, *parts: Part, warning: bool = False) -> None:
        """Adds a paragraph."""
        self.blocks.append(Paragraph(parts, warning))

    def add(self, *blocks: Block) -> None:
        """Adds blocks."""
        self.blocks += blocks


@dataclass(frozen=True, slots=True)
class Tile:
    """A number to be seen first."""

    label: str
    value: str
    tone: Literal["", "high", "medium", "low"] = ""


@dataclass(slots=True)
class Document:
    """A whole report."""

    title: str
    subtitle: str
    tiles: list[Tile] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)

    def section(self, title: str) -> Section:
        """A new section at the end."""
        self.sections.append(Section(title))
        return self.sections[-1]
