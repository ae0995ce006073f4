"""Walks through the lines of a plan and gathers its phases, each with its notes, its agents and the text below it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from definitions.foreign.plan_declarations import (
    MAX_LINE,
    Declared,
    Declares,
    Note,
    agents_of,
    declared_by_word,
    note_of,
    sentences_of,
    statements_of,
    titled,
)
from definitions.foreign.plan_references import only_labels, range_labels, references
from definitions.foreign.plan_tables import declared_in_tables
from definitions.foreign.plan_text import Line

_WORDS: Final = ("phase", "stage", "milestone", "step")
_SECTION: Final = re.compile(
    r"(?:(?:the|our|project|implementation|work|delivery|development|execution)[ \t]++){0,3}"
    r"(?:phases|steps|stages|milestones|roadmap|plan)[ \t]*+:?[ \t]*+",
    re.IGNORECASE,
)
_PLAN: Final = re.compile(r"(?:[\w-]{1,40} ){0,3}plan ?: ?(?=\S)", re.IGNORECASE)
_MAX_SUBJECTS: Final = 100
_BOLD_LEVEL: Final = 7
_NO_LEVEL: Final = 8


@dataclass(slots=True)
class Written:
    """All that the lines of a plan say; `heading` is the title's offset, `introduction` stands before the phases."""

    title: str = ""
    heading: int = 0
    introduction: list[str] = field(default_factory=list)
    declared: list[Declared] = field(default_factory=list)
    statements: list[tuple[str, int, Note]] = field(default_factory=list)


def read_lines(lines: list[Line]) -> Written:
    """What the lines say; phases are told by the word that the plan uses, else by where they stand."""
    written = Written()
    _title(lines, written)
    for way in _ways(lines):
        written.introduction.clear()
        written.statements.clear()
        walk = _Walk(way, written)
        for line in lines:
            walk.take(line)
        if written.declared:
            break
    return written


def _title(lines: list[Line], written: Written) -> None:
    """The first heading, if it stands before the phases and is not just `Phases`."""
    for line in lines:
        if declared_by_word(line) is not None:
            return
        if line.heading and not line.blank and len(line.text) <= MAX_LINE:
            text = " ".join(line.text[line.front :].rstrip("# \t").split())
            if not _SECTION.fullmatch(text):
                plan = _PLAN.match(text)
                written.title, written.heading = text[plan.end() if plan else 0 :], line.start + line.front
            return


def _ways(lines: list[Line]) -> list[Declares]:
    """The ways of telling phases, in the order in which they are tried."""
    tables = declared_in_tables(lines)
    words = {declared.word for line in lines if (declared := declared_by_word(line)) is not None}
    words |= {declared.word for declared in tables.values()}
    ways: list[Declares] = [_by_word(word, tables) for word in _WORDS if word in words]
    return [*ways, _in_section(lines), _numbered_headings(lines)]


def _by_word(word: str, tables: dict[int, Declared]) -> Declares:
    def declares(line: Line) -> Declared | None:
        found = tables.get(line.start) or declared_by_word(line)
        return found if found is not None and found.word == word else None

    return declares


def _in_section(lines: list[Line]) -> Declares:
    """Items, or headings one level down, in a section named `Phases`."""
    chosen: dict[int, Declared] = {}
    level = 0
    kind: tuple[int, int] | None = None
    for line in lines:
        if line.heading and (level == 0 or line.heading <= level):
            level = line.heading if _SECTION.fullmatch(line.text, line.front) else 0
            kind = None
        elif level and (line.heading or line.bullet) and not line.blank:
            kind = kind or (line.heading, line.indent)
            if kind == (line.heading, line.indent):
                chosen[line.start] = _counted(line, len(chosen) + 1)
    return lambda line: chosen.get(line.start)


def _numbered_headings(lines: list[Line]) -> Declares:
    """Headings such as `## 2. Title`."""
    numbered = [line for line in lines if line.heading and line.number is not None]
    levels = [line.heading for line in numbered]
    level = min(levels, key=lambda found: (-levels.count(found), found), default=0)
    chosen = {line.start: _counted(line, int(line.number or 0)) for line in numbered if line.heading == level}
    return lambda line: chosen.get(line.start)


