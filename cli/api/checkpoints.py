"""Checkpoints of a run: the list of them, what one holds, what differs from it now, and going back in place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from cli import api  # its names are imported when used: looking at a run needs no class of a checkpoint
from cli.api.messages import About, Messages, Phase

if TYPE_CHECKING:
    from cli.api.answers import Queued
    from cli.reach.past import Past

Json = dict[str, Any]

PAGE = 500


class Checkpoints(Messages):
    """Looking at the checkpoints of a run, making one, going back to one."""

    _root: Path

    async def _files(self, *, contents: bool = False) -> Json:
        """What the project's files are now, `git` and `files`; a person's result is known to rest on them."""
        from cli.reach.verifying import files_now  # noqa: PLC0415 - only for messages

        return await files_now(self._root, contents=contents)

    async def past(self) -> Past:
        """The run's whole ledger, to fold any part of it."""
        from cli.reach.past import past_of  # noqa: PLC0415 - only here

        return await past_of(self._run)

    async def checkpoints(self, *, newest: int | None = None) -> tuple[api.Checkpoint, ...]:
        """All checkpoints, or so many of the newest, in the order in which they came to be."""
        found: list[Json] = []
        if newest is not None and newest <= PAGE:
            last = await self._run.checkpoints(-newest, newest)
            return tuple(api.Checkpoint.of(each) for each in last["checkpoints"])
        while True:
            page = await self._run.checkpoints(len(found), PAGE)
            found += page["checkpoints"]
            if not page["checkpoints"] or len(found) >= page["total"]:
                return tuple(api.Checkpoint.of(each) for each in found[-newest if newest else 0 :])

    async def checkpoint(self, checkpoint: int | str | None = None) -> api.CheckpointContent:
        """What a checkpoint holds, by name or number; without either the newest one."""
        past = await self.past()
        position, name = past.find(checkpoint)
        return api.CheckpointContent.of(past.content(position, name) | await self._files_at(past, position))

    async def _files_at(self, past: Past, position: int) -> Json:
        from cli.reach.files import files_known  # noqa: PLC0415 - only here

        return {"files": await files_known(self._root, past.files_at(position))}

    async def checkpoint_diff(self, checkpoint: int | str, other: int | str | None = None) -> api.CheckpointDiff:
        """What differs between two checkpoints; without an `other` one, between one and the run as it is.

        While the run is open its files are, without an `other`, those of the project now.
        """
        from cli.reach.comparing import difference  # noqa: PLC0415 - only here
        from cli.reach.filesbetween import files_between, files_until_now  # noqa: PLC0415
        from cli.reach.runs import ServerRun  # noqa: PLC0415
        from cli.reach.store import project_store  # noqa: PLC0415

        past, store = await self.past(), project_store(self._root)
        then, to = past.find(checkpoint), past.find(other) if other is not None else (len(past.facts), "now")
        told = difference(past.content(*then), past.content(*to))
        before, after = past.files_at(then[0]), past.files_at(to[0])
        if other is None and isinstance(self._run, ServerRun) and not past.now.ended:
            files = await files_until_now(self._root, store, before)
        else:
            files = await files_between(self._root, store, (then[1], before), (to[1], after))
        return api.CheckpointDiff.of(told | {"files": files})

    async def differences(
        self, checkpoint: int | str | None = None, *, phase: Phase | None = None
    ) -> tuple[api.Difference, ...]:
        """What is no longer as it was at a checkpoint, or before the start of a phase."""
        return (await self.comparison(checkpoint, phase=phase)).differences

    async def comparison(self, checkpoint: int | str | None = None, *, phase: Phase | None = None) -> api.Comparison:
        """The same with what could not be compared: files of which nothing was told then, say."""
        from cli.reach.verifying import compared  # noqa: PLC0415 - only here

        past = await self.past()
        position, _ = past.find(checkpoint, start_of=phase)
        return api.Comparison.of(await compared(self._root, past, position))

    async def create_checkpoint(self, name: str, **about: Unpack[About]) -> api.CheckpointCreated | Queued:
        """Remember this moment of an open run under a name."""
        files = await self._files(contents=True)
        return await self._send(api.CheckpointCreated, "create_checkpoint", about, name=name, **files)

    async def restore(
        self,
        checkpoint: int | str | None = None,
        *,
        phase: Phase | None = None,
        wait: bool = True,
        **about: Unpack[About],
    ) -> api.Restoring | Queued:
        """Go back in place, to a checkpoint or to right before the start of a `phase`; for an open run.

        Without either to the newest checkpoint. Returns when what ran has ended; with `wait=False` at once. An ended
        run is restored by `Client.restore`.
        """
        from cli.reach.runs import ServerRun  # noqa: PLC0415 - only here
        from cli.reach.waiting import until_restored  # noqa: PLC0415

        word = "last-checkpoint" if checkpoint is None and phase is None else checkpoint
        answer = await self._send(api.Restoring, "restore", about, checkpoint=word, phase=phase)
        if wait and not isinstance(answer, api.Queued) and isinstance(self._run, ServerRun):
            await until_restored(self._run)
        return answer

    async def export_checkpoint(self, checkpoint: int | str | None = None) -> api.Exported:
        """Write a checkpoint (default: the newest), and `state.json` with the run as it is, to the run's folder.

        The checkpoint's file holds the ledger up to it, so that the run can go on from it in any project.
        """
        import json  # noqa: PLC0415 - only here

        from activities.places import run_directory  # noqa: PLC0415
        from cli.reach.writing import write_whole  # noqa: PLC0415

        past = await self.past()
        position, name = past.find(checkpoint)
        folder = run_directory(self._root, self.id)
        slug = name.replace("/", "-").replace(" ", "-")
        written = {
            folder / "checkpoints" / f"{slug}.json": past.exported(position, name)
            | await self._files_at(past, position),
            folder / "state.json": past.content(len(past.facts), "now"),
        }
        for path, content in written.items():
            write_whole(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
        return api.Exported.of({"run": self.id, "files": [str(path) for path in written]})
