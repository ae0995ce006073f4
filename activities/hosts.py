"""The activity `count_cpus`: what `max_workers: auto` means on this host."""

from __future__ import annotations

import math
import os
from pathlib import Path

from temporalio import activity

CGROUP = Path("/sys/fs/cgroup/cpu.max")


@activity.defn(name="count_cpus")
async def count_cpus() -> int:
    """The number of CPUs that this process may use; at least 1."""
    return usable_cpus()


def usable_cpus(limit: Path = CGROUP) -> int:
    """CPUs by affinity, and by the share that a container is given (`limit`, cgroup v2), the smaller."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = limit.read_text(encoding="ascii").split()
        count = min(count, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError):  # no such file, or `max`
        pass
    return max(count, 1)
