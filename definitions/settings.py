"""Effective settings: the value that holds, and where it comes from.

Three levels, the nearest wins: a phase, its definition, the project's file; else the default. Bindings of roles go the
other way: the project's word wins, so that one definition works in many projects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic_core import PydanticCustomError

from definitions.diagnostics import Diagnostic
from definitions.loading import Checked, under_project
from definitions.project import ProjectConfig
from definitions.roles import bindings
from definitions.schema import document
from definitions.schema.document import Execution
from definitions.schema.phases import Phase, Retry
from definitions.schema.scalars import NEVER
from engine.expressions import ExpressionError, coerce, render

Origin = Literal["project", "definition", "phase", "default", "environment"]

_TRUE_WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


@dataclass(frozen=True, slots=True)
class Setting:
    """One effective value. `file` and `line` say where it is written, unless it is a default."""

    name: str
    value: Any
    origin: Origin
    file: str = ""
    line: int = 0

    def to_json(self) -> dict[str, Any]:
        """All fields as JSON values."""
        return {"name": self.name, "value": self.value, "origin": self.origin, "file": self.file, "line": self.line}


@dataclass(frozen=True, slots=True)
class Resolved:
    """The `execution` block with every expression resolved; `diagnostics` says what could not be."""

    settings: dict[str, Setting]
    diagnostics: tuple[Diagnostic, ...]

    def value(self, name: str) -> Any:
        """The effective value of one setting, by its key in `execution`."""
        return self.settings[name].value


def resolve_execution(checked: Checked, env: Mapping[str, str], project: ProjectConfig | None) -> Resolved:
    """The effective `execution` settings of a definition under this environment."""
    assert checked.definition is not None
    settings: dict[str, Setting] = {}
    diagnostics: list[Diagnostic] = []
    levels = [_Level("definition", checked.definition.execution, checked.file, checked)]
    if project is not None:
        levels.append(_Level("project", project.settings.execution, project.file, project))
    for name, validate in _FIELDS.items():
        level = next((level for level in levels if name in level.execution.model_fields_set), None)
        if level is None:
            settings[name] = Setting(name, getattr(Execution(), name), "default")
            continue
        value = getattr(level.execution, name)
        line = level.line(name)
        if isinstance(value, str) and "${" in value:
            try:
                value = validate(_rendered(name, value, env))
            except (ExpressionError, PydanticCustomError) as error:
                diagnostics.append(_unresolved(level, name, value, error))
                value = getattr(Execution(), name)
        settings[name] = Setting(name, value, level.origin, level.file, line)
    return Resolved(settings, tuple(diagnostics))


@dataclass(frozen=True, slots=True)
class _Level:
    origin: Origin
    execution: Execution
    file: str
    holder: Checked | ProjectConfig

    def line(self, name: str) -> int:
        return self.holder.node.value_mark_of(("execution", name)).line


def _rendered(name: str, text: str, env: Mapping[str, str]) -> Any:
    """The value of an expression, as near to the setting's type as its text allows."""
    value = render(text, {"env": dict(env)})
    if not isinstance(value, str):
        return value
    value = value.strip()
    if name == "parallel":
        return _TRUE_WORDS.get(value.lower(), value)
    if name == "max_workers" and value != "auto":
        return coerce(value, "integer")
    return value


def _workers(value: object) -> int | str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return document.workers(value)


_FIELDS: dict[str, Callable[[Any], Any]] = {
    "parallel": document.boolean,
    "max_workers": _workers,
    "timeout_per_step": document.limit,
    "rate_limit_delay": document.delay,
    "on_failure": document.word,
    "retry": lambda value: value,
    "adaptive_scaling": lambda value: value,
}


def _unresolved(level: _Level, name: str, text: str, error: ExpressionError | PydanticCustomError) -> Diagnostic:
    reason = error.message if isinstance(error, ExpressionError) else error.message()
    mark = level.holder.node.value_mark_of(("execution", name))
    return Diagnostic(
        code="PL307",
        message=f"{text} cannot be used here under this environment: {reason}",
        file=level.file,
        line=mark.line,
        column=mark.column,
        path=f"execution.{name}",
    )


def effective_settings(
    checked: Checked, env: Mapping[str, str], project: ProjectConfig | None = None
) -> tuple[list[Setting], tuple[Diagnostic, ...]]:
    """Every effective value of a definition, phases' own values included, and what could not be resolved."""
    from definitions.checkpoints import checkpoint_settings  # noqa: PLC0415 - it tells its values by ours

    checked = under_project(checked, project)
    project = checked.project
    definition = checked.definition
    assert definition is not None
    resolved = resolve_execution(checked, env, project)
    shown = [
        Setting(f"execution.{setting.name}", _shown(setting.value), setting.origin, setting.file, setting.line)
        for setting in resolved.settings.values()
    ]
    rebound = project.agents if project is not None else {}
    if project is not None:
        for name, keys in project.settings.signing.keys.items():
            line = project.line_of("signing", "keys", name)
            shown.append(Setting(f"signing.keys.{name}", list(keys), "project", project.file, line))
    for role, agent in bindings(definition, rebound).items():
        if project is not None and role in rebound:
            shown.append(
                Setting(f"agents.{role}", agent.uses, "project", project.file, project.line_of("agents", role))
            )
        else:
            line = checked.node.value_mark_of(("agents", role)).line
            shown.append(Setting(f"agents.{role}", agent.uses, "definition", checked.file, line))
    shown += _upkeep(project)
    for index, phase in enumerate(definition.ordered):
        shown += _phase_settings(checked, resolved, phase, index)
    return [*shown, *checkpoint_settings(checked, project)], resolved.diagnostics


def _upkeep(project: ProjectConfig | None) -> list[Setting]:
    """What the server and the worker of the project keep to; only a project says anything about it."""
    settings = project.settings if project is not None else document.ProjectFile()
    values = {
        ("server", "port"): settings.server.port,
        ("logs", "keep"): settings.logs.keep,
        ("logs", "max_size"): settings.logs.max_size,
        ("metrics",): settings.metrics,
    }
    return [
        Setting(".".join(path), value, "default")
        if project is None or value is None
        else Setting(".".join(path), value, "project", project.file, project.line_of(*path))
        for path, value in values.items()
    ]


_PHASE_FIELDS = {"timeout": "timeout_per_step", "on_failure": "on_failure", "retry": "retry"}


def _phase_settings(checked: Checked, resolved: Resolved, phase: Phase, index: int) -> list[Setting]:
    assert checked.definition is not None
    settings = []
    for name, inherited in _PHASE_FIELDS.items():
        label = f"phases.{checked.facts.order.ids[index]}.{name}"
        own = getattr(phase, name)
        if own is not None:
            line = checked.node.value_mark_of((checked.definition.phase_key, index, name)).line
            settings.append(Setting(label, _shown(own), "phase", checked.file, line))
        else:
            above = resolved.settings[inherited]
            settings.append(Setting(label, _shown(above.value), above.origin, above.file, above.line))
    return settings


def _shown(value: Any) -> Any:
    """A value as JSON: retry rules and other mappings as they are written."""
    if isinstance(value, Retry):
        return value.model_dump(exclude=None if value.on else {"on"})
    return value.model_dump(exclude_unset=True) if hasattr(value, "model_dump") else value


def timeout_of(value: float | str) -> float | None:
    """A timeout in seconds; None where the word is `never`."""
    return None if isinstance(value, str) and value == NEVER else float(value)
