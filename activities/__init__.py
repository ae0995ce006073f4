"""What a worker does for runs: agents' work, and a few services. Each executor is a file; `worker.py` asks for all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from temporalio.common import MetricMeter

    from activities.worker_context import Settings


def all_activities(
    root: Path, settings: Settings | None = None, meter: MetricMeter | None = None
) -> list[Callable[..., Any]]:
    """The activities of a worker of the project at `root`, to be registered as they are; `meter` counts attempts."""
    # Imported here: whoever only reads logs or artifacts must not pay for the SDK.
    from activities.aider import AiderActivities  # noqa: PLC0415
    from activities.archive import ArchiveActivities  # noqa: PLC0415
    from activities.command import CommandActivities  # noqa: PLC0415
    from activities.context import ContextActivities  # noqa: PLC0415
    from activities.gate import GateActivities  # noqa: PLC0415
    from activities.hooks import HookActivities  # noqa: PLC0415
    from activities.hosts import count_cpus  # noqa: PLC0415
    from activities.http import HttpActivities  # noqa: PLC0415
    from activities.notify import NoticeActivities  # noqa: PLC0415
    from activities.python import PythonActivities  # noqa: PLC0415
    from activities.telemetry import AttemptMeters  # noqa: PLC0415
    from activities.worker_context import Settings, WorkerContext  # noqa: PLC0415

    meters = AttemptMeters(meter) if meter is not None else AttemptMeters()
    context = WorkerContext(root=root, settings=settings or Settings(), meters=meters)
    return [
        CommandActivities(context).command,
        AiderActivities(context).aider,
        PythonActivities(context).python,
        HttpActivities(context).http,
        GateActivities(context).gate,
        ContextActivities(context).merge_context,
        ArchiveActivities(context).archive_run,
        NoticeActivities(context).notify,
        HookActivities(context).run_hook,
        count_cpus,
    ]
