"""Making a program of what the modules of commands register, or only of the command that is asked for.

Typer works out every parameter of every command before it looks at the first argument; with seventy commands that takes
longer than most of them. Where the first arguments name a command, only that one is built.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Sequence
from typing import TypeVar

import typer
from typer.core import TyperGroup
from typer.models import CommandInfo, TyperInfo

from cli.command import plain

Info = TypeVar("Info", CommandInfo, TyperInfo)


def built(app: typer.Typer, words: Sequence[str] = ()) -> TyperGroup:
    """The program, with all of its commands unless `words` begin with the name of one."""
    narrowed = _narrowed(app, words)
    if narrowed.registered_callback is None:
        narrowed.callback()(lambda: None)  # else Typer would make a single command of what has but one
    program = typer.main.get_command(narrowed)
    assert isinstance(program, TyperGroup)
    return program


def names(app: typer.Typer) -> Collection[str]:
    """The commands and groups that stand directly below `app`."""
    return {*map(_name, app.registered_commands), *map(_group_name, app.registered_groups)}


def _narrowed(app: typer.Typer, words: Sequence[str]) -> typer.Typer:
    word, rest = (words[0], words[1:]) if words else ("", ())
    commands, groups = app.registered_commands, app.registered_groups
    if word in names(app):
        commands = [each for each in commands if _name(each) == word]
        groups = [each for each in groups if _group_name(each) == word]
    narrowed = copy.copy(app)
    narrowed.registered_commands = [_callable(each) for each in commands]
    narrowed.registered_groups = [_group(each, rest if _group_name(each) == word else ()) for each in groups]
    if app.registered_callback is not None:
        narrowed.registered_callback = _callable(app.registered_callback)
    return narrowed


def _callable(info: Info) -> Info:
    made = copy.copy(info)
    assert info.callback is not None
    made.callback = plain(info.callback)
    return made


def _group(info: TyperInfo, words: Sequence[str]) -> TyperInfo:
    made = copy.copy(info)
    assert info.typer_instance is not None
    made.typer_instance = _narrowed(info.typer_instance, words)
    return made


def _name(info: CommandInfo) -> str:
    assert info.name is not None
    return info.name


def _group_name(info: TyperInfo) -> str:
    assert info.typer_instance is not None
    return str(info.typer_instance.info.name)
