"""The files that a command gets and may write, below `.phaseloom/workflows/<run>/scratch/`.

Each attempt has a directory `<phase>-<epoch>-<position>-<attempt>` of its own. It goes when the attempt has succeeded,
and stays to be looked at when it has failed.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from activities.agent_task import AgentTask
from activities.places import run_directory


class Scratch:
    """The files of one attempt."""

    def __init__(self, root: Path, task: AgentTask, attempt: int) -> None:
        self.work = f"{task.phase_id}-{task.epoch}-{task.position}"
        self.directory = run_directory(root, task.run) / "scratch" / f"{self.work}-{attempt}"
        self.prompt = self.directory / "prompt.md"
        self.input = self.directory / "input.json"
        self.output = self.directory / "output.json"
        self.artifacts = self.directory / "artifacts"
        self.files = self.directory / "files"
        self.publish = self.directory / "publish.json"
        self.siblings = self.directory / "siblings.json"
        self.ask = self.directory / "ask"

    def create(self) -> None:
        """Make the directories, empty."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self.artifacts.mkdir(parents=True)
        self.files.mkdir()

    def fill(self, prompt: str, given: dict[str, Any]) -> None:
        """Write what the command may read."""
        self.prompt.write_text(prompt, encoding="utf-8", errors="surrogateescape")
        self.input.write_text(json.dumps(given, indent=1), encoding="ascii")

    def remove(self) -> None:
        """Remove the files of this attempt and of those before it; whatever cannot be removed stays."""
        for directory in self.directory.parent.glob(f"{self.work}-*"):
            if directory.name.removeprefix(f"{self.work}-").isdigit():
                shutil.rmtree(directory, ignore_errors=True)


def variables(root: Path, task: AgentTask, attempt: int, scratch: Scratch) -> dict[str, str]:
    """Our variables for a command, but for the marker of its attempt."""
    return {
        "PHASELOOM_RUN": task.run,
        "PHASELOOM_DEFINITION": task.definition,
        "PHASELOOM_PHASE": task.phase_id,
        "PHASELOOM_PHASE_NAME": task.phase_name,
        "PHASELOOM_PHASE_INDEX": str(task.phase_index),
        "PHASELOOM_EPOCH": str(task.epoch),
        "PHASELOOM_ATTEMPT": str(attempt),
        "PHASELOOM_AGENT": task.agent.role,
        "PHASELOOM_KEY": task.key,
        "PHASELOOM_WORKSPACE": str(root),
        "PHASELOOM_PROMPT_FILE": str(scratch.prompt),
        "PHASELOOM_INPUT": str(scratch.input),
        "PHASELOOM_OUTPUT": str(scratch.output),
        "PHASELOOM_ARTIFACTS": str(scratch.artifacts),
        "PHASELOOM_FILES": str(scratch.files),
        "PHASELOOM_PUBLISH": str(scratch.publish),
        "PHASELOOM_SIBLINGS": str(scratch.siblings),
        "PHASELOOM_ASK": str(scratch.ask),
    }


def item_variables(scope: Mapping[str, Any]) -> dict[str, str]:
    """What a command is told of the item that it runs for, as JSON; nothing where its phase runs once."""
    if "item_index" not in scope:
        return {}
    return {"PHASELOOM_ITEM": json.dumps(scope["item"]), "PHASELOOM_ITEM_INDEX": str(scope["item_index"])}
