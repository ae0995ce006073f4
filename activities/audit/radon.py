"""Radon's cyclomatic complexity per function; its maintainability index can take minutes for one file."""

from __future__ import annotations

import json
from typing import Any

from activities.audit.finding import NOT_RUN, Outcome
from activities.audit.program import UNNAMEABLE, NotRunError, Program, in_batches, locate, nameable
from activities.audit.tree import SourceFile

TOOL = "radon"


def measure(files: list[SourceFile]) -> tuple[Outcome, dict[tuple[str, int], int]]:
    """What became of radon, and complexity by (file, line of the function)."""
    outcome = Outcome(TOOL)
    complexity: dict[tuple[str, int], int] = {}
    try:
        program = locate(TOOL)
    except NotRunError as error:
        outcome.status = f"{NOT_RUN}{error}"
        return outcome, complexity
    given = nameable(files)
    coverage = in_batches(given, lambda batch: _run(program, batch))
    names = {str(file.path): file.name for file in given}
    for blocks in coverage.answers:
        for path, found in blocks.items():
            _collect(complexity, names[path], found)
    outcome.measured = f"{len(complexity):,} functions measured"
    if refused := sum(_is_refused(found) for blocks in coverage.answers for found in blocks.values()):
        outcome.measured += f" (of {refused:,} of {len(files):,} files it could read none)"
    coverage.miss(len(files) - len(given), UNNAMEABLE)
    outcome.status = coverage.status(len(files))
    return outcome, complexity


def _run(program: Program, batch: list[SourceFile]) -> dict[str, Any]:
    try:
        answer = json.loads(program.run("cc", "-j", *(str(file.path) for file in batch)))
    except ValueError:
        raise NotRunError("radon gave no JSON") from None
    if not isinstance(answer, dict):
        raise NotRunError("radon gave no JSON object")
    return answer


def _is_refused(blocks: Any) -> bool:
    return isinstance(blocks, dict)  # {"error": …}: it does not parse, or is not plain UTF-8


def _collect(complexity: dict[tuple[str, int], int], file: str, blocks: Any) -> None:
    if _is_refused(blocks):
        return
    for block in blocks:
        if block["type"] in ("function", "method"):
            complexity[file, int(block["lineno"])] = int(block["complexity"])
