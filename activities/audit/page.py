"""A report as one HTML page that needs nothing else: no script, no font, no image, nothing from a network."""

from __future__ import annotations

import re
from importlib.resources import files

from minijinja import Environment

from activities.audit.document import (
    Bars,
    Block,
    Code,
    Document,
    Items,
    Level,
    Line,
    Paragraph,
    Part,
    Stacks,
    Strong,
    Table,
)
from activities.audit.finding import SEVERITIES, Json, counted

_BREAKS = re.compile(r"(?<=[/_.:-])(?=\w)")
"""Where a long name may go on in the next line."""


def as_page(document: Document) -> str:
    """The report as HTML; every text of the audited tree is escaped."""
    template = files("activities.audit").joinpath("page.html").read_text("utf-8")
    environment = Environment(templates={"page.html": template}, auto_escape_callback=lambda _: "html")
    return environment.render_template(
        "page.html",
        title=document.title,
        subtitle=document.subtitle,
        tiles=[{"label": t.label, "value": t.value, "tone": t.tone} for t in document.tiles],
        sections=[{"title": s.title, "blocks": [_block(block) for block in s.blocks]} for s in document.sections],
    )


def _block(block: Block) -> Json:
    match block:
        case Paragraph(parts, warning):
            return {"kind": "paragraph", "parts": _line(parts), "warning": warning}
        case Items(items, numbered):
            return {"kind": "items", "items": [_line(item) for item in items], "tag": "ol" if numbered else "ul"}
        case Table():
            return _table(block)
        case Bars(title, bars, unit):
            largest = max((value for _, value in bars), default=0) or 1
            return {
                "kind": "bars",
                "title": title,
                "bars": [
                    {"label": label, "words": counted(value, unit), "parts": [_share("", value, largest)]}
                    for label, value in bars
                ],
            }
        case Stacks(title, bars):
            largest = max((sum(numbers) for _, numbers in bars if not isinstance(numbers, str)), default=0) or 1
            return {"kind": "stacks", "title": title, "bars": [_stack(*bar, largest) for bar in bars]}


def _stack(label: str, numbers: tuple[int, int, int] | str, largest: int) -> Json:
    if isinstance(numbers, str):
        return {"label": label, "absent": numbers}
    words = " / ".join(f"{number:,}" for number in numbers)
    parts = [_share(tone, number, largest) for tone, number in zip(SEVERITIES, numbers, strict=True) if number]
    return {"label": label, "words": words, "parts": parts}


def _share(tone: str, value: int, largest: int) -> Json:
    return {"tone": tone, "share": round(100 * value / largest, 2)}


def _table(table: Table) -> Json:
    numeric = [index in table.numeric for index in range(len(table.head))]
    return {
        "kind": "table",
        "head": [{"title": title, "number": number} for title, number in zip(table.head, numeric, strict=True)],
        "rows": [
            [
                {"parts": _line(cell if isinstance(cell, tuple) else (cell,)), "number": number}
                for cell, number in zip(row, numeric, strict=True)
            ]
            for row in table.rows
        ],
    }


def _line(parts: Line) -> list[Json]:
    return [_part(part) for part in parts]


def _part(part: Part) -> Json:
    match part:
        case Code(text):
            return {"kind": "code", "pieces": [piece for piece in _BREAKS.split(text) if piece]}
        case Strong(text):
            return {"kind": "strong", "text": text}
        case Level(severity, number):
            return {"kind": "level", "severity": severity, "number": None if number is None else f"{number:,}"}
        case int():
            return {"kind": "text", "text": f"{part:,}"}
        case _:
            return {"kind": "text", "text": part}
