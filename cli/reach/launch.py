"""From a definition to a run: compiled with this environment, its inputs checked, started.

Nothing is started before all of it is known to be right.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.completing import remember
from cli.reach.children import usable_with_children, with_children
from cli.reach.inputs import checked as checked_inputs
from cli.reach.inputs import from_file, pairs
from cli.reach.place import here, make_current
from cli.reach.reading import beside_errors, compiled, environment
from cli.reach.runs import ServerRun
from engine.agents import MANUAL
from engine.errors import RefusedError, UnreachableError
from engine.plan import Plan

if TYPE_CHECKING:
    from cli.embedded.connect import Connection
    from definitions.diagnostics import Diagnostic
    from definitions.loading import Checked

Json = dict[str, Any]

UNBOUND = "PL402"
"""A role that is bound to nothing."""

ID_LETTERS = string.digits + string.ascii_lowercase
ID_LENGTH = 6


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A run that could be started: its plan and everything that goes with it.

    `deferred`: what is not in effect yet; `warnings`: what the check found beside errors; `unbound`: roles that nothing
    binds, so people do them; `asked`: what the plan was changed by, to start it anew in the same way; `files`: what the
    project's files are right before the start, `{git?, files?}`, which `begin` looks at.
    """

    plan: Plan
    inputs: Json
    env: dict[str, str]
    deferred: tuple[str, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()
    unbound: tuple[str, ...] = ()
    asked: Json = field(default_factory=dict)
    files: Json = field(default_factory=dict)

    @property
    def needs_people(self) -> bool:
        """Whether somebody has to take part."""
        return bool(people_in(self.plan) or self.plan.completion_signals)


def prepare(
    checked: Checked,
    *,
    written: Sequence[str] = (),
    inputs_file: Path | None = None,
    given: Mapping[str, Any] | None = None,
    max_workers: int | None = None,
    non_interactive: bool = False,
    root: Path | None = None,
    command: str = "",
) -> Prepared:
    """Compile a definition with the environment's values and check the inputs.

    `written` inputs are texts of the command line and win over those of a file, which win over `given` values.
    `non_interactive` refuses definitions that need people, and lets a failure isolate its phase instead of asking.
    `root` is the project in which the definitions of child runs are looked for; by default the one that we stand in.
    `command` is what was typed, without inputs: an error about inputs shows it with those that it needs.
    """
    from definitions import not_in_effect  # noqa: PLC0415 - loaded by then

    root = root or here()
    plan = compiled(usable_with_children(checked, root))
    if plan.signers:
        from cli.reach.keyfiles import library_needed  # noqa: PLC0415 - few projects have keys

        with library_needed():
            import cryptography  # noqa: F401, PLC0415 - without it no worker here could carry the run out
    deferred = tuple(not_in_effect(plan))
    values = {**(given or {}), **(from_file(inputs_file) if inputs_file is not None else {})}
    inputs = checked_inputs(plan.inputs, values, pairs(written, "--input"), command=command)
    if max_workers is not None:
        plan = replace(plan, execution=replace(plan.execution, max_workers=max_workers))
    if non_interactive:
        plan = without_people(plan)
    plan = with_children(plan, root, without_people if non_interactive else lambda child: child)
    asked = {"max_workers": max_workers, "non_interactive": non_interactive}
    return Prepared(
        plan=plan,
        inputs=inputs,
        env=environment(checked),
        deferred=deferred,
        warnings=tuple(beside_errors(checked)),
        unbound=_unbound(checked, plan) if any(each.code == UNBOUND for each in checked.diagnostics) else (),
        asked={key: value for key, value in asked.items() if value is not None and value is not False},
    )


def _unbound(checked: Checked, plan: Plan) -> tuple[str, ...]:
    """The roles that nothing binds, in the order of the phases; none where the definition declares no roles at all."""
    from definitions.roles import PERSON, bindings  # noqa: PLC0415 - loaded by then

    assert checked.definition is not None
    bound = bindings(checked.definition, checked.project.agents if checked.project is not None else {})
    roles = dict.fromkeys(agent.role for phase in plan.phases for agent in phase.agents if agent.uses == MANUAL)
    return tuple(role for role in roles if role not in bound and role != PERSON)


def people_in(plan: Plan) -> list[str]:
    """The ids of the phases that need a person."""
    return [phase.id for phase in plan.phases if any(agent.uses == MANUAL for agent in phase.agents)]


def without_people(plan: Plan) -> Plan:
    """The plan with failures that ask nobody; raises RefusedError where people are needed."""
    manual = people_in(plan)
    if manual:
        more = f" and {len(manual) - 10} more" if len(manual) > 10 else ""
        raise RefusedError(
            f"people are needed for: {', '.join(manual[:10])}{more}",
            hint="bind their roles in phaseloom.yaml, or start without --non-interactive",
        )
    if plan.completion_signals:
        raise RefusedError(
            f"somebody has to report: {', '.join(plan.completion_signals)}", hint="start without --non-interactive"
        )
    phases = tuple(
        replace(phase, on_failure="isolate") if phase.on_failure == "pause" else phase for phase in plan.phases
    )
    return replace(plan, phases=phases)


def new_id() -> str:
    """A short id for a run: `wf_abc123`."""
    return "wf_" + "".join(secrets.choice(ID_LETTERS) for _ in range(ID_LENGTH))


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The run that a new one comes from. `how`: `restarted`, `restored` or `forked`; `seed`: what it begins with."""

    run: str
    how: str
    checkpoint: str | None = None
    seed: Json | None = None

    @property
    def link(self) -> Json:
        """What the new run keeps of it."""
        place = {"checkpoint": self.checkpoint} if self.checkpoint is not None else {}
        return {f"{self.how}_from": self.run, **place}


async def begin(
    connection: Connection, prepared: Prepared, *, actor: str, chosen: str | None = None, origin: Origin | None = None
) -> ServerRun:
    """Start the run, under a new id or the one that was `chosen`, and make it the current one.

    `origin` is the run that this one repeats or goes on from.

    Raises RefusedError when there is, or has been, a run with the chosen id.
    """
    from temporalio.exceptions import WorkflowAlreadyStartedError  # noqa: PLC0415 - loaded by then

    from cli.reach.beginning import files_at_start  # noqa: PLC0415 - only for a start

    if origin is None or "facts" not in (origin.seed or {}):  # else the start of the other run tells of them
        prepared = replace(prepared, files=await files_at_start(connection.project.root))
    while True:
        run = chosen or new_id()
        try:
            await _start(connection, prepared, run, actor, origin)
        except WorkflowAlreadyStartedError:
            if chosen is not None:
                raise RefusedError(f"there is a run {chosen!r} already", hint="choose another id, or none") from None
            continue
        make_current(connection.project.root, run)
        remember(connection.project.root, run, prepared.plan.id, [phase.id for phase in prepared.plan.phases])
        return ServerRun(connection, run)


async def _start(connection: Connection, prepared: Prepared, run: str, actor: str, origin: Origin | None) -> None:
    from temporalio.common import (  # noqa: PLC0415 - loaded by then
        SearchAttributeKey,
        SearchAttributePair,
        TypedSearchAttributes,
        WorkflowIDReusePolicy,
    )
    from temporalio.service import RPCError  # noqa: PLC0415

    plan = prepared.plan
    asked = {"asked": prepared.asked} if prepared.asked else {}
    link = origin.link if origin is not None else {}
    seed = {"seed": origin.seed} if origin is not None and origin.seed is not None else {}
    attributes: list[SearchAttributePair[Any]] = [
        SearchAttributePair(SearchAttributeKey.for_keyword("PhaseloomDefinition"), plan.id),
        SearchAttributePair(SearchAttributeKey.for_keyword("PhaseloomStatus"), "running"),
        SearchAttributePair(SearchAttributeKey.for_keyword_list("PhaseloomWaitingFor"), list[str]()),
    ]
    try:
        await connection.client.start_workflow(
            "PhaseRun",
            {
                "plan": plan.to_json(),
                "inputs": prepared.inputs,
                "env": prepared.env,
                "actor": actor,
                "run": {"id": run, "definition": plan.id, "name": plan.name, **link, **asked},
                "search_attributes": connection.attributes,
                **prepared.files,
                **seed,
            },
            id=run,
            task_queue=connection.task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            memo={"definition": plan.id, "name": plan.name, "status": "running", "waiting_for": [], **link},
            search_attributes=TypedSearchAttributes(attributes if connection.attributes else []),
            static_summary=plan.name,
        )
    except RPCError as error:
        raise UnreachableError(f"the Temporal server did not take the run: {error.message}") from error
