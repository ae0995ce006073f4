"""The engine and the workflow take their time from events: no line of theirs asks a clock."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLOCKS = {"now", "utcnow", "today", "time", "monotonic", "perf_counter"}


@pytest.mark.parametrize(
    "path", sorted([*ROOT.glob("engine/**/*.py"), *ROOT.glob("workflows/**/*.py")]), ids=lambda p: p.stem
)
def test_no_clock_is_asked(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCKS:
            # `self.now` is the workflow's own, which is looked at too where it is written.
            assert ast.unparse(node.func) in {"workflow.now", "self.now"}
