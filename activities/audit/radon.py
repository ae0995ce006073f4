"""Radon's cyclomatic complexity per function; its maintainability index can take minutes for one file."""

from __future__ import annotations

import json
from typing import Any

from activities.audit.finding import PARTIAL, Outcome
from activities.audit.program import NotRunError, batches, locate, nameable
from activities.audit.tree import SourceFile

TOOL = "radon"


def measure(files: list[SourceFile]) -> tuple[Outcome, dict[tuple[str, int], int]]:
    """What became of radon, and complexity by (file, line of the function)."""
    outcome = Outcome(TOOL)
    complexity: dict[tuple[str, int], int] = {}
    failures: list[str] = []
    try:
        program = locate("radon")
    except NotRunError as error:
        outcome.status = f"not run: {error}"
        return outcome, complexity
    missed = 0
    for batch in batches(nameable(files)):
        names = {str(file.path): file.name for file in batch}
        try:
            blocks = _json(program.run("cc", "-j", *names))
        except NotRunError as error:
            failures.append(str(error))
            missed += len(batch)
            continue
        for path, found in blocks.items():
            _collect(complexity, names[path], found)
    outcome.measured = f"{len(complexity):,} functions measured"
    if failures:
        everything = missed == len(files)
        outcome.status = f"not run: {failures[0]}" if everything else f"{PARTIAL}{missed} files missed ({failures[0]})"
    return outcome, complexity


def _collect(complexity: dict[tuple[str, int], int], file: str, blocks: Any) -> None:
    if isinstance(blocks, dict):  # {"error": …}: a file that does not parse
        return
    for block in blocks:
        if block["type"] in ("function", "method"):
            complexity[file, int(block["lineno"])] = int(block["complexity"])


def _json(printed: str) -> dict[str, Any]:
    try:
        answer = json.loads(printed)
    except ValueError:
        raise NotRunError("radon gave no JSON") from None
    if not isinstance(answer, dict):
        raise NotRunError("radon gave no JSON object")
    return answer
