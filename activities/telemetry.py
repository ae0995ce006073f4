"""What a worker counts about the attempts of agents, for Prometheus; without an address nothing is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from temporalio.common import MetricMeter
from temporalio.exceptions import ApplicationError

from activities.failures import STOPPED
from engine.plan import Json


class AttemptMeters:
    """`phaseloom_attempts_total` by definition, executor and outcome, and `phaseloom_agents_running` by executor.

    Outcomes are `completed`, `failed` and `stopped` (cancelled, or its worker ended). Checks of gates are attempts of
    the executor `gate`.
    """

    def __init__(self, meter: MetricMeter = MetricMeter.noop) -> None:
        self._attempts = meter.create_counter("phaseloom_attempts_total", "Attempts of agents that have ended")
        self._running = meter.create_gauge("phaseloom_agents_running", "Agents that this worker runs now")
        self._counts: Counter[str] = Counter()

    @contextmanager
    def counted(self, task: Json, executor: str) -> Iterator[None]:
        """One attempt at a task, which ends with this block."""
        outcome = "stopped"
        self._change(executor, 1)
        try:
            yield
            outcome = "completed"
        except ApplicationError as error:
            outcome = "stopped" if error.type == STOPPED else "failed"
            raise
        finally:
            self._change(executor, -1)
            labels = {"definition": str(task.get("definition", "")), "executor": executor, "outcome": outcome}
            self._attempts.add(1, labels)

    def _change(self, executor: str, by: int) -> None:
        self._counts[executor] += by
        self._running.set(self._counts[executor], {"executor": executor})
