"""Findings as SARIF 2.1.0, the format in which CI services show what a checker found beside the lines of a file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from definitions.diagnostics import Diagnostic

Json = dict[str, Any]

VERSION = "2.1.0"
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT = "%SRCROOT%"
"""What relative addresses are relative to: the place where the reader has the project."""


def sarif(findings: Iterable[Diagnostic], *, meanings: Mapping[str, str], version: str, root: Path, code: int) -> Json:
    """One run of the checker. Files inside `root` are named relative to it, others by their whole path.

    Relative names in `findings` are relative to the working directory. `code`: with which the command ends.
    """
    numbers = {rule: number for number, rule in enumerate(meanings)}
    rules = [{"id": rule, "shortDescription": {"text": meaning}} for rule, meaning in meanings.items()]
    results = [_result(finding, numbers[finding.code], root) for finding in findings]
    run = {
        "tool": {"driver": {"name": "phaseloom", "version": version, "rules": rules}},
        "invocations": [{"executionSuccessful": True, "exitCode": code}],
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return {"$schema": SCHEMA, "version": VERSION, "runs": [run]}


def _result(finding: Diagnostic, number: int, root: Path) -> Json:
    hint = f" ({finding.hint})" if finding.hint else ""
    location: Json = {
        "physicalLocation": {
            "artifactLocation": _address(finding.file, root),
            "region": {"startLine": finding.line, "startColumn": finding.column},
        }
    }
    if finding.path:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.path}]
    return {
        "ruleId": finding.code,
        "ruleIndex": number,
        "level": finding.severity,
        "message": {"text": f"{finding.message}{hint}"},
        "locations": [location],
    }


def _address(file: str, root: Path) -> Json:
    path = Path.cwd() / file
    path = path.parent.resolve() / path.name
    root = root.resolve()
    if path.is_relative_to(root):
        # As bytes: a name need not be UTF-8.
        return {"uri": quote(os.fsencode(path.relative_to(root).as_posix())), "uriBaseId": ROOT}
    return {"uri": path.as_uri()}
