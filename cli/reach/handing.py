"""What a person hands over with a message: files and large outputs, stored before the message names them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.exits import UsageError
from engine.requests import VALUE_LIMIT

if TYPE_CHECKING:
    from activities.artifacts import ArtifactStore
    from cli.reach.runs import Run
    from engine.agents import OutputPlan
    from engine.plan import PhasePlan

Json = dict[str, Any]

Handed = Mapping[str, str | Path] | Sequence[Any]
"""Files by the names that they are handed on under; or a list of paths, and of references as messages have them."""


async def stored_files(store: Callable[[], ArtifactStore], given: Handed | None) -> list[Any] | None:
    """What a message says of these files, once all of them are stored.

    Raises UsageError for a file that cannot be read, or is named outside of the phase's directory.
    """
    if given is None:
        return None
    named: list[tuple[str, Any]] = (
        [(name, Path(path)) for name, path in given.items()]
        if isinstance(given, Mapping)
        else [(each.name if isinstance(each, Path) else "", each) for each in given]
    )
    for name, path in named:
        if isinstance(path, Path):
            _check(name, path)
    kept = store() if any(isinstance(each, Path) for _, each in named) else None
    return await asyncio.to_thread(_stored, kept, named)


def _check(name: str, path: Path) -> None:
    if not name or name.startswith("/") or {".", ".."} & {*name.split("/")} or "" in name.split("/"):
        raise UsageError(f"{name!r} cannot be the name of an artifact", hint="give it another: NAME=FILE")
    if path.is_dir():
        raise UsageError(
            f"{path} is a directory", hint="an artifact is one file: pack the directory, or name its files"
        )
    if not path.is_file():
        raise UsageError(f"there is no file {path}")


def _stored(store: ArtifactStore | None, named: Iterable[tuple[str, Any]]) -> list[Any]:
    from activities.results import LISTED, MANIFEST_TYPE  # noqa: PLC0415 - only where something is handed over

    found: list[Any] = []
    for name, each in named:
        if store is None or not isinstance(each, Path):
            found.append(each)
            continue
        try:
            ref = store.put_file(each)
        except PermissionError as error:
            raise UsageError(f"{each} cannot be read: {error.strerror}") from error
        found.append({"name": name, "sha256": ref.sha256, "size": ref.size, "media_type": ref.media_type})
    files = [each for each in found if isinstance(each, dict) and "sha256" in each]
    if store is None or len(files) <= LISTED:
        return found
    ref = store.put_json(files)
    listed = {"name": "manifest.json", "sha256": ref.sha256, "size": ref.size, "media_type": MANIFEST_TYPE}
    return [*(each for each in found if each not in files), listed]


async def small_outputs(
    store: Callable[[], ArtifactStore], run: Run, phase: int | str | None, given: Mapping[str, Any] | None
) -> Json | None:
    """The outputs with large values replaced by references, as those of agents are; in their declared types then.

    `phase` is None where the message means the one that a person has open. Raises UsageError for a wrong type.
    """
    from activities.results import INLINE, externalise  # noqa: PLC0415 - only where something is handed over

    if given is None:
        return None
    outputs = dict(given)
    if _size(outputs) <= INLINE:
        return outputs
    plan = await _plan(run, phase)
    if plan is not None:
        outputs = _typed(plan, outputs)
    elif _size(outputs) <= VALUE_LIMIT:
        return outputs
    from activities.failures import AttemptError  # noqa: PLC0415 - loaded by then

    try:
        return await asyncio.to_thread(externalise, outputs, store(), plan.inline if plan is not None else ())
    except AttemptError as error:
        raise UsageError(error.message) from error


def _size(outputs: Json) -> int:
    try:
        return len(json.dumps(outputs, allow_nan=False))
    except ValueError as error:
        raise UsageError(f"the outputs are no JSON: {error}") from error


async def _plan(run: Run, phase: int | str | None) -> PhasePlan | None:
    """The phase as the run's plan has it, an item's as that of its phase; None where nothing tells."""
    plan = await run.plan()
    if phase is None:
        active = [
            plan.phases[row["index"]] for row in (await run.view(0, 0))["active"] if row["index"] < len(plan.phases)
        ]
        open_ones = [each for each in active if any(agent.uses == "manual" for agent in each.agents)]
        return open_ones[0] if len(open_ones) == 1 else None
    words = {str(phase), str(phase).rpartition(".")[0]}
    for each in plan.phases:
        if words & {each.id, each.name, str(each.index)}:
            return each
    return None


def _typed(plan: PhasePlan, outputs: Json) -> Json:
    from engine import expressions  # noqa: PLC0415 - only for large outputs

    declared: dict[str, OutputPlan] = {name: out for agent in plan.agents for name, out in agent.outputs.items()}
    found = dict(outputs)
    for name, output in (declared | plan.outputs).items():
        if name in found:
            try:
                found[name] = expressions.coerce(found[name], output.type)
            except expressions.ExpressionError as error:
                raise UsageError(f"output {name!r} of {plan.name} must be {output.type}") from error
    return found
