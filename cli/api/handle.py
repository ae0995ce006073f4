"""One run, open or ended: looking at it, and every message that an operator can send."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

from cli import api  # its names are imported when used: looking at a run needs no class of an answer
from cli.api.checkpoints import Checkpoints
from cli.api.context import SharedContext
from cli.api.logs import Logs
from cli.api.messages import About, Gates, Phase
from engine.errors import RefusedError

if TYPE_CHECKING:
    from activities.artifacts import ArtifactStore
    from cli.api.answers import Queued
    from cli.api.details import Journal, PhaseDetails, RunSummary
    from cli.api.measuring import Metrics
    from cli.api.views import ParallelStatus, View
    from cli.command import Where
    from cli.reach.artifacts import Artifact
    from cli.reach.handing import Handed
    from cli.reach.runs import Run
    from engine.facts import Fact
    from engine.plan import Plan

Json = dict[str, Any]
Action = Literal[
    "retry", "retry_with", "replace_output", "retry_gate", "skip_gate", "skip", "go_to", "cancel",
    "keep_theirs", "take_mine", "replace_context",
]  # fmt: skip


class RunHandle(Gates, Checkpoints, SharedContext, Logs):
    """One run. Messages that make no sense now raise RefusedError, and nothing has changed then.

    A message that no worker answers within some seconds is left on the server as a signal; its result is `Queued`.
    """

    def __init__(
        self, run: Run, root: Path, *, where: Where | None = None, actor: str | None = None, key: Path | None = None
    ) -> None:
        self._run = run
        self._root = root
        self._where = where
        self._actor = actor
        self._key = key

    def __repr__(self) -> str:
        return f"RunHandle({self.id!r})"

    # ---- looking

    async def status(self) -> str:
        """The run's status in a word: `running`, `paused`, `completed`, `failed` or `cancelled`."""
        return (await self.view(limit=0)).status

    async def view(self, offset: int = 0, limit: int = 100, *, every: bool = False) -> View:
        """The run with a page of its phases, at most 100; `every`: with all pages."""
        from cli.reach.links import followers  # noqa: PLC0415 - only here

        found = await self._run.view(offset, limit)
        while every and len(found["phases"]) < found["page"]["total"]:
            page = (await self._run.view(offset=len(found["phases"])))["phases"]
            if not page:
                break
            found["phases"] += page
        if after := followers(self._root, self.id):
            found["followed_by"] = after
        return api.View.of(found)

    async def first_view(self) -> View | None:
        """The run once its first phases have started; None when no worker answers yet."""
        from cli.reach.contact import NoWorkerError  # noqa: PLC0415 - loaded by then

        try:
            return await self.view()
        except NoWorkerError:
            return None

    async def prospect(self, view: Json) -> Json | None:
        """When the open run of this view will end, and what decides about it; None where nothing tells."""
        from cli.reach.prospect import of_run  # noqa: PLC0415 - only here

        return await of_run(self._run, self._root, view)

    async def phase(self, phase: Phase) -> PhaseDetails:
        """All that is known of one phase."""
        return api.PhaseDetails.of(await self._run.phase(phase))

    async def parallel_status(self) -> ParallelStatus:
        """The parallel group that is open, or was last."""
        return (await self.view(limit=0)).parallel

    async def plan(self) -> Plan:
        """The plan that runs."""
        return await self._run.plan()

    async def journal(self, since: int = 0, limit: int = 500) -> Journal:
        """Facts after number `since`."""
        return api.Journal.of(await self._run.journal(since, limit))

    async def metrics(self) -> Metrics:
        """What the run has taken so far, and its phases, agents and gates."""
        from cli.api.measuring import Metrics  # noqa: PLC0415 - only here

        return Metrics.of(await self._run.metrics())

    async def timeline(self) -> Json:
        """The run through time, as `engine.timeline.timeline` describes it; an open one up to now."""
        from cli.reach.passing import timeline_of  # noqa: PLC0415 - only here

        return await timeline_of(self._run)

    async def summary(self) -> RunSummary | None:
        """What the server keeps beside the run, no worker is asked; None for a run that is read from its archive."""
        from cli.reach.listing import summary_of  # noqa: PLC0415 - only where a worker is missing
        from cli.reach.runs import ServerRun, described_run  # noqa: PLC0415

        if not isinstance(self._run, ServerRun):
            return None
        described = await described_run(self._run.connection, self.id)
        return None if described is None else api.RunSummary.of(summary_of(described, self._run.connection))

    async def started_with(self) -> Json:
        """What the run was started with: `{plan, inputs, env, run, …}`."""
        return await self._run.started()

    async def is_open(self) -> bool:
        """Whether the run is still open; no worker is asked."""
        from cli.reach.runs import ServerRun, described_run  # noqa: PLC0415 - only where it matters

        if not isinstance(self._run, ServerRun):
            return False
        described = await described_run(self._run.connection, self.id)
        return described is not None and described.closed is None

    async def artifacts(self) -> tuple[Artifact, ...]:
        """What the agents of the run left: files by name, and outputs above 4 KiB as `outputs.NAME`."""
        from cli.reach.artifacts import artifacts_of  # noqa: PLC0415 - only here
        from cli.reach.store import project_store  # noqa: PLC0415

        return tuple(await artifacts_of(self._run, project_store(self._root)))

    async def artifact(self, name: str) -> Artifact:
        """The artifact `PHASE/NAME`; raises NotFoundError where there is none."""
        from cli.reach.artifacts import one_named  # noqa: PLC0415 - only here

        return one_named(list(await self.artifacts()), self.id, name)

    async def diagnose(
        self, phase: Phase | None = None, *, output: Path | None = None, force: bool = False
    ) -> api.Diagnosis:
        """Write what is known of a failure to a zip file; without `phase` of the one phase that has failed.

        Raises NotFoundError when none has, UsageError when several have, RefusedError when the file exists.
        """
        from cli.embedded.condition import status  # noqa: PLC0415 - only here
        from cli.reach import diagnosis  # noqa: PLC0415
        from cli.reach.archive import write_zip  # noqa: PLC0415
        from cli.reach.contact import target  # noqa: PLC0415

        which = await diagnosis.failed_phase(self._run) if phase is None else phase
        health = await status(self._root, target(self._where) if self._where is not None else None)
        name, files = await diagnosis.gather(self._run, self._root, which, health)
        path = output or Path(f"diagnose-{self.id}-{name}.zip")
        write_zip(path, {each: content for each, (content, _) in files.items()}, force=force)
        listed = [{"name": each, "bytes": len(content), "about": about} for each, (content, about) in files.items()]
        told = {"path": str(path), "run": self.id, "phase": name, "size": path.stat().st_size, "files": listed}
        return api.Diagnosis.of(told)

    async def follow(self, since: int = 0) -> AsyncIterator[Fact]:
        """The run's facts in order as they come, from after number `since`, through restarts of worker and server.

        Ends with the run; raises RefusedError when the server has ended it without a word.
        """
        async for facts in self.watch(since=since).news():
            for fact in facts:
                yield fact

    async def wait(self) -> View:
        """Return once the run has ended, with its last view. For a limit: `asyncio.timeout`."""
        follower = self.watch(since=int((await self._run.view(limit=0))["facts"]) - 1)
        async for _ in follower.news():
            pass
        return api.View.of(await follower.last_view())

    async def until_closed(self) -> None:
        """Return when the server has closed the run: its agents are gone then."""
        from cli.reach.runs import ServerRun  # noqa: PLC0415 - only here
        from cli.reach.waiting import until_closed  # noqa: PLC0415

        if isinstance(self._run, ServerRun):
            await until_closed(self._run)

    # ---- messages

    async def next(
        self,
        *,
        outputs: Mapping[str, Any] | None = None,
        artifacts: Handed | None = None,
        context: Mapping[str, Any] | None = None,
        **about: Unpack[About],
    ) -> api.Completed | Queued:
        """Complete the one phase that a person has open, and start what follows. See `complete_phase`."""
        handed = await self._handed(None, outputs, artifacts)
        files = await self._files()
        return await self._send(api.Completed, "next", about, **handed, **files, context=context)

    async def complete_phase(
        self,
        phase: Phase,
        *,
        outputs: Mapping[str, Any] | None = None,
        artifacts: Handed | None = None,
        context: Mapping[str, Any] | None = None,
        epoch: int | None = None,
        **about: Unpack[About],
    ) -> api.Completed | Queued:
        """Complete a phase that a person, or anything outside, works on. `epoch`: only if it is still that one.

        `context` are keys of the shared context that the phase writes. `artifacts` are files by name, which are stored
        first and then handed on as those of agents are; outputs above 4 KiB are stored too.
        """
        handed = await self._handed(phase, outputs, artifacts)
        files = await self._files()
        return await self._send(
            api.Completed, "complete_phase", about, phase=phase, **handed, **files, context=context, epoch=epoch
        )

    async def _handed(
        self, phase: Phase | None, outputs: Mapping[str, Any] | None, artifacts: Handed | None
    ) -> dict[str, Any]:
        """Outputs and artifacts as the message has them, once what is large, and all files, are stored."""
        if outputs is None and artifacts is None:
            return {"outputs": None, "artifacts": None}
        from cli.reach.handing import small_outputs, stored_files  # noqa: PLC0415 - only where something is handed over
        from cli.reach.store import project_store  # noqa: PLC0415

        def store() -> ArtifactStore:
            return project_store(self._root)

        listed = await stored_files(store, artifacts)
        return {"outputs": await small_outputs(store, self._run, phase, outputs), "artifacts": listed}

    async def complete_parallel(
        self,
        phase: Phase,
        *,
        outputs: Mapping[str, Any] | None = None,
        artifacts: Handed | None = None,
        epoch: int | None = None,
        **about: Unpack[About],
    ) -> api.CompletedParallel | Queued:
        """Complete a phase of a parallel group. Raises RefusedError for a phase that is in none."""
        details = await self.phase(phase)
        if details.group is None:
            raise RefusedError(
                f"{details.name} (index: {details.index}) is in no parallel group", hint="use complete_phase"
            )
        answer = await self.complete_phase(phase, outputs=outputs, artifacts=artifacts, epoch=epoch, **about)
        if isinstance(answer, api.Queued):
            return answer
        told = {key: answer.raw[key] for key in ("success", "all_parallel_complete", "remaining")}
        return api.CompletedParallel.of(told)

    async def fail_phase(
        self,
        phase: Phase,
        error: str | Mapping[str, Any] | None = None,
        *,
        epoch: int | None = None,
        **about: Unpack[About],
    ) -> api.FailureReported | Queued:
        """Report that the work of a phase has failed; the definition's `on_failure` decides what follows."""
        return await self._send(api.FailureReported, "fail_phase", about, phase=phase, error=error, epoch=epoch)

    async def report_progress(
        self,
        phase: Phase,
        progress: str | float | Mapping[str, Any] | Sequence[Any],
        *,
        epoch: int | None = None,
        agent: int | str | None = None,
        **about: Unpack[About],
    ) -> api.ProgressReported | Queued:
        """Note how far the work of a running phase is, in at most 16 KiB of JSON.

        `agent` is whose progress it is, by role or position, where several agents share the phase.
        """
        return await self._send(
            api.ProgressReported, "report_progress", about, phase=phase, progress=progress, epoch=epoch, agent=agent
        )

    async def start_parallel(self, phase: Phase, **about: Unpack[About]) -> api.StartedParallel | Queued:
        """Start the parallel phases from an index, or around a phase; again if they were cancelled."""
        return await self._send(api.StartedParallel, "start_parallel", about, phase=phase)

    async def cancel_parallel(
        self, phase: Phase | None = None, *, wait: bool = True, **about: Unpack[About]
    ) -> api.CancelledParallel | Queued:
        """Cancel the open parallel phases and pause the run; returns when their agents are gone.

        `phase` names a member, where several groups are open. `wait=False` returns at once.
        """
        from cli.reach.runs import ServerRun  # noqa: PLC0415 - only here
        from cli.reach.waiting import until_gone  # noqa: PLC0415

        answer = await self._send(api.CancelledParallel, "cancel_parallel", about, phase=phase)
        if wait and not isinstance(answer, api.Queued) and isinstance(self._run, ServerRun):
            await until_gone(self._run, {member.index for member in answer.cancelled})
        return answer

    async def intervene(
        self,
        phase: Phase,
        action: Action | str,
        *,
        reason: str | None = None,
        prompt: str | None = None,
        outputs: Mapping[str, Any] | None = None,
        to: Phase | None = None,
        context: Mapping[str, Any] | None = None,
        epoch: int | None = None,
        **about: Unpack[About],
    ) -> api.Decided | Queued:
        """Decide how a phase goes on.

        `skip` needs a `reason`, `retry_with` a `prompt`, `replace_output` `outputs`, `go_to` a phase `to` go to, and
        `replace_context` the values of context keys, `context`.
        """
        handed = await self._handed(phase, outputs, None)
        return await self._send(
            api.Decided,
            "intervene",
            about,
            phase=phase,
            action=action,
            reason=reason,
            prompt=prompt,
            outputs=handed["outputs"],
            to=to,
            context=context,
            epoch=epoch,
        )

    async def pause(self, **about: Unpack[About]) -> api.Paused | Queued:
        """Start nothing new; what runs may end."""
        return await self._send(api.Paused, "pause", about)

    async def resume(self, **about: Unpack[About]) -> api.Resumed | Queued:
        """Go on after a pause."""
        return await self._send(api.Resumed, "resume", about)

    async def cancel(self, *, wait: bool = True, **about: Unpack[About]) -> api.Cancelling | Queued:
        """Cancel the run and stop its agents; returns when they are gone, with `wait=False` at once."""
        answer = await self._send(api.Cancelling, "cancel", about)
        if wait and not isinstance(answer, api.Queued):
            await self.until_closed()
        return answer

    async def report_signal(self, signal: str, **about: Unpack[About]) -> api.SignalReported | Queued:
        """Report a completion signal: a condition of the definition that must be met before the run may complete."""
        return await self._send(api.SignalReported, "report_signal", about, signal=signal)
