"""The performance stage: complexity and size of functions, and code that is known to be slow."""

from __future__ import annotations

from typing import NamedTuple

from activities.audit import radon
from activities.audit.finding import NOTHING, PARTIAL, Finding, Json, Outcome, Severity, stage_outputs
from activities.audit.functions import Function, functions_of
from activities.audit.slow_patterns import slow_patterns
from activities.audit.syntax import VERSION, Unparsed, parse
from activities.audit.tree import Tree


class _Limit(NamedTuple):
    """From which size on a function is a finding, and of what severity."""

    low: int
    medium: int
    high: int

    def severity(self, size: int) -> Severity | None:
        if size > self.high:
            return "high"
        return "medium" if size > self.medium else "low" if size > self.low else None


# McCabe's own limit is 10; radon's ranks D, E and F begin after 20, 30 and 40.
_COMPLEXITY = _Limit(10, 20, 40)
_LINES = _Limit(60, 120, 300)
_NESTING = _Limit(4, 6, 9)
_FILE_LINES = 1_000

_SIZES = "sizes"

_Measured = tuple[str, Function]


def audit_performance(tree: Tree) -> Json:
    """The stage's outputs: findings, the numbers over all functions, and the most complex ones."""
    unparsed = Unparsed()
    patterns, sizes = Outcome("slow patterns"), Outcome(_SIZES)
    functions: list[_Measured] = []
    for file in tree.code:
        module = parse(file, unparsed)
        if module is None:
            continue
        try:
            patterns.findings += slow_patterns(module)
        except RecursionError:
            unparsed.places.append((file.name, 1, "nested too deeply"))
        functions += [(file.name, function) for function in functions_of(module.tree)]
        if (length := module.text.count("\n")) > _FILE_LINES:
            words = f"{length} lines in one file"
            large = Finding(file=file.name, line=1, rule="large-file", severity="low", message=words, tool=_SIZES)
            sizes.findings.append(large)
    files = len(tree.code)
    radon_outcome, complexity = radon.measure(tree.code) if files else (Outcome("radon"), {})
    complexities = [complexity.get((name, function.line), function.complexity) for name, function in functions]
    for (name, function), value in zip(functions, complexities, strict=True):
        sizes.findings += _oversized(name, function, value)
    for outcome in (patterns, sizes):
        outcome.status = _status(files, unparsed)
    if not files:
        radon_outcome.status = patterns.status
    outputs = stage_outputs([patterns, sizes, radon_outcome])
    return outputs | _numbers(functions, complexities) | {
        "complexity_by": "radon" if complexity else "Phaseloom's own count",
        "slow_patterns": len(patterns.findings),
    }  # fmt: skip


def _oversized(file: str, function: Function, complexity: int) -> list[Finding]:
    found: list[Finding] = []
    measures = (
        (_COMPLEXITY, complexity, "complex-function", f"{complexity} paths (cyclomatic complexity)"),
        (_LINES, function.lines, "large-function", f"{function.lines} lines in one function"),
        (_NESTING, function.nesting, "deep-nesting", f"blocks nested {function.nesting} deep"),
    )
    for limit, size, rule, words in measures:
        severity = limit.severity(size)
        if severity is not None:
            found.append(
                Finding(
                    file=file,
                    line=function.line,
                    rule=rule,
                    severity=severity,
                    message=f"{function.name}: {words}",
                    tool=_SIZES,
                    symbol=function.name,
                )
            )
    return found


def _status(files: int, unparsed: Unparsed) -> str:
    if not files:
        return f"{NOTHING}no Python files"
    if unparsed.total:
        return f"{PARTIAL}{unparsed.total} of {files} files do not parse as Python {VERSION}"
    return ""


def _numbers(functions: list[_Measured], complexities: list[int]) -> Json:
    ranked = sorted(zip(complexities, functions, strict=True), key=lambda item: (-item[0], item[1][0], item[1][1].line))
    lines = [function.lines for _, function in functions]
    return {
        "functions": len(functions),
        "complex_functions": sum(value > _COMPLEXITY.low for value in complexities),
        "large_functions": sum(value > _LINES.low for value in lines),
        "average_complexity": round(sum(complexities) / len(complexities), 2) if complexities else None,
        "highest_complexity": max(complexities, default=None),
        "longest_function": max(lines, default=None),
        "complexity_spread": _spread(complexities),
        "most_complex": [
            {
                "file": file,
                "line": function.line,
                "function": function.name,
                "complexity": value,
                "lines": function.lines,
                "nesting": function.nesting,
            }
            for value, (file, function) in ranked[:30]
        ],
    }


def _spread(complexities: list[int]) -> Json:
    """How many functions fall into each of radon's ranks."""
    edges = (("1-5", 5), ("6-10", 10), ("11-20", 20), ("21-30", 30), ("31-40", 40))
    spread: Json = {}
    below = 0
    for label, edge in edges:
        spread[label] = sum(below < value <= edge for value in complexities)
        below = edge
    return spread | {"over 40": sum(value > below for value in complexities)}
