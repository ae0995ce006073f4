"""A plan in Markdown, whole and in its two halves, and how tests read one."""

from __future__ import annotations

from typing import Any

from definitions import foreign
from definitions.diagnostics import Diagnostic
from definitions.nodes import Mark, Node

GARDEN = """\
# Plan: garden

We grow things.

## Phases

Phase 1: Soil
Phase 2: Beds (depends on Phase 1)
Phase 3: Fence (depends on Phase 1)
Phase 4: Planting (depends on Phase 2, Phase 3)

For machines:

```json
{"phases": [
  {"id": "phase_1", "title": "Soil"},
  {"id": "phase_2", "title": "Beds", "depends_on": ["phase_1"]},
  {"id": "phase_3", "title": "Fence", "depends_on": ["phase_1"]},
  {"id": "phase_4", "title": "Planting", "depends_on": ["phase_2", "phase_3"]}
]}
```
"""
TEXT_ALONE, _, BLOCK_ALONE = GARDEN.partition("For machines:")


def read(text: str) -> tuple[Node, list[Diagnostic]]:
    node, found = foreign.read(text, "markdown")
    assert node is not None, [d.text for d in found]
    node, word = foreign.normalise(node)
    assert word == "markdown"
    return node, found


def phases(text: str) -> list[dict[str, Any]]:
    node, found = read(text)
    assert [d.text for d in found] == []
    plain = node.plain()
    assert isinstance(plain["phases"], list)
    return plain["phases"]


def needs(text: str) -> dict[str, list[str]]:
    """What each phase, by its title, waits for."""
    return {phase["name"]: phase["depends_on"] for phase in phases(text)}


def place(text: str, words: str, within: str = "") -> Mark:
    """Where the words stand, the second time if they have to stand after others."""
    offset = text.index(words, text.index(within))
    return Mark(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))
