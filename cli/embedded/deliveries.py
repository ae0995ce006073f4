"""Notices and hooks that did not arrive, as the server knows of them: their runs may have ended long ago."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cli.embedded.reader import Reader

DAY = timedelta(days=1)
SLOW = timedelta(minutes=5)
"""After so long a delivery is no longer just on its way."""

NAMED = 3
ANSWER = 3.0


async def undelivered(reader: Reader, queue: str) -> list[str]:
    """What is to be said of deliveries that were given up in the last day, and of those that take long."""
    now = datetime.now(UTC)
    of_queue = f"WorkflowType='Deliver' AND TaskQueue='{queue}'"
    lost = await _runs(reader, f"{of_queue} AND ExecutionStatus='Failed' AND CloseTime > '{_text(now - DAY)}'")
    late = await _runs(reader, f"{of_queue} AND ExecutionStatus='Running' AND StartTime < '{_text(now - SLOW)}'")
    said = []
    if lost:
        said.append(f"notices were given up in the last day, see logs/notices.log of {_named(lost)}")
    if late:
        said.append(f"notices or hooks have not arrived for minutes and are tried again: {_named(late)}")
    return said


def missing_services(root: Path) -> list[str]:
    """What is to be said of the project's targets that this installation cannot deliver to."""
    from definitions import load_config  # noqa: PLC0415 - only here
    from definitions.notices import missing_extra  # noqa: PLC0415

    schemes = missing_extra(load_config(root)[0].settings)
    if not schemes:
        return []
    named = ", ".join(f"{scheme}://" for scheme in schemes)
    return [f"notices to {named} need an extra: pip install 'phaseloom[notify]' where the worker runs"]


async def _runs(reader: Reader, query: str) -> list[str]:
    """The runs of these deliveries, each once; none where the server cannot tell."""
    from temporalio.service import RPCError  # noqa: PLC0415 - loaded by then

    try:
        found = [each.id async for each in reader.listed(query, limit=100, seconds=ANSWER)]
    except RPCError:
        return []
    return list(dict.fromkeys(name.partition("/")[0] for name in found))


def _named(runs: list[str]) -> str:
    more = f" and {len(runs) - NAMED} more" if len(runs) > NAMED else ""
    return f"{', '.join(runs[:NAMED])}{more}"


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
