"""What became of logs, for reading."""

from __future__ import annotations

from typing import Any

from cli.words.bars import Canvas
from cli.words.durations import counted
from cli.words.measures import size
from cli.words.table import table

Json = dict[str, Any]


def pruned(told: Json) -> list[str]:
    """The runs whose logs were, or would be, removed."""
    runs, on = told["runs"], Canvas()
    if not runs:
        return ["No run ended so long ago, or its logs are gone already."]
    together = size(sum(run["bytes"] for run in runs), on)
    done = "Removed" if told["removed"] else "Would remove"
    rows = [(run["run"], run["ended_at"], size(run["bytes"], on)) for run in runs]
    return [f"{done} the logs of {counted(len(runs), 'run')}, {together}:", *table(rows, indent="  ", numbers=(2,))]
