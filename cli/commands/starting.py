"""What `run` and `workflow start` have in common: their options and how a definition becomes a started run."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.command import Where
from cli.console import Console, write

if TYPE_CHECKING:
    from cli.reach.launch import Prepared
    from definitions.loading import Checked
    from engine.plan import Plan

UNBOUND = "PL402"
"""A role that is bound to nothing: at the start of a run all of them are told in one line."""

CONFIG_NAME = "phaseloom.yaml"


@dataclass(frozen=True, kw_only=True)
class Starting(Where):
    """Options of commands that start a run."""

    input: Annotated[
        list[str] | None, typer.Option("--input", "-i", metavar="NAME=VALUE", help="An input; may be repeated.")
    ] = None
    inputs_file: Annotated[
        Path | None, typer.Option("--inputs-file", metavar="FILE", help="Inputs from a JSON or YAML file.")
    ] = None
    max_workers: Annotated[
        str | None, typer.Option("--max-workers", metavar="N|auto", help="How many agents may work at once.")
    ] = None
    actor: Annotated[
        str | None,
        typer.Option("--actor", metavar="NAME", help="Who does this; default: $PHASELOOM_ACTOR or the login name."),
    ] = None


def prepared(
    definition: str, options: Starting, console: Console, *, non_interactive: bool = False, verb: str = "run"
) -> tuple[Checked, Prepared]:
    """The definition, checked and compiled; warnings and what is not in effect yet are told. `verb`: what was typed.

    Raises before anything is started: NotFoundError, InvalidDefinitionError, UsageError, RefusedError.
    """
    from cli.reach.launch import beside_errors, prepare, read_definition, usable, workers_wanted  # noqa: PLC0415
    from cli.reach.place import here  # noqa: PLC0415 - --help needs neither

    workers = workers_wanted(options.max_workers)
    checked = usable(read_definition(definition, here()))
    ready = prepare(
        checked,
        written=options.input or (),
        inputs_file=options.inputs_file,
        max_workers=workers,
        non_interactive=non_interactive,
        command=f"phaseloom {verb} {shlex.quote(definition)}",
    )
    if not console.json:
        findings = beside_errors(checked)
        write(sys.stderr, "".join(f"{finding.text}\n" for finding in findings if finding.code != UNBOUND))
        if people := _unbound(checked, ready.plan) if any(finding.code == UNBOUND for finding in findings) else "":
            console.note(f"bound to nothing, so people do it: {people} (bind roles under agents: in {CONFIG_NAME})")
        if ready.deferred:
            console.note(f"not in effect yet: {', '.join(ready.deferred)}")
    return checked, ready


def _unbound(checked: Checked, plan: Plan) -> str:
    """The roles that nothing binds, in the order of the phases."""
    from definitions.roles import PERSON, bindings  # noqa: PLC0415 - loaded by then

    assert checked.definition is not None
    project = checked.project
    bound = bindings(checked.definition, project.agents if project is not None else {})
    roles = dict.fromkeys(agent.role for phase in plan.phases for agent in phase.agents)
    return ", ".join(role for role in roles if role not in bound and role != PERSON)
