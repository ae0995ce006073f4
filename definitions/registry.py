"""The definitions that a project knows: where they are looked for, how one is found, how one is added.

Looked for in this order: `definitions/` and `.phaseloom/definitions/` of the project, the directories that its
configuration names under `catalogs`, and the catalog that comes with Phaseloom. The first that has an id wins.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from definitions.diagnostics import InvalidDefinitionError, did_you_mean
from definitions.loading import id_of, load, load_text
from definitions.project import load_config
from definitions.root import STATE_DIRECTORY
from engine.errors import DefinitionError

CATALOG = Path(__file__).parent / "catalog"
"""The definitions that come with Phaseloom."""

SUFFIXES = (".yaml", ".yml", ".json", ".md", ".txt", ".js")
"""The files that are looked at in a directory of definitions."""

STDIN = "-"
"""What is typed for the standard input instead of a name."""

Origin = Literal["project", "kept", "catalog"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One definition that can be started by its id. `ok` is false for one that does not validate."""

    id: str
    name: str
    description: str
    path: Path
    origin: Origin
    phases: int
    ok: bool


def find(name: str, root: Path) -> Path:
    """The file of a definition: a path (also relative to where the caller stands) or an id.

    Raises:
        DefinitionError: when there is no such definition; its hint names the nearest one.
    """
    if name == STDIN:
        hint = "validate, plan, graph, run and workflow start read one there"
        raise DefinitionError("no definition is read from the standard input here", hint=hint, code="not_found")
    written = Path(name).expanduser()
    if (written.suffix or os.sep in name) and _is_there(written):
        return written  # what is no readable file is said when it is read
    by_stem: Path | None = None
    known: list[str] = []
    for directory, _ in _directories(root):
        for path in _files(directory):
            identifier = id_of(path)
            if identifier == name:
                return path
            if path.stem == name and by_stem is None:
                by_stem = path
            known.append(identifier)
    if by_stem is not None:
        return by_stem
    if os.sep in name or written.suffix in SUFFIXES:
        raise DefinitionError(f"there is no file '{name}'", code="not_found")
    hint = did_you_mean(name, known) or f"there are: {', '.join(sorted(dict.fromkeys(known))[:20])}"
    raise DefinitionError(f"there is no definition '{name}'", hint=hint, code="not_found")


def entries(root: Path) -> list[Entry]:
    """All definitions that can be started by id, each id once, in the order in which they are looked for."""
    found: dict[str, Entry] = {}
    for directory, origin in _directories(root):
        for path in _files(directory):
            checked = load(path)
            definition = checked.definition
            entry = Entry(
                id=checked.id or id_of(path),
                name=checked.name or path.stem,
                description=definition.description if definition is not None else "",
                path=path,
                origin=origin,
                phases=len(definition.ordered) if definition is not None else 0,
                ok=checked.ok,
            )
            found.setdefault(entry.id, entry)
    return list(found.values())


def keep(document: Mapping[str, Any], root: Path) -> Path:
    """Keep a definition, given as a native document, in the project under its id; any process can start it then.

    Raises:
        InvalidDefinitionError: when it does not validate; nothing is written then.
    """
    identifier = str(document.get("id") or "definition")
    text = yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True, width=120)
    checked = load_text(text, file=f"{identifier}.yaml")
    if not checked.ok:
        raise InvalidDefinitionError(checked.diagnostics)
    state = root / STATE_DIRECTORY
    directory = state / "definitions"
    directory.mkdir(parents=True, exist_ok=True)
    if not (state / ".gitignore").exists():
        (state / ".gitignore").write_text("*\n", encoding="utf-8")
    path = directory / f"{checked.id}.yaml"
    partial = path.with_suffix(f".{os.getpid()}.tmp")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
    return path


def define(
    identifier: str,
    *,
    phases: Sequence[Mapping[str, Any]],
    root: Path,
    name: str | None = None,
    description: str = "",
    completion_signals: Sequence[str] = (),
    **more: Any,
) -> Path:
    """Define a workflow from Python and keep it in the project; `more` are further keys of the document.

    Raises:
        InvalidDefinitionError: when it does not validate.
    """
    document: dict[str, Any] = {"id": identifier}
    if name is not None:
        document["name"] = name
    if description:
        document["description"] = description
    document |= more
    document["phases"] = [dict(phase) for phase in phases]
    if completion_signals:
        document["completion_signals"] = list(completion_signals)
    return keep(document, root)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _directories(root: Path) -> Iterator[tuple[Path, Origin]]:
    yield root / "definitions", "project"
    yield root / STATE_DIRECTORY / "definitions", "kept"
    config, _ = load_config(root)
    for catalog in config.settings.catalogs:
        yield root / catalog, "catalog"
    yield CATALOG, "catalog"


def _files(directory: Path) -> list[Path]:
    if not directory.is_dir():
        return []
    return sorted(path for path in directory.iterdir() if path.suffix in SUFFIXES and path.is_file())
