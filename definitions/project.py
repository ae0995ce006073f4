"""The configuration of a project: `phaseloom.yaml` at its root."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from definitions.diagnostics import Diagnostic
from definitions.findings import Findings
from definitions.nodes import Mark, Node
from definitions.notices import check_project
from definitions.roles import check_environment
from definitions.root import CONFIG_NAME
from definitions.schema.agents import Agent
from definitions.schema.document import ProjectFile
from definitions.shape import validate
from definitions.source import Source, read_source
from definitions.variables import check_variables
from definitions.yaml_reader import read_yaml

_EMPTY = Node({}, Mark(1, 1))


@dataclass(frozen=True, slots=True)
class ProjectConfig:
    """The configuration of the project at `root`; without a file everything is at its default."""

    root: Path
    file: str = ""
    settings: ProjectFile = field(default_factory=ProjectFile)
    node: Node = field(default_factory=lambda: _EMPTY, repr=False)
    source: Source = field(default_factory=lambda: Source("", ""), repr=False)

    @property
    def agents(self) -> dict[str, Agent]:
        """Bindings of roles that win over those of a definition."""
        return self.settings.agents

    def line_of(self, *path: str | int) -> int:
        """The line of a value in the file."""
        return self.node.value_mark_of(path).line


def load_config(root: Path) -> tuple[ProjectConfig, tuple[Diagnostic, ...]]:
    """The configuration of the project at `root` and what is wrong with it; never raises for a bad file."""
    path = root / CONFIG_NAME
    if not path.is_file():
        return ProjectConfig(root), ()
    source, diagnostics = read_source(path, CONFIG_NAME)
    if source is None:
        return ProjectConfig(root, CONFIG_NAME), tuple(diagnostics)
    node, found = read_yaml(source.text)
    if node is None or node.value is None:
        node = Node({}, Mark(1, 1)) if not found else None
    findings = Findings(source, node or _EMPTY)
    findings.extend(found)
    if node is None or not isinstance(node.value, dict):
        if node is not None:
            findings.add("PL009", (), "a project file is a mapping of settings")
        return ProjectConfig(root, CONFIG_NAME), findings.sorted()
    plain = {key: value for key, value in node.plain().items() if not key.startswith("x-")}
    settings, _ = validate(ProjectFile, plain, findings)
    settings = settings or ProjectFile()
    _check(settings, root, findings)
    return ProjectConfig(root, CONFIG_NAME, settings, node, source), findings.sorted()


def _check(settings: ProjectFile, root: Path, findings: Findings) -> None:
    for position, catalog in enumerate(settings.catalogs):
        if not (root / catalog).is_dir():
            findings.add("PL001", ("catalogs", position), f"there is no directory '{catalog}'", severity="warning")
    check_variables(settings.agents, findings)
    check_project(settings, findings)
    check_environment(settings.agents, findings)


def is_safe(node: Node, depth: int = 0) -> bool:
    """Whether a tree that a foreign reader made holds only what JSON and UTF-8 can carry, not nested too deeply."""
    if depth > 256:
        return False
    value = node.value
    if isinstance(value, dict):
        return all(_is_text(key) and is_safe(item, depth + 1) for key, item in value.items())
    if isinstance(value, list):
        return all(is_safe(item, depth + 1) for item in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return not isinstance(value, str) or _is_text(value)


def _is_text(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)
