"""What is wrong with a file, said like a compiler: place, stable code, path in the document, what was probably meant.

The codes are promised: a code keeps its meaning for ever. PL0nn is about reading the file, PL1nn about its shape and
identifiers, PL2nn about order, PL3nn about expressions, PL4nn about agents, files and what has no effect. PL5nn is
advice: what `validate` would do otherwise, and never an error.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from definitions.nodes import Mark
from engine.errors import DefinitionError

Severity = Literal["error", "warning", "note"]

MEANINGS: dict[str, str] = {
    "PL001": "the file cannot be read",
    "PL002": "the file is not UTF-8",
    "PL003": "the file holds a control character",
    "PL004": "the file is too large, or holds too many values",
    "PL005": "the syntax is broken",
    "PL006": "a key is written twice in one mapping",
    "PL007": "the file holds more than one document",
    "PL008": "the file is empty",
    "PL009": "the document is not a mapping",
    "PL010": "aliases expand to too many values, or contain themselves",
    "PL011": "the nesting is too deep",
    "PL012": "a key is not a plain text",
    "PL013": "a tag is not known",
    "PL014": "an unquoted ${…} is read as something else",
    "PL015": "the format cannot be understood",
    "PL101": "no such key here",
    "PL102": "the value has the wrong type",
    "PL103": "no such phase",
    "PL104": "not a duration",
    "PL105": "a key is missing",
    "PL106": "not one of the possible values",
    "PL107": "an id is used twice",
    "PL108": "a word could mean several phases",
    "PL109": "an id cannot be used as it is written",
    "PL110": "the limit is impossible",
    "PL111": "two keys contradict each other",
    "PL112": "no such gate",
    "PL113": "gates include each other in a circle",
    "PL114": "no such group of people, or no such user",
    "PL115": "no agent that can review",
    "PL201": "phases wait for each other in a circle",
    "PL202": "a phase depends on itself",
    "PL301": "the syntax of an expression is broken",
    "PL302": "an expression names something that does not exist",
    "PL303": "an expression names a phase that cannot have run by then",
    "PL304": "a condition is not true or false",
    "PL305": "a secret would be written into the run",
    "PL306": "an expression would be pasted into a shell script",
    "PL307": "an expression cannot be resolved at start",
    "PL308": "what a phase reads is not in this file",
    "PL401": "a role looks like a typing error of a declared one",
    "PL402": "a role is not bound to anything, so a person does it",
    "PL403": "phases that may run at once write to the same files",
    "PL404": "something is accepted and not in effect yet",
    "PL405": "an environment variable is never passed to agents",
    "PL406": "a check is left out, or findings are, because there are too many",
    "PL407": "a key has no effect where it stands",
    "PL408": "no such definition for a child run",
    "PL409": "the definition of a child run has errors",
    "PL410": "definitions contain each other in a circle",
    "PL411": "a child run is not given an input that it requires",
    "PL412": "a variable stands where nothing expands it",
    "PL413": "a notice cannot be sent there",
    "PL421": "no such context key",
    "PL422": "a context key is written by a phase that it does not belong to",
    "PL423": "an expression reads a context key that its phase does not declare to read",
    "PL424": "a context key belongs to nobody in this file",
    "PL501": "phases of one parallel group need something of each other",
    "PL502": "several approvals stand in one parallel group",
    "PL503": "a migration runs beside other phases",
    "PL504": "the links of a build chain stand in one parallel group",
    "PL505": "work whose order matters stands in a parallel group",
    "PL506": "phases that run one after the other could run at once",
    "PL507": "the estimates add up to more than an hour",
}
"""Every code with its meaning in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One finding. `line` and `column` count from 1; `path` is the place in the document (`phases.review.timeout`)."""

    code: str
    message: str
    severity: Severity = "error"
    file: str = ""
    line: int = 1
    column: int = 1
    path: str = ""
    hint: str = ""

    @property
    def text(self) -> str:
        """One line: `audit.yaml:14:9 PL103 phases.review.depends_on: no phase 'biuld' (did you mean 'build'?)`."""
        word = "" if self.severity == "error" else f"{self.severity} "
        path = f"{self.path}: " if self.path else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.file}:{self.line}:{self.column} {word}{self.code} {path}{self.message}{hint}"

    def __str__(self) -> str:
        return self.text

    def to_json(self) -> dict[str, str | int]:
        """All fields as JSON values, and `meaning`, what the code says in general."""
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "path": self.path,
            "hint": self.hint,
            "meaning": MEANINGS.get(self.code, ""),
        }

    @classmethod
    def at(cls, mark: Mark, code: str, message: str, *, hint: str = "", severity: Severity = "error") -> Diagnostic:
        """A finding at a place, for readers that know neither the file's name nor a path."""
        return cls(code=code, message=message, line=mark.line, column=mark.column, hint=hint, severity=severity)


class InvalidDefinitionError(DefinitionError):
    """Raised when a definition or a project file has errors; `diagnostics` holds all of them."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        errors = [d for d in diagnostics if d.severity == "error"]
        super().__init__("\n".join(d.text for d in errors))
        self.diagnostics = tuple(diagnostics)


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `word` was probably meant to be, if there is one."""
    lowered = {candidate.lower(): candidate for candidate in reversed(list(candidates))}
    found = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    return lowered[found[0]] if found else None


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """The hint `did you mean 'build'?`, or nothing."""
    match = nearest(word, candidates)
    return f"did you mean '{match}'?" if match is not None else ""
