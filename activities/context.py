"""The shared context on a worker: what an agent writes to it, kept small, and the activity that merges two writes."""

from __future__ import annotations

import json
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.artifacts import ArtifactStore, resolve
from activities.failures import AttemptError
from activities.results import externalise
from activities.storing import patiently
from activities.worker_context import WorkerContext
from engine.context.merging import ABSENT, merged
from engine.context.records import digest
from engine.context.writes import OUTPUT
from engine.errors import WorkspaceError
from engine.expressions.values import type_of
from engine.plan import Json

PATIENCE = 30.0
"""Seconds for the artifact store to answer: less than the activity has."""

SHOWN = 3
"""Places of a conflict that are named."""


class ContextActivities:
    """Merging, for one worker."""

    def __init__(self, context: WorkerContext) -> None:
        self.context = context

    @activity.defn(name="merge_context")
    async def merge_context(self, task: Json) -> Json:
        """Merge writes with what others have written: `{context: {merged, conflicts, theirs}}`.

        `task["context"]` has `{base?, theirs, mine}` by key. Doing it again gives the same.
        """
        try:
            return {"context": await patiently(lambda: _merge(task, self.context.store), PATIENCE, _say)}
        except (WorkspaceError, AttemptError) as error:
            raise ApplicationError(error.message, type=error.code, non_retryable=True) from None


async def _say(text: str) -> None:
    activity.logger.warning(text)


def _merge(task: Json, store: ArtifactStore) -> Json:
    found: Json = {}
    conflicts: Json = {}
    sides: Json = resolve(task["context"], store)
    for key, side in sides.items():
        merge = merged(side.get("base", ABSENT), side["theirs"], side["mine"])
        if merge.conflicts:
            conflicts[key] = _places(merge.conflicts)
        else:
            found[key] = merge.value
    return {"merged": kept_small(found, store), "conflicts": conflicts, "theirs": task["theirs"]}


def _places(paths: list[str]) -> str:
    """Where both sides have changed the same, in words; nothing where it is the whole value."""
    named = [path for path in paths if path]
    if not named:
        return ""
    more = f" and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
    return f"both changed {', '.join(named[:SHOWN])}{more}"


def split(found: Json, store: ArtifactStore) -> tuple[Json, Json]:
    """An agent's outputs without its writes, and the writes.

    Raises:
        AttemptError: what it writes is no object, or too much.
    """
    if OUTPUT not in found:
        return found, {}
    given = found[OUTPUT]
    if not isinstance(given, dict):
        raise AttemptError("bad_output", "'context' among the outputs must be an object: a value by context key")
    return {name: value for name, value in found.items() if name != OUTPUT}, kept_small(given, store)


def kept_small(values: Json, store: ArtifactStore) -> Json:
    """Writes, the large ones as references with their content's hash and type: who reads the run has not the content.

    What is stored has its keys in order, so that equal values are one artifact.
    """
    ordered: Json = json.loads(json.dumps(values, sort_keys=True))
    small = externalise(ordered, store)
    return {key: _write(value, small[key]) for key, value in ordered.items()}


def _write(value: Any, kept: Any) -> Json:
    return {"value": kept} if kept is value else {"value": kept, "hash": digest(value), "type": type_of(value)}
