"""The shared context as the run's facts tell it: which key had which value from which version on.

A version is one accepted write of an agent or a person, of one key or of several at once; they are numbered from 1
without a gap. Reading "at version n" is reading what was there after the n-th write: an agent's snapshot is a number.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from engine import expressions
from engine.plan import ContextKeyPlan, Plan

Json = dict[str, Any]


def digest(value: Any) -> str:
    """The content hash of a value: that of its canonical JSON, so the order of an object's keys does not matter."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one version made of one key. `by` is the role or the person; `value` may be a reference to an artifact."""

    version: int
    fact: int
    at: float
    phase: int
    epoch: int
    by: str
    hash: str
    value: Any


class SharedContext:
    """The keys that the plan declares, with all that was ever written to them. `version` is the last one."""

    def __init__(self, plan: Plan) -> None:
        self.keys: dict[str, ContextKeyPlan] = plan.context
        self.version = 0
        self.facts: list[int] = []
        """The number of the fact that made each version."""
        self._entries: dict[str, list[Entry]] = {}
        self._concerned: dict[str, list[str]] = {}
        """By key: the keys whose invariants name it."""
        for key, declared in self.keys.items():
            for name in self._named(declared):
                self._concerned.setdefault(name, []).append(key)

    def _named(self, declared: ContextKeyPlan) -> list[str]:
        """The keys that an invariant names; one that names the whole context names them all."""
        if declared.invariant is None:
            return []
        paths = [path.split(".") for path in expressions.references(declared.invariant)]
        if any(steps == ["context"] for steps in paths):
            return list(self.keys)
        return list(dict.fromkeys(steps[1] for steps in paths if steps[0] == "context"))

    def write(self, key: str, entry: Entry) -> None:
        """Take in what a fact says of one key."""
        self._entries.setdefault(key, []).append(entry)

    def commit(self, fact: int) -> int:
        """The number of the version that a fact makes."""
        self.version += 1
        self.facts.append(fact)
        return self.version

    def version_at(self, fact: int) -> int:
        """The version that the run had right after the fact with this number."""
        return bisect_right(self.facts, fact)

    def history(self, key: str) -> list[Entry]:
        """All that was written to a key, the oldest first."""
        return self._entries.get(key, [])

    def newest(self, key: str, version: int | None = None) -> Entry | None:
        """What was last written to a key (by that version); None where nobody had."""
        entries = self._entries.get(key)
        if not entries:
            return None
        if version is None:
            return entries[-1]
        position = bisect_right(entries, version, key=lambda entry: entry.version)
        return entries[position - 1] if position else None

    def moved(self, key: str, since: int) -> Entry | None:
        """What was last written to a key, if that was after the version `since`."""
        entry = self.newest(key)
        return entry if entry is not None and entry.version > since else None

    def hash_of(self, key: str, version: int | None = None) -> str | None:
        """The content hash of what a reader saw; None where there was nothing to see."""
        if (entry := self.newest(key, version)) is not None:
            return entry.hash
        declared = self.keys.get(key)
        return digest(declared.default) if declared is not None and declared.optional else None

    def values(self, names: Iterable[str] | None = None, version: int | None = None) -> Json:
        """The values of these keys (default: all), newest or as of a version; what has none is absent."""
        found: Json = {}
        for key in self.keys if names is None else names:
            if (entry := self.newest(key, version)) is not None:
                found[key] = entry.value
            elif key in self.keys and self.keys[key].optional:
                found[key] = self.keys[key].default
        return found

    def read(self, paths: Iterable[str]) -> Json:
        """The newest values that dotted paths of an expression name."""
        steps = [path.split(".") for path in paths]
        named = [step[1] for step in steps if step[0] == "context" and len(step) > 1]
        whole = ["context"] in steps
        return self.values(None if whole else dict.fromkeys(named)) if whole or named else {}

    def broken(self, changes: Mapping[str, Any]) -> list[Json]:
        """The invariants that would not hold after these values were written: `[{key, message}]`.

        Only those that name one of the keys, and only where every key that they name has a value by then.
        """
        found = []
        for key in dict.fromkeys(name for changed in changes for name in self._concerned.get(changed, ())):
            declared = self.keys[key]
            assert declared.invariant is not None
            named = self._named(declared)
            values = self.values(named) | {name: changes[name] for name in named if name in changes}
            if len(values) < len(named):
                continue
            try:
                holds = expressions.condition(declared.invariant, {"context": values})
                message = f"{declared.invariant} is false"
            except expressions.ExpressionError as error:
                holds, message = False, f"{declared.invariant}: {error.message}"
            if not holds:
                found.append({"key": key, "message": message})
        return found
