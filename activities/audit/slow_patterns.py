"""Code that is known to be slow, found by its form: a rule each, with line and what to write instead.

Only what the form proves is reported: `+=` counts where the name holds text, `in` where the right side is a list.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from activities.audit.finding import Finding, Severity
from activities.audit.scopes import SHORT, Kind, assigned_in, dotted, imported_names, kind_of, kinds_of_names, names_in
from activities.audit.syntax import Module

TOOL = "slow patterns"


class Rule(NamedTuple):
    """What a rule says of a place."""

    severity: Severity
    message: str


RULES = {
    "blocking-in-async": Rule("high", "blocks the event loop inside an async function"),
    "query-in-loop": Rule("medium", "queries the database once per iteration (N+1): fetch all rows at once"),
    "request-in-loop": Rule("medium", "sends an HTTP request per iteration without a session: reuse one, or batch"),
    "nested-loops": Rule(
        "medium", "three independent loops are nested: the work grows with the product of their lengths"
    ),
    "text-grows-in-loop": Rule(
        "low", "text grows with += in a loop, which can copy all of it each time: collect parts, join once"
    ),
    "list-lookup-in-loop": Rule("medium", "searches a list in a loop: a set answers at once"),
    "frame-rows": Rule("medium", "walks a data frame row by row: use column operations or itertuples"),
    "frame-grows-in-loop": Rule("medium", "grows a frame or array in a loop, copied each time: collect, build once"),
    "regex-in-loop": Rule("medium", "compiles the same regular expression in a loop: compile it once before"),
    "deepcopy-in-loop": Rule(
        "medium", "copies the same thing deeply in a loop: often one copy, or replaced fields, will do"
    ),
    "sort-in-loop": Rule("medium", "sorts in a loop: sort once, or keep a heap"),
    "front-of-list": Rule("low", "inserts or removes at the front of a list in a loop: use collections.deque"),
    "sorted-for-extreme": Rule("low", "sorts everything to take one end: use min or max"),
    "list-for-aggregate": Rule("low", "builds a list only to reduce it: drop the brackets"),
    "keys-lookup": Rule("low", "looks in .keys(): look in the mapping itself"),
    "process-in-loop": Rule("low", "starts a process per iteration"),
}

_RUNNERS = ("subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.check_output")
_BLOCKING = {
    "time.sleep": "await asyncio.sleep", "os.system": "asyncio.create_subprocess_shell", "input": "a thread",
    **dict.fromkeys(_RUNNERS, "asyncio.create_subprocess_exec"),
    "urllib.request.urlopen": "an async HTTP client", "socket.create_connection": "asyncio.open_connection",
}  # fmt: skip
_VERBS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "request"})
_HTTP = frozenset({f"{library}.{verb}" for library in ("requests", "httpx", "httpx2") for verb in _VERBS})
_PROCESSES = frozenset({*_RUNNERS, "os.system"})
_FRAMES = frozenset({"pandas.concat", "numpy.append", "numpy.concatenate", "numpy.vstack", "numpy.hstack"})
_MANAGER_METHODS = frozenset(
    {"get", "filter", "exclude", "all", "first", "create", "get_or_create", "update_or_create", "count"}
)
_CURSORS = frozenset({"cursor", "cur", "conn", "connection", "db", "database", "session", "dbsession", "engine", "c"})
_QUERIES = frozenset({"execute", "executescript", "scalar", "scalars", "query", "fetchrow", "fetchval"})
_REDUCERS = frozenset({"sum", "any", "all", "min", "max", "set", "tuple", "frozenset"})

_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def slow_patterns(module: Module) -> list[Finding]:
    """The slow places of one module. A tree too deep to walk raises RecursionError."""
    visitor = _Visitor(imported_names(module.tree), kinds_of_names(module.tree))
    visitor.visit(module.tree)
    return [
        Finding(
            file=module.file.name,
            line=line,
            rule=rule,
            severity=RULES[rule].severity,
            message=f"{detail} {RULES[rule].message}".strip() if detail else RULES[rule].message,
            tool=TOOL,
            symbol=symbol,
        )
        for line, rule, detail, symbol in visitor.found
    ]


class _Loop(NamedTuple):
    """One open loop: the names that its body assigns anew, those that its head binds, and whether it multiplies."""

    assigned: set[str]
    bound: set[str]
    multiplies: bool


@dataclass(slots=True)
class _Function:
    name: str
    kinds: dict[str, Kind]
    is_async: bool = False
    loops: list[_Loop] = field(default_factory=list)  # the open ones, outermost first


class _Visitor(ast.NodeVisitor):
    def __init__(self, origins: dict[str, str], kinds: dict[str, Kind]) -> None:
        self.origins = origins
        self.functions = [_Function("", kinds)]
        self.found: list[tuple[int, str, str, str]] = []

    @property
    def here(self) -> _Function:
        return self.functions[-1]

    def report(self, node: ast.expr | ast.stmt, rule: str, detail: str = "") -> None:
        self.found.append((node.lineno, rule, detail, self.here.name))

    def holds(self, node: ast.expr) -> Kind:
        if isinstance(node, ast.Name):
            return self.here.kinds.get(node.id, "other")
        return kind_of(node)

    def outlives_round(self, node: ast.expr) -> bool:
        """Whether a name keeps its value from one round of the innermost loop to the next."""
        return isinstance(node, ast.Name) and bool(self.here.loops) and node.id not in self.here.loops[-1].assigned

    # Scopes: a function's body runs when it is called, so the loops around its definition do not count.

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._enter(node, is_async=False)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._enter(node, is_async=True)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.functions.append(_Function(self.here.name, self.here.kinds))
        self.generic_visit(node)
        self.functions.pop()

    def _enter(self, node: ast.FunctionDef | ast.AsyncFunctionDef, *, is_async: bool) -> None:
        name = f"{self.here.name}.{node.name}".lstrip(".")
        for decorator in node.decorator_list:
            self.visit(decorator)
        self.functions.append(_Function(name, kinds_of_names(node), is_async))
        for statement in node.body:
            self.visit(statement)
        self.functions.pop()

    # Loops

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        bound = names_in(node.target)
        self._loop(node, [*node.body], _Loop(assigned_in(node), bound, self._multiplies(node.iter)))
        for statement in node.orelse:
            self.visit(statement)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> None:
        self.visit_For(node)

    def visit_While(self, node: ast.While) -> None:
        self._loop(node, [node.test, *node.body], _Loop(assigned_in(node), set(), multiplies=False))
        for statement in node.orelse:
            self.visit(statement)

    def _multiplies(self, source: ast.expr) -> bool:
        """Whether a loop over `source` repeats its work for every round of the loops around it.

        One over what an outer loop yields (lines of a file of files) goes through everything once; one over a written
        list is short; a range of an outer counter still counts.
        """
        if isinstance(source, ast.List | ast.Tuple | ast.Set | ast.Dict):
            return False
        if isinstance(source, ast.Call) and dotted(source.func, self.origins) == "range":
            return not all(isinstance(a, ast.Constant) and a.value in range(SHORT + 1) for a in source.args)
        outer = {name for loop in self.here.loops for name in loop.bound | loop.assigned}
        return not names_in(source) & outer

    def _loop(self, node: ast.stmt, inside: list[ast.AST], loop: _Loop) -> None:
        self.here.loops.append(loop)
        if loop.multiplies and sum(outer.multiplies for outer in self.here.loops) == 3:
            self.report(node, "nested-loops")
        for part in inside:
            self.visit(part)
        self.here.loops.pop()

    def _comprehension(self, node: _Comprehension) -> None:
        self.visit(node.generators[0].iter)
        self.here.loops.append(
            _Loop(set(), {*chain.from_iterable(names_in(g.target) for g in node.generators)}, multiplies=False)
        )
        for generator in node.generators:
            for condition in generator.ifs:
                self.visit(condition)
        for part in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
            self.visit(part)
        self.here.loops.pop()

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension  # noqa: N815 - ast's names

    # Rules

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        grows = isinstance(node.op, ast.Add) and self.outlives_round(node.target)
        if grows and self.holds(node.target) == "text":
            self.report(node, "text-grows-in-loop")
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        for operator, right in zip(node.ops, node.comparators, strict=True):
            if not isinstance(operator, ast.In | ast.NotIn):
                continue
            if self._searches_list(right):
                self.report(node, "list-lookup-in-loop")
            if isinstance(right, ast.Call) and isinstance(right.func, ast.Attribute) and right.func.attr == "keys":
                self.report(node, "keys-lookup")
        self.generic_visit(node)

    def _searches_list(self, right: ast.expr) -> bool:
        if isinstance(right, ast.List):  # CPython keeps a literal as a constant tuple, fast while it is short
            return bool(self.here.loops) and len(right.elts) > SHORT
        return self.outlives_round(right) and self.holds(right) == "list"

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if isinstance(node.value, ast.Call) and dotted(node.value.func, self.origins) == "sorted" and _end(node.slice):
            self.report(node, "sorted-for-extreme")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = dotted(node.func, self.origins)
        for rule, detail in self._rules_for(node, name):
            self.report(node, rule, detail)
        self.generic_visit(node)

    def _rules_for(self, node: ast.Call, name: str) -> Iterator[tuple[str, str]]:
        if self.here.is_async and (name in _BLOCKING or name in _HTTP):
            yield "blocking-in-async", f"{name} (instead: {_BLOCKING.get(name, 'an async HTTP client')})"
        if name in _REDUCERS and len(node.args) == 1 and isinstance(node.args[0], ast.ListComp):
            yield "list-for-aggregate", f"{name}([…])"
        if isinstance(node.func, ast.Attribute) and node.func.attr == "iterrows":
            yield "frame-rows", ""
        if self.here.loops:
            yield from ((rule, "") for rule, applies in _IN_LOOP.items() if applies(self, node, name))


def _end(index: ast.expr) -> bool:
    if isinstance(index, ast.UnaryOp) and isinstance(index.op, ast.USub):
        index = index.operand
        return isinstance(index, ast.Constant) and index.value == 1
    return isinstance(index, ast.Constant) and index.value == 0


def _queries(_: _Visitor, node: ast.Call, name: str) -> bool:
    *owner, method = name.split(".") if name else [""]
    if method in _MANAGER_METHODS and owner and owner[-1] == "objects":
        return True
    if method == "get" and owner and owner[-1].lower() in ("session", "dbsession"):
        return len(node.args) >= 2  # session.get(Model, key), not an HTTP session's get(url)
    return method in _QUERIES and bool(owner) and owner[-1].lstrip("_").lower() in _CURSORS


def _same_each_round(visitor: _Visitor, node: ast.Call) -> bool:
    """Whether a call in a loop has nothing of the loop in it."""
    loop = visitor.here.loops[-1]
    return not names_in(node) & (loop.bound | loop.assigned)


def _same_regex(visitor: _Visitor, node: ast.Call, name: str) -> bool:
    return name == "re.compile" and _same_each_round(visitor, node)


def _same_copy(visitor: _Visitor, node: ast.Call, name: str) -> bool:
    return name == "copy.deepcopy" and _same_each_round(visitor, node)


def _at_front(visitor: _Visitor, node: ast.Call, _: str) -> bool:
    if not isinstance(node.func, ast.Attribute) or not visitor.outlives_round(node.func.value):
        return False
    arguments = {"insert": 2, "pop": 1}.get(node.func.attr)
    first = node.args[0] if arguments == len(node.args) else None
    return (
        isinstance(first, ast.Constant)
        and first.value == 0
        and visitor.holds(node.func.value) in ("list", "short list")
    )


def _sorts(visitor: _Visitor, node: ast.Call, name: str) -> bool:
    if isinstance(node.func, ast.Attribute) and node.func.attr == "sort":
        sorted_again = node.func.value
    elif name == "sorted" and node.args:
        sorted_again = node.args[0]
    else:
        return False
    return visitor.outlives_round(sorted_again) and visitor.holds(sorted_again) == "list"


_IN_LOOP: dict[str, Callable[[_Visitor, ast.Call, str], bool]] = {
    "query-in-loop": _queries,
    "request-in-loop": lambda _, __, name: name in _HTTP,
    "frame-grows-in-loop": lambda _, __, name: name in _FRAMES,
    "regex-in-loop": _same_regex,
    "deepcopy-in-loop": _same_copy,
    "process-in-loop": lambda _, __, name: name in _PROCESSES,
    "front-of-list": _at_front,
    "sort-in-loop": _sorts,
}
