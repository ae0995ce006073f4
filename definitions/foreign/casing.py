"""Keys as JavaScript people write them (`completionSignals`) become the native ones (`completion_signals`).

Only keys that the formats define are renamed, by where they stand. Names that the author chose (roles, inputs, outputs,
variables) and free data stay as they are written.
"""

from __future__ import annotations

import re
from typing import Final

from definitions.foreign.trees import mapping
from definitions.nodes import Node

_CAMEL: Final = re.compile(r"[a-z][a-z0-9]*[A-Z][A-Za-z0-9]*")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

# What stands below a key: "settings" are the formats' own all the way down, "phase" and "document" only where this
# table says so, "names phase" are names that the author chose with a phase below each (or a list of phases).
_PHASE: Final = {
    "agent_specifications": "names phase",
    "agents": "names phase",
    "circuit_breaker": "settings",
    "context_requirements": "settings",
    "dependencies": "settings",
    "depends_on": "settings",
    "next": "settings",
    "parallel_configuration": "settings",
    "resource_requirements": "settings",
    "retry": "settings",
    "synchronization": "settings",
    "synchronization_strategy": "settings",
    **dict.fromkeys(("enhanced_workflow_step", "workflow_step", "step"), "phase"),
}
_DOCUMENT: Final = {
    **_PHASE,
    "barrier_synchronization": "settings",
    "caching_system": "settings",
    "conflict_prevention": "settings",
    "context_conflicts": "settings",
    "execution": "settings",
    "execution_groups": "names phase",
    "performance_monitoring": "settings",
    "resource_manager": "settings",
    "step_groups": "settings",
    **dict.fromkeys(("phases", "steps", "sequence"), "phase"),
    **dict.fromkeys(("workflow", "workstream", "enhanced_workflow", "plan", "definition"), "document"),
    **dict.fromkeys(("enhanced_workflow_step", "workflow_step", "execution_plan", "parallel_execution"), "document"),
}
_LEVELS: Final[dict[str, dict[str, str]]] = {"document": _DOCUMENT, "phase": _PHASE, "settings": {}}
_BELOW_OTHERS: Final = {"document": "data", "phase": "data", "settings": "settings"}
_CHOSEN: Final = frozenset({"defaults", "env", "ownership_rules", "priorities"})


def snake_case(name: str) -> str:
    """`completionSignals` as `completion_signals`; any other way of writing stays."""
    return _HUMP.sub("_", name).lower() if _CAMEL.fullmatch(name) else name


def with_snake_keys(node: Node, level: str = "document") -> Node:
    """The tree with the formats' own keys in snake case; parts without such keys stay the same nodes."""
    names = level.startswith("names ")
    inner = level.removeprefix("names ")
    if level == "data" or not isinstance(node.value, dict | list):
        return node
    if isinstance(node.value, list):
        renamed = [with_snake_keys(item, inner) for item in node.value]
        unchanged = all(new is old for new, old in zip(renamed, node.value, strict=True))
        return node if unchanged else Node(renamed, node.mark)
    changed = False
    kept = []
    for key, value in node.value.items():
        name = snake_case(key) if not names else key
        if name in node.value:
            name = key  # both ways of writing stand here: the check of keys names the odd one
        below = inner if names else "data" if name in _CHOSEN else _LEVELS[inner].get(name, _BELOW_OTHERS[inner])
        new = with_snake_keys(value, below)
        changed = changed or new is not value or name != key
        kept.append((name, node.key_marks.get(key, value.mark), new))
    return mapping(kept, node.mark) if changed else node
