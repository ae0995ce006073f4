"""Which of the project's files differ between two moments of a run, as far as results have told of them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.reach.files import NotKnownError, Then, files_since, has_commit, listing, seen_from, shown

if TYPE_CHECKING:
    from activities.artifacts import ArtifactStore
    from activities.filelist import Changes, Files

Json = dict[str, Any]
Told = tuple[str, Json]
"""What a moment is called, and `{git?, files?}` as the newest result until then has them."""

NONE: Json = {"changed": [], "new": [], "gone": [], "count": 0}


async def files_between(root: Path, store: ArtifactStore, before: Told, after: Told) -> Json:
    """`{changed, new, gone, count, unread?}`, at most 100 paths each, or `{unknown}`, why that is not known."""
    try:
        then, now = _comparable(before, after)
        if _alike(then, now):
            return NONE
        held = await asyncio.to_thread(_lists, store, (before[0], then), (after[0], now))
        changes = await _changes(root, (then, held[0]), (now, held[1]))
    except NotKnownError as why:
        return {"unknown": f"they differ; which is not known: {why}" if why.differ else str(why)}
    unread = {"unread": [shown(name) for name in changes.unread]} if changes.unread else {}
    return listing(changes) | unread


async def files_until_now(root: Path, store: ArtifactStore, told: Json) -> Json:
    """The same between a moment and the files as they are now."""
    differences, unknown = await files_since(root, store, told)
    for difference in differences:
        found: Json = difference.get("files") or {"unknown": difference["text"]}
        return found
    return {"unknown": unknown[0]["text"]} if unknown else NONE


def _comparable(before: Told, after: Told) -> tuple[Then, Then]:
    then, now = _of(before), _of(after)
    if (then.git is None) != (now.git is None):
        raise NotKnownError("there was git at one of them only")
    return then, now


def _of(told: Told) -> Then:
    try:
        return Then.of(told[1])
    except NotKnownError as why:
        raise NotKnownError(f"{told[0]}: {why}") from why


def _alike(then: Then, now: Then) -> bool:
    """Whether both are against the same commit, and the lists have the same name."""
    if then.commit != now.commit:
        return False
    digest = then.files.get("digest")
    return (then.clean and now.clean) or (digest is not None and digest == now.files.get("digest"))


def _lists(store: ArtifactStore, *moments: tuple[str, Then]) -> tuple[Files, Files]:
    """Both lists, which are not alike."""
    one, other = (moment for _, moment in moments)
    differ = one.commit == other.commit and all(each.clean or "digest" in each.files for each in (one, other))
    held = []
    for name, moment in moments:
        try:
            held.append(moment.read(store))
        except NotKnownError as why:
            raise NotKnownError(f"{name}: {why}", differ=differ) from why
    return held[0], held[1]


async def _changes(root: Path, then: tuple[Then, Files], now: tuple[Then, Files]) -> Changes:
    from activities.commits import changes_between  # noqa: PLC0415 - only for a comparison
    from activities.filelist import changes  # noqa: PLC0415
    from activities.filereader import Limits, UnknownFilesError  # noqa: PLC0415

    commits = then[0].commit, now[0].commit
    if commits[0] == commits[1]:
        found = changes(then[1], now[1])
        return found if then[0].git is None else await seen_from(root, found)
    for commit in commits:
        await has_commit(root, commit)
    try:
        found = await changes_between(root, (commits[0], then[1]), (commits[1], now[1]), Limits())
    except UnknownFilesError as why:
        raise NotKnownError(str(why)) from why
    return await seen_from(root, found)
