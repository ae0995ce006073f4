"""Reads a plan in markdown: phases and what they depend on, in the text, in a fenced JSON block, or in both.

A phase that says nothing about dependencies waits for nothing. Where text and block differ the block counts.
"""

from __future__ import annotations

import re
import textwrap
from typing import Final

from definitions.diagnostics import Diagnostic
from definitions.foreign.places import Places
from definitions.foreign.plan_blocks import Block, block_of, label_of, title_of, with_text_ids
from definitions.foreign.plan_declarations import Declared
from definitions.foreign.plan_index import Index
from definitions.foreign.plan_reading import Written, read_lines, subjects
from definitions.foreign.plan_text import lines_and_fences
from definitions.foreign.trees import Document, Entry, entries, entry, items, mapping, text_of
from definitions.foreign.units import MAX_NEEDS
from definitions.nodes import Mark, Node
from definitions.slugs import slug

MAX_CHARACTERS: Final = 4_000_000
MAX_LINES: Final = 200_000
SOURCE: Final = "markdown"
_HINT: Final = "write a line for each, such as 'Phase 2: Title (depends on Phase 1)'"
_GAP: Final = re.compile(r"\n{3,}")
_MAX_FINDINGS: Final = 100


def read_plan(text: str) -> tuple[Node | None, list[Diagnostic]]:
    """The plan as a definition in native shape, with places in the markdown; no node where it declares no phase."""
    if len(text) > MAX_CHARACTERS or text.count("\n") + text.count("\r") > MAX_LINES:
        message = f"a plan has at most {MAX_CHARACTERS:,} characters and {MAX_LINES:,} lines"
        return None, [Diagnostic.at(Mark(1, 1), "PL004", message)]
    places, lines, fences = lines_and_fences(text)
    block, found = block_of(text, places, fences)
    if block is not None:
        lines = [line for line in lines if not block.opening <= line.start <= block.end]
    written = read_lines(lines)
    plan = _Plan(places, written, block)
    document = plan.from_text() if block is None else plan.from_block(block)
    found = [*found, *plan.found]
    if document is None and not any(diagnostic.severity == "error" for diagnostic in found):
        found.append(Diagnostic.at(Mark(1, 1), "PL015", "no phases are declared in this plan", hint=_HINT))
    errors = [diagnostic for diagnostic in found if diagnostic.severity == "error"]
    others = [diagnostic for diagnostic in found if diagnostic.severity != "error"]
    return document, [*errors, *others][:_MAX_FINDINGS]


