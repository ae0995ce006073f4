"""Where a command's words go: results to stdout, everything about the command itself to stderr.

With `--json` stdout carries JSON and nothing else, errors included, so that a program reads one stream.
"""

from __future__ import annotations

import codecs
import io
import json
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

from engine.errors import PhaseloomError

Json = dict[str, Any]

CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|[\x00-\x08\x0a-\x1f\x7f-\x9f]")
"""What would move, colour or rename a terminal: an agent's output may hold it, and our lines never show it."""

FALLBACK = "phaseloom.ascii"


class Console:
    """One command's output. `json`: the caller wants JSON instead of words."""

    def __init__(self, *, json: bool = False) -> None:
        self.json = json

    def lines(self, lines: Iterable[str]) -> None:
        """Print lines for people; with `--json` nothing. A line break within one is a space."""
        if not self.json:
            single = (line.replace("\n", " ") for line in lines)
            write(sys.stdout, "".join(f"{CONTROL.sub('', line)}\n" for line in single))

    def line(self, text: str = "") -> None:
        """Print one line for people; with `--json` nothing."""
        self.lines([text])

    def data(self, value: Any) -> None:
        """Print JSON if that is wanted."""
        if self.json:
            write(sys.stdout, json.dumps(value, indent=2, ensure_ascii=False) + "\n")

    def answer(self, value: Any, lines: Iterable[str]) -> None:
        """Print a result: the JSON, or the lines."""
        self.data(value)
        self.lines(lines)

    def note(self, text: str) -> None:
        """Tell people something beside the result, on stderr."""
        write(sys.stderr, f"note: {text}\n")


def report(error: PhaseloomError, *, as_json: bool) -> None:
    """Print what went wrong: on stdout as JSON, or on stderr as `error: …` and `hint: …`."""
    diagnostics = getattr(error, "diagnostics", ())
    if as_json:
        told: Json = {"code": error.code, "message": error.message, "hint": error.hint}
        if diagnostics:
            told["diagnostics"] = [finding.to_json() for finding in diagnostics]
        told |= {key: value for key, value in getattr(error, "told", {}).items() if key not in told}
        write(sys.stdout, json.dumps({"error": told}, indent=2, ensure_ascii=False) + "\n")
        return
    for finding in diagnostics:
        write(sys.stderr, f"{finding.text}\n")
    message = _in_words(diagnostics) if diagnostics else error.message
    write(sys.stderr, f"error: {message}\n")
    if error.hint:
        write(sys.stderr, f"hint: {error.hint}\n")


def _in_words(diagnostics: Iterable[Any]) -> str:
    errors = [finding for finding in diagnostics if finding.severity == "error"]
    files = ", ".join(dict.fromkeys(finding.file for finding in errors))
    return f"{files} has {len(errors)} error{'' if len(errors) == 1 else 's'}"


def write(stream: TextIO, text: str) -> None:
    """Write at once; a character that the stream cannot show is replaced."""
    stream.write(text)
    stream.flush()


def prepare_streams() -> None:
    """Let no character break the output: for what an encoding cannot show stands what is closest, or `?`.

    A stream that the process was not given holds nothing; its number is taken, so that no other file gets it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - open to the end
    codecs.register_error(FALLBACK, _closest)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=FALLBACK)


def _closest(error: UnicodeError) -> tuple[str, int]:
    from cli.words.symbols import ASCII  # noqa: PLC0415 - only where something cannot be shown

    assert isinstance(error, UnicodeEncodeError)
    return "".join(ASCII.get(char, "?") for char in error.object[error.start : error.end]), error.end


def is_terminal(stream: TextIO) -> bool:
    """Whether a stream is a terminal that can redraw itself."""
    try:
        return stream.isatty() and os.environ.get("TERM", "") not in {"", "dumb"}
    except ValueError:  # a closed stream
        return False


def has_person() -> bool:
    """Whether somebody sits in front of this command: any of its streams is a terminal."""
    return any(stream is not None and not stream.closed and stream.isatty() for stream in (sys.stdin, sys.stderr))
