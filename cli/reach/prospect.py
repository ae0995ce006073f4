"""How long an open run will still take: from its plan, where it stands, and what its phases took before."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from cli.reach.runs import Run

Json = dict[str, Any]

FORESEEN = 400
"""Phases from which on a run is not foreseen: reading how all of them stand would hold up the answer."""


async def of_run(run: Run, root: Path, view: Json) -> Json | None:
    """`cli.words.prospect.prospect` of a run whose view has its first phases; None where nothing is known."""
    from cli.reach.history import measured  # noqa: PLC0415 - only here

    if view["ended_at"] is not None or view["page"]["total"] > FORESEEN:
        return None
    before = await asyncio.to_thread(measured, root, view["definition"])
    written = (await run.started())["plan"]
    if not before and not any("estimate" in phase for phase in written["phases"]):
        return None  # before anything is imported that only an estimate needs

    from cli.words.prospect import prospect  # noqa: PLC0415
    from engine.plan import Plan  # noqa: PLC0415

    plan = Plan.from_json(written)
    phases = list(view["phases"])
    while len(phases) < view["page"]["total"]:
        page = (await run.view(offset=len(phases)))["phases"]
        if not page:
            return None
        phases += page
    known = {phase.index: before[phase.id] for phase in plan.phases if phase.id in before}
    lengths = {index: (each.low, each.high) for index, each in known.items()}
    return prospect(plan, {**view, "phases": phases}, lengths)
