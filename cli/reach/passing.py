"""A run through time: all its facts, from the server or its archive, up to its end or to now."""

from __future__ import annotations

from typing import Any

from cli.reach.following import FACTS
from cli.reach.runs import Run
from engine.facts import Fact

Json = dict[str, Any]


async def all_facts(run: Run) -> list[Fact]:
    """The ledger of a run so far."""
    facts: list[Fact] = []
    while True:
        answer = await run.journal(len(facts), FACTS)
        facts += [Fact.from_json(fact) for fact in answer["facts"]]
        if not answer["facts"]:
            return facts


async def timeline_of(run: Run) -> Json:
    """`engine.timeline.timeline` of a run; of an open one up to now."""
    from datetime import UTC, datetime  # noqa: PLC0415 - only here

    from engine.timeline import timeline  # noqa: PLC0415

    plan, facts = await run.plan(), await all_facts(run)
    return timeline(plan, facts, datetime.now(UTC).timestamp(), run=run.id)
