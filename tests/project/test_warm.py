"""A warm command is what a cold one is, but for the time it takes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.project.walking import BIN
from tests.project.warm import Warm

CASES = {
    "help": (["--help"], {}),
    "no such command": (["launch"], {}),
    "a file that is wrong": (["validate", "wrong.yaml"], {}),
    "a word with spaces": (["validate", "no such file.yaml"], {}),
    "a variable": (["plan", "right.yaml"], {"GREETED": "Ada = 'Lovelace'\nand more"}),
}
RIGHT = """\
name: Right
agents:
  greeter: {uses: command, run: [echo, "${env.GREETED}"]}
phases:
  - {name: Greet, agents: [greeter]}
"""


@pytest.mark.parametrize("case", CASES)
def test_it_says_the_same_on_the_same_streams_and_ends_with_the_same_code(
    case: str, tmp_path: Path, warmed: Warm
) -> None:
    (tmp_path / "right.yaml").write_text(RIGHT, encoding="utf-8")
    (tmp_path / "wrong.yaml").write_text(RIGHT.replace("name: Right", "nome: Wrong"), encoding="utf-8")
    arguments, variables = CASES[case]
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8", "TERM": "dumb", **variables}
    cold, hot = (
        subprocess.run(
            [str(program), *arguments],
            cwd=tmp_path,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=120,
            check=False,
        )
        for program in (BIN / "phaseloom", warmed.program)
    )
    assert (hot.returncode, hot.stdout, hot.stderr) == (cold.returncode, cold.stdout, cold.stderr)
    assert hot.stdout or hot.stderr


def test_what_it_starts_finds_the_program_itself(tmp_path: Path, warmed: Warm) -> None:
    """`git` stands for whatever a command starts."""
    git = tmp_path / "git"
    git.write_text('#!/bin/sh\ncommand -v phaseloom >"$HOME/found"\nexit 1\n', encoding="utf-8")
    git.chmod(0o755)
    path = os.pathsep.join(map(str, (warmed.folder, tmp_path, BIN, os.environ["PATH"])))
    environ = {"PATH": path, "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    subprocess.run(
        [warmed.program, "audit", "preparation"], cwd=tmp_path, env=environ, capture_output=True, check=False
    )
    assert (tmp_path / "found").read_text(encoding="utf-8") == f"{BIN / 'phaseloom'}\n"
