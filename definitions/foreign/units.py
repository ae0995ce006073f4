"""Steps and groups of steps in file order, and the one rule of order told in native phases.

A unit is what the author sees as one step: a phase, or a group that becomes several. Its needs are given to its phases
as ids. A unit without needs comes after the unit before it; that is the native rule, so `depends_on` is only written
where two parallel units touch and would otherwise read as one group.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from definitions.foreign.references import Draft, References
from definitions.foreign.trees import Entry, entries, items, mapping, words
from definitions.nodes import Mark, Node

MAX_NEEDS: Final = 300_000


@dataclass(slots=True, kw_only=True)
class Unit:
    """One step as written: its `drafts` become phases, all at once if `parallel`, else one after another.

    `needs` is the entry that says what the unit waits for. `joins`: it is a plain `parallel: true` phase, which forms
    one group with its neighbours of that kind. `group` is kept for what concerns the group as a whole.
    """

    drafts: list[Draft]
    parallel: bool = False
    joins: bool = False
    needs: Entry | None = None
    id: str | None = None
    group: Node | None = None


@dataclass(slots=True)
class _Order:
    """What stands before the unit at hand, which it waits for if it says nothing; `written`: the native rule errs."""

    before: list[str] = field(default_factory=list)
    run: list[str] = field(default_factory=list)
    joins: bool = False
    touches: bool = False
    written: bool = False

    def enter(self, unit: Unit) -> list[str] | None:
        """Step on to the unit; the needs to write into each of its phases that says nothing itself."""
        if not (unit.joins and self.joins):
            self.before, self.run = self.run, []
            self.written = unit.parallel and self.touches and bool(self.before)
        self.run = [*self.run, *(draft.id for draft in unit.drafts if draft.id)]
        if not unit.parallel:
            self.run = self.run[-1:]
        self.joins, self.touches = unit.joins, unit.parallel
        return self.before if self.written else None


def phases_of(units: list[Unit]) -> list[Node]:
    """The units as native phases, in order."""
    references = References()
    for position, unit in enumerate(units):
        references.add(unit.drafts, position, unit.id)
    order = _Order()
    needs = _Needs(references)
    return [phase for position, unit in enumerate(units) for phase in _phases(unit, needs, position, order.enter(unit))]


def with_barriers(written: list[Entry], units: list[Unit]) -> list[Entry]:
    """The entries of a document with what is said of the groups as wholes among its `barriers`."""
    wholes = [_group(unit.group, unit) for unit in units if unit.group is not None]
    if not wholes:
        return written
    mark = wholes[0].mark
    before = [item for key, _, value in written if key == "barriers" for item in items(value)]
    kept = [found for found in written if found[0] != "barriers"]
    return [*kept, ("barriers", mark, Node([*before, *wholes], mark))]


@dataclass(slots=True)
class _Needs:
    """Writes needs, as long as the file does not ask for more than can be meant.

    Groups multiply: two of ten thousand agents that follow each other would be a hundred million needs.
    """

    references: References
    left: int = MAX_NEEDS

    def written(self, needs: Entry, position: int) -> Entry:
        """What the author wrote, as ids."""
        _, mark, value = needs
        if self.left <= 0:
            return _too_many(mark)
        resolved = self.references.resolved(value, position)
        self.left -= len(resolved)
        return "depends_on", mark, Node(resolved, value.mark)

    def implied(self, before: list[str], mark: Mark) -> Entry:
        """What the rule of order says."""
        self.left -= len(before)
        return ("depends_on", mark, words(before, mark)) if self.left > 0 else _too_many(mark)


def _too_many(mark: Mark) -> Entry:
    """A need that the checks refuse, because leaving the needs out would start phases too early."""
    return "depends_on", mark, words([f"(more than {MAX_NEEDS:,} dependencies in one file)"], mark)


def _phases(unit: Unit, needs: _Needs, position: int, before: list[str] | None) -> Iterator[Node]:
    for number, draft in enumerate(unit.drafts):
        written = draft.needs
        if written is None and (number == 0 or unit.parallel):
            written = unit.needs
        if written is not None:
            yield _with(draft.body, needs.written(written, position))
        elif before is not None:
            yield _with(draft.body, needs.implied(before, draft.body.mark))
        else:
            yield draft.body


def _with(body: Node, added: Entry) -> Node:
    return mapping([*entries(body), added], body.mark)


def _group(group: Node, unit: Unit) -> Node:
    ids = words([draft.id for draft in unit.drafts], group.mark)
    written = entries(group)
    return mapping([*written[:1], ("phases", group.mark, ids), *written[1:]], group.mark)
