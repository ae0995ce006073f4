"""The security stage: bandit over the Python files, and credentials in every text file of the tree."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from activities.audit.credentials import cleaned, scan_secrets
from activities.audit.finding import (
    NOT_RUN,
    NOTHING,
    Finding,
    Json,
    Outcome,
    Severity,
    in_tests,
    stage_outputs,
)
from activities.audit.program import UNNAMEABLE, NotRunError, Program, in_batches, locate, nameable
from activities.audit.syntax import VERSION
from activities.audit.tree import SourceFile, Tree

_SEVERITIES: dict[str, Severity] = {"HIGH": "high", "MEDIUM": "medium"}
_PASSWORD_RULES = frozenset({"B105", "B106", "B107"})
_IMPORT_RULES = "B403,B404"
"""Importing pickle or subprocess is no finding by itself; what is done with them is checked by other rules."""


class _Answer(NamedTuple):
    """What bandit says of a batch: its findings, how many more are suppressed, how many files it could not parse."""

    findings: list[Finding]
    suppressed: int
    unparsed: int


def audit_security(tree: Tree) -> Json:
    """The stage's outputs: findings, what did not run, and how many findings the authors have suppressed."""
    secrets = scan_secrets(tree.files)
    bandit, suppressed = _bandit(tree)
    spotted = {(f.file, f.line) for f in secrets.findings}
    bandit.findings = [f for f in bandit.findings if f.rule not in _PASSWORD_RULES or (f.file, f.line) not in spotted]
    return stage_outputs([secrets, bandit]) | {"secrets": len(secrets.findings), "suppressed": suppressed}


def _bandit(tree: Tree) -> tuple[Outcome, int]:
    outcome = Outcome("bandit")
    files = tree.code
    if not files:
        outcome.status = f"{NOTHING}no Python files"
        return outcome, 0
    try:
        program = locate("bandit")
    except NotRunError as error:
        outcome.status = f"{NOT_RUN}{error}"
        return outcome, 0
    given = nameable(files)
    coverage = in_batches(given, lambda batch: _run(program, batch))
    outcome.findings = [finding for answer in coverage.answers for finding in answer.findings]
    unparsed = sum(answer.unparsed for answer in coverage.answers)
    coverage.miss(unparsed, f"they do not parse as Python {VERSION}")
    coverage.miss(len(files) - len(given), UNNAMEABLE)
    outcome.status = coverage.status(len(files))
    return outcome, sum(answer.suppressed for answer in coverage.answers)


def _run(program: Program, batch: list[SourceFile]) -> _Answer:
    names = {str(file.path): file.name for file in batch}
    # An empty -x: by default bandit silently drops every path that contains ".git", such as .github/scripts.
    printed = program.run("-q", "-f", "json", "-x", "", "-s", _IMPORT_RULES, *names, ok=(0, 1))
    try:
        answer = json.loads(printed)
        metrics, results, errors = answer["metrics"], answer["results"], answer["errors"]
    except (ValueError, KeyError, TypeError):
        raise NotRunError("bandit gave no JSON") from None
    findings = [
        _finding(names[result["filename"]], result)
        for result in results
        if not (result["test_id"] == "B101" and in_tests(names[result["filename"]]))  # tests assert
    ]
    failed = {error["filename"] for error in errors}
    total = metrics["_totals"]
    return _Answer(
        findings,
        suppressed=int(total.get("nosec", 0)) + int(total.get("skipped_tests", 0)),
        unparsed=sum(path in failed or path not in metrics for path in names),
    )


def _finding(file: str, result: dict[str, Any]) -> Finding:
    text = str(result["issue_text"])
    if result["test_id"] in _PASSWORD_RULES:  # the text quotes the password
        text = text.partition(":")[0]
    return Finding(
        file=file,
        line=int(result["line_number"]),
        rule=str(result["test_id"]),
        severity=_SEVERITIES.get(result["issue_severity"], "low"),
        message=cleaned(text),
        tool="bandit",
        symbol="" if result["test_name"] == "blacklist" else str(result["test_name"]),  # its message says more
    )
