"""The shared context of a definition: which keys there are, whose they are, and what each phase reads and writes.

Keys are declared under `context:`, or as property of somebody under `conflict_prevention.ownership_rules`. A file that
declares them, or a phase that says `context:`, is taken at its word: every other key is an error. In other formats,
which know no declarations, what a phase says it writes is declared by that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from definitions.findings import Findings, Path
from definitions.order import Order
from definitions.roles import PERSON, roles_of
from definitions.schema.deferred import ContextKey
from definitions.schema.document import Definition
from definitions.schema.phases import Phase
from definitions.shape import Damage
from definitions.texts import Text
from engine.expressions import single
from engine.plan import ContextKeyPlan, ContextRules

ALL, MULTIPLE, OWN = "all", "multiple", ""
"""What a word of context access may name instead of a key or an owner; `OWN`: what the phase owns."""

_ACCESS = re.compile(r"read_(?P<read>\w+?)_write_(?P<write>\w+)|read_(?P<reads>\w+)|write_(?P<writes>\w+)|none")


@dataclass(slots=True)
class Sharing:
    """The keys, and what phases do with them. Of a phase in `declared` nothing but what it says holds."""

    definition: Definition
    order: Order
    damage: Damage
    keys: dict[str, ContextKey] = field(default_factory=dict)
    reads: dict[int, dict[str, None]] = field(default_factory=dict)
    writes: dict[int, dict[str, None]] = field(default_factory=dict)
    declared: set[int] = field(default_factory=set)
    _owned: dict[str, list[str]] = field(default_factory=dict)
    _roles: dict[str, None] = field(default_factory=dict)

    @property
    def strict(self) -> bool:
        """Whether every key has to be declared."""
        phases = self.definition.ordered
        return bool(self.definition.context) or any(phase.context is not None for phase in phases)

    def resolve(self, findings: Findings) -> None:
        """Find out the keys and everybody's part, and report what does not fit."""
        phases = self.definition.ordered
        self._roles = dict.fromkeys([*self.definition.agents, *(r for phase in phases for r in _roles(phase))])
        self._declare(findings)
        said = {index: list(_said(phase)) for index, phase in enumerate(phases)}
        self.declared = {index for index, uses in said.items() if uses}
        for index, uses in said.items():
            for use in uses:
                for key in self._written(index, use, findings):
                    self.writes.setdefault(index, {})[key] = None
        for index, uses in said.items():
            for use in uses:
                for key in self._read(use, uses, (self.definition.phase_key, index, *use.path), findings):
                    self.reads.setdefault(index, {})[key] = None
        if self.keys:
            for index, uses in said.items():
                # Where a word says what is written, what the rules of ownership say comes on top.
                loosely = not self.strict and any(use.write is not None for use in uses)
                if (loosely or not uses) and (own := self._own(index)):
                    self.writes.setdefault(index, {}).update(dict.fromkeys(own))

    # Keys

    def _declare(self, findings: Findings) -> None:
        for key, declared in self.definition.context.items():
            self.keys[key] = declared
            if declared.owner is not None:
                self._own_key(declared.owner, key, ("context", key, "owner"), findings)
        prevention = self.definition.conflict_prevention
        for owner, keys in (prevention.ownership_rules if prevention is not None else {}).items():
            for position, key in enumerate(keys):
                path: Path = ("conflict_prevention", "ownership_rules", owner, position)
                before = self.keys.get(key)
                if before is not None and before.owner not in (None, owner):
                    message = f"the context key '{key}' belongs to {before.owner} already"
                    findings.add("PL111", path, message, hint="a key has one owner")
                    continue
                self.keys[key] = (before or ContextKey()).model_copy(update={"owner": owner})
                if before is None or before.owner is None:
                    self._own_key(owner, key, path, findings)

    def _own_key(self, owner: str, key: str, path: Path, findings: Findings) -> None:
        self._owned.setdefault(owner, []).append(key)
        if owner not in self._roles and not self.order.find(owner) and not self.damage.covers("agents"):
            hint = findings.suggest(owner, [*self._roles, *self.order.ids])
            message = f"'{owner}' is neither a role nor a phase of this file"
            findings.add("PL424", path, message, hint=hint, severity="error" if self.strict else "warning")

    def _own(self, index: int) -> list[str]:
        """The keys that a phase, or one of its roles, owns."""
        owners = dict.fromkeys(
            [self.order.ids[index], self.order.names[index], *_roles(self.definition.ordered[index])]
        )
        return [key for owner in owners for key in self._owned.get(owner, ())]

    def _may_own(self, index: int, owner: str) -> bool:
        return owner in _roles(self.definition.ordered[index]) or self.order.find(owner) == [index]

    def _undeclared(self, key: str, path: Path, findings: Findings) -> None:
        if self.damage.covers("context", key):
            return
        hint = findings.suggest(key, self.keys) or "declare it under 'context'"
        findings.add("PL421", path, f"no context key '{key}' is declared", hint=hint)

    # What phases say

    def _written(self, index: int, use: _Use, findings: Findings) -> list[str]:
        path: Path = (self.definition.phase_key, index, *use.path)
        if use.write is None:
            return []
        if use.write == OWN:
            own = self._own(index)
            return (
                own
                if own or self.strict
                else [self._implied(next(iter(_roles(self.definition.ordered[index]))), index)]
            )
        if use.write in self.keys:
            found = [use.write]
        elif use.is_word and use.write in self._owned:
            found = list(self._owned[use.write])
        elif not self.strict:
            return [self._implied(use.write, index)]
        else:
            self._undeclared(use.write, path, findings)
            return []
        return [key for key in found if self._check_owner(index, key, path, findings)]

    def _implied(self, key: str, index: int) -> str:
        """A key that is there because a phase says that it writes it: its own, unless another one says so too."""
        before = self.keys.get(key)
        if before is None:
            owner = key if key in _roles(self.definition.ordered[index]) else self.order.ids[index]
            self.keys[key] = ContextKey(owner=owner)
            self._owned.setdefault(owner, []).append(key)
        elif before.owner is not None and not self._may_own(index, before.owner):
            self.keys[key] = before.model_copy(update={"owner": None})
        return key

    def _check_owner(self, index: int, key: str, path: Path, findings: Findings) -> bool:
        owner = self.keys[key].owner
        if owner is None or self._may_own(index, owner):
            return True
        if not self.strict and not self._is_explicit(key):
            self._implied(key, index)
            return True
        message = f"'{self.order.ids[index]}' writes the context key '{key}', which belongs to {owner}"
        findings.add("PL422", path, message, hint=f"let {owner} write it, or leave the owner out")
        return False

    def _is_explicit(self, key: str) -> bool:
        prevention = self.definition.conflict_prevention
        rules = prevention.ownership_rules if prevention is not None else {}
        return key in self.definition.context or any(key in keys for keys in rules.values())

    def _read(self, use: _Use, uses: list[_Use], path: Path, findings: Findings) -> list[str]:
        if use.read is None:
            return []
        if use.is_word and use.read == MULTIPLE:
            # The list beside it says which; without one it could be any.
            listed = any(not other.is_word and other.read is not None for other in uses)
            return [] if listed else list(self.keys)
        if use.is_word and use.read == ALL:
            return list(self.keys)
        if use.read in self.keys:
            return [use.read]
        if use.is_word and (use.read in self._owned or not self.strict):
            return list(self._owned.get(use.read, ()))
        if self.strict:
            self._undeclared(use.read, path, findings)
        else:
            message = f"nothing in this file writes the context key '{use.read}', so it has no value"
            findings.add("PL421", path, message, severity="warning")
        return []

    # Expressions

    def check_use(self, text: Text, steps: Sequence[str], offset: int, findings: Findings) -> None:
        """Check that an expression may read `context.KEY`, and let the agents of its phases have it."""
        if len(steps) > 1 and steps[1] not in self.keys:
            if not self.damage.covers("context", steps[1]):
                hint = findings.suggest(steps[1], self.keys) or "declare it under 'context'"
                message = f"no context key '{steps[1]}' is declared"
                findings.add("PL421", text.path, message, hint=hint, offset=offset)
            return
        wanted = list(self.keys) if len(steps) == 1 else [steps[1]]
        of_gate = text.path[0] == "gates"
        for index in text.phases:
            if index in self.declared and not (of_gate and text.kind == "condition"):
                known = self.reads.get(index, {}) | (self.writes.get(index, {}) if of_gate else {})
                if missing := next((key for key in wanted if key not in known), None):
                    message = f"'{self.order.ids[index]}' does not declare to read the context key '{missing}'"
                    hint = f"add {missing} to what it reads"
                    findings.add("PL423", text.path, message, hint=hint, offset=offset)
            elif text.kind not in ("condition", "list") and not text.of_list:
                self.reads.setdefault(index, {}).update(dict.fromkeys(wanted))

    # The plan

    def plan(self) -> dict[str, Any]:
        """The fields `context` and `context_rules` of the plan."""
        return {"context": {key: self._plan(declared) for key, declared in self.keys.items()}, **self._rules()}

    def of_phase(self, index: int) -> dict[str, Any]:
        """The fields `context_reads` and `context_writes` of a phase's plan."""
        return {
            "context_reads": tuple(self.reads.get(index, ())),
            "context_writes": tuple(self.writes.get(index, ())),
        }

    def _plan(self, declared: ContextKey) -> ContextKeyPlan:
        phases = self.order.find(declared.owner) if declared.owner is not None else []
        return ContextKeyPlan(
            type=declared.type,
            owner=declared.owner,
            phase=phases[0] if len(phases) == 1 else None,
            default=declared.default,
            optional="default" in declared.model_fields_set,
            invariant=single(declared.invariant) if declared.invariant is not None else None,
            description=declared.description,
        )

    def _rules(self) -> dict[str, Any]:
        written = self.definition.context_conflicts
        if written is None:
            return {}
        rules = ContextRules()
        return {
            "context_rules": ContextRules(
                consistency=written.consistency or rules.consistency,
                max_reruns=written.max_reruns or rules.max_reruns,
            )
        }


