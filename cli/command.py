"""Registering commands: a coroutine is really awaited, and options that many commands share are written once.

A parameter whose type is a dataclass of options (`Where`, `Look`, `Act`, `Sign`) is replaced by the options that its
fields declare. A command returns its exit code, or None for success.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast, get_type_hints

import typer

from cli.completing import COMPLETERS
from cli.exits import Exit

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class Where:
    """Options of every command that talks to a server."""

    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")] = False
    address: Annotated[
        str | None,
        typer.Option("--address", metavar="HOST:PORT", help="A Temporal server, instead of the project's own."),
    ] = None
    profile: Annotated[
        str | None, typer.Option("--profile", metavar="NAME", help="A profile of Temporal's temporal.toml.")
    ] = None
    task_queue: Annotated[
        str | None,
        typer.Option(
            "--task-queue",
            metavar="NAME",
            envvar="PHASELOOM_TASK_QUEUE",
            show_envvar=False,
            help="A queue whose workers are shared with other projects.",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Look(Where):
    """Options of commands that look at one run."""

    run: Annotated[
        str | None, typer.Option("--run", "-r", metavar="ID", help="The run; by default the current one.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class Act(Look):
    """Options of commands that change one run."""

    actor: Annotated[
        str | None,
        typer.Option("--actor", metavar="NAME", help="Who does this; default: $PHASELOOM_ACTOR or the login name."),
    ] = None
    note: Annotated[str | None, typer.Option("--note", metavar="TEXT", help="Kept in the run's journal.")] = None
    request_id: Annotated[
        str | None,
        typer.Option("--request-id", metavar="ID", help="A message sent again with the same id changes nothing more."),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Sign(Act):
    """Options of commands that decide, and sign where the run asks for it."""

    key: Annotated[
        Path | None,
        typer.Option(
            "--key",
            metavar="FILE",
            help="The key to sign with where the run asks for that; default: $PHASELOOM_KEY or that of the actor.",
        ),
    ] = None


def command(app: typer.Typer, name: str, **settings: Any) -> Callable[[F], F]:
    """Register a function or coroutine function as a command of `app`; `cli.building` makes it callable."""
    return app.command(name, **settings)


def default(app: typer.Typer) -> Callable[[F], F]:
    """Register a function as what a group does when it is called, also before a command of its own is carried out."""
    return app.callback(invoke_without_command=True)


def plain(function: Callable[..., Any]) -> Callable[..., Any]:
    """A synchronous function with plain parameters that calls a function registered here."""
    hints = get_type_hints(function, include_extras=True)
    groups: dict[str, type[Any]] = {}
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(function).parameters.values():
        hint = hints[parameter.name]
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            groups[parameter.name] = hint
        else:
            parameters.append(parameter.replace(annotation=hint, kind=inspect.Parameter.KEYWORD_ONLY))
    for group in groups.values():
        parameters.extend(_options(cast("Hashable", group)))
    for parameter in parameters:
        _complete(parameter.annotation)

    @functools.wraps(function)
    def call(**given: Any) -> Any:
        for name, group in groups.items():
            given[name] = group(**{field.name: given.pop(field.name) for field in dataclasses.fields(group)})
        try:
            return _awaited(function, given)
        except BrokenPipeError:
            return Exit.NO_READER

    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # as inspect documents
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return call


def _complete(annotation: Any) -> None:
    """Let a shell complete a parameter whose kind of value is known by its metavar."""
    for info in getattr(annotation, "__metadata__", ()):
        metavar = getattr(info, "metavar", None)
        names = (getattr(info, "default", None), *(getattr(info, "param_decls", None) or ()))  # Typer joins them later
        if metavar in COMPLETERS and (metavar != "ID" or "--run" in names):
            info.autocompletion = COMPLETERS[metavar]


def _awaited(function: Callable[..., Any], given: dict[str, Any]) -> Any:
    """What a function returns, or a coroutine function once it has run to its end."""
    if not inspect.iscoroutinefunction(function):
        return function(**given)
    import asyncio  # noqa: PLC0415 - 40 ms that --help does not pay

    return asyncio.run(function(**given))


@functools.cache
def _options(group: Hashable) -> tuple[inspect.Parameter, ...]:
    """The parameters of a group of options; reading its annotations takes longer than all else, so it is done once."""
    assert isinstance(group, type)
    assert dataclasses.is_dataclass(group)
    hints = get_type_hints(group, include_extras=True)
    return tuple(
        inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
        )
        for field in dataclasses.fields(group)
    )
