"""Definitions: what people write, checked and compiled to a plan.

`load` reads a file in any of the formats, `compile_plan` makes the plan of it, `find` finds a definition by its id;
`diagnostics` says how findings look, `schema` holds the format, `settings` where an effective value comes from.

The names below are imported when they are first used: most commands of the command line need only `find_root`, and
Pydantic alone takes longer than they may.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from definitions.advice import advise
    from definitions.children import check_children
    from definitions.compile import compile_plan, env_names
    from definitions.deferring import not_in_effect
    from definitions.diagnostics import MEANINGS, Diagnostic, InvalidDefinitionError
    from definitions.loading import Checked, load, load_stream, load_text
    from definitions.project import ProjectConfig, load_config
    from definitions.registry import Entry, define, entries, find, keep
    from definitions.root import find_root
    from definitions.schema.document import json_schema
    from definitions.settings import Setting, effective_settings

_HOMES = {
    "advice": ("advise",),
    "children": ("check_children",),
    "compile": ("compile_plan", "env_names"),
    "deferring": ("not_in_effect",),
    "diagnostics": ("MEANINGS", "Diagnostic", "InvalidDefinitionError"),
    "loading": ("Checked", "load", "load_stream", "load_text"),
    "project": ("ProjectConfig", "load_config"),
    "registry": ("Entry", "define", "entries", "find", "keep"),
    "root": ("find_root",),
    "schema.document": ("json_schema",),
    "settings": ("Setting", "effective_settings"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "MEANINGS",
    "Checked",
    "Diagnostic",
    "Entry",
    "InvalidDefinitionError",
    "ProjectConfig",
    "Setting",
    "advise",
    "check_children",
    "compile_plan",
    "define",
    "effective_settings",
    "entries",
    "env_names",
    "find",
    "find_root",
    "json_schema",
    "keep",
    "load",
    "load_config",
    "load_stream",
    "load_text",
    "not_in_effect",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'definitions' has no attribute '{name}'")
    return getattr(import_module(f"definitions.{_HOME_OF[name]}"), name)
