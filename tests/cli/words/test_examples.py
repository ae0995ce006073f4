"""Every command shows examples, and every example can be typed as it stands."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from cli.building import built
from cli.examples import EXAMPLES
from cli.main import app

ROOT = built(app)


def commands(group: object = ROOT, path: str = "") -> Iterator[str]:
    for name, command in getattr(group, "commands", {}).items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{path}{name} ")
        elif not command.hidden:
            yield f"{path}{name}"


def test_every_command_has_examples_and_every_example_a_command() -> None:
    assert set(commands()) == set(EXAMPLES)


@pytest.mark.parametrize("line", [line for lines in EXAMPLES.values() for line in lines])
def test_an_example_is_a_command_line_that_is_understood(line: str) -> None:
    program, *words = shlex.split(line)
    assert program == "phaseloom"
    command: Any = ROOT
    context = typer.Context(ROOT, info_name="phaseloom")
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    if words != ["--help"]:
        command.make_context("example", words, parent=context)


def test_examples_stand_below_the_options_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        ROOT.main(["workflow", "next", "--help"], prog_name="phaseloom")
    shown = capsys.readouterr().out
    assert shown.index("--help") < shown.index("Examples:")
    assert "  phaseloom workflow next\n" in shown
