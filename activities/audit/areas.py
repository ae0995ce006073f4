"""The report's section of each checked area: its numbers, its rules, and its worst places."""

from __future__ import annotations

import re

from activities.audit.document import Bars, Code, Level, Line, Part, Section, Table
from activities.audit.finding import Json, counted
from activities.audit.syntax import VERSION

_PLACES = 20
_RULES = 12


def security_section(section: Section, outputs: Json) -> None:
    """Findings of bandit and credentials in the tree."""
    _tools(section, outputs)
    if outputs.get("suppressed"):
        section.say(
            f"The authors have suppressed {counted(outputs['suppressed'], 'finding')} of bandit by nosec comments."
        )
    _rules(section, outputs)
    _places(section, outputs)


def performance_section(section: Section, outputs: Json) -> None:
    """Complexity, sizes and slow patterns."""
    _tools(section, outputs)
    if outputs.get("functions"):
        section.say(
            f"{outputs['functions']:,} functions, average complexity {outputs['average_complexity']}, "
            f"highest {outputs['highest_complexity']:,} (counted by {outputs['complexity_by']}); "
            f"{outputs['complex_functions']:,} are over 10, {outputs['large_functions']:,} are longer than 60 lines."
        )
        section.add(Bars("Functions by complexity", _by_rank(outputs["complexity_spread"]), "function"))
        rows = tuple(
            (
                Code(f"{row['file']}:{row['line']}"),
                Code(row["function"]),
                row["complexity"],
                row["lines"],
                row["nesting"],
            )
            for row in outputs["most_complex"][:10]
            if row["complexity"] > 10
        )
        if rows:
            head = ("Most complex functions", "Function", "Complexity", "Lines", "Nesting")
            section.add(Table(head, rows, frozenset({2, 3, 4})))
    _rules(section, outputs)
    _places(section, outputs, without=("complex-function",))


def _by_rank(spread: Json) -> tuple[tuple[str, int], ...]:
    """The ranks in the order of their numbers: outputs travel as JSON, which sorts `11-20` before `6-10`."""
    return tuple(sorted(spread.items(), key=lambda rank: (rank[0].startswith("over"), _digits(rank[0]))))


def _digits(label: str) -> int:
    found = re.search(r"\d+", label)
    return int(found[0]) if found else 0


def quality_section(section: Section, outputs: Json) -> None:
    """Lint, dead code and copies."""
    _tools(section, outputs)
    if outputs.get("code_lines"):
        section.say(
            f"{outputs['duplicate_lines']:,} of {outputs['code_lines']:,} lines of code are copies "
            f"({outputs['duplication']} %), "
            f"in {outputs['duplicate_blocks']:,} blocks of 8 lines or more."
        )
    if outputs.get("unparsed_files"):
        old = outputs["python_2_files"]
        number = counted(outputs["unparsed_files"], "file")
        named: list[Part] = [f"Not parsed as Python {VERSION}: {number}"]
        named.append(f", {old:,} of them written for Python 2 (" if old else " (")
        for row in outputs["unparsed"][:5]:
            named += ["" if row is outputs["unparsed"][0] else ", ", Code(f"{row['file']}:{row['line']}")]
        section.say(*named, "). Checks that need a syntax tree could not look at them.", warning=True)
    _rules(section, outputs)
    _places(section, outputs)


def _tools(section: Section, outputs: Json) -> None:
    words = [
        f"{tool}: {counted(value, 'finding') if isinstance(value, int) else value}"
        for tool, value in outputs["tools"].items()
    ]
    section.say("; ".join(words), ".")


def _rules(section: Section, outputs: Json) -> None:
    rows = tuple(
        (row["tool"], (Code(row["rule"]), f" {row['about']}"), row["high"], row["medium"], row["low"], row["files"])
        for row in outputs["by_rule"][:_RULES]
    )
    if rows:
        section.add(Table(("Tool", "Rule", "High", "Medium", "Low", "Files"), rows, frozenset({2, 3, 4, 5})))
    if len(outputs["by_rule"]) > _RULES:
        section.say(f"And {len(outputs['by_rule']) - _RULES} more rules with findings.")


def _places(section: Section, outputs: Json, without: tuple[str, ...] = ()) -> None:
    """The worst places, at most four of one rule, so that one noisy rule does not hide the others."""
    taken: dict[str, int] = {}
    rows: list[tuple[Part | Line, ...]] = []
    for finding in outputs["findings"]:
        rule = finding["rule"]
        taken[rule] = taken.get(rule, 0) + 1
        if rule in without or taken[rule] > 4 or len(rows) >= _PLACES:
            continue
        what: Line = (Code(rule), " ", finding["message"])
        rows.append((Level(finding["severity"]), Code(f"{finding['file']}:{finding['line']}"), what))
    if rows:
        section.add(Table(("Severity", "Worst places", "Finding"), tuple(rows)))
    if outputs["total"] > len(rows):
        section.say(f"{outputs['total']:,} findings in all; the run's output and its artifact hold the rest.")
