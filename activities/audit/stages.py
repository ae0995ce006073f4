"""The stages by name, and which phase of a definition is which stage."""

from __future__ import annotations

import re
from collections.abc import Callable

from activities.audit.finding import Json
from activities.audit.performance import audit_performance
from activities.audit.preparation import prepare
from activities.audit.quality import audit_quality
from activities.audit.security import audit_security
from activities.audit.tree import Tree

CHECKS: dict[str, Callable[[Tree], Json]] = {
    "preparation": prepare,
    "security": audit_security,
    "performance": audit_performance,
    "quality": audit_quality,
}
REPORT = "report"
ALL = "all"

_WORDS = {
    "preparation": "preparation", "prepare": "preparation", "inventory": "preparation",
    "security": "security", "performance": "performance", "quality": "quality", "report": REPORT,
}  # fmt: skip


def stage_of(phase: str) -> str | None:
    """The stage that a phase's id or name stands for by the first telling word in it; None where there is none."""
    words = re.findall(r"[a-z]+", phase.lower())
    return next((_WORDS[word] for word in words if word in _WORDS), None)


def summary(stage: str, outputs: Json) -> list[str]:
    """A stage's result in a few lines, for the log."""
    if stage == "preparation":
        return _inventory(outputs)
    lines = [f"{outputs['total']} findings: {outputs['high']} high, {outputs['medium']} medium, {outputs['low']} low"]
    lines += [f"  {tool}: {value}" for tool, value in outputs["tools"].items()]
    lines += [f"  {f['severity']}: {f['file']}:{f['line']} {f['rule']} {f['message']}" for f in outputs["findings"][:5]]
    return lines


def _inventory(outputs: Json) -> list[str]:
    history = outputs["history"]
    past = f"{history['commits']} commits" if history.get("available") else f"history not run: {history['reason']}"
    python = f"{outputs['python_files']} Python files, {outputs['python_lines']} lines"
    total = f"{outputs['files']} files, {outputs['lines']} lines; {python}; {past}"
    return [total, *(f"  {line}" for line in outputs["not_run"])]
