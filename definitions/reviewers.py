"""Reviewers at gates: which phases they look at, and what is wrong with those that a gate names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from definitions.findings import Findings, Path
from definitions.schema.agents import Agent
from definitions.schema.document import Definition
from definitions.texts import BASE, Text

REVIEW = "review"
"""The name under which a reviewer's texts find what it is about."""

CAN_REVIEW = ("command", "aider", "python", "http", "activity")
"""Executors whose outputs can be a verdict."""


def reviewed_by(definition: Definition) -> dict[str, list[int]]:
    """The phases that each reviewer looks at."""
    phases: dict[str, list[int]] = {}
    for index, phase in enumerate(definition.ordered):
        for name in phase.gates:
            gate = definition.gates.get(name)
            for role in dict.fromkeys(gate.reviewers if gate is not None else ()):
                phases.setdefault(role, []).append(index)
    return phases


def with_review(texts: Iterable[Text]) -> Iterator[Text]:
    """The same texts where a review is: of agents that only review."""
    for text in texts:
        yield replace(text, names=(*text.names, REVIEW))


def review_texts(definition: Definition) -> Iterator[Text]:
    """What gates tell their reviewers."""
    for name, gate in definition.gates.items():
        if gate.review_prompt is not None:
            phases = tuple(index for index, phase in enumerate(definition.ordered) if name in phase.gates)
            names = (*BASE, REVIEW)
            path: Path = ("gates", name, "review_prompt")
            yield Text(path=path, text=gate.review_prompt, names=names, phases=phases, own=True)


def check_reviewers(
    definition: Definition, bound: Mapping[str, Agent], declared: Iterable[str], findings: Findings
) -> None:
    """Report reviewers that are named twice, are no agent, or cannot give a verdict."""
    known = dict.fromkeys([*declared, *bound])
    for name, gate in definition.gates.items():
        for position, role in enumerate(gate.reviewers):
            path: Path = ("gates", name, "reviewers", position)
            if role in gate.reviewers[:position]:
                findings.add("PL107", path, f"the gate names the reviewer '{role}' twice")
            elif role not in known:
                hint = findings.suggest(role, known) or "bind it under agents:; people decide under 'approval'"
                findings.add("PL115", path, f"no agent '{role}' is declared", hint=hint)
            elif (agent := bound.get(role)) is not None and agent.uses not in CAN_REVIEW:
                hint = "people decide under 'approval'" if agent.uses == "manual" else f"use {', '.join(CAN_REVIEW)}"
                findings.add("PL115", path, f"'{role}' uses {agent.uses} and cannot review", hint=hint)