class _Plan:
    """The parts of a plan on their way to one document."""

    def __init__(self, places: Places, written: Written, block: Block | None) -> None:
        self._places = places
        self._written = written
        self._index = Index(places)
        self._left = MAX_NEEDS
        self.found: list[Diagnostic] = []
        self._declared = self._merged(report=block is None)
        self._spread_statements()

    def from_text(self) -> Node | None:
        """The definition that the text declares."""
        if not self._declared:
            return None
        for declared in self._declared:
            self._index.add(declared.id, declared.label, [declared.title])
        phases = [self._phase(declared, position) for position, declared in enumerate(self._declared)]
        start = phases[0].mark
        return self._document([("phases", start, Node(phases, start))], start)

    def from_block(self, block: Block) -> Node | None:
        """The definition that the block holds, with the text's descriptions; differences are warned about."""
        phases = [with_text_ids(phase) for phase in block.phases]
        if not phases:
            return None
        by_label = {declared.label: declared for declared in self._declared}
        by_title = {declared.title.casefold(): declared for declared in self._declared if declared.title}
        pairs: list[tuple[Node, Declared | None]] = []
        for phase in phases:
            title = title_of(phase)
            twin = by_label.get(label_of(phase) or "") or by_title.get((title or "").casefold())
            label = twin.label if twin is not None else label_of(phase)
            identity = text_of(entry(phase, "id")) or (slug(title) if title else "")
            self._index.add(identity, label, [title, twin.title if twin is not None else None])
            pairs.append((phase, twin))
        built = [self._block_phase(phase, declared) for phase, declared in pairs]
        self._compare(pairs, built)
        key = "phases" if entry(block.document, "phases") is not None else "steps"
        kept = [found for found in entries(block.document) if found[0] != key]
        mark = block.document.key_marks.get(key, block.document.mark)
        return self._document([*kept, (key, mark, Node(built, mark))], block.document.mark)

    def _document(self, kept: list[Entry], mark: Mark) -> Node:
        heading = self._places.mark(self._written.heading)
        if self._written.title:
            kept.append(("name", heading, Node(self._written.title, heading)))
        if introduction := _prose(self._written.introduction):
            kept.append(("description", heading, Node(introduction, heading)))
        document = mapping(kept, mark)
        return Document(document.value, document.mark, document.key_marks, source=SOURCE)

    def _merged(self, *, report: bool) -> list[Declared]:
        """The phases without repetitions; a label that two titles share is an error."""
        first: dict[str, Declared] = {}
        for declared in self._written.declared:
            known = first.setdefault(declared.label, declared)
            if known is declared:
                continue
            known.notes += declared.notes
            known.agents += [agent for agent in declared.agents if agent not in known.agents]
            known.body = known.body if _prose(known.body) else declared.body
            known.maybe = known.maybe or declared.maybe
            if not known.title:
                known.title, known.title_offset = declared.title, declared.title_offset
            elif report and not _same(known.title, declared.title):
                line = self._places.mark(known.offset).line
                message = f"{declared.named} is {known.title!r} in line {line} already"
                hint = "give every phase a number of its own"
                self.found.append(Diagnostic.at(self._places.mark(declared.offset), "PL107", message, hint=hint))
        return list(first.values())

    def _spread_statements(self) -> None:
        """Give `Phases 2 and 3 depend on Phase 1` to the phases it is about; one not declared before is now."""
        known = {declared.label: declared for declared in self._declared}
        word = self._declared[0].word if self._declared else "phase"
        for text, offset, note in self._written.statements:
            for label, place in subjects(text, offset):
                if label not in known:
                    known[label] = Declared(word=word, label=label, offset=place, title_offset=place)
                    self._declared.append(known[label])
                known[label].notes.append(note)
                if self._spent(1, offset):
                    return

    def _phase(self, declared: Declared, position: int) -> Node:
        mark = self._places.mark(declared.offset)
        needs = self._needs(declared, position)
        title = declared.title or declared.named
        kept: list[Entry] = [
            ("id", mark, Node(declared.id, mark)),
            ("name", mark, Node(title, self._places.mark(declared.title_offset) if declared.title else mark)),
            *self._details(declared, mark),
            ("depends_on", mark, Node(needs, needs[0].mark if needs else mark)),
        ]
        return mapping(kept, mark)

    def _details(self, declared: Declared, mark: Mark) -> list[Entry]:
        kept: list[Entry] = []
        if body := _prose(declared.body):
            kept.append(("description", mark, Node(body, mark)))
        agents = [Node(name, self._places.mark(offset)) for name, offset in declared.agents]
        if agents:
            kept.append(("agents", agents[0].mark, Node(agents, agents[0].mark)))
        return kept

    def _needs(self, declared: Declared, position: int) -> list[Node]:
        """What a phase of the text waits for, each once, and its title without a note that turns out to be one."""
        if self._left <= 0:
            return []
        notes = list(declared.notes)
        if declared.maybe is not None and self._index.needs(declared.maybe[1], position, declared.word)[0]:
            declared.title = declared.maybe[0]
            notes.append(declared.maybe[1])
        needs: dict[str, Node] = {}
        for note in notes:
            nodes, doubts = self._index.needs(note, position, declared.word)
            if self._spent(len(nodes), note.offset):
                break
            self.found += doubts
            for node in nodes:
                needs.setdefault(str(node.value), node)
        return list(needs.values())

    def _spent(self, count: int, offset: int) -> bool:
        """Count needs; whether there are more than one plan can mean (ranges and statements multiply)."""
        if self._left > 0 >= self._left - count:
            message = f"more than {MAX_NEEDS:,} dependencies in one plan"
            self.found.insert(0, Diagnostic.at(self._places.mark(offset), "PL004", message))
        self._left -= count
        return self._left <= 0

    def _block_phase(self, phase: Node, declared: Declared | None) -> Node:
        if not isinstance(phase.value, dict):
            return phase
        kept = [found for found in entries(phase) if found[0] != "depends_on"]
        needs = entry(phase, "depends_on")
        mark = phase.key_marks.get("depends_on", phase.mark)
        resolved = [self._block_need(need) for need in items(needs)]
        kept.append(("depends_on", mark, Node(resolved, needs.mark if needs is not None else phase.mark)))
        if declared is not None:
            details = self._details(declared, self._places.mark(declared.offset))
            kept += [found for found in details if found[0] != "agents" or entry(phase, "tool") is None]
        return mapping(kept, phase.mark)

    def _block_need(self, need: Node) -> Node:
        text = text_of(need)
        if text is None:
            return need
        label = label_of(mapping([("id", need.mark, Node(text, need.mark))], need.mark))
        known = self._index.named(text) or (self._index.labels.get(label) if label is not None else None)
        return Node(known or text, need.mark)

    def _compare(self, pairs: list[tuple[Node, Declared | None]], built: list[Node]) -> None:
        """Warn about all that text and block say differently."""
        if not self._declared:
            return
        told = {declared.label for _, declared in pairs if declared is not None}
        for untold in (declared for declared in self._declared if declared.label not in told):
            self._warn(untold.offset, f"{untold.named} is not in the JSON block, which counts")
        for position, ((phase, declared), node) in enumerate(zip(pairs, built, strict=True)):
            if declared is None:
                message = f"{title_of(phase) or text_of(entry(phase, 'id'))!r} is only in the JSON block"
                self.found.append(Diagnostic.at(phase.mark, "PL111", message, severity="warning"))
                continue
            here = {str(need.value) for need in self._needs(declared, position)}
            there = {str(need.plain()) for need in items(entry(node, "depends_on"))}
            if here != there:
                message = f"{declared.named} depends on {_listed(here)} here, on {_listed(there)} in the JSON block"
                self._warn(declared.offset, f"{message}, which counts")
            title = title_of(phase)
            if title and declared.title and title.casefold() != declared.title.casefold():
                message = f"{declared.named} is {declared.title!r} here, {title!r} in the JSON block, which counts"
                self._warn(declared.title_offset, message)

    def _warn(self, offset: int, message: str) -> None:
        self.found.append(Diagnostic.at(self._places.mark(offset), "PL111", message, severity="warning"))


def _same(first: str, second: str) -> bool:
    """Whether two titles can be the same phase's: one is the other, or a part of it."""
    a, b = first.casefold(), second.casefold()
    return a in b or b in a


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"


def _prose(lines: list[str]) -> str:
    return _GAP.sub("\n\n", textwrap.dedent("\n".join(line.rstrip() for line in lines)).strip())
