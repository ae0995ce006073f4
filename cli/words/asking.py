"""What a person is asked for, and the one command to type for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]

NEXT = "phaseloom workflow next"
COMPLETE = "phaseloom workflow complete-phase"
COMPLETE_EACH = f"Complete each with: {COMPLETE} <index>"

INDENT = "    "


def way(index: int, view: Json) -> str:
    """The command that completes a phase: `next` wherever that is enough, with the outputs that it is to yield.

    `next` is enough where one person's phase is open, no parallel group is, and nothing waits for a decision.
    """
    entries = people(view)
    alone = len(entries) == 1 and entries[0]["phase"] == index
    enough = alone and not view["parallel"]["active"] and view["pause"] is None
    mine = next((entry for entry in entries if entry["phase"] == index), {})
    return f"{NEXT if enough else f'{COMPLETE} {index}'}{given(mine.get('outputs', ()))}"


def people(view: Json) -> list[Json]:
    """The entries of phases that wait for people."""
    return [entry for entry in view["waiting"] if entry["for"] == "person"]


def given(names: Iterable[str]) -> str:
    """The options by which outputs are given."""
    return "".join(f" -o {name}=…" for name in names)


def what(index: int, view: Json) -> list[str]:
    """What is to be done in a phase, in a line, where anything says so."""
    mine = next((entry for entry in people(view) if entry["phase"] == index), {})
    if not mine.get("more") and not mine.get("what"):
        return []
    lines = [f"To do: {mine['what']}"] if mine.get("what") else []
    return [*lines, f"All of it: phaseloom workflow why {index}"] if mine.get("more") else lines


def work(phase: Json, view: Json) -> list[str]:
    """All that a person needs for a phase, from its details."""
    asked = phase.get("asked_for") or {}
    lines: list[str] = []
    if phase.get("description"):
        lines += ["", *phase["description"].strip().splitlines()]
    for role, text in asked.get("instructions", {}).items():
        lines += ["", f"For {role}:", *(f"  {line}" for line in text.strip().splitlines())]
    if asked.get("prompt"):
        lines += ["", "What is asked:", *(f"  {line}" for line in asked["prompt"].strip().splitlines())]
    if asked.get("outputs"):
        lines += ["", "Outputs to give:", *(_output(name, each) for name, each in asked["outputs"].items())]
    return [*lines, *([""] if lines else []), f"Complete it with: {way(phase['index'], view)}"]


def _output(name: str, declared: Json) -> str:
    kind = "" if declared["type"] == "any" else f" ({declared['type']}{', optional' if declared['optional'] else ''})"
    about = f": {declared['description']}" if declared["description"] else ""
    return f"- {name}{kind}{about}"


def beside(answer: Json) -> list[str]:
    """What the person who completed a phase should know of it: outputs that nobody declared."""
    phase = answer["phase"]["name"]
    lines = []
    if answer.get("undeclared"):
        known = ", ".join(answer.get("declared", ()))
        kept = ", ".join(answer["undeclared"])
        lines.append(f"Note: {phase} declares no output {kept} (it declares: {known}); it is kept all the same.")
    return lines
