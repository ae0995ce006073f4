"""What phases read by name (`inputs: [analyst.target_users]`), apart from expressions.

A producer is a phase or a role of the file; what no one in the file produces becomes an input of the run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from definitions.expressions import Expressions
from definitions.findings import Findings, Path
from definitions.order import Ancestry, Order
from definitions.roles import roles_of
from definitions.schema.document import Definition
from definitions.texts import Text

_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_]+")


@dataclass(slots=True)
class Reads:
    """The reads of a definition: which name inputs of the run, and which outputs of phases."""

    definition: Definition
    order: Order
    outside: dict[str, str] = field(default_factory=dict)
    """Inputs that the file does not declare, with what was written for them."""
    by_phase: dict[int, dict[str, None]] = field(default_factory=dict)
    """Paths as in `PhasePlan.reads`."""
    _inside: list[tuple[int, Path, int, str]] = field(default_factory=list)
    _files: list[tuple[int, Path, int, str]] = field(default_factory=list)

    def resolve(self, findings: Findings) -> None:
        """Find the producers of all reads; those outside the file are reported."""
        workers = self._workers()
        uses = [
            (index, (self.definition.phase_key, index, key, *(() if key == "inputs" else ("read",)), position), text)
            for index, phase in enumerate(self.definition.ordered)
            for key, position, text in phase.reads
        ]
        chosen = _Producers(self.order, workers, [(index, text.partition(".")[0]) for index, _, text in uses])
        for index, path, text in uses:
            self._resolve(index, path, text, chosen, findings)

    def check(self, expressions: Expressions, findings: Findings) -> None:
        """Check outputs and order of the reads that have a producer in the file."""
        for index, path, target, output in self._inside:
            use = Text(path=path, text="", phases=(index,))
            if path[2] == "inputs":
                expressions.note_use(use, target, findings)
            if output:
                expressions.check_output(use, target, output.split("."), 0, findings)
        for index, path, target, name in self._files:
            if name:
                expressions.check_file(Text(path=path, text="", phases=(index,)), target, name, 0, findings)

    def _resolve(self, index: int, path: Path, text: str, producers: _Producers, findings: Findings) -> None:
        written = text.removeprefix("phases.")
        producer, _, named = written.partition(".")
        output = named.removeprefix("outputs.")
        if producer == "inputs" and output in self.definition.inputs:
            self._note(index, f"inputs.{output}")
        elif (target := producers.of(index, producer)) is not None and self._is_files(target, named):
            self._inside.append((index, path, target, ""))
            self._files.append((index, path, target, named.partition(".")[2]))
            self._note(index, f"phases.{self.order.ids[target]}.{named}")
        elif target is not None:
            self._inside.append((index, path, target, output))
            self._note(
                index,
                f"phases.{self.order.ids[target]}.outputs.{output}"
                if output
                else f"phases.{self.order.ids[target]}.outputs",
            )
        elif text in self.definition.inputs:
            self._note(index, f"inputs.{text}")
        else:
            self._take_in(index, path, text, findings)

    def _is_files(self, target: int, named: str) -> bool:
        """Whether a read is of the files that a phase left, and not of an output that has their name."""
        return named.partition(".")[0] == "artifacts" and "artifacts" not in self.definition.ordered[target].outputs

    def _take_in(self, index: int, path: Path, text: str, findings: Findings) -> None:
        name = _NOT_A_NAME.sub("_", text).strip("_")[:80] or "input"
        name = f"_{name}" if name[0].isdigit() else name
        if name not in self.definition.inputs and name not in self.outside:
            self.outside[name] = text
            message = f"nothing in this file produces '{text}', so it becomes the run's input '{name}'"
            hint = findings.suggest(text.partition(".")[0], self.order.ids) if "." in text else ""
            findings.add("PL308", path, message, hint=hint, severity="warning")
        self._note(index, f"inputs.{name}")

    def _note(self, index: int, path: str) -> None:
        self.by_phase.setdefault(index, {})[path] = None

    def _workers(self) -> dict[str, list[int]]:
        workers: dict[str, list[int]] = {}
        for index, phase in enumerate(self.definition.ordered):
            for _, role in roles_of(phase):
                workers.setdefault(role, []).append(index)
        return workers


class _Producers:
    """Which phase a producer's name means for a reader: the phase with that id, else the role's last work before it."""

    def __init__(self, order: Order, workers: dict[str, list[int]], uses: list[tuple[int, str]]) -> None:
        self._order = order
        self._workers = workers
        named = {name for _, name in uses if name in workers and len(workers[name]) > 1}
        self._ancestry = Ancestry(order, {index for name in named for index in workers[name]})
        self._many = named

    def of(self, reader: int, name: str) -> int | None:
        found = self._order.find(name)
        if len(found) == 1:
            return found[0]
        working = self._workers.get(name)
        if not working:
            return None
        if name in self._many:
            earlier = [index for index in working if self._ancestry.precedes(index, reader)]
            return max(earlier) if earlier else next((index for index in working if index != reader), working[0])
        return working[0]
