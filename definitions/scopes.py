"""File scopes: which phases that may run at once would write to the same files.

A scope is a path or a glob (`*`, `?`, `[…]`, `**`, `{a,b}`) in the project. A path that ends in `/`, or has no wildcard
and no suffix, also means everything below it. Sets of phases with overlapping scopes are compared along the order of
the plan: if every phase has settled before the next one starts they are a chain, and a chain never collides.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from itertools import pairwise

from definitions.findings import Findings
from definitions.order import Ancestry, Order
from definitions.schema.document import Definition
from definitions.schema.phases import Phase

MAX_WORK = 500_000
"""Steps of comparing patterns, after which the rest is left out (and the file told so)."""

MAX_ALTERNATIVES = 64

Segments = tuple[str, ...]

_WILD = re.compile(r"[*?\[]")
_BRACES = re.compile(r"\{([^{}]*)\}")
_CLASS = re.compile(r"\[[^\]]*\]")


@dataclass(frozen=True, slots=True)
class _Use:
    """One scope of one phase, where it is written."""

    phase: int
    field: str
    position: int


def check_scopes(definition: Definition, order: Order, findings: Findings) -> None:
    """Report phases that may run at once and whose `files_scope` or `files_create` overlap."""
    execution = definition.execution
    if order.sequence is None or execution.parallel is False or execution.max_workers == 1:
        return
    uses = _uses(definition.ordered, order.unclear.union(*order.circles))
    if sum(1 for _ in uses) == 0:
        return
    together = [*_same(uses), *_overlapping(uses, definition, findings)]
    ancestry = Ancestry(order, {use.phase for _, _, group in together for use in group})
    position = {index: place for place, index in enumerate(order.sequence)}
    rank = _Rank(ancestry, _taking_turns(definition, order))
    reported: set[tuple[int, int]] = set()
    for first, second, group in together:
        ordered = sorted(group, key=lambda use: position[use.phase])
        for earlier, later in _at_once(ordered, rank):
            pair = (min(earlier.phase, later.phase), max(earlier.phase, later.phase))
            if pair not in reported:
                reported.add(pair)
                _report(definition, order, (earlier, later), (first, second), findings)


@dataclass(frozen=True, slots=True)
class _Rank:
    ancestry: Ancestry
    turns: list[set[int]]

    def excludes(self, one: int, other: int) -> bool:
        """Whether two phases can never run at the same time."""
        if self.ancestry.precedes(one, other) or self.ancestry.precedes(other, one):
            return True
        return bool(self.turns and self.turns[one] & self.turns[other])


def _at_once(ordered: list[_Use], rank: _Rank) -> Iterator[tuple[_Use, _Use]]:
    for earlier, later in pairwise(ordered):
        if earlier.phase != later.phase and not rank.excludes(earlier.phase, later.phase):
            yield earlier, later


def _uses(phases: Iterable[Phase], unclear: Container[int]) -> dict[Segments, list[_Use]]:
    """The scopes of all phases that have a place in the order."""
    uses: dict[Segments, list[_Use]] = defaultdict(list)
    for index, phase in enumerate(phases):
        if phase.on_jump or index in unclear:
            continue
        for name, patterns in (("files_scope", phase.files_scope), ("files_create", phase.files_create)):
            for position, pattern in enumerate(patterns):
                for segments in segments_of(pattern):
                    if not any(use.phase == index for use in uses[segments][-1:]):
                        uses[segments].append(_Use(index, name, position))
    return uses


@lru_cache(maxsize=4096)
def segments_of(pattern: str) -> tuple[Segments, ...]:
    """The alternatives of a scope, each cut into the parts of a path."""
    alternatives = [pattern.replace("\\", "/")]
    done: list[Segments] = []
    while alternatives and len(done) + len(alternatives) <= MAX_ALTERNATIVES:
        text = alternatives.pop()
        braces = _BRACES.search(text)
        if braces is None:
            parts = tuple(part for part in text.split("/") if part not in ("", "."))
            done.append((*parts, "**") if text.endswith("/") and parts[-1:] != ("**",) else parts)
        else:
            alternatives += [text[: braces.start()] + word + text[braces.end() :] for word in braces[1].split(",")]
    return tuple(done)


def _same(uses: dict[Segments, list[_Use]]) -> Iterator[tuple[Segments, Segments, list[_Use]]]:
    for segments, group in uses.items():
        if len(group) > 1:
            yield segments, segments, group


def _overlapping(
    uses: dict[Segments, list[_Use]], definition: Definition, findings: Findings
) -> Iterator[tuple[Segments, Segments, list[_Use]]]:
    """Different scopes that overlap, as long as comparing them is not too much work."""
    left = MAX_WORK
    for one, other in _candidates(uses):
        left -= 1 + len(uses[one]) + len(uses[other]) + sum(map(len, one)) * sum(map(len, other)) // 8
        if left < 0:
            message = "there are too many file patterns to compare all of them"
            findings.add("PL406", (definition.phase_key,), message, severity="note", on_key=True)
            return
        if overlap(one, other):
            yield one, other, uses[one] + uses[other]


def _candidates(uses: dict[Segments, list[_Use]]) -> Iterator[tuple[Segments, Segments]]:
    """Pairs that may overlap: the literal beginning of one is that of the other, or begins it."""
    prefixes = {segments: _literal_prefix(segments) for segments in uses}
    globs: dict[Segments, list[Segments]] = defaultdict(list)
    for segments, prefix in prefixes.items():
        if len(prefix) < len(segments):
            globs[prefix].append(segments)
    for segments, prefix in prefixes.items():
        is_glob = len(prefix) < len(segments)
        for length in range(len(prefix) + 1):
            above = prefix[:length]
            if above in uses and above != segments:
                yield above, segments
            for glob in globs.get(above, ()):
                if glob != segments and (not is_glob or length < len(prefix) or glob > segments):
                    yield glob, segments


def _literal_prefix(segments: Segments) -> Segments:
    length = next((number for number, part in enumerate(segments) if _WILD.search(part)), len(segments))
    return segments[:length]


def overlap(one: Segments, other: Segments) -> bool:
    """Whether some path fits both scopes."""
    reachable = {(0, 0)}
    queue = [(0, 0)]
    while queue:
        i, j = queue.pop()
        if _covered(one, i, other, j) or _covered(other, j, one, i):
            return True
        for step in _steps(one, i, other, j):
            if step not in reachable:
                reachable.add(step)
                queue.append(step)
    return False


def _covered(one: Segments, i: int, other: Segments, j: int) -> bool:
    """Whether `one` is used up and what is left of `other` lies inside it."""
    if i < len(one):
        return False
    if all(part == "**" for part in other[j:]):
        return True
    if any(_WILD.search(part) for part in one):
        return False
    # A directory means what is below it; what has a suffix is a file, unless the other scope says outright it is not.
    return not one or "." not in one[-1][1:] or other[: len(one)] == one


def _steps(one: Segments, i: int, other: Segments, j: int) -> Iterator[tuple[int, int]]:
    if i < len(one) and one[i] == "**":
        yield i + 1, j
        if j < len(other):
            yield i, j + 1
    if j < len(other) and other[j] == "**":
        yield i, j + 1
        if i < len(one):
            yield i + 1, j
    if i < len(one) and j < len(other) and "**" not in (one[i], other[j]) and _alike(one[i], other[j]):
        yield i + 1, j + 1


def _alike(one: str, other: str) -> bool:
    """Whether some name fits both parts of a path."""
    if not _WILD.search(one):
        return one == other if not _WILD.search(other) else fnmatchcase(one, other)
    if not _WILD.search(other):
        return fnmatchcase(other, one)
    # Two patterns: a class of characters counts as any character, which errs on the side of an overlap.
    return _patterns_meet(_CLASS.sub("?", one), _CLASS.sub("?", other))


def _patterns_meet(one: str, other: str) -> bool:
    states = {(0, 0)}
    queue = [(0, 0)]
    while queue:
        i, j = queue.pop()
        if i == len(one) and j == len(other):
            return True
        for step in _letters(one, i, other, j):
            if step not in states:
                states.add(step)
                queue.append(step)
    return False


def _letters(one: str, i: int, other: str, j: int) -> Iterator[tuple[int, int]]:
    left, right = one[i : i + 1], other[j : j + 1]
    if left == "*":
        yield i + 1, j
        if right:
            yield i, j + 1
    if right == "*":
        yield i, j + 1
        if left:
            yield i + 1, j
    if left and right and "*" not in (left, right) and (left == right or "?" in (left, right)):
        yield i + 1, j + 1


def _taking_turns(definition: Definition, order: Order) -> list[set[int]]:
    """For each phase the groups in which only one phase runs at a time; empty if there is no such group."""
    turns: list[set[int]] = []
    for number, group in enumerate(definition.step_groups):
        if group.execute == "sequential" or group.max_workers == 1:
            turns = turns or [set() for _ in order.ids]
            for word in group.members[1]:
                for index in order.find(word):
                    turns[index].add(number)
    return turns


def _report(
    definition: Definition,
    order: Order,
    pair: tuple[_Use, _Use],
    patterns: tuple[Segments, Segments],
    findings: Findings,
) -> None:
    early, late = sorted(pair, key=lambda use: use.phase)
    scopes = sorted({"/".join(segments) or "." for segments in patterns})
    what = f"'{scopes[0]}'" if len(scopes) == 1 else f"'{scopes[0]}' and '{scopes[1]}', which overlap"
    message = f"'{order.ids[early.phase]}' and '{order.ids[late.phase]}' may run at once and write to {what}"
    apart = definition.builders is not None or any(
        (workspace := definition.ordered[use.phase].workspace) is not None and workspace.mode == "isolated"
        for use in pair
    )
    findings.add(
        "PL403",
        (definition.phase_key, late.phase, late.field, late.position),
        message,
        hint=f"let '{order.ids[late.phase]}' depend on '{order.ids[early.phase]}', or narrow the scopes",
        severity="warning" if apart else "error",
    )
