"""The shape of a document: Pydantic's errors as diagnostics, and a usable rest even where parts are wrong.

What is wrong is cut out and the rest validated again, so that the later checks still see the rest and a file gets all
its errors at once. `Damage` says what is missing then; checks ask it before they report a consequence of the cut.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from definitions.findings import Findings, Path
from definitions.foreign.casing import snake_case
from definitions.schema.agents import EXECUTORS
from definitions.schema.scalars import beyond, found, whole
from definitions.slugs import is_id
from definitions.yaml_reader import is_beyond

MAX_ROUNDS = 12
_QUOTED = re.compile(r"'([^']*)'")
_HUMP = re.compile(r"_([a-z])")
_PHASE_KEYS = ("phases", "steps")

Model = TypeVar("Model", bound=BaseModel)


@dataclass(slots=True)
class Damage:
    """What was cut out of a document because it was wrong."""

    paths: set[Path] = field(default_factory=set)
    phases: set[int] = field(default_factory=set)
    """Phases of which hardly anything is left."""

    def covers(self, *path: str | int) -> bool:
        """Whether the value at `path`, or something around it, was cut out."""
        return any(path[:length] in self.paths for length in range(1, len(path) + 1))

    def touches(self, *path: str | int) -> bool:
        """Whether the value at `path`, something around it or something in it was cut out."""
        return self.covers(*path) or any(cut[: len(path)] == path for cut in self.paths)


def validate(model: type[Model], plain: dict[str, Any], findings: Findings) -> tuple[Model | None, Damage]:
    """The document as a model, without the parts that are wrong; None if too little is left. Changes `plain`."""
    damage = Damage()
    for _ in range(MAX_ROUNDS):
        try:
            return model.model_validate(plain), damage
        except ValidationError as error:
            details = error.errors(include_url=False)
        reported: set[Path] = set()
        for detail in details:
            path, rest = _document_path(plain, detail["loc"])
            if path in reported:
                continue  # the other branches of a union say the same about the same value
            reported.add(path)
            if not _is_consequence(detail["type"], path, rest, damage):
                _report(model, detail, path, rest, findings)
        if () in reported:
            return None, damage
        for path in sorted({_part(path) for path in reported}, key=_from_front, reverse=True):
            _cut(plain, path, damage, findings)
    return None, damage


def _document_path(plain: object, loc: tuple[int | str, ...]) -> tuple[Path, tuple[int | str, ...]]:
    """The part of Pydantic's location that exists in the document, and what follows (tags of unions are left out)."""
    path: list[str | int] = []
    node: Any = plain
    rest: list[int | str] = []
    for step in loc:
        inside = (isinstance(node, dict) and step in node) or (
            isinstance(node, list) and isinstance(step, int) and step < len(node)
        )
        if inside:
            path.append(step)
            node = node[step]
            rest = []
        else:
            rest.append(step)
    return tuple(path), tuple(rest)


def _is_consequence(kind: str, path: Path, rest: tuple[int | str, ...], damage: Damage) -> bool:
    """Whether an error only says that something is missing which was cut out before."""
    if kind == "missing":
        return (*path, rest[-1] if rest else path[-1]) in damage.paths
    if kind == "PL105":  # one of several keys, and the error does not know which
        gone = [cut[-1] for cut in damage.paths if cut[:-1] == path]
        return any(path or key in _PHASE_KEYS for key in gone)
    return kind == "too_short" and any(cut[: len(path)] == path for cut in damage.paths)


def _part(path: Path) -> Path:
    """What has to go for what is wrong at `path`: of a list of a phase, the whole item."""
    if len(path) > 2 and isinstance(path[1], int) and path[0] not in _PHASE_KEYS:
        return path[:3]
    return path[: next((i + 1 for i, step in enumerate(path) if i >= 2 and isinstance(step, int)), len(path))]


def _from_front(path: Path) -> tuple[int, list[int]]:
    """Sorts what lies deeper, and later in a list, behind: cut from there, nothing moves before its turn."""
    return len(path), [step if isinstance(step, int) else -1 for step in path]


def _cut(plain: dict[str, Any], path: Path, damage: Damage, findings: Findings) -> None:
    """Remove the value. A phase leaves its id behind; an item leaves its list damaged, and the others in it."""
    node: Any = plain
    for step in path[:-1]:
        if isinstance(node, dict) and step not in node:
            return  # a larger part was cut out in the same round
        node = node[step]
    last = path[-1]
    if len(path) == 2 and path[0] in _PHASE_KEYS and isinstance(last, int):
        damage.paths.add(path)
        _leave_id(node, path, damage)
    elif isinstance(node, dict):
        damage.paths.add(path)
        removed = node.pop(last, None)
        if len(path) == 3 and path[0] in _PHASE_KEYS and last in ("id", "name"):
            _keep_name(node, str(last), removed)
    elif isinstance(last, int) and len(node) > 1:
        damage.paths.add(path[:-1])
        findings.cut(path[:-1], last, len(node))
        del node[last]
    else:
        _cut(plain, path[:-1], damage, findings)


def _keep_name(phase: dict[str, Any], key: str, value: object) -> None:
    """A number in place of a name is as good as the name to those that wait for the phase."""
    if isinstance(value, int | float) and not isinstance(value, bool) and (key == "name" or is_id(str(value))):
        phase[key] = str(value)


