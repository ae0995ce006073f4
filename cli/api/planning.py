"""How a run would go, before it starts: times, groups, the critical path, more workers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.api.results import PLAIN, Result

if TYPE_CHECKING:
    from cli.reach.planned import ChildLength, Planned
    from engine.plan import Plan

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class RunForecast(Result):
    """A run that has not started. Times are `{low, high}` in seconds, None where no length of any phase is known."""

    id: str
    name: str
    workers: int
    serial: Json | None
    parallel: Json | None
    speed_up: float
    critical_path: tuple[str, ...] = field(default=(), metadata=PLAIN)
    groups: tuple[list[str], ...] = field(default=(), metadata=PLAIN)
    phases: tuple[Json, ...] = field(default=(), metadata=PLAIN)
    wall_by_workers: tuple[Json, ...] = field(default=(), metadata=PLAIN)
    opportunities: tuple[Json, ...] = field(default=(), metadata=PLAIN)
    wall_with_opportunities: Json | None = None
    notices: tuple[Json, ...] = field(default=(), metadata=PLAIN)


def planned_of(name: str, root: Path, *, workers: int | None = None, typed: bool = False) -> Planned:
    """All that can be said of a definition, given by id or file; `workers` 0 is automatic, by default its own word.

    `typed`: by what a person has typed, which may also be a pipe, or `-` for the standard input.

    Raises DefinitionError when there is none, InvalidDefinitionError when it cannot be started here and now.
    """
    import os  # noqa: PLC0415

    from cli.reach.children import usable_with_children  # noqa: PLC0415 - half a second
    from cli.reach.history import measured  # noqa: PLC0415
    from cli.reach.planned import planned  # noqa: PLC0415
    from cli.reach.reading import compiled, read_definition  # noqa: PLC0415

    plan = compiled(usable_with_children(read_definition(name, root, typed=typed), root))
    slots = (plan.execution.max_workers if workers is None else workers) or os.cpu_count() or 1
    return planned(plan, measured(root, plan.id), slots, _children(plan, root))


def _children(plan: Plan, root: Path) -> dict[int, ChildLength]:
    """How long the phases take that are runs themselves, as far as something is known of it.

    With several children the phase takes as long as the longest, in turn as long as all.
    """
    from cli.reach.planned import ChildLength  # noqa: PLC0415 - loaded by then
    from engine.agents import TESTS  # noqa: PLC0415
    from engine.children import CHILD  # noqa: PLC0415

    forecasts: dict[str, Planned] = {}
    found: dict[int, ChildLength] = {}
    for phase in plan.phases:
        working = [agent for agent in phase.agents if agent.role != TESTS]
        if not working or any(agent.uses != CHILD for agent in working):
            continue
        names = [str(agent.config["definition"]) for agent in working]
        for name in names:
            forecasts[name] = forecasts.get(name) or planned_of(name, root)
        inner = [forecasts[name] for name in names]
        if not all(each.lengths.in_seconds for each in inner):
            continue
        total = sum if phase.agents_mode == "in_turn" else max
        found[phase.index] = ChildLength(
            span=(total(each.forecast.wall[0] for each in inner), total(each.forecast.wall[1] for each in inner)),
            estimated=any(each.lengths.is_estimated for each in inner),
        )
    return found


def forecast_of(name: str, root: Path, *, workers: int | None = None) -> RunForecast:
    """The same as a result."""
    from cli.words.plan import described  # noqa: PLC0415 - half a second

    return RunForecast.of(described(planned_of(name, root, workers=workers)))
