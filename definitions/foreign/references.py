"""What a dependency written in a foreign format means: a phase, all phases of a group, or the work of an agent."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import Final

from definitions.foreign.trees import Entry, entries, items, mapping, text_of
from definitions.nodes import Node

_COMPLETION: Final = re.compile(
    r"\.(?:complet(?:ion|ed|e)|done|finish(?:ed)?|success|succeeded|outputs?|results?)$", re.IGNORECASE
)
_NOTHING: Final = frozenset({"none", "null", "nothing", "no", "n/a", "-"})
_TARGETS: Final = ("phase", "id", "step", "group", "agent")
_KINDS: Final = frozenset({"data", "context", "validation"})


@dataclass(slots=True, kw_only=True)
class Draft:
    """A phase before its needs are known. `id` is empty if it has none to speak of; `given`: the author wrote it."""

    id: str
    given: bool
    roles: list[str]
    body: Node
    needs: Entry | None = None


@dataclass(slots=True)
class References:
    """Everything that a dependency of one file may name."""

    _given: set[str] = field(default_factory=set)
    _ids: set[str] = field(default_factory=set)
    _groups: dict[str, list[str]] = field(default_factory=dict)
    _sorted: dict[str, list[int]] = field(default_factory=dict)
    _roles: dict[str, dict[int, list[str]]] = field(default_factory=dict)

    def add(self, drafts: list[Draft], position: int, group: str | None) -> None:
        """Make the phases of the unit at `position` known."""
        for draft in drafts:
            if not draft.id:
                continue
            self._ids.add(draft.id)
            if draft.given:
                self._given.add(draft.id)
            for role in draft.roles:
                self._roles.setdefault(role, {}).setdefault(position, []).append(draft.id)
        if group is not None:
            self._groups.setdefault(group, []).extend(draft.id for draft in drafts if draft.id)

    def resolved(self, written: Node, position: int) -> list[Node]:
        """The dependencies as native needs; what names nothing known stays, so that the checks can report it."""
        needs: list[Node] = []
        seen: set[str] = set()
        for item in items(written):
            for need in self._need(item, position):
                key = repr(need.plain())
                if key not in seen:
                    seen.add(key)
                    needs.append(need)
        alone = text_of(needs[0]) if len(needs) == 1 else None
        return [] if alone is not None and alone not in self._ids and alone.lower() in _NOTHING else needs

    def _need(self, item: Node, position: int) -> list[Node]:
        if isinstance(item.value, dict):
            return self._need_with_kind(item, position)
        text = text_of(item)
        if text is None:
            return [item]
        found = self._named(text, position)
        if found is None:
            return [Node(_COMPLETION.sub("", text), item.mark)]
        return [Node(phase, item.mark) for phase in found]

    def _need_with_kind(self, item: Node, position: int) -> list[Node]:
        """`{phase: X, kind: context}`, also with `agent`, `step` or `group` for the phase and `type` for the kind."""
        written = entries(item)
        target = next((name for name in _TARGETS for key, _, _ in written if key == name), None)
        if target is None:
            return [item]
        kept: list[Entry] = []
        for key, mark, value in written:
            if key == "type" and text_of(value) in _KINDS:
                kept.append(("kind", mark, value))
            elif key not in (target, "type"):
                kept.append((key, mark, value))
        targets = next(self._need(value, position) for key, _, value in written if key == target)
        if not kept:
            return targets
        mark = item.key_marks.get(target, item.mark)
        return [mapping([("phase", mark, phase), *kept], item.mark) for phase in targets]

    def _named(self, text: str, position: int) -> list[str] | None:
        """The phases that a text names: first as it stands, then without `.completion`, then up to its first dot."""
        for name in (text, _COMPLETION.sub("", text), text.partition(".")[0]):
            found = self._phases(name, position)
            if found is not None:
                return found
        return None

    def _phases(self, name: str, position: int) -> list[str] | None:
        if name in self._given:
            return [name]
        if name in self._roles:
            return self._work_of(name, position)
        return [name] if name in self._ids else self._groups.get(name)

    def _work_of(self, role: str, position: int) -> list[str]:
        """An agent's nearest earlier work; without any, its first later work, or its own in this very unit."""
        work = self._roles[role]
        positions = self._positions(role)
        index = bisect_left(positions, position)
        if index:
            return work[positions[index - 1]]
        later = bisect_right(positions, position)
        return work[positions[later] if later < len(positions) else position]

    def _positions(self, role: str) -> list[int]:
        """Where a role works, in order: units are added in order, and all of them before the first question."""
        if role not in self._sorted:
            self._sorted[role] = list(self._roles[role])
        return self._sorted[role]
