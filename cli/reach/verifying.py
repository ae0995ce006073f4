"""What is no longer as it was at a checkpoint: definition, artifacts, files. Looked at before anything starts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.reach.files import files_since
from cli.reach.past import Past, artifacts_of, context_of
from cli.reach.store import project_store
from engine.errors import PhaseloomError, WorkspaceError

if TYPE_CHECKING:
    from activities.artifacts import ArtifactStore
    from activities.remote import Progress
    from engine.plan import Plan

Json = dict[str, Any]


Watch = Callable[[int], AbstractContextManager["Progress"]]
"""Given the bytes that will be read: what is told, while that lasts, of those that have been."""


@contextmanager
def _unwatched(_total: int) -> Iterator[Progress]:
    yield lambda _size: None


async def compared(root: Path, past: Past, position: int, watch: Watch = _unwatched) -> Json:
    """`{differences, not_compared}`: what is another than then, and what nobody can compare.

    A difference is `{kind, what, then, now, text}`; `kind` is `definition`, `artifact` or `files`, which also has
    `files`: `{changed, new, gone, count}`. What cannot be compared is `{kind, text}`. `watch` looks on while artifacts
    are read.
    """
    found = await asyncio.to_thread(_definition, root, past.plan)
    state = await asyncio.to_thread(past.state_at, position)
    found += await asyncio.to_thread(_artifacts, root, artifacts_of(state) + context_of(state), watch)
    differences, unknown = await files_since(root, project_store(root), past.files_at(position))
    return {"differences": found + differences, "not_compared": unknown}


def _definition(root: Path, ran: Plan) -> list[Json]:
    from cli.api.restarting import name_now  # noqa: PLC0415 - half a second
    from cli.reach.reading import read_definition  # noqa: PLC0415

    try:
        now: str | None = read_definition(name_now(ran, root), root).digest
    except PhaseloomError:
        now = None
    if now == ran.digest:
        return []
    what = f"the definition {ran.id}"
    text = (
        f"{what} is gone or cannot be read" if now is None else f"{what} has changed since; the plan that ran goes on"
    )
    return [_difference("definition", ran.id, ran.digest, now, text)]


def _artifacts(root: Path, artifacts: list[Json], watch: Watch) -> list[Json]:
    from activities.results import MANIFEST_TYPE  # noqa: PLC0415 - only here

    store = project_store(root)
    found: list[Json] = []
    listed: list[Json] = []
    with watch(sum(int(each.get("size") or 0) for each in artifacts)) as progress:
        for artifact in artifacts:
            what = artifact.get("what") or f"{artifact['phase']}/{artifact['name']}"
            try:
                store.checked(artifact["sha256"], progress)
            except WorkspaceError:
                found.append(_lost(store, artifact["sha256"], what))
                continue
            if artifact.get("media_type") == MANIFEST_TYPE:
                listed += [{**each, "phase": artifact["phase"]} for each in store.get_json(artifact["sha256"])]
    return found + (_artifacts(root, listed, watch) if listed else [])


def _lost(store: ArtifactStore, digest: str, what: str) -> Json:
    there = store.has(digest)
    text = f"the artifact {what} is {'damaged' if there else 'gone'}"
    return _difference("artifact", what, digest, "damaged" if there else None, text)


def _difference(kind: str, what: str, then: object, now: object, text: str) -> Json:
    return {"kind": kind, "what": what, "then": then, "now": now, "text": text}


async def files_now(root: Path, *, contents: bool) -> Json:
    """What the files are now: `{git, files?}` as a result has them, with `contents` also `tree` in `git`."""
    from activities.workfiles import Workfiles  # noqa: PLC0415 - only here
    from activities.workspace import tree_digest  # noqa: PLC0415

    told = await Workfiles(root, project_store(root)).told()
    if told["git"] is not None and contents and (tree := await tree_digest(root)) is not None:
        told["git"] = {**told["git"], "tree": tree}
    return told
