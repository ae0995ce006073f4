"""When an open run will end and what decides about it: for `status`, from the view of the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cli.words.durations import moment
from cli.words.narration import Stand
from cli.words.swimlanes import Scene, eta, scene
from engine.forecast import Span
from engine.plan import Plan

Json = dict[str, Any]


def prospect(plan: Plan, view: Json, lengths: Mapping[int, Span]) -> Json | None:
    """The rest of an open run; None where neither estimates nor earlier runs say anything about it.

    `{low, high, text, guessed, unknown, critical_path, slack}`: seconds from now, phases by id. `lengths` are those
    of earlier runs, by index; the view holds all phases.
    """
    if view["ended_at"] is not None or view["started_at"] is None:
        return None
    if not lengths and not any(phase.estimate for phase in plan.phases):
        return None
    now, began = _seconds(view["now"]), _seconds(view["started_at"])
    assert now is not None
    assert began is not None
    stand = {row["index"]: _stand(row) for row in view["phases"] if row["status"] != "pending"}
    shown = scene(plan, stand, began=began, now=now, lengths=lengths, workers=view["max_workers"])
    return None if shown.rest is None else _told(shown, plan)


def _told(shown: Scene, plan: Plan) -> Json:
    rest = shown.rest
    assert rest is not None
    return {
        "low": round(rest.wall[0], 1),
        "high": round(rest.wall[1], 1),
        "text": eta(rest, guessed=shown.guessed),
        "guessed": shown.guessed,
        "unknown": [plan.phases[index].id for index in rest.unknown],
        "critical_path": [plan.phases[index].id for index in rest.critical_path],
        "slack": {plan.phases[each.index].id: round(each.slack, 1) for each in rest.phases if not each.critical},
    }


def _stand(row: Json) -> Stand:
    return Stand(status=row["status"], began=_seconds(row["started_at"]), ended=_seconds(row["finished_at"]))


def _seconds(text: str | None) -> float | None:
    found = moment(text)
    return None if found is None else found.timestamp()
