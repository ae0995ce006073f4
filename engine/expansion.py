"""A phase that runs once per item: its list, the phase that each item is, and how they stand.

An item is a phase of its own. It is made when the fact `phase_expanded` (`{items, new?}`) tells of the list: `new` are
the numbers of the items that get a phase by it, all of them unless it is there. Its index follows the last one of the
run, its id is `<phase>.<number>`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from engine import expressions
from engine.errors import PhaseError
from engine.expressions.values import ARTIFACT, type_of, worded
from engine.facts import Fact
from engine.plan import Item, PhasePlan, Plan

Json = dict[str, Any]

ITEMS_LIMIT = 2000
"""Items that one phase may have."""

ITEM_BYTES = 4 * 1024
"""Bytes of JSON that one item may have: its agents' inputs and the ledger hold it."""

LIST_BYTES = 1024 * 1024
"""Bytes of JSON that a list may have: one fact holds it, and whoever follows the run is sent it."""

STATUSES = ("pending", "running", "paused", "completed", "failed", "cancelled", "skipped")


def evaluated(plan: PhasePlan, scope: Json) -> list[Any]:
    """The items of a phase.

    Raises:
        PhaseError: the list has no value, is none, is too long, or holds an item that is too large.
    """
    try:
        written = plan.for_each
        found = expressions.evaluate(written, scope) if isinstance(written, str) else _rendered(written, scope)
    except expressions.ExpressionError as error:
        raise PhaseError(f"for_each: {error.message}", code="expression", hint=error.hint) from None
    if isinstance(found, dict) and ARTIFACT in found:
        raise PhaseError(
            "for_each: the list is too large to be kept inline",
            code="for_each",
            hint="yield a shorter list, of names rather than of contents",
        )
    if not isinstance(found, list):
        raise PhaseError(f"for_each: this must be a list, and is {worded(type_of(found))}", code="for_each")
    if (problem := problem_of(found)) is not None:
        raise PhaseError(f"for_each: {problem}", code="for_each", hint="put what is large into files")
    return found


def _rendered(written: Sequence[Any], scope: Json) -> Any:
    return expressions.render_all(list(written), scope)


def problem_of(items: Sequence[Any]) -> str | None:
    """What is wrong with a list of items, in words; None for a good one."""
    if len(items) > ITEMS_LIMIT:
        return f"the list has {len(items)} items, over {ITEMS_LIMIT}"
    together = 0
    for number, item in enumerate(items):
        size = len(json.dumps(item))
        if size > ITEM_BYTES:
            return f"item {number} has {size} bytes, over {ITEM_BYTES}"
        together += size
    return f"the list has {together} bytes, over {LIST_BYTES}" if together > LIST_BYTES else None


def item_plan(phase: PhasePlan, number: int, value: Any, index: int) -> PhasePlan:
    """The plan of one item. It waits for nothing; its failure is its phase's to judge, unless a person decides.

    Gates are the phase's: they come once, after the last item. So are a deadline and reminders.
    """
    return replace(
        phase,
        id=f"{phase.id}.{number}",
        name=f"{phase.name} [{number}]",
        index=index,
        needs=(),
        after_group=None,
        group=None,
        condition=None,
        for_each=None,
        max_parallel=None,
        gates=(),
        deadline=None,
        remind=None,
        on_failure="pause" if phase.on_failure == "pause" else "isolate",
        item=Item(parent=phase.index, number=number, value=value),
    )


class PhasePlans:
    """The plan of every phase of a run by its index: those of the definition, then the items as facts tell of them."""

    def __init__(self, plan: Plan) -> None:
        self._plans = list(plan.phases)

    def __getitem__(self, index: int) -> PhasePlan:
        """The plan of the phase with this index."""
        return self._plans[index]

    def follow(self, fact: Fact) -> list[PhasePlan]:
        """Take in a fact, in order; the plans that it adds."""
        if fact.kind != "phase_expanded" or fact.phase is None:
            return []
        phase, items = self._plans[fact.phase], fact.data["items"]
        first = len(self._plans)
        added = [
            item_plan(phase, number, items[number], first + place)
            for place, number in enumerate(fact.data.get("new", range(len(items))))
        ]
        self._plans += added
        return added


@dataclass(slots=True)
class Expansion:
    """How the items of one phase stand. `phases` are their indexes by number; `bad` those that did not work out.

    Items that were completed (or skipped on purpose) before their phase was tried again are kept.
    """

    values: list[Any]
    phases: list[int]
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STATUSES, 0))
    bad: list[int] = field(default_factory=list)

    @property
    def open(self) -> int:
        """How many items have not settled."""
        return self.counts["pending"] + self.counts["running"] + self.counts["paused"]

    @property
    def done(self) -> int:
        """How many items have settled."""
        return len(self.phases) - self.open
