"""What is no longer as it was at a checkpoint: definition, artifacts, files. Looked at before anything starts."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.reach.past import Past, artifacts_of
from engine.errors import PhaseloomError, WorkspaceError

if TYPE_CHECKING:
    from engine.plan import Plan

Json = dict[str, Any]


async def differences(root: Path, past: Past, position: int) -> list[Json]:
    """Each difference as `{kind, what, then, now, text}`; `kind` is `definition`, `artifact` or `files`."""
    found = await asyncio.to_thread(_definition, root, past.plan)
    found += await asyncio.to_thread(_artifacts, root, past, position)
    return found + await _files(root, past.git_at(position))


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


def _artifacts(root: Path, past: Past, position: int) -> list[Json]:
    from cli.reach.store import project_store  # noqa: PLC0415 - only here

    store = project_store(root)
    found: list[Json] = []
    for artifact in artifacts_of(past.state_at(position)):
        digest = artifact["sha256"]
        try:
            store.get_bytes(digest)
        except WorkspaceError:
            there = store.has(digest)
            what = f"{artifact['phase']}/{artifact['name']}"
            text = f"the artifact {what} is {'damaged' if there else 'gone'}"
            found.append(_difference("artifact", what, digest, "damaged" if there else None, text))
    return found


async def _files(root: Path, then: Json) -> list[Json]:
    from activities.workspace import git_state, tree_digest  # noqa: PLC0415 - only here

    now = await git_state(root) if then else None
    if not then or now is None:
        return []  # nothing was known of them, or is now
    if then.get("commit") != now["commit"]:
        text = f"the files are at commit {_short(now['commit'])}, and were at {_short(then.get('commit'))}"
        return [_difference("files", "commit", then.get("commit"), now["commit"], text)]
    if (tree := then.get("tree")) is not None:
        present = await tree_digest(root)
        same = present is None or present == tree
        before, after = tree, present
    else:
        before, after = then.get("dirty"), now["dirty"]
        same = before == after
    if same:
        return []
    return [_difference("files", "uncommitted", before, after, "uncommitted changes of the files are others than then")]


def _short(commit: object) -> str:
    return str(commit)[:12] if commit else "none"


def _difference(kind: str, what: str, then: object, now: object, text: str) -> Json:
    return {"kind": kind, "what": what, "then": then, "now": now, "text": text}


async def files_now(root: Path, *, contents: bool) -> Json | None:
    """What git says of the files now: `{commit, dirty}`, with `contents` also `tree`; None without git."""
    from activities.workspace import git_state, tree_digest  # noqa: PLC0415 - only here

    state = await git_state(root)
    if state is None or not contents:
        return state
    tree = await tree_digest(root)
    return state if tree is None else {**state, "tree": tree}
