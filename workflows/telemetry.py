"""What a worker counts about the runs that it decides, for Prometheus: from their facts, each of them once."""

from __future__ import annotations

from temporalio.common import MetricMeter

from engine.facts import Fact
from engine.plan import Plan

SECONDS_BUCKETS = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0, 604800.0)
"""Bounds of `phaseloom_phase_seconds`."""

REMEMBERED = 10_000
"""Runs of which it is known what has been counted, those that were told of last; ended ones may be told of again."""


class RunMeters:
    """Counters by definition. Facts from before `since` (seconds since 1970) belong to the worker before this one.

    `phaseloom_runs_total` and `phaseloom_phases_total` by status, `phaseloom_phase_seconds`, `phaseloom_gates_total` by
    gate and status, `phaseloom_decisions_total` by what was decided about a phase that had failed or stood at a gate.
    """

    def __init__(self, meter: MetricMeter, since: float) -> None:
        self.since = since
        self._counted: dict[str, int] = {}
        self._runs = meter.create_counter("phaseloom_runs_total", "Runs that have ended")
        self._phases = meter.create_counter("phaseloom_phases_total", "Phases, and items, that have settled")
        self._paused = meter.create_counter("phaseloom_phases_paused_total", "Times a phase came to need a decision")
        self._gates = meter.create_counter("phaseloom_gates_total", "Gates that were passed, failed or waived")
        self._decisions = meter.create_counter("phaseloom_decisions_total", "Decisions about phases, by action")
        self._seconds = meter.create_histogram_float("phaseloom_phase_seconds", "How long phases took", "s")

    def tell(self, run: str, plan: Plan, ledger: list[Fact]) -> None:
        """Take notice of a run's ledger; what has been counted is not counted again, whoever made it anew."""
        counted = self._counted.get(run, 0)
        for fact in ledger[counted:]:
            if fact.at >= self.since:
                self._count(plan.id, fact)
        self._counted.pop(run, None)
        self._counted[run] = max(counted, len(ledger))
        if len(self._counted) > REMEMBERED:
            del self._counted[next(iter(self._counted))]

    def _count(self, definition: str, fact: Fact) -> None:
        labels: dict[str, str | int | float | bool] = {"definition": definition}
        match fact.kind:
            case "phase_settled" if not fact.data.get("held"):
                status = str(fact.data["status"])
                self._phases.add(1, {**labels, "status": status})
                if (seconds := fact.data.get("seconds")) is not None:
                    self._seconds.record(float(seconds), {**labels, "status": status})
            case "phase_paused":
                self._paused.add(1, labels)
            case "gate_settled":
                self._gates.add(1, {**labels, "gate": str(fact.data["name"]), "status": str(fact.data["status"])})
            case "intervened":
                self._decisions.add(1, {**labels, "action": str(fact.data["action"])})
            case "run_settled":
                self._runs.add(1, {**labels, "status": str(fact.data["status"])})
            case _:
                pass
