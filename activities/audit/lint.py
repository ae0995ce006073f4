"""Ruff's findings under one fixed choice of rules, whatever the repository has configured for itself."""

from __future__ import annotations

import json
from typing import Any

from activities.audit.credentials import masked
from activities.audit.finding import NOTHING, PARTIAL, Finding, Outcome, Severity, printable
from activities.audit.languages import as_text
from activities.audit.program import NotRunError, Program, batches, locate, nameable
from activities.audit.syntax import looks_like_python_2
from activities.audit.tree import SourceFile, Tree

TOOL = "ruff"

RULES = "F,E7,E9,B,BLE,PLE,PLW,C4,SIM,PIE,DTZ,ERA,RUF006,RUF013"
"""Mistakes and what leads to them; no formatting, naming or documentation style."""

_NOISE = "PLW2901,SIM105,SIM108,SIM117,SIM300,PLW1510,PLW1514,PLW1641,B905"

_HIGH = ("invalid-syntax", "E9", "F82", "F7", "F50", "F52", "F63", "PLE")
_MEDIUM = ("F811", "F841", "E722", "B", "PLW0", "PLW1", "RUF006", "DTZ", "F402", "F403")
_LOW = ("B007", "B008", "B009", "B010", "B011", "B027", "B028", "B904", "PLW0603")

# Newer syntax than a project's own is no mistake; the newest target accepts all of it.
_ARGUMENTS = (
    *("check", "--isolated", "--no-fix", "--no-cache", "--exit-zero", "--quiet"),
    *("--output-format", "json", "--target-version", "py314", "--select", RULES, "--ignore", _NOISE),
)


def lint(tree: Tree) -> Outcome:
    """Ruff over the Python files. Of a file that does not parse, one finding says so instead of every stumble."""
    outcome = Outcome(TOOL)
    files = nameable([f for f in tree.python if f.readable])
    if not files:
        outcome.status = f"{NOTHING}no Python files"
        return outcome
    failures: list[str] = []
    missed = 0
    try:
        program = locate("ruff")
        for batch in batches(files):
            try:
                outcome.findings += _run(program, batch)
            except NotRunError as error:
                failures.append(str(error))
                missed += len(batch)
    except NotRunError as error:
        outcome.status = f"not run: {error}"
        return outcome
    if failures:
        everything = missed == len(files)
        outcome.status = f"not run: {failures[0]}" if everything else f"{PARTIAL}{missed} files missed ({failures[0]})"
    return outcome


def severity_of(rule: str) -> Severity:
    """How bad a rule's findings are: broken code, likely bugs, the rest."""
    if rule.startswith(_HIGH):
        return "high"
    return "medium" if rule.startswith(_MEDIUM) and not rule.startswith(_LOW) else "low"


def _run(program: Program, batch: list[SourceFile]) -> list[Finding]:
    files = {str(file.path): file for file in batch}
    try:
        answer: list[dict[str, Any]] = json.loads(program.run(*_ARGUMENTS, "--", *files))
    except ValueError:
        raise NotRunError("ruff gave no JSON") from None
    findings: list[Finding] = []
    broken: set[str] = set()
    for item in answer:
        file = files[item["filename"]]
        rule = item["code"] or "invalid-syntax"
        if rule != "invalid-syntax":
            findings.append(_finding(file, item, rule, severity_of(rule), str(item["message"])))
        elif file.name not in broken:
            broken.add(file.name)
            old = _python_2(file)
            words = "does not parse: Python 2 syntax" if old else f"does not parse: {item['message']}"
            findings.append(_finding(file, item, rule, "medium" if old else "high", words))
    return findings


def _finding(file: SourceFile, item: dict[str, Any], rule: str, severity: Severity, message: str) -> Finding:
    line = int((item["location"] or {}).get("row", 1))
    return Finding(
        file=file.name,
        line=line,
        rule=rule,
        severity=severity,
        message=masked(printable(message.partition("\n")[0])),
        tool=TOOL,
        symbol=str(item.get("name") or ""),
    )


def _python_2(file: SourceFile) -> bool:
    try:
        return looks_like_python_2(as_text(file.read(), python=True))
    except OSError:
        return False