def _leave_id(phases: list[Any], path: Path, damage: Damage) -> None:
    position = path[1]
    assert isinstance(position, int)
    phase = phases[position]
    kept = (
        {key: phase[key] for key in ("id", "name") if isinstance(phase.get(key), str)}
        if isinstance(phase, dict)
        else {}
    )
    if position in damage.phases or not kept:
        kept = {"id": f"_damaged_{position}"}
    phases[position] = kept
    damage.phases.add(position)


def _report(
    model: type[BaseModel], detail: ErrorDetails, path: Path, rest: tuple[int | str, ...], findings: Findings
) -> None:
    kind, value = detail["type"], detail.get("input")
    context = detail.get("ctx", {})
    if kind.startswith("PL"):
        findings.add(kind, path, context["message"], hint=context["hint"], on_key=kind in ("PL105", "PL111"))
    elif kind == "extra_forbidden":
        key = str(path[-1])
        hint = findings.suggest(key, keys_at(model, detail["loc"][:-1]))
        if (spelt := findings.key_in_text(path)) and snake_case(spelt) == key != spelt:
            key, hint = spelt, _HUMP.sub(lambda found: found[1].upper(), hint)
        findings.add("PL101", path, f"no key '{key}' here", hint=hint, on_key=True)
    elif kind == "missing":
        findings.add("PL105", path, f"'{rest[-1] if rest else path[-1]}' is missing")
    elif kind in ("literal_error", "union_tag_invalid", "union_tag_not_found"):
        _report_choice(kind, path, value, context, findings)
    elif kind in _NUMBERS and is_beyond(value):
        findings.add("PL110", path, beyond(value))
    elif kind in _LIMITS:
        findings.add("PL110", path, _LIMITS[kind].format(**context, value=found(value)))
    else:
        message, hint = _wrong_type(kind, value, detail["msg"])
        findings.add("PL102", path, message, hint=hint)


def _report_choice(kind: str, path: Path, value: Any, context: Mapping[str, Any], findings: Findings) -> None:
    if kind == "literal_error":
        choices: tuple[str, ...] = tuple(_QUOTED.findall(context["expected"]))
    else:
        choices, path, value = EXECUTORS, (*path, "uses"), value.get("uses") if isinstance(value, dict) else value
    hint = findings.suggest(value, choices) if isinstance(value, str) else ""
    findings.add("PL106", path, f"expected {_one_of(choices)}, found {found(value)}", hint=hint)


_LIMITS = {
    "greater_than_equal": "{value} is too small: at least {ge}",
    "greater_than": "{value} is too small: more than {gt}",
    "less_than_equal": "{value} is too large: at most {le}",
    "less_than": "{value} is too large: less than {lt}",
    "too_short": "at least {min_length} needed here, found {actual_length}",
    "too_long": "at most {max_length} possible here, found {actual_length}",
    "finite_number": "{value} is no number to count with",
}

_NUMBERS = ("int_type", "int_from_float", "float_type")

_EXPECTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}


def _wrong_type(kind: str, value: Any, message: str) -> tuple[str, str]:
    expected = _EXPECTED.get(kind)
    if expected is None:
        return message[:1].lower() + message[1:], ""
    hint = ""
    if value is None:
        hint = "write a value, or leave the key out"
    elif kind == "bool_type" and str(value).lower() in ("yes", "on", "no", "off"):
        hint = f"write {'true' if str(value).lower() in ('yes', 'on') else 'false'}"
    elif kind == "list_type" and isinstance(value, str | int | float):
        hint = f"write [{value}]" if len(str(value)) <= 40 else "write a list"
    elif kind == "string_type" and isinstance(value, int | float):
        hint = f"quote it: '{value}'"
    elif kind in _NUMBERS:
        hint = whole(value)
    return f"expected {expected}, found {found(value)}", hint


def _one_of(choices: tuple[str, ...]) -> str:
    return f"{', '.join(choices[:-1])} or {choices[-1]}" if len(choices) > 1 else "".join(choices)


def keys_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """The keys that may stand at a location of Pydantic's, for suggestions."""
    kinds: list[Any] = [model]
    for step in loc:
        inner = [hint for kind in kinds for hint in _inside(kind, step)]
        kinds = inner or kinds  # a tag of a union is no step in the document
        if isinstance(step, str):
            tagged = [kind for kind in kinds if _is_tagged(kind, step)]
            kinds = tagged or kinds
    names: list[str] = []
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            names += [info.alias or name for name, info in kind.model_fields.items()]
    return names


def _inside(kind: Any, step: int | str) -> list[Any]:
    """The models (also inside lists, mappings, unions) that may stand at one step below `kind`."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, info in kind.model_fields.items():
            if (info.alias or name) == step:
                return _containers(info)
        return []
    origin = getattr(kind, "__origin__", None)
    arguments = get_args(kind)
    if origin is list and isinstance(step, int):
        return _flat(arguments[0])
    if origin is dict and isinstance(step, str):
        return _flat(arguments[1])
    return []


def _containers(info: FieldInfo) -> list[Any]:
    return _flat(info.annotation)


def _flat(hint: Any) -> list[Any]:
    """A type without `Annotated`, its unions taken apart."""
    if getattr(hint, "__metadata__", None) is not None:
        return _flat(hint.__origin__)
    if (
        type(hint).__name__ in ("UnionType", "Union")
        or getattr(hint, "__origin__", None).__class__.__name__ == "_SpecialForm"
    ):
        return [part for argument in get_args(hint) for part in _flat(argument)]
    return [hint]


def _is_tagged(kind: Any, tag: str) -> bool:
    return (
        isinstance(kind, type)
        and issubclass(kind, BaseModel)
        and "uses" in kind.model_fields
        and (tag in get_args(kind.model_fields["uses"].annotation))
    )
