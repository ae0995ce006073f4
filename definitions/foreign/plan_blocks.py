"""The phases of a plan as a fenced JSON block tells them to machines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from definitions.diagnostics import Diagnostic
from definitions.foreign.literals import read_literal
from definitions.foreign.places import Places
from definitions.foreign.plan_references import LABEL, WORDS, normal_label
from definitions.foreign.plan_text import Fence
from definitions.foreign.shapes import as_native
from definitions.foreign.trees import entries, entry, items, mapping, text_of
from definitions.nodes import Node

_LANGUAGES: Final = frozenset({"", "json", "jsonc", "json5", "js", "javascript", "ts", "typescript"})
_PHASES: Final = re.compile(r"""["']?(?:phases|steps)["']?[ \t]*+:""")
_LABELLED: Final = re.compile(
    rf"(?:{WORDS}|p(?=[ _-]*\d))[ _#-]*+({LABEL})(?:[ ]?[:.)\u2013\u2014-]+[ ]?(.*))?", re.IGNORECASE
)


@dataclass(slots=True, kw_only=True)
class Block:
    """The first block that holds phases: its document, and where it opens and ends in the text."""

    document: Node
    opening: int
    end: int

    @property
    def phases(self) -> list[Node]:
        """Its phases, in order."""
        return items(entry(self.document, "phases") or entry(self.document, "steps"))


def block_of(text: str, places: Places, fences: list[Fence]) -> tuple[Block | None, list[Diagnostic]]:
    """The block of phases, if there is one; errors of one that is broken, a warning for every further one."""
    found: Block | None = None
    diagnostics: list[Diagnostic] = []
    for fence in fences:
        if fence.language not in _LANGUAGES or _PHASES.search(text, fence.start, fence.end) is None:
            continue
        node, problems = read_literal(text, start=fence.start, end=fence.end)
        document = as_native(node) if node is not None else None
        if document is not None and entry(document, "phases") is None and entry(document, "steps") is None:
            continue
        if found is not None:
            message = "a second block of phases: the first one counts"
            diagnostics.append(Diagnostic.at(places.mark(fence.opening), "PL111", message, severity="warning"))
        elif document is not None or fence.language:
            diagnostics += problems
            empty = mapping([], places.mark(fence.start))
            found = Block(document=document or empty, opening=fence.opening, end=fence.end)
    return found, diagnostics


def with_text_ids(phase: Node) -> Node:
    """A phase whose id is no number, which would be taken for an index: `2` becomes `phase_2`."""
    identity = entry(phase, "id")
    text = text_of(identity)
    if identity is None or text is None or not text.isdecimal():
        return phase
    named = ("id", phase.key_marks.get("id", identity.mark), Node(f"phase_{normal_label(text)}", identity.mark))
    return mapping([named, *entries(phase)], phase.mark)


def title_of(phase: Node) -> str | None:
    """The title of a block's phase, without `Phase 2:` before it."""
    title = text_of(entry(phase, "name"))
    found = _LABELLED.fullmatch(title) if title is not None else None
    return title if found is None or title is None else (found[2] or title)


def label_of(phase: Node) -> str | None:
    """The label by which the plan's text calls a phase of the block: from `phase_2`, `P2`, `2` or `Phase 2: Title`."""
    for text in (text_of(entry(phase, "id")), text_of(entry(phase, "name"))):
        if text is None:
            continue
        found = _LABELLED.fullmatch(text)
        if found is not None:
            return normal_label(found[1])
        if text.isdecimal():
            return normal_label(text)
    return None
