"""What single lines of a plan say: here is a phase, this is what it waits for, this agent does it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from definitions.foreign.plan_references import (
    LABEL,
    STRONG,
    WEAK,
    WORDS,
    normal_label,
    only_labels,
    only_subjects,
    says_phase,
)
from definitions.foreign.plan_text import Line

MAX_LINE: Final = 1000
"""Longer lines are prose: they declare nothing."""

_HEAD: Final = re.compile(rf"({WORDS}|p(?=\d))[ \t_#-]*+({LABEL})", re.IGNORECASE)
_AFTER_LABEL: Final = re.compile(r"[ \t*]*+([:.)|=\u2013\u2014-]++)?[ \t*]*+")
_BRACKETED: Final = re.compile(r"[(\[{]((?:[^()\[\]{}]++|\([^()]*+\))*+)[)\]}]")
_CLAUSE: Final = re.compile(
    r"(?:^|[,;])[ \t]*+(?:(?=no[ \t]++(?:dependenc|prerequisit)|independent[ \t]*+$)"
    rf"|(?:[a-z]++[ \t]++){{0,2}}?(?:(?P<strong>{STRONG})|{WEAK})\b[ \t]*+:?)",
    re.IGNORECASE,
)
_TAIL: Final = re.compile(
    rf"(?:^|(?<=[\s,;:|\u2013\u2014-]))(?:(?:(?P<strong>{STRONG})|{WEAK})\b[ \t]*+:?|(?P<arrow><[-=]+|\u2190))",
    re.IGNORECASE,
)
_FIELD: Final = re.compile(rf"(?:(?P<strong>{STRONG})|{WEAK})\b[ \t*]*+(?P<colon>[:=])?[ \t*]*+", re.IGNORECASE)
_AGENTS: Final = re.compile(
    r"(?:assigned[ \t]++to|agents?|assignees?|owners?|roles?|responsible)[ \t*]*+[:=][ \t*]*+", re.IGNORECASE
)
_AGENT_SEPARATOR: Final = re.compile(r"[,;&/+]|\band\b", re.IGNORECASE)
_STATEMENT: Final = re.compile(
    rf"((?:{WORDS})s?\b[^:()]{{0,80}}?)[ \t]++"
    r"(?:(?:is|are|must|should|can|may|only|will|starts?|begins?|runs?|comes?|start|run)[ \t]++){0,3}"
    rf"(?:{STRONG}|depend[ \t]++on|wait[ \t]++for|requires?|needs?|after|follows?)\b[ \t]*+",
    re.IGNORECASE,
)
_SENTENCE: Final = re.compile(
    r"(?:^|(?<=[.!?;]))[ \t]*+(?:(?:this|it|the|phase|stage|step|milestone|work|also|and)[ \t]++){0,3}"
    rf"(?:{STRONG})[ \t]++((?:[^.!?;]|\.(?=\d))*+)",
    re.IGNORECASE,
)
_ARROW: Final = re.compile(r"-+>|=+>|\u2192|\u21d2")
_AT_END: Final = " \t:#,;*|\u2013\u2014-"
_IN_BRACKETS: Final = re.compile(r"\(([^()]*+)\)(?: ?: ?(.*))?")
_BEFORE_BRACKET: Final = re.compile(r"[ ,;]++(?=[)\]}])")
_MAX_TAILS: Final = 4
_MAX_AGENT: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A dependency as written, and where. `strong`: after its words only phases make sense, so it must name some."""

    text: str
    offset: int
    strong: bool


@dataclass(slots=True, kw_only=True)
class Declared:
    """A phase that a plan declares. `maybe`: the title without a note, if the note turns out to name phases."""

    word: str
    label: str
    offset: int
    title: str = ""
    title_offset: int = 0
    maybe: tuple[str, Note] | None = None
    notes: list[Note] = field(default_factory=list)
    agents: list[tuple[str, int]] = field(default_factory=list)
    body: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        """`phase_2`; `1.2` becomes `phase_1_2`."""
        return f"{self.word}_{self.label.replace('.', '_')}"

    @property
    def named(self) -> str:
        """`Phase 2`, for messages and for phases without a title."""
        return f"{self.word.capitalize()} {self.label.upper() if self.label.isalpha() else self.label}"


Declares = Callable[[Line], Declared | None]
"""A way of telling the phases of a plan from its other lines."""


def declared_by_word(line: Line) -> Declared | None:
    """The phase that a line such as `## Phase 2: Title (depends on Phase 1)` declares."""
    if len(line.text) > MAX_LINE:
        return None
    found = _HEAD.match(line.text, line.front)
    if found is None:
        return None
    word = "phase" if found[1].lower() == "p" else found[1].lower()
    after = _AFTER_LABEL.match(line.text, found.end())
    assert after is not None  # every part of it is optional
    rest = line.text[after.end() :]
    if after[1] is None and not _may_follow(rest, line):
        return None
    return titled(
        Declared(word=word, label=normal_label(found[2]), offset=line.start + found.start()), line, after.end()
    )


def _may_follow(rest: str, line: Line) -> bool:
    """Whether what follows a label with nothing between them is a title, and not the rest of a sentence."""
    if not rest.strip() or rest[0] in "([" or line.heading:
        return True
    return line.bullet and rest[0].isupper()


