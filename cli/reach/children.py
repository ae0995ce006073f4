"""The plans of child runs: found and compiled when their parent starts, so that they stay as they were then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cli.reach.reading import compiled, environment, read_definition, usable
from engine.agents import AgentPlan
from engine.children import CHILD
from engine.errors import DefinitionError
from engine.plan import Plan

if TYPE_CHECKING:
    from definitions.diagnostics import Diagnostic
    from definitions.loading import Checked


def has_children(plan: Plan) -> bool:
    """Whether any phase is a run itself."""
    return any(agent.uses == CHILD for phase in plan.phases for agent in phase.agents)


def child_findings(checked: Checked, root: Path) -> tuple[Diagnostic, ...]:
    """What keeps the child runs of a definition from being started in this project."""
    from definitions import check_children  # noqa: PLC0415 - loaded by then

    return check_children(checked, lambda name: read_definition(name, root))


def usable_with_children(checked: Checked, root: Path) -> Checked:
    """The definition, if neither it nor a child has errors; raises InvalidDefinitionError with all of them if not."""
    from definitions import InvalidDefinitionError  # noqa: PLC0415 - loaded by then

    found = child_findings(usable(checked), root)
    if found:
        raise InvalidDefinitionError(found)
    return checked


def with_children(plan: Plan, root: Path, prepared: Callable[[Plan], Plan], above: tuple[str, ...] = ()) -> Plan:
    """The plan with the plans of all child runs in it, each changed by `prepared`.

    Raises DefinitionError when a child's definition is not there, has errors, or contains itself.
    """
    if not has_children(plan):
        return plan
    above = (*above, plan.id)

    def child(agent: AgentPlan) -> AgentPlan:
        if agent.uses != CHILD:
            return agent
        checked = usable(read_definition(agent.config["definition"], root))
        if checked.id in above:
            raise DefinitionError(f"a run cannot contain itself: {' -> '.join((*above, checked.id))}")
        inner = with_children(prepared(compiled(checked)), root, prepared, above)
        return replace(agent, config={**agent.config, "plan": inner.to_json(), "env": environment(checked)})

    return replace(plan, phases=tuple(replace(p, agents=tuple(map(child, p.agents))) for p in plan.phases))
