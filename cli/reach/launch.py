"""From a definition's name to a run: found, read, checked, compiled with this environment, started.

Nothing is started before all of it is known to be right.
"""

from __future__ import annotations

import os
import secrets
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.completing import remember
from cli.exits import UsageError
from cli.reach.inputs import checked as checked_inputs
from cli.reach.inputs import from_file, pairs
from cli.reach.place import here, make_current
from cli.reach.runs import ServerRun
from engine.children import CHILD
from engine.errors import DefinitionError, RefusedError, UnreachableError
from engine.plan import MANUAL, AgentPlan, Plan

if TYPE_CHECKING:
    from cli.embedded.connect import Connection
    from definitions.diagnostics import Diagnostic
    from definitions.loading import Checked

Json = dict[str, Any]

ID_LETTERS = string.digits + string.ascii_lowercase
ID_LENGTH = 6


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A run that could be started: its plan and everything that goes with it. `deferred`: what is not in effect yet."""

    plan: Plan
    inputs: Json
    env: dict[str, str]
    deferred: tuple[str, ...] = ()


def read_definition(name: str, root: Path) -> Checked:
    """The definition that a path or an id names, with the project's configuration.

    Raises DefinitionError when there is none, or when the project's configuration has errors.
    """
    from definitions import InvalidDefinitionError, find, load, load_config  # noqa: PLC0415 - half a second

    config, found = load_config(root)
    if any(finding.severity == "error" for finding in found):
        raise InvalidDefinitionError(found)
    return load(shortest(find(name, root)), project=config)


def shortest(path: Path) -> Path:
    """A path as people would write it here."""
    if not path.is_absolute():
        return path
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def usable(checked: Checked) -> Checked:
    """The definition, if it has no errors; raises InvalidDefinitionError with all of them otherwise."""
    from definitions import InvalidDefinitionError  # noqa: PLC0415 - loaded by then

    if not checked.ok:
        raise InvalidDefinitionError(checked.diagnostics)
    return checked


def beside_errors(checked: Checked) -> list[Diagnostic]:
    """Warnings and notes."""
    return [finding for finding in checked.diagnostics if finding.severity != "error"]


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
    from definitions import compile_plan, env_names, not_in_effect  # noqa: PLC0415 - loaded by then

    env = {name: os.environ.get(name, "") for name in env_names(checked)}
    plan = compile_plan(checked, env)
    deferred = tuple(not_in_effect(plan))
    values = {**(given or {}), **(from_file(inputs_file) if inputs_file is not None else {})}
    inputs = checked_inputs(plan.inputs, values, pairs(written, "--input"), command=command)
    if max_workers is not None:
        plan = replace(plan, execution=replace(plan.execution, max_workers=max_workers))
    if non_interactive:
        plan = without_people(plan)
    plan = with_children(plan, root or here(), without_people if non_interactive else lambda child: child)
    return Prepared(plan=plan, inputs=inputs, env=env, deferred=deferred)


def with_children(plan: Plan, root: Path, prepared: Callable[[Plan], Plan], above: tuple[str, ...] = ()) -> Plan:
    """The plan with the plans of all child runs in it, each changed by `prepared`.

    Raises DefinitionError when a child's definition is not there, has errors, or contains itself.
    """
    if not any(agent.uses == CHILD for phase in plan.phases for agent in phase.agents):
        return plan
    above = (*above, plan.id)

    def child(agent: AgentPlan) -> AgentPlan:
        from definitions import compile_plan, env_names  # noqa: PLC0415 - loaded by then

        if agent.uses != CHILD:
            return agent
        name = agent.config["definition"]
        checked = usable(read_definition(name, root))
        if checked.id in above:
            raise DefinitionError(f"a run cannot contain itself: {' -> '.join((*above, checked.id))}", code="cycle")
        env = {name: os.environ.get(name, "") for name in env_names(checked)}
        compiled = with_children(prepared(compile_plan(checked, env)), root, prepared, above)
        return replace(agent, config={**agent.config, "plan": compiled.to_json(), "env": env})

    return replace(plan, phases=tuple(replace(p, agents=tuple(map(child, p.agents))) for p in plan.phases))


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


async def begin(connection: Connection, prepared: Prepared, *, actor: str, chosen: str | None = None) -> ServerRun:
    """Start the run, under a new id or the one that was `chosen`, and make it the current one.

    Raises RefusedError when there is, or has been, a run with the chosen id.
    """
    from temporalio.exceptions import WorkflowAlreadyStartedError  # noqa: PLC0415 - loaded by then

    while True:
        run = chosen or new_id()
        try:
            await _start(connection, prepared, run, actor)
        except WorkflowAlreadyStartedError:
            if chosen is not None:
                raise RefusedError(f"there is a run {chosen!r} already", hint="choose another id, or none") from None
            continue
        make_current(connection.project.root, run)
        remember(connection.project.root, run, prepared.plan.id, [phase.id for phase in prepared.plan.phases])
        return ServerRun(connection, run)


async def _start(connection: Connection, prepared: Prepared, run: str, actor: str) -> None:
    from temporalio.common import (  # noqa: PLC0415 - loaded by then
        SearchAttributeKey,
        SearchAttributePair,
        TypedSearchAttributes,
        WorkflowIDReusePolicy,
    )
    from temporalio.service import RPCError  # noqa: PLC0415

    plan = prepared.plan
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
                "run": {"id": run, "definition": plan.id, "name": plan.name},
                "search_attributes": connection.attributes,
            },
            id=run,
            task_queue=connection.task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            memo={"definition": plan.id, "name": plan.name, "status": "running", "waiting_for": []},
            search_attributes=TypedSearchAttributes(attributes if connection.attributes else []),
            static_summary=plan.name,
        )
    except RPCError as error:
        raise UnreachableError(f"the Temporal server did not take the run: {error.message}") from error


def workers_wanted(text: str | None) -> int | None:
    """The number that `--max-workers` asks for; 0 for `auto`."""
    if text is None:
        return None
    if text == "auto":
        return 0
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 1000):
        raise UsageError(f"--max-workers {text!r} is neither a number from 1 to 1000 nor 'auto'")
    return int(text)