@dataclass(frozen=True, slots=True)
class _Use:
    """One thing that a phase says it reads or writes; `is_word`: by a word of access, which may name an owner."""

    path: Path
    read: str | None = None
    write: str | None = None
    is_word: bool = False


def _roles(phase: Phase) -> list[str]:
    return [role for _, role in roles_of(phase)] or [PERSON]


def _said(phase: Phase) -> Iterator[_Use]:
    for name in ("context", "context_requirements"):
        requirements = getattr(phase, name)
        if requirements is None:
            continue
        # `analyst.target_users` is an output of another phase, which is no key.
        keys = [(position, key) for position, key in enumerate(requirements.read) if "." not in key]
        for position, key in keys:
            yield _Use((name, "read", position), read=key)
        for position, key in enumerate(requirements.write):
            yield _Use((name, "write", position), write=key)
        if requirements.access is not None:
            yield _word((name, "access"), requirements.access)
        if name == "context" or not requirements.read:
            yield _Use((name,))  # whatever it leaves out it does not do
    if phase.context_access is not None:
        yield _word(("context_access",), phase.context_access)
    needs = phase.resource_requirements
    if needs is not None and needs.context_access is not None:
        yield _word(("resource_requirements", "context_access"), needs.context_access)


def _word(path: Path, word: str) -> _Use:
    if word == "write_only":
        return _Use(path, write=OWN, is_word=True)
    if word == "read_only":
        return _Use(path, read=ALL, is_word=True)
    found = _ACCESS.fullmatch(word)
    assert found is not None, word  # the schema has looked at it
    read, write = found["read"] or found["reads"], found["write"] or found["writes"]
    return _Use(path, read=read, write=write, is_word=True)
