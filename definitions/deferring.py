"""What is accepted and not in effect yet: kept in the plan, and named with what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from definitions.loading import Checked
from definitions.project import ProjectConfig
from definitions.schema import document
from engine.plan import Json, Plan


def kept(written: Mapping[str, Any], names: tuple[str, ...]) -> Json:
    """What is kept for later, under its name in the file; what is switched off or empty is nothing to keep."""
    return {name: written[name] for name in names if name in written and written[name] not in (False, [], {}, "", None)}


def deferred_of_definition(checked: Checked, project: ProjectConfig | None) -> Json:
    """What a definition, under its project, says of the whole run that is kept and not in effect yet."""
    deferred = kept(checked.plain, document.DEFERRED)
    for name, in_effect in document.IN_PART.items():
        if rest := {key: value for key, value in checked.plain.get(name, {}).items() if key not in in_effect}:
            deferred[name] = rest
    execution = checked.plain.get("execution", {})
    if project is not None and isinstance(written := project.node.plain(), dict):
        deferred = {**kept(written, document.PROJECT_DEFERRED), **deferred}
        execution = {**written.get("execution", {}), **execution}
    if scaling := execution.get("adaptive_scaling"):
        deferred["execution.adaptive_scaling"] = scaling
    return deferred


CONSEQUENCES = {
    "resource_requirements": "nothing is reserved",
    "resource_manager": "nothing is shared out",
    "cross_validation": "nobody checks",
    "compensation": "nothing is undone",
    "budget": "nothing is limited",
    "cache": "all is done anew",
    "caches": "all is done anew",
    "workspace": "all work in the project's directory",
    "builders": "all work in the project's directory",
    "priority": "phases start in the order of the file",
    "barriers": "nobody waits at them",
    "depends_on of kind validation": "nothing is reopened",
}
"""What follows from a key that is not in effect, where that can be said in a few words."""


def not_in_effect(plan: Plan) -> list[str]:
    """What the plan keeps and Phaseloom does not do yet, each with its phases and what follows from it.

    `budget (review: nothing is limited)`, `circuit_breaker (all phases: attempts go on)`, and so on.
    """
    mentions: dict[str, list[str]] = {}
    for phase in plan.phases:
        for name in phase.deferred:
            mentions.setdefault(name, []).append(phase.id)
        if any(need.kind == "validation" for need in phase.needs):
            mentions.setdefault("depends_on of kind validation", []).append(phase.id)
    lines = []
    for name in dict.fromkeys([*plan.deferred, *mentions]):
        # What the phases of a definition use is told with them, and not once more for where it is declared.
        about = [_mentioned(mentions[name], len(plan.phases))] if name in mentions else []
        about += [CONSEQUENCES[name]] if name in CONSEQUENCES else []
        lines.append(f"{name} ({': '.join(about)})" if about else name)
    return lines


def _mentioned(ids: list[str], total: int) -> str:
    if len(ids) == total and total > 1:
        return "all phases"
    more = f" and {len(ids) - 5} more" if len(ids) > 5 else ""
    return f"{', '.join(ids[:5])}{more}"
