"""Which phase a plan means: by label, by id, by title, by position."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from definitions.diagnostics import Diagnostic, did_you_mean
from definitions.foreign.places import Places
from definitions.foreign.plan_declarations import Note
from definitions.foreign.plan_references import Reference, bare, range_labels, references
from definitions.nodes import Node
from definitions.slugs import slug

_MAX_COMPARED: Final = 20_000
"""A suggestion compares a word with all titles, which is slow in a large plan: so many comparisons and no more."""


@dataclass(slots=True)
class Index:
    """The ids of a plan's phases, found by every way of calling them."""

    places: Places
    order: list[str] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    _words: list[str] = field(default_factory=list)
    _compared: int = 0

    def add(self, identity: str, label: str | None, titles: Iterable[str | None]) -> None:
        """Make a phase known; who comes first keeps a name that two could have."""
        self.order.append(identity)
        if label is not None:
            self.labels.setdefault(label, identity)
        named = [title for title in titles if title]
        self._words += [*named, identity]
        for name in (identity, *named, *map(slug, named)):
            self.names.setdefault(name.casefold(), identity)

    def named(self, text: str) -> str | None:
        """The phase whose id or title a text is."""
        name = bare(text).casefold()
        return self.names.get(name) or self.names.get(name.removesuffix(" phase").removesuffix(" complete"))

    def needs(self, note: Note, position: int, word: str) -> tuple[list[Node], list[Diagnostic]]:
        """What a note of the phase at `position` names, and what about it is doubtful.

        A phase that does not exist is named all the same when the note is clearly about phases, so that the check of
        the order reports it; other words beside phases are only warned about.
        """
        mark = self.places.mark
        whole = self.named(note.text)
        if whole is not None:
            return [Node(whole, mark(note.offset + len(note.text) - len(note.text.lstrip())))], []
        found: list[Node] = []
        unknown: list[Reference] = []
        written = references(note.text, note.offset)
        for reference in written:
            identities = self._identities(reference, position, word)
            found += [Node(identity, mark(reference.offset)) for identity in identities]
            if reference.kind == "name" and not identities:
                unknown.append(reference)
        if note.strong and not found and unknown and len(unknown) == len(written):
            return [Node(name.value, mark(name.offset)) for name in unknown], []
        return found, [finding for name in unknown for finding in self._doubt(name, strong=note.strong)]

    def _identities(self, reference: Reference, position: int, word: str) -> list[str]:
        if reference.kind == "label":
            return [self.labels.get(reference.value) or f"{word.capitalize()} {reference.value}"]
        if reference.kind == "range":
            return self._range(reference, word)
        if reference.kind == "previous":
            return self.order[max(position - 1, 0) : position]
        if reference.kind == "earlier":
            return self.order[:position]
        identity = self.named(reference.value) if reference.kind == "name" else None
        return [identity] if identity is not None else []

    def _range(self, reference: Reference, word: str) -> list[str]:
        """The phases that a range names, and the first number in it that is none."""
        found: list[str] = []
        for number in range_labels(reference.value):
            identity = self.labels.get(str(number))
            if identity is None:
                return [*found, f"{word.capitalize()} {number}"]
            found.append(identity)
        return found

    def _doubt(self, name: Reference, *, strong: bool) -> list[Diagnostic]:
        """A warning about words that name no phase; after words like `requires` only if they nearly do."""
        self._compared += len(self._words)
        hint = did_you_mean(name.value, self._words) if self._compared <= _MAX_COMPARED else ""
        if not strong and not hint:
            return []
        message = f"{name.value[:80]!r} names no phase of this plan, so it is not waited for"
        return [Diagnostic.at(self.places.mark(name.offset), "PL103", message, hint=hint, severity="warning")]
