"""What can be asked of a run: names, inputs and answers are promises."""

from __future__ import annotations

import math
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from engine import checkpoints, operations
    from engine.context import showing
    from engine.engine import Engine
    from engine.errors import RefusedError
    from engine.journal import lines
    from engine.lookup import find_phase
    from engine.metrics import metrics
    from engine.phase_state import PhaseState
    from engine.siblings import siblings
    from engine.spells import Spells
    from engine.view import details, view
    from workflows.messages import refusal

Json = dict[str, Any]

FACTS_PER_ANSWER = 500
METRICS_PAGE = 200


class Queries:
    """The queries of a run, answered from its engine."""

    engine: Engine

    def now(self) -> float:
        """The workflow's time, in seconds since 1970."""
        return workflow.now().timestamp()

    @workflow.query(name="view", description="The run, with one page of phases: {offset, limit}")
    def view(self, page: Json | None = None) -> Json:
        """`engine.view.view` at this moment."""
        page = page if isinstance(page, dict) else {}
        return view(self.engine, self.now(), offset=_whole(page, "offset", 0), limit=_whole(page, "limit", 100))

    @workflow.query(name="phase", description="All about one phase: {phase: index, id or name; offset, limit of items}")
    def phase(self, which: Json | None = None) -> Json:
        """`engine.view.details` of the phase that `which["phase"]` names."""
        asked: Json = which if isinstance(which, dict) else {"phase": which}
        offset, limit = _whole(asked, "offset", 0), _whole(asked, "limit", 100)
        return details(self.engine, self._meant(asked), offset=offset, limit=limit)

    @workflow.query(name="to_sign", description="For whoever signs a {message} with a {payload}: what it is about")
    def to_sign(self, which: Json | None = None) -> Json:
        """`{needed, target}`: whether the message has to be signed now, and what of the run its signature is for."""
        asked: Json = which if isinstance(which, dict) else {}
        return operations.to_sign(self.engine, str(asked.get("message")), asked.get("payload"), self.now())

    @workflow.query(name="siblings", description="What runs beside one phase, with reports: {phase: index, id or name}")
    def siblings(self, which: Json | None = None) -> Json:
        """`engine.siblings.siblings` of the phase that `which["phase"]` names."""
        return siblings(self.engine, self._meant(which), self.now())

    @workflow.query(
        name="checkpoints", description="Checkpoints, oldest first: {offset (negative: from the end), limit}"
    )
    def checkpoints(self, which: Json | None = None) -> Json:
        """`engine.checkpoints.page` at this moment."""
        which = which if isinstance(which, dict) else {}
        offset, limit = _whole(which, "offset", 0), _whole(which, "limit", checkpoints.PAGE)
        return checkpoints.page(self.engine.state, offset=offset, limit=limit)

    @workflow.query(
        name="context", description="The shared context: {key, at}; its versions: {history: true, key, since}"
    )
    def context(self, which: Json | None = None) -> Json:
        """`engine.context.showing.answer`."""
        try:
            return showing.answer(self.engine, which)
        except RefusedError as why:
            raise refusal(why) from None

    @workflow.query(name="journal", description="Facts after number {since}, at most {limit}, and their log lines")
    def journal(self, which: Json | None = None) -> Json:
        """Facts in order, the number to ask from next, and the log lines of these facts."""
        which = which if isinstance(which, dict) else {}
        since = max(0, _whole(which, "since", 0))
        limit = min(FACTS_PER_ANSWER, max(1, _whole(which, "limit", FACTS_PER_ANSWER)))
        facts = self.engine.ledger[since : since + limit]
        return {
            "facts": [fact.to_json() for fact in facts],
            "next": since + len(facts),
            "total": len(self.engine.ledger),
            "lines": list(lines(self.engine.state.plans, workflow.info().workflow_id, facts)),
        }

    @workflow.query(name="metrics", description="What the run has taken up to {at}, with a page: {offset, limit}")
    def metrics(self, which: Json | None = None) -> Json:
        """`engine.metrics.metrics` of the facts so far; `at` (seconds since 1970) is now, or later."""
        which = which if isinstance(which, dict) else {}
        facts = self.engine.ledger
        limit = min(METRICS_PAGE, _whole(which, "limit", METRICS_PAGE))
        at = max(self.now(), _number(which, "at", 0.0))
        spells = Spells.of(self.engine.plan, facts)
        return metrics(spells, facts, at, offset=_whole(which, "offset", 0), limit=limit)

    def _meant(self, which: object) -> PhaseState:
        """The phase that a query names."""
        try:
            word = which.get("phase") if isinstance(which, dict) else which
            return find_phase(self.engine.state, word if isinstance(word, int | str) else "")
        except RefusedError as why:
            raise refusal(why) from None


def _number(which: Json, key: str, default: float) -> float:
    """A number that a query may name; anything else is refused in words that name it."""
    try:
        number = float(which.get(key, default))
    except (OverflowError, TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise refusal(RefusedError(f"'{key}' must be a number"))
    return number


def _whole(which: Json, key: str, default: int) -> int:
    return int(_number(which, key, default))