def titled(declared: Declared, line: Line, begin: int) -> Declared:
    """The phase with the title and the notes that the line holds from `begin` on."""
    title = line.text[begin:]
    for found in _BRACKETED.finditer(title):
        clause = _CLAUSE.search(found[1])
        if clause is None:
            continue
        offset = line.start + begin + found.start(1) + clause.end()
        note = Note(text=found[1][clause.end() :], offset=offset, strong=clause["strong"] is not None)
        span = (found.start(), found.end()) if clause.start() == 0 else (found.start(1) + clause.start(), found.end(1))
        blanked = title[: span[0]] + " " * (span[1] - span[0]) + title[span[1] :]
        if note.strong or only_labels(note.text):
            declared.notes.append(note)
            title = blanked
        elif declared.maybe is None:
            declared.maybe = (_tidy(blanked), note)
    tail = _tail(title)
    if tail is not None:
        offset = line.start + begin + tail.end()
        declared.notes.append(Note(text=title[tail.end() :], offset=offset, strong=True))
        title = title[: tail.start()]
    declared.title = _tidy(title)
    declared.title_offset = line.start + begin + len(title) - len(title.lstrip(" \t*"))
    return declared


def _tail(title: str) -> re.Match[str] | None:
    """Where the end of a title says, without brackets, which phases it waits for."""
    for found in list(_TAIL.finditer(title))[-_MAX_TAILS:]:
        rest = title[found.end() :]
        if only_labels(rest) and (found["strong"] or found["arrow"] or says_phase(rest)):
            return found
    return None


def _tidy(title: str) -> str:
    text = _BEFORE_BRACKET.sub("", " ".join(title.split())).strip(_AT_END)
    found = _IN_BRACKETS.fullmatch(text)
    return text if found is None else ": ".join(part.strip() for part in found.groups() if part)


def note_of(line: Line) -> Note | None:
    """What a line such as `Depends on: Phase 1` says; a note without text is said by the lines below it."""
    found = _FIELD.match(line.text, line.front) if len(line.text) <= MAX_LINE else None
    if found is None:
        return None
    rest = line.text[found.end() :]
    strong = found["strong"] is not None
    if not rest.strip():
        announces = found["colon"] is not None or line.heading > 0 or "**" in line.written or "__" in line.written
        return Note(text="", offset=line.start + found.end(), strong=strong) if announces else None
    if found["colon"] is None and not (only_labels(rest) and (strong or says_phase(rest))):
        return None
    return Note(text=rest, offset=line.start + found.end(), strong=strong)


def sentences_of(line: Line) -> list[Note]:
    """What sentences of a text say, such as `It depends on Phase 1.`; only those that are clearly about phases."""
    if len(line.text) > MAX_LINE:
        return []
    return [
        Note(text=found[1], offset=line.start + line.front + found.start(1), strong=True)
        for found in _SENTENCE.finditer(line.text[line.front :])
        if says_phase(found[1]) and only_labels(found[1])
    ]


def agents_of(line: Line) -> list[tuple[str, int]]:
    """The agents that a line such as `Agents: backend-expert, docs-expert` names, with their offsets."""
    found = _AGENTS.match(line.text, line.front) if len(line.text) <= MAX_LINE else None
    if found is None:
        return []
    agents: list[tuple[str, int]] = []
    position = found.end()
    for end, following in _pieces(line.text, position):
        piece = line.text[position:end]
        name = " ".join(piece.strip(" \t.*@[]").split())
        if len(name) > _MAX_AGENT or name.count(" ") > 3:
            return []  # a sentence
        if name:
            agents.append((name, line.start + position + len(piece) - len(piece.lstrip(" \t.*@[]"))))
        position = following
    return agents


def _pieces(text: str, position: int) -> Iterator[tuple[int, int]]:
    for separator in _AGENT_SEPARATOR.finditer(text, position):
        yield separator.start(), separator.end()
    yield len(text), len(text)


def statements_of(line: Line) -> list[tuple[str, int, Note]]:
    """Who waits for whom by a line such as `- Phases 2 and 3 depend on Phase 1` or `Phase 1 -> Phase 2`.

    Each is the subject's text, its offset, and what it waits for.
    """
    if line.heading or len(line.text) > MAX_LINE:
        return []
    found = _STATEMENT.match(line.text, line.front)
    if found is None:
        return _chain(line)
    rest = line.text[found.end() :]
    if not only_subjects(found[1]) or not only_labels(rest):
        return []
    return [(found[1], line.start + found.start(1), Note(text=rest, offset=line.start + found.end(), strong=True))]


def _chain(line: Line) -> list[tuple[str, int, Note]]:
    """Every link of `Phase 1 -> Phase 2 -> Phase 3`."""
    text = line.text[line.front :]
    links: list[tuple[str, int]] = []
    position = 0
    for end, following in [*((arrow.start(), arrow.end()) for arrow in _ARROW.finditer(text)), (len(text), 0)]:
        links.append((text[position:end], line.start + line.front + position))
        position = following
    if len(links) < 2 or not all(says_phase(link) and only_subjects(link) for link, _ in links):
        return []
    return [
        (link, offset, Note(text=before, offset=place, strong=True))
        for (before, place), (link, offset) in pairwise(links)
    ]
