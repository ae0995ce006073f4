"""Formats that people already have: object literals, JSON, `execution_groups`, `parallel_group` steps, markdown plans.

`recognise` says which reader a text is for, `read` makes a tree of it with the place of every key and value, and
`normalise` gives any tree, also one read from YAML, the native shape. None of them raises for any text.
"""

from __future__ import annotations

from definitions.diagnostics import Diagnostic
from definitions.foreign.literals import read_literal
from definitions.foreign.plans import read_plan
from definitions.foreign.recognition import recognise
from definitions.foreign.shapes import normalise, with_phases
from definitions.foreign.trees import Document
from definitions.nodes import Node

__all__ = ["normalise", "read", "recognise"]


def read(text: str, format: str) -> tuple[Node | None, list[Diagnostic]]:  # noqa: A002 - the word for it everywhere
    """The tree of a text in a format that `recognise` named, and all that is wrong with it.

    There is no tree where the text cannot be understood; then there is an error. Diagnostics carry no file name.
    """
    if format == "markdown":
        return read_plan(text)
    node, found = read_literal(text)
    if node is None:
        return None, found
    node = with_phases(node)
    return Document(node.value, node.mark, node.key_marks, source=format), found
