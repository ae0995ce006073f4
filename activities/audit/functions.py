"""Every function's size: lines, cyclomatic complexity, nesting and parameters, counted from the syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from activities.audit.scopes import own_nodes

_BRANCHES = (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.Assert, ast.match_case)
_BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.TryStar, ast.With, ast.AsyncWith, ast.Match)


@dataclass(frozen=True, slots=True)
class Function:
    """One function or method; `name` is qualified within its module."""

    name: str
    line: int
    lines: int
    complexity: int
    nesting: int
    parameters: int


def functions_of(tree: ast.Module) -> Iterator[Function]:
    """The functions of a module, nested ones each on their own."""
    pending: list[tuple[ast.AST, str]] = [(tree, "")]
    while pending:
        node, prefix = pending.pop()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                name = f"{prefix}{child.name}"
                yield _measured(child, name)
                pending.append((child, f"{name}."))
            elif isinstance(child, ast.ClassDef):
                pending.append((child, f"{prefix}{child.name}."))
            else:
                pending.append((child, prefix))


def _measured(node: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> Function:
    arguments = node.args
    parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return Function(
        name=name,
        line=node.lineno,
        lines=(node.end_lineno or node.lineno) - node.lineno + 1,
        complexity=complexity_of(node),
        nesting=_nesting(node),
        parameters=sum(p.arg not in ("self", "cls") for p in parameters),
    )


def complexity_of(function: ast.AST) -> int:
    """McCabe's number: one, and one more per decision (branches, handlers, cases, `and` / `or`, comprehensions)."""
    total = 1
    for node in own_nodes(function):
        if isinstance(node, _BRANCHES):
            total += 1
        elif isinstance(node, ast.BoolOp):
            total += len(node.values) - 1
        elif isinstance(node, ast.comprehension):
            total += 1 + len(node.ifs)
    return total


def _nesting(function: ast.AST) -> int:
    deepest = 0
    pending = [(child, 0) for child in ast.iter_child_nodes(function)]
    while pending:
        node, depth = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(node, _BLOCKS):
            depth += 1
            deepest = max(deepest, depth)
        pending.extend((child, depth - _is_elif(node, child)) for child in ast.iter_child_nodes(node))
    return deepest


def _is_elif(node: ast.AST, child: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
