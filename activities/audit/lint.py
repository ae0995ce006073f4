"""Ruff's findings under one fixed choice of rules, whatever the repository has configured for itself."""

from __future__ import annotations

import json
from typing import Any

from activities.audit.credentials import cleaned
from activities.audit.finding import NOT_RUN, NOTHING, Finding, Outcome, Severity
from activities.audit.languages import as_text
from activities.audit.program import UNNAMEABLE, NotRunError, Program, in_batches, locate, nameable
from activities.audit.syntax import looks_like_python_2
from activities.audit.tree import SourceFile, Tree

TOOL = "ruff"

RULES = "F,E7,E9,B,BLE,PLE,PLW,C4,SIM,PIE,DTZ,ERA,RUF006,RUF013"
"""Mistakes and what leads to them; no formatting, naming or documentation style."""

_NOISE = "PLW2901,SIM105,SIM108,SIM117,SIM300,PLW1510,PLW1514,PLW1641,B905,B912"
"""B912 among them since its advice, `map(…, strict=…)`, fails before Python 3.14."""

_HIGH = ("invalid-syntax", "E9", "F82", "F7", "F50", "F52", "F63", "PLE")
_MEDIUM = ("F811", "F841", "E722", "B", "PLW0", "PLW1", "RUF006", "DTZ", "F402", "F403")
_LOW = ("B007", "B008", "B009", "B010", "B011", "B027", "B028", "B904", "PLW0120", "PLW0603")

_BROKEN = "invalid-syntax"
_UNREADABLE = "E902"

# Newer syntax than a project's own is no mistake; the newest target accepts all of it.
_ARGUMENTS = (
    *("check", "--isolated", "--no-fix", "--no-cache", "--exit-zero", "--quiet"),
    *("--output-format", "json", "--target-version", "py314", "--select", RULES, "--ignore", _NOISE),
)


def lint(tree: Tree) -> Outcome:
    """Ruff over the Python files. Of a file that does not parse, one finding says so instead of every stumble."""
    outcome = Outcome(TOOL)
    files = [f for f in tree.python if f.readable]
    if not files:
        outcome.status = f"{NOTHING}no Python files"
        return outcome
    try:
        program = locate(TOOL)
    except NotRunError as error:
        outcome.status = f"{NOT_RUN}{error}"
        return outcome
    given = nameable(files)
    coverage = in_batches(given, lambda batch: _run(program, batch))
    outcome.findings = [finding for findings, _ in coverage.answers for finding in findings]
    undecoded = sum(number for _, number in coverage.answers)
    coverage.miss(undecoded, "ruff reads only UTF-8")
    coverage.miss(len(files) - len(given), UNNAMEABLE)
    outcome.status = coverage.status(len(files))
    return outcome


def severity_of(rule: str) -> Severity:
    """How bad a rule's findings are: broken code, likely bugs, the rest."""
    if rule.startswith(_HIGH):
        return "high"
    return "medium" if rule.startswith(_MEDIUM) and not rule.startswith(_LOW) else "low"


def _run(program: Program, batch: list[SourceFile]) -> tuple[list[Finding], int]:
    """The findings, and the number of files that ruff cannot decode."""
    files = {str(file.path): file for file in batch}
    try:
        answer: list[dict[str, Any]] = json.loads(program.run(*_ARGUMENTS, "--", *files))
    except ValueError:
        raise NotRunError("ruff gave no JSON") from None
    findings: list[Finding] = []
    broken: set[str] = set()
    undecoded = 0
    for item in answer:
        file = files[item["filename"]]
        rule = item["code"] or _BROKEN
        if rule == _UNREADABLE:
            undecoded += 1
        elif rule != _BROKEN:
            findings.append(_finding(file, item, rule, severity_of(rule), str(item["message"])))
        elif file.name not in broken:
            broken.add(file.name)
            findings.append(_does_not_parse(file, item))
    return findings, undecoded


def _does_not_parse(file: SourceFile, item: dict[str, Any]) -> Finding:
    if _python_2(file):
        return _finding(file, item, _BROKEN, "medium", "does not parse: Python 2 syntax")
    return _finding(file, item, _BROKEN, "high", f"does not parse: {item['message']}")


def _finding(file: SourceFile, item: dict[str, Any], rule: str, severity: Severity, message: str) -> Finding:
    line = int((item["location"] or {}).get("row", 1))
    return Finding(
        file=file.name,
        line=line,
        rule=rule,
        severity=severity,
        message=cleaned(message.partition("\n")[0]),
        tool=TOOL,
        symbol=str(item.get("name") or ""),
    )


def _python_2(file: SourceFile) -> bool:
    try:
        return looks_like_python_2(as_text(file.read(), python=True))
    except OSError:
        return False
