"""Phases in the rows of a markdown table: `| Phase | Title | Depends on |`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from definitions.foreign.plan_declarations import MAX_LINE, Declared, Note
from definitions.foreign.plan_references import STRONG, WEAK, WORDS, normal_label, references
from definitions.foreign.plan_text import Line

_RULE: Final = re.compile(r"(?=.*-)[ \t:|-]++")
_PHASE: Final = re.compile(rf"(?:{WORDS})s?|#|no\.?|nr\.?|id", re.IGNORECASE)
_TITLE: Final = re.compile(
    r"(?:title|name|description|goal|what|work|deliverables?|task|focus|summary).*", re.IGNORECASE
)
_NEEDS: Final = re.compile(rf"(?:{STRONG}|{WEAK})\b.*", re.IGNORECASE)
_AGENTS: Final = re.compile(r"(?:agents?|owners?|roles?|assignees?|who).*", re.IGNORECASE)


class _Cell(NamedTuple):
    text: str
    offset: int


class _Columns(NamedTuple):
    phase: int
    title: int | None
    needs: int | None
    agents: int | None


def declared_in_tables(lines: list[Line]) -> dict[int, Declared]:
    """The phases that rows of tables declare, by the offset of their line."""
    found: dict[int, Declared] = {}
    columns: _Columns | None = None
    for above, line in zip([None, *lines], lines, strict=False):
        if "|" not in line.text or len(line.text) > MAX_LINE:
            columns = None
        elif above is not None and _RULE.fullmatch(line.text) and "|" in above.text:
            columns = _columns(list(_cells(above)))
        elif columns is not None and (declared := _row(list(_cells(line)), columns)) is not None:
            found[line.start] = declared
    return found


def _cells(line: Line) -> Iterator[_Cell]:
    begin = line.text.find("|") + 1 if line.text.lstrip().startswith("|") else 0
    while begin < len(line.text):
        end = line.text.find("|", begin)
        end = len(line.text) if end < 0 else end
        piece = line.text[begin:end]
        text = " ".join(piece.strip(" \t*").split())
        if text or end < len(line.text):
            yield _Cell(text, line.start + begin + len(piece) - len(piece.lstrip(" \t*")))
        begin = end + 1


def _columns(header: list[_Cell]) -> _Columns | None:
    """What the columns mean; None for a table that is not about phases and what they wait for."""

    def first(pattern: re.Pattern[str], but: int | None = None) -> int | None:
        return next((i for i, cell in enumerate(header) if i != but and pattern.fullmatch(cell.text)), None)

    phase = first(_PHASE)
    if phase is None:
        return None
    title = first(_TITLE, phase)
    if title is None and not re.fullmatch(rf"(?:{WORDS})s?", header[phase].text, re.IGNORECASE):
        title = first(re.compile(rf"(?:{WORDS})s?", re.IGNORECASE), phase)
    columns = _Columns(phase, title, first(_NEEDS), first(_AGENTS))
    return columns if columns.needs is not None or columns.title is not None else None


def _row(cells: list[_Cell], columns: _Columns) -> Declared | None:
    def cell(column: int | None) -> _Cell | None:
        return cells[column] if column is not None and column < len(cells) and cells[column].text else None

    head, needs, title, agents = (cell(i) for i in (columns.phase, columns.needs, columns.title, columns.agents))
    labels = [found for found in references(head.text, head.offset) if found.kind == "label"] if head else []
    if head is None or len(labels) != 1:
        return None
    declared = Declared(word="phase", label=normal_label(labels[0].value), offset=head.offset)
    title = title or (_Cell(head.text.partition(":")[2].strip(), head.offset) if ":" in head.text else None)
    if title is not None:
        declared.title, declared.title_offset = title
    if needs is not None:
        declared.notes.append(Note(text=needs.text, offset=needs.offset, strong=True))
    if agents is not None:
        declared.agents.append((agents.text, agents.offset))
    return declared
