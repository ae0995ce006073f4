"""Which facts of a ledger count: those that no restore has left behind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.facts import Fact


def segments(facts: Sequence[Fact]) -> list[tuple[int, int]]:
    """The stretches of a ledger that count: facts `start + 1` to `end` of each, in order.

    Before each stretch but the first stands the restore that it follows, at `start`.
    """
    found: list[tuple[int, int]] = []
    end = len(facts)
    while True:
        start = end
        while start and facts[start - 1].kind != "restored":
            start -= 1
        found.append((start, end))
        if not start:
            return found[::-1]
        end = facts[start - 1].data["to"]
