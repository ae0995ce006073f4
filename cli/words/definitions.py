"""Definitions for reading: the list, and one with its phases."""

from __future__ import annotations

from typing import Any

from cli.words.durations import counted
from cli.words.table import table
from engine.plan import InputPlan, PhasePlan, Plan

Json = dict[str, Any]

ORIGINS = {"project": "definitions/", "kept": ".phaseloom/definitions/", "catalog": "catalog"}


def listing(found: list[Json]) -> list[str]:
    """A line per definition."""
    rows: list[tuple[str, ...]] = [
        (
            entry["id"],
            entry["name"] if entry["ok"] else f"{entry['name']} (has errors: phaseloom validate {entry['path']})",
            counted(entry["phases"], "phase"),
            ORIGINS[entry["origin"]],
        )
        for entry in found
    ]
    if not rows:
        return [
            "There are no definitions here. Write one into definitions/, or keep one with: phaseloom workflow define"
        ]
    return [*table([("ID", "NAME", "PHASES", "FROM"), *rows]), "", "See one with: phaseloom workflow show <id>"]


def described(plan: Plan, written: str, not_in_effect: list[str]) -> Json:
    """A plan as `workflow show --json` prints it."""
    return {
        "id": plan.id,
        "name": plan.name,
        "description": plan.description,
        "version": plan.version,
        "kind": plan.kind,
        "format": written,
        "file": plan.source,
        "digest": plan.digest,
        "inputs": [{"name": name, **_input(declared)} for name, declared in plan.inputs.items()],
        "phases": [_phase(plan, phase) for phase in plan.phases],
        "max_workers": plan.execution.max_workers or "auto",
        "on_failure": plan.execution.on_failure,
        "completion_signals": list(plan.completion_signals),
        "not_in_effect": not_in_effect,
    }


def _input(declared: InputPlan) -> Json:
    return {
        "type": declared.type,
        "required": declared.required,
        "default": declared.default,
        "description": declared.description,
    }


def _phase(plan: Plan, phase: PhasePlan) -> Json:
    return {
        "index": phase.index,
        "id": phase.id,
        "name": phase.name,
        "description": phase.description,
        "agents": [{"role": agent.role, "uses": agent.uses} for agent in phase.agents],
        "group": phase.group,
        "for_each": phase.for_each is not None,
        "needs": [plan.phases[need.phase].id for need in phase.needs if not need.implicit],
        "gates": [gate.id for gate in phase.gates],
        "goes_to": list(dict.fromkeys(plan.phases[jump.to].id for jump in phase.jumps)),
        "acceptance_tests": len(phase.acceptance_tests),
    }


def shown(description: Json) -> list[str]:
    """A definition with its phases and the indexes by which they can be named."""
    lines = [f"{description['id']}: {description['name']}"]
    if description["description"]:
        lines += description["description"].strip().splitlines()
    lines.append(f"File: {description['file']}")
    if description["inputs"]:
        lines += ["", "Inputs:", *table([_input_row(given) for given in description["inputs"]], indent="  ")]
    lines += ["", "Phases:", *table([_phase_row(phase) for phase in description["phases"]], indent="  ")]
    if description["completion_signals"]:
        lines += ["", "Completion signals:", *(f"  {name}" for name in description["completion_signals"])]
    if description["not_in_effect"]:
        lines += ["", f"Not in effect yet: {', '.join(description['not_in_effect'])}"]
    return [*lines, "", f"Start it with: phaseloom workflow start {_word(description)}"]


def _word(description: Json) -> str:
    """How the definition is started: by its id where its file is looked for, else by its file."""
    file = str(description["file"])
    known = "/definitions/" in f"/{file}"
    return str(description["id"]) if known else file


def _input_row(given: Json) -> tuple[str, ...]:
    state = (
        "required"
        if given["required"]
        else f"default {given['default']!r}"
        if given["default"] is not None
        else "optional"
    )
    return (given["name"], given["type"], state, given["description"])


def _phase_row(phase: Json) -> tuple[str, ...]:
    people = sum(agent["uses"] == "manual" for agent in phase["agents"])
    roles = ", ".join(agent["role"] for agent in phase["agents"]) or "nobody"
    notes = ["parallel"] if phase["group"] is not None else []
    if phase["for_each"]:
        notes.append("once per item")
    if phase["needs"]:
        notes.append(f"after {', '.join(phase['needs'])}")
    if phase["gates"]:
        notes.append(f"{'gate' if len(phase['gates']) == 1 else 'gates'} {', '.join(phase['gates'])}")
    if phase["goes_to"]:
        notes.append("may send control to another phase")
    if not people:
        notes.append("runs by itself")
    elif people < len(phase["agents"]):
        itself = [agent["role"] for agent in phase["agents"] if agent["uses"] != "manual"]
        notes.append(f"people, and by itself: {', '.join(itself)}")
    return (str(phase["index"]), phase["name"], f"[{roles}]", "; ".join(notes))
