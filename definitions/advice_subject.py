"""What advice is given about: a checked definition with the questions that all kinds of advice ask."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from definitions.order import Order
from definitions.roles import roles_of
from definitions.schema.agents import Agent
from definitions.schema.document import Definition, ProjectFile
from definitions.schema.phases import Phase
from definitions.sharing import Sharing

_PARTS = re.compile(r"[A-Za-z]+|[0-9]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")

SHIPPING = 3
"""The last link of a build chain: it comes after everything."""

STAGES: dict[str, int] = {
    **dict.fromkeys(("install", "installation"), 0),
    **dict.fromkeys(("build", "builds", "compile", "compilation", "bundle"), 1),
    **dict.fromkeys(("test", "tests", "testing"), 2),
    **dict.fromkeys(("package", "packaging", "publish", "publishing", "deploy", "deployment", "release"), SHIPPING),
}
"""The links of a build chain, by the words that name them. A word for the people who do it is none of these."""

_MIGRATIONS = frozenset({"migrate", "migrates", "migration", "migrations"})
_ABOUT_MIGRATIONS = frozenset({"guide", "docs", "documentation", "plan", "review", "test", "tests", "notes", "report"})
_APPROVALS = frozenset({"approve", "approval", "approvals", "signoff"})


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A definition without errors. Phases are named by their number."""

    definition: Definition
    order: Order
    reads: Mapping[int, tuple[str, ...]]
    bound: Mapping[str, Agent]
    project: ProjectFile | None = None
    sharing: Sharing | None = None
    _words: dict[int, tuple[str, ...]] = field(default_factory=dict)
    _sources: dict[int, frozenset[int]] = field(default_factory=dict)

    @cached_property
    def phases(self) -> list[Phase]:
        """The phases in the order of the file."""
        return self.definition.ordered

    @property
    def key(self) -> str:
        """The key that the file uses for its phases."""
        return self.definition.phase_key

    @cached_property
    def workers(self) -> int | None:
        """How many phases may run at once; None if the file leaves it open."""
        mine = self.definition.execution
        own = mine.model_fields_set
        given = self.project.execution if self.project is not None else None
        parallel = mine.parallel if given is None or "parallel" in own else given.parallel
        workers = mine.max_workers if given is None or "max_workers" in own else given.max_workers
        if parallel is False:
            return 1
        return workers if isinstance(workers, int) else None

    def words(self, index: int) -> tuple[str, ...]:
        """The words of a phase's name, in small letters."""
        if index not in self._words:
            name = _CAMEL.sub(" ", self.order.names[index])
            self._words[index] = tuple(word.lower() for word in _PARTS.findall(name))
        return self._words[index]

    def sources(self, index: int) -> frozenset[int]:
        """The phases of which this one reads something."""
        if index not in self._sources:
            paths = (path.split(".") for path in self.reads.get(index, ()))
            ids = (parts[1] for parts in paths if parts[0] == "phases" and len(parts) > 1)
            self._sources[index] = frozenset(self.order.by_id[each] for each in ids if each in self.order.by_id)
        return self._sources[index]

    def share(self, one: int, other: int) -> bool:
        """Whether one of two phases writes a key of the shared context that the other one reads or writes too."""
        if self.sharing is None:
            return False
        reads, writes = self.sharing.reads, self.sharing.writes
        parts = [(writes.get(index, {}).keys(), reads.get(index, {}).keys()) for index in (one, other)]
        return any(mine & (theirs | read) for (mine, _), (theirs, read) in (parts, parts[::-1]))

    def is_migration(self, index: int) -> bool:
        """Whether a phase moves data or a schema, and does not say that it is independent."""
        words = set(self.words(index))
        return bool(words & _MIGRATIONS) and not words & _ABOUT_MIGRATIONS and not self.phases[index].independent

    def is_approval(self, index: int) -> bool:
        """Whether a phase ends with a person's approval."""
        phase = self.phases[index]
        if phase.approval is not None or set(self.words(index)) & _APPROVALS:
            return True
        gates = (self.definition.gates.get(name) for name in phase.gates)
        return any(gate is not None and getattr(gate, "approval", None) is not None for gate in gates)

    def stage(self, index: int) -> tuple[int, frozenset[str]] | None:
        """The link of a build chain that a phase is, and the words for what is built; None for other work."""
        words = self.words(index)
        stages = [STAGES[word] for word in words if word in STAGES]
        if not stages:
            return None
        return stages[0], frozenset(word for word in words if word not in STAGES)

    def roles(self, index: int) -> set[str]:
        """Who works on a phase."""
        return {role for _, role in roles_of(self.phases[index])}

    def estimate(self, index: int) -> tuple[float, float] | None:
        """How long a phase will take, at least and at most, in seconds."""
        phase = self.phases[index]
        return phase.estimate if phase.estimate is not None else phase.estimated_duration

    def named(self, indexes: list[int], limit: int = 5) -> str:
        """Phases as a message names them: `'a', 'b' and 'c'`."""
        shown = [f"'{self.order.ids[index]}'" for index in indexes[:limit]]
        if len(indexes) > limit:
            return f"{', '.join(shown)} and {len(indexes) - limit} more"
        return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]
