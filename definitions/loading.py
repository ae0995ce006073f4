"""Reading a definition: from a file or a text to a checked document. Nothing that a file holds makes this raise."""

from __future__ import annotations

import gc
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from definitions import foreign
from definitions.checks import Facts, ProjectPart, run_checks
from definitions.diagnostics import Diagnostic
from definitions.findings import Findings
from definitions.nodes import Mark, Node
from definitions.order import Order
from definitions.project import ProjectConfig, is_safe
from definitions.schema.document import Definition, Execution
from definitions.shape import validate
from definitions.slugs import slug
from definitions.source import Source, read_source, read_stream, source_of
from definitions.yaml_reader import read_yaml

MAX_KEYS = 1000
"""The most keys of a document itself; no format has a hundred."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A definition that was read: what is wrong with it, and as much of it as can be used.

    `format` is `native` or the word for the format that the file was in. `plain` is the document in native shape, and
    `digest` its sha256. Without errors `definition` is there and can be compiled.
    """

    file: str
    diagnostics: tuple[Diagnostic, ...]
    format: str = "native"
    definition: Definition | None = None
    id: str = ""
    name: str = ""
    digest: str = ""
    plain: dict[str, Any] = field(default_factory=dict, repr=False)
    node: Node = field(default_factory=lambda: Node({}, Mark(1, 1)), repr=False)
    facts: Facts = field(default_factory=lambda: Facts(Order()), repr=False)
    project: ProjectConfig | None = field(default=None, repr=False)
    source: Source = field(default_factory=lambda: Source("", ""), repr=False)

    @property
    def ok(self) -> bool:
        """Whether there are no errors (there may be warnings)."""
        return self.definition is not None and not self.errors

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that keep the definition from being used."""
        return tuple(d for d in self.diagnostics if d.severity == "error")


def load(path: Path | str, *, project: ProjectConfig | None = None, pipes: bool = False) -> Checked:
    """The definition in a file. The file is named in diagnostics as it is named here; `pipes` as for `read_source`."""
    path = Path(path)
    source, diagnostics = read_source(path, str(path), pipes=pipes)
    if source is None:
        return Checked(str(path), tuple(diagnostics))
    return _check(source, path, project)


def load_stream(stream: BinaryIO, *, file: str, project: ProjectConfig | None = None) -> Checked:
    """The definition that comes out of a stream, read up to its end; `file` names it in diagnostics."""
    try:
        source, diagnostics = read_stream(stream, file)
    except OSError as error:
        reason = f"it cannot be read: {error.strerror or error}"
        return Checked(file, (Diagnostic(code="PL001", message=reason, file=file),))
    if source is None:
        return Checked(file, tuple(diagnostics))
    return _check(source, Path(file), project)


def load_text(text: str, *, file: str = "definition.yaml", project: ProjectConfig | None = None) -> Checked:
    """The definition in a text; `file` names it in diagnostics, and its suffix helps to find the format."""
    source, diagnostics = source_of(text, file)
    if source is None:
        return Checked(file, tuple(diagnostics))
    return _check(source, Path(file), project)


def id_of(path: Path) -> str:
    """The id that a definition in a file has, without checking the rest of it."""
    source, _ = read_source(path, str(path))
    node = _read(source, path)[0] if source is not None else None
    if node is not None and not (isinstance(node.value, dict) and len(node.value) > MAX_KEYS):
        node, _ = foreign.normalise(node)
        written = node.at(("id",))
        if written is not None and isinstance(written.value, str):
            return written.value
    return _default_id(path)


def _default_id(path: Path) -> str:
    return slug(path.name.partition(".")[0] or path.name)


def under_project(checked: Checked, project: ProjectConfig | None) -> Checked:
    """The same definition checked with a project's bindings; nothing to do if it was loaded with them."""
    if project is None or project is checked.project or checked.definition is None:
        return checked
    return _check(checked.source, Path(checked.file), project)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Python's garbage collector off: the many small nodes are no garbage, and looking at them costs a third more."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@_uncollected()
def _check(source: Source, path: Path, project: ProjectConfig | None) -> Checked:
    node, recognised, found = _read(source, path)
    findings = Findings(source, node or Node({}, Mark(1, 1)))
    findings.extend(found)
    if node is None or not isinstance(node.value, dict):
        if node is not None:
            findings.add("PL009", (), "a definition is a mapping: name, phases, …")
        return Checked(source.file, findings.sorted(), recognised or "native")
    if len(node.value) > MAX_KEYS:
        findings.add("PL004", (), f"the document has more than {MAX_KEYS:,} keys; phases stand in a list")
        return Checked(source.file, findings.sorted(), recognised or "native")
    node, word = foreign.normalise(node)
    if not isinstance(node.value, dict):  # pragma: no cover - normalise keeps mappings
        return Checked(source.file, findings.sorted(), word)
    findings.root = node
    plain = _without_nulls(node.plain())
    # Canonical and free of places: comments, order of keys and the format do not change it.
    digest = hashlib.sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    kept = dict(plain)
    definition, damage = validate(Definition, plain, findings)
    if definition is None:
        return Checked(source.file, findings.sorted(), word, digest=digest, node=node)
    part = _project_part(project)
    facts = run_checks(definition, damage, part, findings)
    diagnostics = (*findings.sorted(), *(part.findings.sorted() if part.findings is not None else ()))
    identifier = definition.id or _default_id(path)
    return Checked(
        file=source.file,
        diagnostics=diagnostics,
        format=word if word != "native" else recognised or word,
        definition=definition,
        id=identifier,
        name=definition.name or identifier,
        digest=digest,
        plain=kept,
        node=node,
        facts=facts,
        project=project,
        source=source,
    )


def _read(source: Source, path: Path) -> tuple[Node | None, str | None, list[Diagnostic]]:
    """The document as nodes, the word for a foreign format, and what the reader found."""
    recognised = foreign.recognise(source.text, path.name)
    if recognised is None:
        node, found = read_yaml(source.text)
    else:
        node, found = foreign.read(source.text, recognised)
        if node is not None and not is_safe(node):
            found = [*found, Diagnostic.at(node.mark, "PL003", "the file holds values that no definition can hold")]
            node = None
    if (node is None or node.value is None) and not found:
        return None, recognised, [Diagnostic.at(Mark(1, 1), "PL008", "the file holds no definition")]
    return node, recognised, found


def _without_nulls(plain: dict[str, Any]) -> dict[str, Any]:
    """The document without keys of extensions (`x-…`) and without keys that have no value.

    Not for `depends_on`: nothing after it could mean no needs or the rule of order, so it is refused; nor for the
    phases, without which there is no definition.
    """
    top = {key: value for key, value in plain.items() if value is not None and not key.startswith("x-")}
    if "phases" not in top and "steps" not in top:
        top |= {key: None for key in ("phases", "steps") if key in plain}
    for key in ("phases", "steps"):
        if isinstance(top.get(key), list):
            top[key] = [
                {k: v for k, v in item.items() if v is not None or k == "depends_on"}
                if isinstance(item, dict)
                else item
                for item in top[key]
            ]
    if isinstance(top.get("execution"), dict):
        top["execution"] = {key: value for key, value in top["execution"].items() if value is not None}
    return top


def _project_part(project: ProjectConfig | None) -> ProjectPart:
    if project is None:
        return ProjectPart({}, Execution(), {}, None)
    return ProjectPart(
        project.agents,
        project.settings.execution,
        project.settings.groups,
        Findings(project.source, project.node),
        project.settings,
        project.settings.signing.keys,
    )
