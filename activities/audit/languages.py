"""Names of languages by file name (`languages.toml`), and how the bytes of a file become text, if they are any."""

from __future__ import annotations

import codecs
import io
import tokenize
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath

PYTHON_SUFFIXES = frozenset({".py", ".pyi", ".pyw"})
OTHER = "Other"


def language_of(name: str) -> str:
    """The language that a file's name promises, `Other` where it promises none."""
    path = PurePosixPath(name)
    return _languages().get(path.name) or _languages().get(path.suffix.lower(), OTHER)


@cache
def _languages() -> dict[str, str]:
    table = tomllib.loads(files("activities.audit").joinpath("languages.toml").read_text("utf-8"))
    return {name: language for language, names in table.items() for name in names}


def starts_python(head: bytes) -> bool:
    """Whether a file without a suffix is a Python script by its first line."""
    first = head.partition(b"\n")[0]
    return first.startswith(b"#!") and b"python" in first


def is_binary(data: bytes) -> bool:
    """Whether the bytes are no text: a NUL near the start, where no byte-order mark explains it."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return False
    return b"\0" in data[:8192]


def lines_of(text: str) -> list[str]:
    """The lines as editors and Python count them; `splitlines` would also break at form feeds and the like."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def as_text(data: bytes, *, python: bool = False) -> str:
    """The bytes as text by byte-order mark, Python's coding line, UTF-8 or, as a last resort, Latin-1. Never fails."""
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    encoding = "utf-8-sig"
    if python:
        try:
            encoding = tokenize.detect_encoding(io.BytesIO(data).readline)[0]
        except SyntaxError:
            encoding = "latin-1"
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return data.decode("latin-1")
