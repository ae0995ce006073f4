"""What every check reports: findings with a place, and what became of each tool."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any, Literal

Json = dict[str, Any]
Severity = Literal["high", "medium", "low"]

SEVERITIES: tuple[Severity, ...] = ("high", "medium", "low")
WEIGHTS: dict[Severity, int] = {"high": 10, "medium": 3, "low": 1}
"""How much one finding counts when places are compared; an order, not a measurement."""

KEPT = 2_000
"""How many findings of a stage travel with its outputs, worst first; the counts are always over all of them."""

NOT_RUN = "not run: "
PARTIAL = "partly run: "
NOTHING = "nothing to do: "

_NAMING = frozenset({"bandit", "ruff"})
"""Tools whose rules have a name beside their code, and put it into `Finding.symbol`."""

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
_TEST_FILE = re.compile(r"(^|/)(tests?|testing)/|(^|/)(test_[^/]*|[^/]*_tests?|conftest|tests)\.py[iw]?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One place worth looking at. `file` is relative to the root and printable; `line` counts from 1."""

    file: str
    line: int
    rule: str
    severity: Severity
    message: str
    tool: str
    symbol: str = ""


@dataclass(slots=True)
class Outcome:
    """What one tool did: its findings, and a status that says where it did not run, or not on everything."""

    tool: str
    findings: list[Finding] = field(default_factory=list)
    status: str = ""
    measured: str = ""  # of a tool that counts and judges nothing: what it has counted

    @property
    def complete(self) -> bool:
        """Whether the tool looked at everything that it was given."""
        return not self.status.startswith((NOT_RUN, PARTIAL))

    @property
    def ran(self) -> bool:
        """Whether the findings mean anything at all."""
        return not self.status.startswith(NOT_RUN)

    def as_output(self) -> int | str:
        """The number of findings, or why there is no number: a tool that did not run never counts as zero."""
        if not self.ran or self.status.startswith(NOTHING):
            return self.status
        if self.complete:
            return self.measured or len(self.findings)
        return f"{self.measured or counted(len(self.findings), 'finding')}, {self.status}"


def printable(text: str | bytes) -> str:
    """A name or message as text that a terminal, a table and JSON can take: no controls, no lone surrogates."""
    raw = os.fsencode(text) if isinstance(text, str) else text
    return _UNPRINTABLE.sub(lambda m: f"\\x{ord(m[0]):02x}", raw.decode("utf-8", "backslashreplace"))


def in_tests(file: str) -> bool:
    """Whether a file belongs to tests, by its name or a directory's."""
    return bool(_TEST_FILE.search(str(PurePosixPath(file))))


def settled(findings: Iterable[Finding]) -> list[Finding]:
    """The findings worst first, without repetitions; one in a test counts as low (a leaked credential as medium)."""
    unique = {(f.file, f.line, f.rule, f.symbol): _weighed(f) for f in findings}
    return sorted(unique.values(), key=lambda f: (SEVERITIES.index(f.severity), f.file, f.line, f.rule))


def _weighed(finding: Finding) -> Finding:
    if finding.severity == "low" or not in_tests(finding.file):
        return finding
    leaked = finding.tool == "secrets" and finding.severity == "high"
    return replace(finding, severity="medium" if leaked else "low")


def count(findings: Iterable[Finding]) -> dict[str, int]:
    """How many findings there are, in all and by severity."""
    by = Counter(f.severity for f in findings)
    return {"total": by.total(), **{severity: by[severity] for severity in SEVERITIES}}


def stage_outputs(outcomes: Iterable[Outcome]) -> Json:
    """What every checking stage puts out: numbers, what did not run, groups by rule and file, and the findings."""
    outcomes = list(outcomes)
    findings = settled(f for outcome in outcomes for f in outcome.findings)
    return {
        **count(findings),
        "complete": all(outcome.complete for outcome in outcomes),
        "not_run": [f"{o.tool}: {o.status}" for o in outcomes if not o.complete],
        "tools": {o.tool: o.as_output() for o in outcomes},
        "by_rule": _by_rule(findings),
        "by_file": _by_file(findings),
        "findings_left_out": max(len(findings) - KEPT, 0),
        "findings": [asdict(f) for f in findings[:KEPT]],
    }


def _by_rule(findings: list[Finding]) -> list[Json]:
    groups: dict[tuple[str, str], list[Finding]] = {}
    for f in findings:
        groups.setdefault((f.tool, f.rule), []).append(f)
    rows = [
        {
            "tool": tool,
            "rule": rule,
            "about": (group[0].symbol or group[0].message) if tool in _NAMING else "",
            "files": len({f.file for f in group}),
            **count(group),
        }
        for (tool, rule), group in groups.items()
    ]
    return sorted(rows, key=lambda row: (-weight(row), row["tool"], row["rule"]))


def _by_file(findings: list[Finding]) -> list[Json]:
    groups: dict[str, list[Finding]] = {}
    for f in findings:
        groups.setdefault(f.file, []).append(f)
    rows = [{"file": file, **count(group)} for file, group in groups.items()]
    return sorted(rows, key=lambda row: (-weight(row), row["file"]))[:500]


def counted(number: int, noun: str) -> str:
    """A number with its noun: `1 file`, `1,200 files`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def weight(counts: Json) -> int:
    """The weighed sum of a row of counts by severity."""
    return sum(WEIGHTS[severity] * int(counts.get(severity, 0)) for severity in SEVERITIES)
