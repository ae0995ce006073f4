"""`ToolBreaker`: the circuit breaker of one tool, as long as there is something to remember of it.

Attempts ask with the update `ask` (update-with-start makes the breaker), renew and report by signal, an operator resets
it. It holds no policy (`engine.breaker`) and no timer decides anything: a state is that of the moment it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue

with workflow.unsafe.imports_passed_through():
    from engine.breaker import Breaker
    from engine.errors import RefusedError
    from engine.moments import iso
    from workflows.messages import decoded, refusal

Json = dict[str, Any]

IDLE = timedelta(hours=1)
"""A breaker that is as good as new ends when nobody has used it for so long; the next attempt makes another."""

HISTORY_EVENTS = 2_000
"""A fresh history begins at so many events, or when the server suggests it."""


@workflow.defn(name="ToolBreaker")
class ToolBreaker:
    """The breaker of one tool."""

    @workflow.init
    def __init__(self, start: Json) -> None:
        """`start`: `{tool}`; after continue-as-new also `breaker`, what `Breaker.to_json` told."""
        self.start = start
        self.breaker = Breaker.from_json(start.get("breaker") or {})
        self.used = 0

    @workflow.run
    async def run(self, start: Json) -> None:  # noqa: ARG002 - taken in by __init__
        """Be there until there is nothing to remember, with a fresh history whenever this one is long."""
        while not self._is_long():
            used = self.used
            try:
                await workflow.wait_condition(self._is_long, timeout=IDLE)
            except TimeoutError:
                await workflow.wait_condition(workflow.all_handlers_finished)
                if used == self.used and self.breaker.idle:
                    return
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new({**self.start, "breaker": self.breaker.to_json()})

    @workflow.update(name="ask")
    def ask(self, asked: Json) -> Json:
        """Which attempts may go on: `{asks: [{lease, by, lasts}]}`; `answers` has an `Admission` for each, in order."""
        self.used += 1
        now = self._now()
        answers = [
            self.breaker.ask(str(each["lease"]), now, by=str(each.get("by", "")), lasts=float(each["lasts"]))
            for each in asked["asks"]
        ]
        return {"answers": [asdict(answer) for answer in answers]}

    @ask.validator
    def check_ask(self, asked: Json) -> None:
        """Refuse what is no question of attempts."""
        asks = asked.get("asks") if isinstance(asked, dict) else None
        if not isinstance(asks, list) or not all(map(_makes_sense, asks)):
            raise refusal(RefusedError("attempts ask with {asks: [{lease, by, lasts}]}"))

    @workflow.update(name="reset")
    def reset(self) -> Json:
        """Close the circuit; the answer is the state before."""
        before = self.state()
        self.used += 1
        self.breaker.reset()
        return before

    @workflow.signal(dynamic=True)
    def message(self, name: str, args: Sequence[RawValue]) -> None:
        """`renew` `{lease, lasts}`, `report` `{lease, era, outcome, threshold, recovery, error}`; nothing else."""
        try:
            told = decoded(args)
            assert isinstance(told, dict)
            self._take(name, told)
        except (RefusedError, AssertionError, KeyError, TypeError, ValueError):
            workflow.logger.warning("a signal %s makes no sense to a breaker", name)

    def _take(self, name: str, told: Json) -> None:
        lease = str(told["lease"])
        if name == "renew":
            self.breaker.renew(lease, self._now(), lasts=float(told["lasts"]))
        elif name == "report":
            self.used += 1
            self.breaker.report(
                lease,
                int(told["era"]),
                told["outcome"],
                self._now(),
                threshold=int(told["threshold"]),
                recovery=float(told["recovery"]),
                error=str(told.get("error", ""))[:500],
            )

    @workflow.query(name="state")
    def state(self) -> Json:
        """`{tool, state, failures, since, recovers_at, probe, last_error}` at this moment."""
        now, breaker = self._now(), self.breaker
        probe = breaker.holder(now)
        return {
            "tool": self.start["tool"],
            "state": breaker.state(now),
            "failures": breaker.failures,
            "since": iso(breaker.opened_at),
            "recovers_at": iso(breaker.recovers_at) if breaker.opened_at is not None else None,
            "probe": None if probe is None else {"by": probe.by, "until": iso(probe.until)},
            "last_error": breaker.last_error,
        }

    def _is_long(self) -> bool:
        info = workflow.info()
        limit = self.start.get("history_events", HISTORY_EVENTS)
        return info.is_continue_as_new_suggested() or info.get_current_history_length() >= limit

    def _now(self) -> float:
        return workflow.now().timestamp()


def _makes_sense(ask: object) -> bool:
    return isinstance(ask, dict) and bool(ask.get("lease")) and isinstance(ask.get("lasts"), int | float)
