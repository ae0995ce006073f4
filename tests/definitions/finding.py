"""What a definition is told, as tests look for it."""

from __future__ import annotations

from textwrap import dedent

from definitions import Diagnostic, load_text


def found(text: str, code: str) -> list[Diagnostic]:
    return [d for d in load_text(dedent(text), file="x.yaml").diagnostics if d.code == code]


def only(text: str, code: str) -> Diagnostic:
    diagnostics = load_text(dedent(text), file="x.yaml").diagnostics
    assert [d.code for d in diagnostics] == [code], [d.text for d in diagnostics]
    return diagnostics[0]


def place(diagnostic: Diagnostic) -> tuple[int, int]:
    return diagnostic.line, diagnostic.column
