"""A report as GitHub-flavoured Markdown; names from the audited tree cannot break out of their place."""

from __future__ import annotations

import re

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

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")
_BAR = 24


def as_markdown(document: Document) -> str:
    """The report as one Markdown text."""
    lines = [f"# {_escaped(document.title)}", "", _escaped(document.subtitle), ""]
    lines += ["| " + " | ".join(_escaped(t.label) for t in document.tiles) + " |"] if document.tiles else []
    lines += ["|" + " ---: |" * len(document.tiles)] if document.tiles else []
    lines += ["| " + " | ".join(f"**{_escaped(t.value)}**" for t in document.tiles) + " |"] if document.tiles else []
    for section in document.sections:
        lines += ["", f"## {_escaped(section.title)}"]
        for block in section.blocks:
            lines += ["", *_block(block)]
    return "\n".join(lines) + "\n"


def _block(block: Block) -> list[str]:
    match block:
        case Paragraph(parts, warning):
            return [("> **Note:** " if warning else "") + _line(parts)]
        case Items(items, numbered):
            return [f"{f'{n}.' if numbered else '-'} {_line(item)}" for n, item in enumerate(items, 1)]
        case Table():
            return _table(block)
        case Bars(title, bars, unit):
            largest = max((value for _, value in bars), default=0) or 1
            rows = tuple(
                (label, f"{value:,}", Code("█" * round(_BAR * value / largest) or "·")) for label, value in bars
            )
            return _table(Table((title, f"{unit}s", ""), rows, frozenset({1})))
        case Stacks(title, bars):
            return _table(
                Table((title, "High", "Medium", "Low"), tuple(_stack(*bar) for bar in bars), frozenset({1, 2, 3}))
            )


def _stack(label: str, numbers: tuple[int, int, int] | str) -> tuple[Part, ...]:
    return (label, numbers, "", "") if isinstance(numbers, str) else (label, *numbers)


def _table(table: Table) -> list[str]:
    rules = [" ---: |" if index in table.numeric else " --- |" for index in range(len(table.head))]
    rows = [[_line(cell if isinstance(cell, tuple) else (cell,)) for cell in row] for row in table.rows]
    return [
        "| " + " | ".join(_escaped(name) for name in table.head) + " |",
        "|" + "".join(rules),
        *("| " + " | ".join(row) + " |" for row in rows),
    ]


def _line(parts: Line) -> str:
    return "".join(_part(part) for part in parts)


def _part(part: Part) -> str:
    match part:
        case Code(text):
            return _code(text)
        case Strong(text):
            return f"**{_escaped(text)}**"
        case Level(severity, number):
            return f"**{severity}**" if number is None else f"{number:,} {severity}"
        case int():
            return f"{part:,}"
        case _:
            return _escaped(part)


def _code(text: str) -> str:
    """A code span whose fence is longer than any run of backticks inside; a pipe would still end a table's cell."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * (longest + 1)
    space = " " if text.startswith("`") or text.endswith("`") or not text.strip() else ""
    return f"{fence}{space}{text}{space}{fence}".replace("|", "\\|")


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
