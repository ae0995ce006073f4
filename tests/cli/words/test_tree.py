"""A command is built when it is asked for, and is then what Typer makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import typer

from cli.main import app
from cli.tree import Commands, tree

Told = tuple[str, str | None, str | None, bool, list[tuple[Any, ...]]]


def told(group: Any, path: str = "") -> Iterator[Told]:
    """All that can be typed below a group."""
    for name, command in group.commands.items():
        parameters = [(each.name, each.opts, each.default, each.required, each.help) for each in command.params]
        yield f"{path}{name}", command.help, command.epilog, command.hidden, parameters
        if hasattr(command, "commands"):
            yield from told(command, f"{path}{name} ")


def test_the_tree_is_the_one_that_typer_builds_all_at_once() -> None:
    ours, whole = tree(app), typer.main.get_command(app)
    assert list(told(ours)) == list(told(whole))
    assert [each.name for each in ours.params] == [each.name for each in whole.params]


def test_only_what_is_asked_for_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[str] = []
    build = typer.main.get_command_from_info

    def noted(info: Any, **settings: Any) -> Any:
        built.append(info.name)
        return build(info, **settings)

    monkeypatch.setattr(typer.main, "get_command_from_info", noted)
    assert "status" in tree(app).commands["workflow"].commands
    assert built == []
    assert tree(app).commands["workflow"].commands["status"].name == "status"
    assert built == ["status"]


def test_a_command_that_is_put_in_replaces_and_one_that_is_taken_out_is_gone() -> None:
    commands = Commands(app, {"pretty_exceptions_short": True, "rich_markup_mode": None, "suggest_commands": True})
    before = len(commands)
    commands["run"] = "another"
    assert commands["run"] == "another"
    del commands["run"]
    assert "run" not in commands
    assert len(commands) == before - 1
