"""How people write which phases something waits for: `Phase 2, Phase 3`, `phases 1-3 and 5`, `P1`, titles, `none`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

WORDS: Final = r"phase|stage|milestone|step"
_NUMBERS: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip
LABEL: Final = (
    r"(?:\d{1,6}(?:\.\d{1,6}){0,4}[a-z]?"
    rf"|(?<=[ \t_#-])(?:{'|'.join(_NUMBERS)}|[ivx]{{1,6}}|[a-z]))(?![a-z0-9_])"
)
"""What tells phases apart: `3`, `1.2`, `2b`, `IV`, `A`, `two`."""

STRONG: Final = (
    r"depends?[ \t]++(?:up)?on|dependent[ \t]++(?:up)?on|depending[ \t]++on|blocked[ \t]++by|waits?[ \t]++(?:for|on)|"
    r"waiting[ \t]++for|depends"
)
"""Words after which only phases make sense."""

WEAK: Final = (
    r"dependenc(?:y|ies)|deps|requires?|prerequisites?|prereqs?|needs?|after|follows|following|predecessors?|"
    r"preceded[ \t]++by|upstream"
)
"""Words after which phases may stand, and other things too."""

_SEPARATOR: Final = re.compile(r"[,;&+]|\b(?:and|plus)\b", re.IGNORECASE)
_TO: Final = rf"(?: ?(?:[-\u2013]|\.\.|to|through) ?(?:(?:{WORDS})[ _#-]*+)?(\d{{1,6}})(?!\w))?"
_LABELLED: Final = re.compile(rf"(?:the )?(?:{WORDS})s?[ _#-]*+({LABEL}){_TO}(?:\W.*)?", re.IGNORECASE | re.DOTALL)
_EXACT: Final = re.compile(rf"(?:the )?(?:(?:{WORDS})s?[ _#-]*+)?{LABEL}{_TO}[ \u2013\u2014-]*+", re.IGNORECASE)
_WORD: Final = re.compile(rf"\b(?:(?:{WORDS})|p(?=\d))", re.IGNORECASE)
_SHORT: Final = re.compile(r"p[ _-]?(\d{1,6}(?:\.\d{1,6}){0,4})", re.IGNORECASE)
_BARE: Final = re.compile(
    r"(?:no\.? ?|#)?(\d{1,6}(?:\.\d{1,6}){0,4}[a-z]?)(?: ?(?:[-\u2013]|\.\.|to|through) ?(\d{1,6}))?",
    re.IGNORECASE,
)
_NOTHING: Final = re.compile(
    r"(?:no(?:ne|thing)?|n/?a|no (?:dependenc(?:y|ies)|prerequisites?)|nil|independent|[-\u2013\u2014\u2205]+)(?: .*)?",
    re.IGNORECASE,
)
_EARLIER: Final = re.compile(
    r"(?:all|everything|every)"
    rf"(?: (?:of|the|other|previous|prior|earlier|preceding|above|before|so far|(?:{WORDS})s?)){{0,6}}",
    re.IGNORECASE,
)
_PREVIOUS: Final = re.compile(rf"(?:the )?(?:previous|prior|preceding|last) (?:{WORDS}|one)", re.IGNORECASE)
_OTHER_NEWS: Final = re.compile(r"(?:(?:can|may|runs?|in) ){0,4}(?:parallel|concurrent)", re.IGNORECASE)
_EDGES: Final = " \t.:*_[](){}\"'`\u201c\u201d"
Kind = Literal["label", "range", "name", "none", "earlier", "previous"]


class Reference(NamedTuple):
    """One item of a dependency as written: its kind, what it names (`2`, `2-4`, a title), and where it stands."""

    kind: Kind
    value: str
    offset: int


def normal_label(label: str) -> str:
    """A label as all of its ways of writing compare: `01` and `one` are `1`, `IV` is `iv`."""
    if label.lower() in _NUMBERS:
        return str(_NUMBERS.index(label.lower()))
    return ".".join(part.lstrip("0") or "0" if part[:1].isdigit() else part for part in label.lower().split("."))


def bare(text: str) -> str:
    """A name without the marks around it."""
    return " ".join(text.strip(_EDGES).split())


def references(text: str, offset: int) -> list[Reference]:
    """The items of a dependency text that begins at `offset`; news about running in parallel end it."""
    found: list[Reference] = []
    for start, written in _items(text):
        item = " ".join(written.split())
        if _OTHER_NEWS.match(item):
            break
        found.extend(_references(item, offset + start))
    return found


def only_labels(text: str) -> bool:
    """Whether a text names phases by their labels and says nothing else."""
    found = references(text, 0)
    return bool(found) and all(reference.kind in ("label", "range", "none") for reference in found)


def only_subjects(text: str) -> bool:
    """Whether a text is nothing but labels: `Phase 2`, `Phases 2 and 3`."""
    return all(_EXACT.fullmatch(" ".join(item.split())) for _, item in _items(text))


def says_phase(text: str) -> bool:
    """Whether a text speaks of phases by that word."""
    return _WORD.search(text) is not None


def _items(text: str) -> Iterator[tuple[int, str]]:
    position = 0
    for separator in _SEPARATOR.finditer(text):
        yield _stripped(text, position, separator.start())
        position = separator.end()
    yield _stripped(text, position, len(text))


def _stripped(text: str, start: int, end: int) -> tuple[int, str]:
    piece = text[start:end]
    bare = piece.lstrip(_EDGES)
    start += len(piece) - len(bare)
    bare = bare.rstrip(_EDGES)
    return (start, bare) if bare else (start, piece.strip())


def _references(item: str, offset: int) -> Iterator[Reference]:
    if not item:
        return
    if _NOTHING.fullmatch(item):
        yield Reference("none", item, offset)
    elif (found := _LABELLED.fullmatch(item) or _BARE.fullmatch(item)) is not None:
        yield from _labelled(found[1], found[2], offset)
    elif (found := _SHORT.fullmatch(item)) is not None:
        yield Reference("label", normal_label(found[1]), offset)
    elif _PREVIOUS.fullmatch(item):
        yield Reference("previous", item, offset)
    elif _EARLIER.fullmatch(item):
        yield Reference("earlier", item, offset)
    else:
        yield Reference("name", item, offset)


def _labelled(first: str, last: str | None, offset: int) -> Iterator[Reference]:
    """A label, or `2` to `4` as a range; what is no range of numbers names its ends."""
    if last is not None and first.isdecimal() and int(first) < int(last):
        yield Reference("range", f"{int(first)}-{int(last)}", offset)
        return
    for label in (first, last):
        if label is not None:
            yield Reference("label", normal_label(label), offset)


def range_labels(value: str) -> range:
    """The numbers of a range reference."""
    first, _, last = value.partition("-")
    return range(int(first), int(last) + 1)
