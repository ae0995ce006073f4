"""The code quality stage: lint, dead code, and copies."""

from __future__ import annotations

from activities.audit.dead_code import dead_code, fields_of_classes
from activities.audit.duplication import Duplication
from activities.audit.finding import NOTHING, PARTIAL, Json, stage_outputs
from activities.audit.lint import lint
from activities.audit.syntax import Unparsed, parse
from activities.audit.tree import Tree


def audit_quality(tree: Tree) -> Json:
    """The stage's outputs: findings of all three, and how much of the code is copied."""
    linted, dead = lint(tree), dead_code(tree)
    unparsed = Unparsed()
    duplication = Duplication()
    fields: set[tuple[str, int]] = set()
    for file in tree.code:
        module = parse(file, unparsed)
        if module is not None:
            duplication.add(module)
            fields |= {(file.name, line) for line in fields_of_classes(module.tree)}
    copies, copied_lines = duplication.outcome()
    files = len(tree.code)
    if not files:
        copies.status = f"{NOTHING}no Python files"
    elif unparsed.total:
        copies.status = f"{PARTIAL}{unparsed.total} of {files} files do not parse"
    if unparsed.places and dead.ran:
        dead.status = f"{PARTIAL}{len(unparsed.places)} of {files} files do not parse"
    # An unused import or variable is both tools' finding; the linter's is the surer one.
    known = fields | {(f.file, f.line) for f in linted.findings if f.rule in ("F401", "F841", "F811")}
    dead.findings = [f for f in dead.findings if (f.file, f.line) not in known]
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
