"""What `phaseloom init` writes: a project that runs as it stands, without network, and explains itself."""

from __future__ import annotations

import json

PROJECT = """\
# yaml-language-server: $schema=.phaseloom/schema/project.json
# What holds for every definition of this project. All settings and where they come from: phaseloom config show

execution:
  max_workers: 3

agents:
  # Who does what. Definitions name roles; here a role is bound to what does the work. A role that is not bound is a
  # person's: the run waits for: phaseloom workflow complete-phase
  writer:
    uses: command
    run: [cat, "${prompt_file}"]
    outputs:
      text: {type: string, value: "${stdout}"}
"""

DEFINITION = """\
# yaml-language-server: $schema=../.phaseloom/schema/definition.json
# Check it: phaseloom validate hello        Run it: phaseloom run hello --input who=Ana
id: hello
name: Hello
description: Two phases at once, and one that uses what they made.

inputs:
  who: {type: string, default: world}

phases:
  # A phase with a role: phaseloom.yaml says who `writer` is. What it makes are its outputs.
  - name: Greet
    agents: [writer]
    prompt: "Hello, ${inputs.who}!"
    # Phases that stand next to each other and are parallel start together.
    parallel: true

  # A phase without a role runs its tasks in a shell. An acceptance test decides whether it has worked.
  - name: Look Around
    tool: sh
    tasks: [ls]
    acceptance_tests: [test -f phaseloom.yaml]
    parallel: true

  # Waits for both, because it stands after them.
  - name: Sum Up
    agents: [writer]
    prompt: "Greeted with: ${phases.greet.outputs.text}"
"""

SETTINGS = (
    json.dumps(
        {
            "yaml.schemas": {
                ".phaseloom/schema/definition.json": ["definitions/*.yaml", "definitions/*.yml"],
                ".phaseloom/schema/project.json": ["phaseloom.yaml"],
            }
        },
        indent=2,
    )
    + "\n"
)

STARTER = {
    "phaseloom.yaml": PROJECT,
    "definitions/hello.yaml": DEFINITION,
    ".vscode/settings.json": SETTINGS,
}
"""The files that belong to the author from then on, by their path in the project."""

SCHEMAS = {
    ".phaseloom/schema/definition.json": "definition",
    ".phaseloom/schema/project.json": "project",
}
"""The schemas that the files above name. They belong to the installed version, so they are written anew each time."""


def told(directory: str, changes: dict[str, str]) -> list[str]:
    """What was done with each file, and what to type next."""
    width = max(len(word) for word in changes.values())
    lines = [f"{word:<{width}}  {name}" for name, word in changes.items()]
    if changes.get(".vscode/settings.json") == "kept":
        lines += ["", "So that VS Code knows the schemas, .vscode/settings.json has to say:", *SETTINGS.splitlines()]
    lines += ["", "Next:"]
    if directory != ".":
        lines.append(f"  cd {directory}")
    return [*lines, "  phaseloom validate hello", "  phaseloom run hello --input who=Ana"]
