"""Merging two changes of one value, both made from the same older one: by key, by list item, by line of a text.

What only one side changed is taken from that side; what both made the same is taken once. Objects are merged key by
key; lists and texts of several lines by what stands between the items, or lines, that all three have in common (Khanna,
Kunal and Pierce, "A Formal Investigation of Diff3", 2007). Where both sides add items to a list at one place, both
are kept, theirs first, equal ones once: lists here are collections more often than sequences. Whatever else both sides
have changed is a conflict, named by its path, and nothing is guessed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any, Final

LONGEST = 5_000
"""Items or lines that a list or text may have to be compared one by one; longer ones are a conflict as a whole."""

ABSENT: Final = object()
"""Stands for a value that is not there."""


@dataclass(slots=True)
class Merge:
    """What became of a merge. With `conflicts`, paths such as `routes[2].url` (empty: the whole), there is no value."""

    value: Any = ABSENT
    conflicts: list[str] = field(default_factory=list)


def merged(base: Any, theirs: Any, mine: Any) -> Merge:
    """The value with both sides' changes. `ABSENT` stands for a side, or a base, that is not there."""
    merge = Merge()
    value = _merged(base, theirs, mine, "", merge.conflicts)
    if not merge.conflicts:
        merge.value = value
    return merge


def _key(value: Any) -> str:
    """What is the same for equal JSON values, and for no others (`1` and `true` are equal to Python)."""
    return "" if value is ABSENT else json.dumps(value, sort_keys=True)


def _merged(base: Any, theirs: Any, mine: Any, path: str, conflicts: list[str]) -> Any:
    was, here, there = _key(base), _key(mine), _key(theirs)
    if there in {here, was}:
        return mine
    if here == was:
        return theirs
    if isinstance(theirs, dict) and isinstance(mine, dict):
        return _objects(base if isinstance(base, dict) else {}, theirs, mine, path, conflicts)
    if isinstance(theirs, list) and isinstance(mine, list):
        return _lists(base if isinstance(base, list) else [], theirs, mine, path, conflicts)
    if isinstance(base, str) and isinstance(theirs, str) and isinstance(mine, str) and "\n" in base:
        return _texts(base, theirs, mine, path, conflicts)
    conflicts.append(path)
    return ABSENT


def _objects(
    base: dict[str, Any], theirs: dict[str, Any], mine: dict[str, Any], path: str, conflicts: list[str]
) -> Any:
    found = {}
    for name in dict.fromkeys([*theirs, *mine]):
        below = f"{path}.{name}" if path else name
        was, there, here = (side.get(name, ABSENT) for side in (base, theirs, mine))
        value = _merged(was, there, here, below, conflicts)
        if value is not ABSENT:
            found[name] = value
    return found


def _lists(base: list[Any], theirs: list[Any], mine: list[Any], path: str, conflicts: list[str]) -> Any:
    if max(len(base), len(theirs), len(mine)) > LONGEST:
        conflicts.append(path)
        return ABSENT
    keys = [[_key(item) for item in side] for side in (base, theirs, mine)]
    found: list[Any] = []
    for chunk in _chunks(*keys):
        was, there, here = (side[part] for side, part in zip((base, theirs, mine), chunk, strict=True))
        found += _items(was, there, here, f"{path}[{len(found)}]", conflicts)
    return found


def _items(base: list[Any], theirs: list[Any], mine: list[Any], path: str, conflicts: list[str]) -> list[Any]:
    """One stretch of a list that differs."""
    was, there, here = ([_key(item) for item in side] for side in (base, theirs, mine))
    if there in (was, here):
        return mine
    if here == was:
        return theirs
    if not base:
        known = set(there)
        return [*theirs, *(item for item, key in zip(mine, here, strict=True) if key not in known)]
    if len(base) == len(theirs) == len(mine):
        stem, _, first = path.rpartition("[")
        at = int(first.rstrip("]"))
        return [
            _merged(was_item, there_item, here_item, f"{stem}[{at + number}]", conflicts)
            for number, (was_item, there_item, here_item) in enumerate(zip(base, theirs, mine, strict=True))
        ]
    conflicts.append(path)
    return []


def _texts(base: str, theirs: str, mine: str, path: str, conflicts: list[str]) -> Any:
    lines = [side.splitlines(keepends=True) for side in (base, theirs, mine)]
    if max(map(len, lines)) > LONGEST:
        conflicts.append(path)
        return ABSENT
    found: list[str] = []
    for chunk in _chunks(*lines):
        was, there, here = (side[part] for side, part in zip(lines, chunk, strict=True))
        if there not in (was, here) and here != was:
            conflicts.append(f"{path}:{len(found) + 1}")
            continue
        found += there if here == was else here
    return "".join(found)


def _chunks(base: Sequence[str], theirs: Sequence[str], mine: Sequence[str]) -> Iterator[tuple[slice, slice, slice]]:
    """The three sequences cut into stretches: what all have in common, item by item, and what lies between."""
    there, here = _places(base, theirs), _places(base, mine)
    was, left, right = 0, 0, 0
    for position in range(len(base)):
        if position not in there or position not in here:
            continue
        yield slice(was, position), slice(left, there[position]), slice(right, here[position])
        was, left, right = position + 1, there[position] + 1, here[position] + 1
        yield slice(position, was), slice(there[position], left), slice(here[position], right)
    yield slice(was, len(base)), slice(left, len(theirs)), slice(right, len(mine))


def _places(base: Sequence[str], side: Sequence[str]) -> dict[int, int]:
    """Where items of the base are in a side, for those that are matched; both grow together."""
    places: dict[int, int] = {}
    for block in SequenceMatcher(None, base, side, autojunk=False).get_matching_blocks():
        places.update((block.a + number, block.b + number) for number in range(block.size))
    return places
