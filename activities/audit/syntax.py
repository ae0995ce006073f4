"""Python files as syntax trees, without running them, and a word for those that do not parse."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from dataclasses import dataclass, field

from activities.audit.languages import as_text
from activities.audit.tree import SourceFile

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
"""The version whose syntax the checks understand: the one that runs them."""

_PYTHON_2 = re.compile(
    r"""(?m)^[ \t]*(?:print[ \t]+["'\w%]|print[ \t]*$|exec[ \t]+["'\w]|raise[ \t]+\w+[ \t]*,)|<>|\bur["']|"""
    r"""^[ \t]*except[ \t]+[\w.()]+[ \t]*,[ \t]*\w+[ \t]*:"""
)


@dataclass(frozen=True, slots=True)
class Module:
    """One parsed file."""

    file: SourceFile
    text: str
    tree: ast.Module


@dataclass(slots=True)
class Unparsed:
    """Files that this interpreter cannot parse, each with line and reason, and how many of them look like Python 2."""

    places: list[tuple[str, int, str]] = field(default_factory=list)
    python_2: int = 0
    unreadable: int = 0

    @property
    def total(self) -> int:
        """How many files no syntax check could look at."""
        return len(self.places) + self.unreadable


def parse(file: SourceFile, unparsed: Unparsed) -> Module | None:
    """The file's tree; None, with a note in `unparsed`, where there is none."""
    try:
        data = file.read()
    except OSError:
        unparsed.unreadable += 1
        return None
    text = as_text(data, python=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Module(file, text, ast.parse(data))
    except SyntaxError as error:
        if looks_like_python_2(text):
            unparsed.python_2 += 1
            reason = "Python 2 syntax"
        else:
            reason = str(error.msg)
        unparsed.places.append((file.name, error.lineno or 1, reason))
    except (ValueError, RecursionError, MemoryError) as error:
        unparsed.places.append((file.name, 1, str(error) or "nested too deeply"))
    return None


def depth_of(tree: ast.AST) -> int:
    """How deep a tree is; visitors that call themselves give up at a few hundred."""
    depth = 0
    level: list[ast.AST] = [tree]
    while level:
        depth += 1
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    return depth


def looks_like_python_2(text: str) -> bool:
    """Whether a file that does not parse was written for Python 2."""
    return bool(_PYTHON_2.search(text))
