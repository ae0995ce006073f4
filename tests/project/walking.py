"""Walks through a page as a reader would: its files written, its commands run, in one shell, in an empty directory."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.project.markdown import ROOT, Command, as_shown, blocks, commands
from tests.tidying import tidy

BIN = Path(sys.executable).parent
LONGEST = 400
"""Seconds for a page: more than any takes on a machine that is busy, for what hangs."""
MARK = "@@phaseloom-docs@@"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command and the exit code it should have."""

    command: Command
    code: int


def walk(page: Path, place: Path, programs: Path = BIN) -> None:
    """Run a page below `place`; AssertionError, with line and output, where it does not go as printed.

    `phaseloom` is the one in `programs`.
    """
    steps, script = _script(page)
    home, project = place / "home", place / "project"
    home.mkdir()
    project.mkdir()
    try:
        printed = _run(script, home, project, programs)
    finally:
        for state in place.rglob(".phaseloom"):
            asyncio.run(tidy(state.parent))
    parts = re.split(rf"{MARK}(\d+)\n", printed)
    for number, step in enumerate(steps):
        where = f"{page.relative_to(ROOT)}:{step.command.line}: {step.command.text}"
        output = parts[number * 2]
        assert number * 2 + 1 < len(parts), f"{where}\ndid not end:\n{output}"
        code = int(parts[number * 2 + 1])
        assert code == step.code, f"{where}\nended with {code}, not {step.code}:\n{output}"
        shown = "\n".join(step.command.expected).strip("\n")
        assert as_shown(step.command.expected, output), f"{where}\nis shown with:\n{shown}\n\nbut printed:\n{output}"


def _script(page: Path) -> tuple[list[Step], str]:
    steps: list[Step] = []
    script = ""
    for block in blocks(page):
        if name := block.options.get("file"):
            script += f"mkdir -p {shlex.quote(os.path.dirname(name) or '.')}\n"  # noqa: PTH120 - a text, not a file here
            script += f"cat >{shlex.quote(name)} <<'{MARK}'\n{block.text}{MARK}\n"
        if block.language != "console" or "skip" in block.options:
            continue
        every = commands(block)
        for command in every:
            code = int(block.options.get("exit", 0)) if command is every[-1] else 0
            steps.append(Step(command=command, code=code))
            script += f"{{ {command.text}\n}} </dev/null\ncode=$?\necho {MARK}$code\n[ $code = {code} ] || exit 0\n"
    return steps, script


def _run(script: str, home: Path, project: Path, programs: Path) -> str:
    """What the script prints, as somebody who has configured nothing."""
    variables = {
        "PATH": os.pathsep.join(map(str, (programs, BIN, os.environ["PATH"]))),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "USER": "ana",
        "LOGNAME": "ana",
        "TERM": "dumb",
        "TMPDIR": str(home),
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    with (home / "output").open("w+b") as output:
        shell = subprocess.Popen(
            ["sh", "-c", script],
            cwd=project,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            shell.wait(LONGEST)
        except subprocess.TimeoutExpired:
            os.killpg(shell.pid, signal.SIGKILL)
            shell.wait()
        output.seek(0)
        return output.read().decode(errors="replace")