def _counted(line: Line, number: int) -> Declared:
    label = str(int(line.number)) if line.number is not None else str(number)
    declared = Declared(word="phase", label=label, offset=line.start + line.front)
    return titled(declared, line, line.front) if len(line.text) <= MAX_LINE else declared


class _Walk:
    """Where the reading is: the phase at hand, whether its text goes on, whether a list of its needs is open."""

    def __init__(self, declares: Declares, written: Written) -> None:
        self._declares = declares
        self._written = written
        self._phase: Declared | None = None
        self._line: Line | None = None
        self._level = _NO_LEVEL
        self._after_blank = False
        self._text_open = False
        self._needs: _OpenNeeds | None = None

    def take(self, line: Line) -> None:
        """Read one more line."""
        if line.blank and not line.fenced:
            self._after_blank = True
            self._text_open = self._text_open and (self._level < _NO_LEVEL or self._is_item())
            if self._needs is not None and self._needs.begun:
                self._needs = None
            self._tell(line)
        else:
            self._say(line)
            self._after_blank = False

    def _say(self, line: Line) -> None:
        if self._needs is not None and self._takes_need(line, self._needs):
            return
        if self._needs is not None and not line.bullet:
            self._needs = None
        if not line.fenced:
            statements = statements_of(line)
            declared = self._declares(line)
            if statements:
                self._written.statements.extend(statements)
                return
            if declared is not None:
                self._open(declared, line)
                return
            self._leave(line)
            if self._phase is not None and self._takes_field(line, self._phase):
                return
        self._tell(line)

    def _open(self, declared: Declared, line: Line) -> None:
        self._phase, self._line = declared, line
        bold = line.written.lstrip(" \t").startswith(("**", "__")) and not line.bullet
        self._level = line.heading or (_BOLD_LEVEL if bold else _NO_LEVEL)
        self._text_open = True
        self._written.declared.append(declared)

    def _is_item(self) -> bool:
        return self._line is not None and self._line.bullet and self._level == _NO_LEVEL

    def _takes_field(self, line: Line, phase: Declared) -> bool:
        """Take a line that says what the phase waits for, or who does it."""
        note = note_of(line)
        if note is not None and note.text:
            phase.notes.append(note)
            return note.strong or only_labels(note.text)  # `Requires: a database` is text as well
        if note is not None:
            self._needs = _OpenNeeds(heading=line.heading > 0, strong=note.strong)
        elif agents := agents_of(line):
            phase.agents.extend(agents)
        else:
            phase.notes.extend(sentences_of(line))
            return False
        return True

    def _takes_need(self, line: Line, needs: _OpenNeeds) -> bool:
        """Take a line of the list below `Depends on:`."""
        phase, begun = self._phase, self._line
        if phase is None or begun is None or line.heading or line.fenced:
            return False
        if self._is_item() and line.indent <= begun.indent:
            return False
        text = line.text[line.front :]
        if not (line.bullet or (needs.heading and only_labels(text))):
            return False
        phase.notes.append(Note(text=text, offset=line.start + line.front, strong=needs.strong))
        needs.begun = True
        return needs.strong or only_labels(text)

    def _leave(self, line: Line) -> None:
        """Let go of the phase at hand when the line is outside of it."""
        begun = self._line
        if begun is None:
            return
        item_ended = self._is_item() and line.indent <= begun.indent and (line.bullet or self._after_blank)
        if (line.heading and line.heading <= self._level) or item_ended:
            self._phase = self._line = None

    def _tell(self, line: Line) -> None:
        """Keep a line of text: of the phase at hand, or of the plan before its first phase."""
        if self._phase is not None:
            if self._text_open and len(self._phase.body) < MAX_LINE:
                self._phase.body.append(line.written)
        elif not self._written.declared and not line.fenced and not line.heading and "|" not in line.text:
            self._written.introduction.append(line.written)


@dataclass(slots=True, kw_only=True)
class _OpenNeeds:
    heading: bool
    strong: bool
    begun: bool = False


def subjects(text: str, offset: int) -> Iterator[tuple[str, int]]:
    """The labels that the subject of a statement names, with their places."""
    for found in references(text, offset):
        if found.kind == "label":
            yield found.value, found.offset
        elif found.kind == "range":
            for number in range_labels(found.value)[:_MAX_SUBJECTS]:
                yield str(number), found.offset
