"""What a worker counts of the runs that it decides: each fact once, and none of a worker before it."""

from __future__ import annotations

from temporalio.runtime import BUFFERED_METRIC_KIND_COUNTER, MetricBuffer, Runtime, TelemetryConfig

from tests.engine.world import World, phase, plan_of
from workflows.telemetry import RunMeters


class Counted:
    """The sums of all counters by their labels."""

    def __init__(self) -> None:
        self.buffer = MetricBuffer(1000)
        self.runtime = Runtime(telemetry=TelemetryConfig(metrics=self.buffer))
        self.sums: dict[tuple[str, ...], float] = {}

    def told(self) -> dict[tuple[str, ...], float]:
        for update in self.buffer.retrieve_updates():
            if update.metric.kind == BUFFERED_METRIC_KIND_COUNTER and update.metric.name.startswith("phaseloom_"):
                labels = {key: value for key, value in update.attributes.items() if key != "service_name"}
                key = (update.metric.name, *(str(labels[name]) for name in sorted(labels)))
                self.sums[key] = self.sums.get(key, 0) + update.value
        return self.sums


def test_phases_and_runs_are_counted_once_however_often_they_are_told() -> None:
    counted = Counted()
    world = World(plan_of(phase(0), phase(1, 0, on_failure="isolate")))
    meters = RunMeters(counted.runtime.metric_meter, since=0.0)
    world.finish(0)
    for _ in range(2):
        meters.tell("wf_1", world.plan, world.engine.ledger)
    meters.tell("wf_1", world.plan, world.engine.ledger[:2])  # a lost workflow task: the run is told anew
    meters.tell("wf_1", world.plan, world.engine.ledger)
    assert counted.told() == {("phaseloom_phases_total", "plan", "completed"): 1}
    world.fail(1)
    for _ in range(2):
        meters.tell("wf_1", world.plan, world.engine.ledger)
    assert counted.told() == {
        ("phaseloom_phases_total", "plan", "completed"): 1,
        ("phaseloom_phases_total", "plan", "failed"): 1,
        ("phaseloom_runs_total", "plan", "failed"): 1,
    }


def test_what_happened_before_this_worker_was_counted_by_the_one_before() -> None:
    counted = Counted()
    world = World(plan_of(phase(0), phase(1, 0)))
    world.finish(0)
    world.tick(100)
    meters = RunMeters(counted.runtime.metric_meter, since=world.now - 50)
    world.finish(1)
    meters.tell("wf_1", world.plan, world.engine.ledger)
    assert counted.told() == {
        ("phaseloom_phases_total", "plan", "completed"): 1,
        ("phaseloom_runs_total", "plan", "completed"): 1,
    }
