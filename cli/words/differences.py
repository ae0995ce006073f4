"""What is different between two JSON values: by key and list item, texts of several lines by line."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import unified_diff
from typing import Any

import dictdiffer  # type: ignore[import-untyped]  # it has no types

Json = dict[str, Any]


def differences(old: Any, new: Any) -> list[Json]:
    """`[{change, path, old?, new?, lines?}]`: `change` is `add`, `remove` or `change`, the path of the whole empty."""
    found: list[Json] = []
    for change, path, what in dictdiffer.diff(old, new, expand=True, dot_notation=False):
        if change == "change":
            found.append(_changed(_path(path), *what))
            continue
        for below, value in what:
            side = "new" if change == "add" else "old"
            found.append({"change": change, "path": _path([*path, below] if path else [below]), side: value})
    return found


def _changed(path: str, old: Any, new: Any) -> Json:
    changed: Json = {"change": "change", "path": path, "old": old, "new": new}
    if isinstance(old, str) and isinstance(new, str) and "\n" in old:
        lines = unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=1)
        changed["lines"] = list(lines)[2:]
    return changed


def _path(steps: Sequence[Any]) -> str:
    """`routes[2].url`."""
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text
