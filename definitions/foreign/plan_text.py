"""The lines of a markdown text: what is a heading, a list item, a fenced block; every character keeps its column."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from definitions.foreign.places import Places

_FENCE: Final = re.compile(r"[ \t>]*+(?:(?:[-*+]|\d{1,4}[.)])[ \t]+)?(`{3,}|~{3,})[ \t]*+([\w.+-]*+)[^`]*+$")
_LINK: Final = re.compile(r"\[([^\[\]]{0,400})\]\([^()\s]{0,400}\)")
_DECORATION: Final = re.compile(r"\*\*|__|~~|`|\{#[\w-]{1,100}\}")
_NOT_A_LINE_END: Final = re.compile(r"[^\n\r]")
_FRONT: Final = re.compile(
    r"""
      (?P<indent>[ \t]*+)
      (?:>[ \t]?)*+
      [ \t]*+
      (?:(?P<heading>\#{1,6})[ \t]++)?
      (?:(?P<bullet>[-*+\u2022]|(?P<number>\d{1,4})[.)])[ \t]++)?
      (?:\[[ xX]\][ \t]++)?
      [ \t*]*+
    """,
    re.VERBOSE,
)
_UNDERLINE: Final = re.compile(r" {0,3}(={2,}|-{3,})[ \t]*+")
_TAB: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line outside fenced blocks.

    `text` is as long as what is written, with links, bold and code marks blanked, so that `start` plus a position in it
    is a place in the file; `front` is where its words begin. `heading` is 1 to 6, or 0; `number` that of a list item.
    """

    start: int
    written: str
    text: str
    front: int
    indent: int
    heading: int
    bullet: bool
    number: str | None
    fenced: bool = False

    @property
    def blank(self) -> bool:
        """Whether nothing is said here."""
        return not self.text.strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """A fenced block: its language in lower case, where it opens, and the offsets of its content."""

    language: str
    opening: int
    start: int
    end: int


def lines_and_fences(text: str) -> tuple[Places, list[Line], list[Fence]]:
    """The text taken apart; an unclosed fence reaches to the end."""
    places = Places(text)
    shown = Places(_without_comments(text)) if "<!--" in text else places
    lines: list[Line] = []
    fences: list[Fence] = []
    mark, language, opening, begin = "", "", 0, 0
    for start, written in shown.lines():
        found = _FENCE.match(written)
        if mark:
            lines.append(_line(start, written, fenced=True))
            if found is not None and found[1].startswith(mark) and not found[2]:
                fences.append(Fence(language=language, opening=opening, start=begin, end=start))
                mark = ""
        elif found is not None:
            mark, language = found[1], found[2].lower()
            opening, begin = start, start + len(written)
            lines.append(_line(start, written, fenced=True))
        else:
            lines.append(_line(start, written))
    if mark:
        fences.append(Fence(language=language, opening=opening, start=begin, end=len(text)))
    return places, _with_underlined(_without_front_matter(lines)), fences


def _without_comments(text: str) -> str:
    """The text with `<!-- … -->` blanked; one that never ends is none."""
    pieces: list[str] = []
    position = 0
    while (begin := text.find("<!--", position)) >= 0 and (end := text.find("-->", begin + 4)) >= 0:
        pieces += [text[position:begin], _NOT_A_LINE_END.sub(" ", text[begin : end + 3])]
        position = end + 3
    return "".join([*pieces, text[position:]])


def _without_front_matter(lines: list[Line]) -> list[Line]:
    """The lines after a leading `---` block, which is other programs' metadata."""
    if not lines or lines[0].written.rstrip() != "---":
        return lines
    end = next((i for i, line in enumerate(lines[1:200], start=1) if line.written.rstrip() in ("---", "...")), 0)
    return lines[end + 1 :] if end else lines


def _with_underlined(lines: list[Line]) -> list[Line]:
    """The lines with those that `===` or `---` stands below as headings."""
    for i, line in enumerate(lines[1:], start=1):
        above = lines[i - 1]
        found = _UNDERLINE.fullmatch(line.written) if not line.fenced else None
        if found is None or above.blank or above.fenced or above.bullet or above.heading or "|" in above.text:
            continue
        lines[i - 1] = replace(above, heading=1 if found[1][0] == "=" else 2)
        lines[i] = replace(line, written="", text="")
    return lines


def _line(start: int, written: str, *, fenced: bool = False) -> Line:
    if fenced:
        return Line(
            start=start, written=written, text="", front=0, indent=0, heading=0, bullet=False, number=None, fenced=True
        )
    text = written
    if "](" in text:
        text = _LINK.sub(lambda link: " " + link[1] + " " * (len(link[0]) - len(link[1]) - 1), text)
    text = _DECORATION.sub(_blanked, text)
    front = _FRONT.match(text)
    assert front is not None  # every part of it is optional
    return Line(
        start=start,
        written=written,
        text=text,
        front=front.end(),
        indent=len(front["indent"].expandtabs(_TAB)),
        heading=len(front["heading"] or ""),
        bullet=front["bullet"] is not None,
        number=front["number"],
    )


def _blanked(found: re.Match[str]) -> str:
    return _NOT_A_LINE_END.sub(" ", found[0])
