"""Fenced blocks of Markdown files, and the commands inside them.

The first word after the fence is the language, `name=value` pairs may follow it: `file=NAME` is written to the page's
directory before anything after it runs; `exit=N` is the exit code of the last command; `skip="reason"` is not run.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"^(?P<indent> *)(?P<fence>`{3,})(?P<info>[^`\n]*)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block; `line` is that of its fence."""

    page: Path
    line: int
    language: str
    options: dict[str, str]
    text: str

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command of a console block, the lines it should print, and the line it stands on."""

    line: int
    text: str
    expected: tuple[str, ...]


def pages() -> list[Path]:
    """The README and everything under docs/, in a stable order."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path) -> list[Block]:
    """The blocks of a page in order."""
    found: list[Block] = []
    open_fence: tuple[int, str, str, str] | None = None
    held: list[str] = []
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        fence = _FENCE.match(line)
        if open_fence is None:
            if fence is not None:
                open_fence = (number, fence["fence"], fence["indent"], fence["info"].strip())
                held = []
        elif fence is not None and fence["fence"] == open_fence[1] and not fence["info"].strip():
            found.append(_block(page, open_fence[0], open_fence[3], held))
            open_fence = None
        else:
            held.append(line.removeprefix(open_fence[2]))
    assert open_fence is None, f"{page}: a fence is not closed"
    return found


def _block(page: Path, line: int, info: str, held: list[str]) -> Block:
    words = shlex.split(info)
    options = dict(word.partition("=")[::2] for word in words[1:])
    text = "\n".join(held) + "\n"
    return Block(page=page, line=line, language=words[0] if words else "", options=options, text=text)


def commands(block: Block) -> list[Command]:
    """The commands of a console block: lines after `$ `, with continued lines, and what follows them as output."""
    found: list[Command] = []
    text, expected, at = "", [""], 0
    for number, line in enumerate(block.text.splitlines(), start=block.line + 1):
        if text.endswith("\\"):
            text = f"{text}\n{line.removeprefix('> ')}"
        elif line.startswith("$ "):
            if text:
                found.append(Command(line=at, text=text, expected=tuple(expected)))
            text, expected, at = line[2:], [], number
        else:
            assert text, f"{block.place}: output before the first command"
            expected.append(line)
    assert text, f"{block.place}: a console block without a command"
    found.append(Command(line=at, text=text, expected=tuple(expected)))
    return found


_RUN = re.compile(r"\bwf_[0-9a-z]+\b")


def as_shown(expected: tuple[str, ...], printed: str) -> bool:
    """Whether a command printed what the page shows.

    `…` stands for anything within a line, a line `…` for any lines; every run id matches every other. A command shown
    without output may print anything.
    """
    wanted = list(expected)
    while wanted and not wanted[-1].strip():
        wanted.pop()
    if not wanted:
        return True
    return re.fullmatch(_pattern(wanted), _plain(printed)) is not None


def _plain(text: str) -> str:
    return _RUN.sub("wf_run", "".join(f"{line.rstrip()}\n" for line in text.rstrip().splitlines()))


def _pattern(wanted: list[str]) -> str:
    pattern = ""
    for line in wanted:
        if line.strip() == "…":
            pattern += r"(?:[^\n]*\n)*?"
        else:
            parts = (re.escape(part) for part in _RUN.sub("wf_run", line.rstrip()).split("…"))
            pattern += r"[^\n]*".join(parts) + r"\n"
    return pattern
