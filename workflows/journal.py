"""Where a worker hears of a run's new facts as they happen, at no cost in Temporal's history.

The composition root sets `sink`; the workflow calls it outside of replay, also again after a lost workflow task, so a
sink must tolerate facts it has seen and fill gaps from the ledger it is given.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.facts import Fact
from engine.plan import Plan

Sink = Callable[[str, Plan, list[Fact]], None]
"""Called with the run's id, its plan and its whole ledger (not a copy: read it at once)."""


def _nobody(_run: str, _plan: Plan, _ledger: list[Fact]) -> None:
    """Nobody listens (tests, replay)."""


sink: Sink = _nobody


def listen(to: Sink) -> None:
    """Let `to` hear of all further facts in this process."""
    global sink  # noqa: PLW0603 - one worker process has one sink, set before it polls
    sink = to


def tell(run: str, plan: Plan, ledger: list[Fact]) -> None:
    """Pass a run's ledger to whoever listens."""
    sink(run, plan, ledger)
