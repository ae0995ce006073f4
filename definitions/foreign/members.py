"""The agents of a group in all their ways of writing, with what is said about each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from definitions import slugs
from definitions.foreign.trees import Entry, entries, entry, items, mapping, text_of
from definitions.nodes import Mark, Node

SPECIFICATIONS: Final = "agent_specifications"
_ROLE: Final = ("agent", "role")


@dataclass(slots=True, kw_only=True)
class Member:
    """One agent of a group: its id if given, its role as written, and all else that is said about it."""

    id: Node | None
    role: Node
    mark: Mark
    rest: list[Entry]


@dataclass(slots=True)
class Ids:
    """Ids for phases whose author gave none; upper and lower case make no difference."""

    _taken: set[str] = field(default_factory=set)
    _numbers: dict[str, int] = field(default_factory=dict)

    def reserve(self, identities: Iterable[str]) -> None:
        """Keep ids for the phases that have them."""
        self._taken.update(identity.lower() for identity in identities)

    def free(self, name: str) -> str:
        """An id for a name that nothing else has: `analyst`, then `analyst-2`."""
        wanted = name if slugs.is_id(name) else slugs.slug(name)
        key = wanted.lower()
        number = self._numbers.get(key, 0)
        while True:
            number += 1
            identity = wanted if number == 1 else f"{wanted[: slugs.MAX_LENGTH - 8]}-{number}"
            if identity.lower() not in self._taken:
                break
        self._numbers[key] = number
        self._taken.add(identity.lower())
        return identity


def members_of(group: Node) -> tuple[list[Member], list[Entry]]:
    """The agents of a group with their specifications, and specifications of agents that it does not have."""
    members = _written(group)
    named, rest = _specifications(group)
    for member in members:
        specification = named.get(text_of(member.role) or "")
        if specification is not None:
            skipped = {*_ROLE, "id", "name", *(key for key, _, _ in member.rest)}
            member.rest += [found for found in entries(specification) if found[0] not in skipped]
    roles = {text_of(member.role) for member in members}
    strangers = [found for found in rest if found[0] not in roles or not isinstance(found[2].value, dict)]
    if not strangers:
        return members, []
    mark = strangers[0][1]
    return members, [(SPECIFICATIONS, mark, mapping(strangers, mark))]


def given_ids(group: Node) -> list[str]:
    """The ids that the author wrote for members of the group."""
    return [text for member in _written(group) if (text := text_of(member.id)) is not None]


def _written(group: Node) -> list[Member]:
    written = entry(group, "agents") or entry(group, "agent")
    if written is not None and isinstance(written.value, dict):
        return [_described(value, Node(key, mark)) for key, mark, value in entries(written)]
    return [_member(item) for item in items(written)]


def _member(item: Node) -> Member:
    if not isinstance(item.value, dict):
        return Member(id=None, role=item, mark=item.mark, rest=[])
    written = entries(item)
    if len(written) == 1 and isinstance(written[0][2].value, dict):
        key, mark, value = written[0]
        return _described(value, Node(key, mark))
    return _described(item, None)


def _described(node: Node, name: Node | None) -> Member:
    """A member from its mapping; `name` is the key it stands under, where it stands under one."""
    role = next((found for key in _ROLE if (found := entry(node, key)) is not None), None)
    given = entry(node, "id")
    used = {"id", "type", *_ROLE}
    if role is not None:
        given = given or (name if slugs.is_id(text_of(name) or "") else None)
    elif name is not None:
        role = name
    else:
        role = entry(node, "name") or given
        used.add("name")
    if role is None:
        return Member(id=None, role=node, mark=node.mark, rest=[])
    rest = [found for found in entries(node) if found[0] not in used]
    return Member(id=given, role=role, mark=node.mark, rest=rest)


def _specifications(group: Node) -> tuple[dict[str, Node], list[Entry]]:
    """The specifications by agent, and all of them as entries, also what cannot be one."""
    written = entry(group, SPECIFICATIONS)
    if written is None or not isinstance(written.value, dict | list):
        return {}, [] if written is None or written.value is None else [(SPECIFICATIONS, written.mark, written)]
    if isinstance(written.value, dict):
        found = entries(written)
    else:
        found = [(_name(item), item.mark, item) for item in written.value]
    return {key: value for key, _, value in found if isinstance(value.value, dict)}, found


def _name(specification: Node) -> str:
    named = (entry(specification, key) for key in ("agent", "role", "name", "id"))
    return next((text for node in named if (text := text_of(node)) is not None), SPECIFICATIONS)
