"""The commands of a program as they are carried out: a command is built when it is asked for, and only then.

Building reads the annotations of every parameter: 60 ms for all commands, of which a command line means one.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, MutableMapping
from functools import partial
from typing import Any

import typer
from typer import main as building

LOOKS = ("pretty_exceptions_short", "rich_markup_mode")
"""What a program tells each of its commands."""


class Commands(MutableMapping[str, Any]):
    """What a group holds, under the names that are typed, in the order of `--help`."""

    def __init__(self, group: typer.Typer, settings: dict[str, Any]) -> None:
        self._builders: dict[str, Callable[[], Any]] = {}
        self._built: dict[str, Any] = {}
        looks = {name: settings[name] for name in LOOKS}
        for each in group.registered_commands:
            assert each.name, "every command is registered with its name"
            self._builders[each.name] = partial(building.get_command_from_info, each, **looks)
        for below in group.registered_groups:
            assert below.typer_instance is not None
            name = below.name if isinstance(below.name, str) else below.typer_instance.info.name
            assert isinstance(name, str), "every group has a name"
            self._builders[name] = partial(_group, below, settings)

    def __getitem__(self, name: str) -> Any:
        if name not in self._built:
            self._built[name] = self._builders[name]()
        return self._built[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._builders[name] = lambda: command
        self._built[name] = command

    def __delitem__(self, name: str) -> None:
        del self._builders[name]
        self._built.pop(name, None)

    def __contains__(self, name: object) -> bool:
        return name in self._builders

    def __iter__(self) -> Iterator[str]:
        return iter(self._builders)

    def __len__(self) -> int:
        return len(self._builders)


def tree(program: typer.Typer) -> Any:
    """The root of a program's commands, as `typer.main.get_command` makes it, with nothing below it built yet."""
    if program.registered_callback is None:  # it may be a single command, not a group
        return building.get_command(program)
    root: Any = building.get_command(_bare(program))
    root.commands = Commands(program, {name: getattr(program, name) for name in (*LOOKS, "suggest_commands")})
    return root


def _group(info: Any, settings: dict[str, Any]) -> Any:
    """A group below the root."""
    bare = copy.copy(info)
    bare.typer_instance = _bare(info.typer_instance)
    group = building.get_group_from_info(bare, **settings)
    group.commands = Commands(info.typer_instance, settings)
    return group


def _bare(group: typer.Typer) -> typer.Typer:
    """A group that holds nothing."""
    bare = copy.copy(group)
    bare.registered_commands, bare.registered_groups = [], []
    return bare
