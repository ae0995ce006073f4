"""The way into a project from Python: its definitions, its runs, and starting them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.api.handle import RunHandle

if TYPE_CHECKING:
    from datetime import datetime

    from cli.api.artifacts import Artifacts
    from cli.api.breakers import ToolCircuit
    from cli.api.catalog import DefinitionDetails, DefinitionEntry, KeptDefinition, Suggestions
    from cli.api.checking import Validation
    from cli.api.details import RunSummary
    from cli.api.forking import Fork, RunComparison
    from cli.api.importing import ImportedDefinition
    from cli.api.inbox import Inbox
    from cli.api.measuring import MetricsAcross
    from cli.api.planning import RunForecast
    from cli.api.restarting import Restart
    from cli.api.returning import Return
    from cli.embedded.connect import Connection
    from cli.reach.launch import Prepared
    from cli.reach.runs import Run

Json = dict[str, Any]


class Client:
    """One project, connected to its Temporal. Made by `connect`; errors are those of `engine.errors`."""

    def __init__(
        self,
        connection: Connection,
        *,
        actor: str | None = None,
        address: str | None = None,
        profile: str | None = None,
        patience: float | None = None,
        key: Path | str | None = None,
    ) -> None:
        from cli.command import Where  # noqa: PLC0415 - a connection has loaded it

        self._connection = connection
        self._actor = actor
        self._patience = patience
        self._key = Path(key) if key is not None else None
        self._where = Where(address=address, profile=profile, task_queue=connection.task_queue)

    @classmethod
    @asynccontextmanager
    async def connect(
        cls,
        root: Path | str | None = None,
        address: str | None = None,
        profile: str | None = None,
        task_queue: str | None = None,
        *,
        actor: str | None = None,
        patience: float | None = None,
        key: Path | str | None = None,
    ) -> AsyncIterator[Client]:
        """A client for the project around `root` (default: the working directory), as an `async with` block.

        Without an address, a profile or `TEMPORAL_*` it talks to the project's own server, which is started in the
        background if need be and stays. `actor` is who acts, unless a message says otherwise. `patience` is for how
        many seconds (default: 8) a worker may leave a question or a message unanswered. `key` is the file that
        decisions are signed with where a run asks for that; default: as for the command line. Raises UnreachableError.
        """
        from cli.embedded.connect import Target, connect  # noqa: PLC0415 - defining needs no server
        from definitions import find_root  # noqa: PLC0415

        project = find_root(Path(root) if root is not None else Path.cwd())
        connection = await connect(project, Target(address=address, profile=profile, task_queue=task_queue))
        yield cls(connection, actor=actor, address=address, profile=profile, patience=patience, key=key)

    @property
    def connection(self) -> Connection:
        """Where it is connected: `connection.client` is Temporal's own client."""
        return self._connection

    @property
    def root(self) -> Path:
        """The root of the project."""
        return self._connection.project.root

    @property
    def notices(self) -> tuple[str, ...]:
        """Sentences about server and worker that somebody should read; mostly none."""
        return self._connection.notices

    # ---- definitions

    @property
    def artifacts(self) -> Artifacts:
        """What this project has stored, of whatever run."""
        from cli.api.artifacts import Artifacts  # noqa: PLC0415 - only here

        return Artifacts(self.root, self._connection)

    async def definitions(self) -> tuple[DefinitionEntry, ...]:
        """The definitions that can be started by id."""
        from cli.api import catalog  # noqa: PLC0415 - half a second

        return await asyncio.to_thread(catalog.listed, self.root)

    async def validate(self, definition: str) -> Validation:
        """What is wrong with a definition, given by id or file, or could be better.

        Raises DefinitionError when there is none.
        """
        from cli.api.checking import validated  # noqa: PLC0415 - as above

        return await asyncio.to_thread(validated, definition, self.root)

    async def show(self, definition: str) -> DefinitionDetails:
        """A definition, given by id or file: its phases with their indexes, its inputs, what is not in effect.

        Raises DefinitionError when there is none, InvalidDefinitionError when it cannot be started here and now.
        """
        from cli.api import catalog  # noqa: PLC0415 - as above

        return await asyncio.to_thread(catalog.detailed, definition, self.root)

    async def plan(self, definition: str, *, workers: int | None = None) -> RunForecast:
        """How a run of a definition, given by id or file, would go with so many workers (0: one per core).

        Nothing is started. Raises DefinitionError when there is none, InvalidDefinitionError when it cannot be started.
        """
        from cli.api.planning import forecast_of  # noqa: PLC0415 - as above

        return await asyncio.to_thread(forecast_of, definition, self.root, workers=workers)

    async def suggest(self, task: str) -> Suggestions:
        """The definitions that fit a task, the best first, with reasons."""
        from cli.api import catalog  # noqa: PLC0415 - as above

        return await asyncio.to_thread(catalog.suggested, task, self.root)

    async def import_definition(
        self,
        file: Path | str,
        *,
        identifier: str | None = None,
        output: Path | str | None = None,
        replace: bool = False,
    ) -> ImportedDefinition:
        """Write a definition of another format as native YAML, to `definitions/ID.yaml` of the project or `output`.

        Raises UsageError for a native one, InvalidDefinitionError when it has errors, RefusedError when another file
        is there already, unless it may `replace` that.
        """
        from cli.api.importing import imported  # noqa: PLC0415 - as above

        to = Path(output) if output is not None else None
        return await asyncio.to_thread(
            imported, Path(file), self.root, identifier=identifier, output=to, replace=replace
        )

    async def define(
        self,
        definition: str | Path,
        *,
        phases: Sequence[Mapping[str, Any]] | None = None,
        name: str | None = None,
        description: str = "",
        completion_signals: Sequence[str] = (),
        **more: Any,
    ) -> KeptDefinition:
        """Keep a definition in the project, in place of the one that was kept under its id; any process can start it.

        With `phases`, `definition` is its id, and `phases` and `more` are written as in a definition's file. Without,
        it is a file in any format, or the text of one (of more than one line, with its `id`). Raises
        InvalidDefinitionError, with diagnostics, and keeps nothing then.
        """
        from cli.api import catalog  # noqa: PLC0415 - as above

        if phases is None:
            if name is not None or description or completion_signals or more:
                raise TypeError("define() takes a name, a description and other keys only together with phases")
            return await asyncio.to_thread(self._kept, definition)
        return await asyncio.to_thread(
            catalog.defined,
            str(definition),
            self.root,
            phases=phases,
            name=name,
            description=description,
            completion_signals=completion_signals,
            more=more,
        )

    def _kept(self, definition: str | Path) -> KeptDefinition:
        from cli.api.catalog import kept, of_file, of_text  # noqa: PLC0415 - as above

        is_text = isinstance(definition, str) and "\n" in definition
        checked = of_text(str(definition)) if is_text else of_file(Path(definition))
        return kept(checked, self.root, replace=True)

    # ---- runs

    async def start(
        self,
        definition: str,
        *,
        inputs: Mapping[str, Any] | None = None,
        run_id: str | None = None,
        max_workers: int | None = None,
        non_interactive: bool = False,
    ) -> RunHandle:
        """Start a run of a definition, given by id or file, and make it the project's current one.

        `max_workers` 0 means automatic. `non_interactive` refuses what needs people, and a failure isolates its phase.
        Nothing is started when something is wrong: DefinitionError, InvalidDefinitionError, UsageError (inputs),
        RefusedError (there is a run `run_id` already).
        """
        ready = await asyncio.to_thread(
            self._prepared, definition, inputs=inputs, max_workers=max_workers, non_interactive=non_interactive
        )
        return await self.begin(ready, run_id=run_id)

    async def begin(self, ready: Prepared, *, run_id: str | None = None) -> RunHandle:
        """Start what `cli.reach.launch.prepare` has made ready."""
        from activities.places import file_name  # noqa: PLC0415 - only for an id of the caller's
        from cli.reach.launch import begin  # noqa: PLC0415
        from cli.reach.place import actor  # noqa: PLC0415

        chosen = file_name(run_id) if run_id is not None else None
        return self._handle(await begin(self._connection, ready, actor=actor(self._actor), chosen=chosen))

    def _prepared(self, definition: str, *, inputs: Mapping[str, Any] | None, **options: Any) -> Prepared:
        from cli.api.starting import prepared  # noqa: PLC0415 - half a second

        return prepared(definition, self.root, given=inputs, **options)

    async def restart(
        self,
        run: RunHandle | str | None = None,
        *,
        as_started: bool = False,
        inputs: Mapping[str, Any] | None = None,
    ) -> RunHandle:
        """Cancel a run (default: the current one) if it is open, wait for that, and start it anew.

        It gets the same inputs, those in `inputs` changed, and its definition as it is now, or `as_started` the plan
        that ran. Nothing is cancelled when the new one cannot be started: errors as those of `start`, and RefusedError
        for a child run.
        """
        from cli.api.restarting import restart_of  # noqa: PLC0415 - only here

        if not isinstance(run, RunHandle):
            run = await (self.current() if run is None else self.run(run))
        ready = await restart_of(run, self.root, as_started=as_started, inputs=inputs)
        return await self.begin_again(ready)

    async def begin_again(self, restart: Restart) -> RunHandle:
        """Carry out what `cli.api.restarting.restart_of` has made ready."""
        from cli.api.restarting import restarted  # noqa: PLC0415 - only here
        from cli.reach.place import actor  # noqa: PLC0415

        return self._handle(await restarted(self._connection, restart, actor=actor(self._actor)))

    async def restore(
        self,
        run: RunHandle | str | None = None,
        checkpoint: int | str | None = None,
        *,
        phase: int | str | None = None,
        note: str | None = None,
    ) -> RunHandle:
        """Go back to a checkpoint (default: the newest), or to right before the start of a `phase`.

        An open run (default: the current one) goes back in place, once its agents have been stopped; an ended one goes
        on as a new run, which is returned. What differs from then stops nothing: `RunHandle.differences` tells it.
        """
        from cli.api.returning import return_of  # noqa: PLC0415 - only here

        if not isinstance(run, RunHandle):
            run = await (self.current() if run is None else self.run(run))
        return await self.go_back(await return_of(run, self.root, checkpoint, phase=phase), note=note)

    async def go_back(self, way: Return, *, note: str | None = None) -> RunHandle:
        """Carry out what `cli.api.returning.return_of` has found."""
        from cli.api.returning import follow_up, go_back  # noqa: PLC0415 - only here
        from cli.reach.place import actor  # noqa: PLC0415

        if way.in_place:
            await go_back(way, actor=actor(self._actor), note=note)
            return way.run
        return self._handle(await follow_up(self._connection, way, actor=actor(self._actor)))

    async def fork(
        self,
        run: RunHandle | str | None = None,
        *,
        at: int | str | None = None,
        inputs: Mapping[str, Any] | None = None,
        outputs: Mapping[str, Mapping[str, Any]] | None = None,
        definition: str | None = None,
    ) -> RunHandle:
        """Start a run like another one (default: the current one) with other inputs, outputs or another definition.

        What it had completed `at` a checkpoint (default: by now) and is unaffected is reused. The other one is left
        alone. Errors as those of `start`, and RefusedError for outputs of a phase that had not completed then.
        """
        from cli.api.forking import fork_of  # noqa: PLC0415 - only here

        if not isinstance(run, RunHandle):
            run = await (self.current() if run is None else self.run(run))
        fork = await fork_of(run, self.root, at=at, inputs=inputs, outputs=outputs, definition=definition)
        return await self.begin_fork(fork)

    async def begin_fork(self, fork: Fork) -> RunHandle:
        """Carry out what `cli.api.forking.fork_of` has made ready."""
        from cli.api.forking import forked  # noqa: PLC0415 - only here
        from cli.reach.place import actor  # noqa: PLC0415

        return self._handle(await forked(self._connection, fork, actor=actor(self._actor)))

    async def compare(self, one: RunHandle | str, other: RunHandle | str) -> RunComparison:
        """Two runs side by side: statuses, durations, attempts and outputs of their phases."""
        from cli.api.forking import comparison  # noqa: PLC0415 - only here

        runs = [each if isinstance(each, RunHandle) else await self.run(each) for each in (one, other)]
        return await comparison(*runs)

    async def runs(self, *, every: bool = False, limit: int = 100) -> tuple[RunSummary, ...]:
        """The project's open runs, the newest first; `every`: ended ones too."""
        from cli.api.details import RunSummary  # noqa: PLC0415 - loaded by then
        from cli.reach.listing import listed  # noqa: PLC0415

        found = await listed(self._connection, ended_too=every, limit=limit)
        return tuple(RunSummary.of(each) for each in found)

    async def metrics(
        self, *, definition: str | None = None, since: datetime | None = None, limit: int = 200
    ) -> MetricsAcross:
        """What ended runs of the project have taken, at most `limit`, the newest first; `since`: that ended after it.

        They are read from their archives here. What one run takes, also an open one, `RunHandle.metrics` tells.
        """
        from cli.api.measuring import measured_across  # noqa: PLC0415 - only here

        after = since.timestamp() if since is not None else 0.0
        return await asyncio.to_thread(measured_across, self.root, definition=definition, since=after, limit=limit)

    async def inbox(self, *, all: bool = False) -> Inbox:  # noqa: A002 - as the command's option
        """What waits for the actor over all open runs, the soonest deadline first; `all`: gates of others too.

        Only runs that wait for something are asked; of one whose worker does not answer, what the list of runs says.
        """
        from cli.api.inbox import inbox_of  # noqa: PLC0415 - loaded by then
        from cli.reach.place import actor  # noqa: PLC0415

        return await inbox_of(self._connection, actor(self._actor), every=all, patience=self._patience)

    async def breakers(self) -> tuple[ToolCircuit, ...]:
        """The circuit breakers of tools that attempts have asked lately, by name."""
        from cli.api.breakers import ToolCircuit  # noqa: PLC0415 - only here
        from cli.reach.breakers import states  # noqa: PLC0415

        return tuple(ToolCircuit.of(each) for each in await states(self._connection, self._patience))

    async def reset_breaker(self, tool: str) -> ToolCircuit:
        """Close the circuit of a tool; how it was before. Raises NotFoundError where the tool has no breaker."""
        from cli.api.breakers import ToolCircuit  # noqa: PLC0415 - only here
        from cli.reach.breakers import reset  # noqa: PLC0415

        return ToolCircuit.of(await reset(self._connection, tool, self._patience))

    async def run(self, run_id: str) -> RunHandle:
        """The open or ended run with this id. Raises NotFoundError when there is none."""
        from cli.reach.selection import known  # noqa: PLC0415 - loaded by then

        return self._handle(await known(self._connection, run_id, ended_too=True))

    async def current(self) -> RunHandle:
        """The run that was started last, or the only open one. Raises NotFoundError when that is no single run."""
        from cli.reach.selection import current  # noqa: PLC0415 - loaded by then

        return self._handle(await current(self._connection, tell=lambda _: None, ended_too=True))

    def _handle(self, run: Run) -> RunHandle:
        from cli.reach.runs import ServerRun  # noqa: PLC0415 - loaded by then

        if self._patience is not None and isinstance(run, ServerRun):
            run.patience = self._patience
        return RunHandle(run, self.root, where=self._where, actor=self._actor, key=self._key)
