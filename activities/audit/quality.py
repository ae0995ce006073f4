"""The code quality stage: lint, dead code, and copies."""

from __future__ import annotations

from activities.audit.dead_code import dead_code, fields_of_classes
from activities.audit.duplication import Duplication
from activities.audit.finding import NOTHING, PARTIAL, Json, Outcome, stage_outputs
from activities.audit.lint import lint
from activities.audit.syntax import VERSION, Unparsed, depth_of, parse
from activities.audit.tree import SourceFile, Tree

_DEPTH = 200
"""Trees that are deeper make vulture give up on all files."""


def audit_quality(tree: Tree) -> Json:
    """The stage's outputs: findings of all three, and how much of the code is copied."""
    unparsed = Unparsed()
    duplication = Duplication()
    shallow: list[SourceFile] = []
    fields: set[tuple[str, int]] = set()
    for file in tree.code:
        module = parse(file, unparsed)
        if module is None:
            continue
        duplication.add(module)
        fields |= {(file.name, line) for line in fields_of_classes(module.tree)}
        if depth_of(module.tree) <= _DEPTH:
            shallow.append(file)
    linted, dead = lint(tree), dead_code(shallow)
    copies, copied_lines = duplication.outcome()
    # An unused import or variable is both tools' finding; the linter's is the surer one.
    known = fields | {(f.file, f.line) for f in linted.findings if f.rule in ("F401", "F841", "F811")}
    dead.findings = [f for f in dead.findings if (f.file, f.line) not in known]
    _limit(copies, len(tree.code), unparsed.total)
    _limit(dead, len(tree.code), len(tree.code) - len(shallow))
    return stage_outputs([linted, dead, copies]) | {
        "lint": linted.as_output(),
        "dead_code": dead.as_output(),
        "duplicate_blocks": len(copies.findings),
        "duplicate_lines": copied_lines,
        "code_lines": duplication.lines,
        "duplication": round(100 * copied_lines / duplication.lines, 1) if duplication.lines else None,
        "unparsed": [{"file": name, "line": line, "reason": reason} for name, line, reason in unparsed.places[:100]],
        "unparsed_files": unparsed.total,
        "python_2_files": unparsed.python_2,
    }


def _limit(outcome: Outcome, files: int, missed: int) -> None:
    """Says what a tool that works on syntax trees could not look at."""
    if not files:
        outcome.status = f"{NOTHING}no Python files"
    elif missed and outcome.ran:
        outcome.status = f"{PARTIAL}{missed} of {files} files do not parse as Python {VERSION}"
