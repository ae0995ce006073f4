"""The preparation stage: what there is to audit, in numbers."""

from __future__ import annotations

import re
from collections import Counter, defaultdict

from activities.audit.finding import Json
from activities.audit.languages import OTHER, as_text, is_binary
from activities.audit.program import NotRunError, locate
from activities.audit.repository import history
from activities.audit.tree import SourceFile, Tree

TOOLS = ("bandit", "radon", "ruff", "vulture")

_SUPPRESSION = re.compile(
    r"#\s*(?:noqa|nosec|type:\s*ignore|pylint:\s*disable|pragma:\s*no\s*cover|ruff:\s*noqa)", re.IGNORECASE
)
_TODO = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")


def prepare(tree: Tree) -> Json:
    """The inventory: files, lines and languages, history, what is left out and why, and which tools are missing."""
    files: Counter[str] = Counter()
    lines: defaultdict[str, int] = defaultdict(int)
    marks: Counter[str] = Counter()
    largest: list[tuple[int, str]] = []
    for file in tree.files:
        count = _count(tree, file, marks) if file.readable else None
        if count is None:
            continue
        files[file.language] += 1
        lines[file.language] += count
        if file.python:
            largest.append((count, file.name))
    past = history(tree.root)
    languages = sorted(files, key=lambda name: (name == OTHER, -lines[name], name))
    return {
        "files": len(tree.files),
        "lines": sum(lines.values()),
        "python_files": len(tree.python),
        "python_lines": lines["Python"],
        "languages": {name: {"files": files[name], "lines": lines[name]} for name in languages},
        "largest": [
            {"file": name, "lines": n} for n, name in sorted(largest, key=lambda item: (-item[0], item[1]))[:20]
        ],
        "suppressions": marks["suppression"],
        "todos": marks["todo"],
        "binary_files": marks["binary"],
        "history": past,
        "listed_by": "git" if tree.from_git else "walking the directory",
        "left_out": dict(sorted(tree.left_out.items())),
        "not_run": [f"{name}: not run: {reason}" for name in TOOLS if (reason := _missing(name))],
    }


def _count(tree: Tree, file: SourceFile, marks: Counter[str]) -> int | None:
    """A text file's lines, None for anything else."""
    try:
        data = file.read()
    except OSError:
        tree.left_out["files: deleted or unreadable"] += 1
        return None
    if is_binary(data):
        marks["binary"] += 1
        return None
    if file.python:
        text = as_text(data, python=True)
        marks["suppression"] += len(_SUPPRESSION.findall(text))
        marks["todo"] += len(_TODO.findall(text))
    return data.count(b"\n") + (not data.endswith(b"\n") and bool(data))


def _missing(name: str) -> str:
    try:
        locate(name)
    except NotRunError as error:
        return str(error)
    return ""
