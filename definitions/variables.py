"""`$NAME` where nothing expands it: arguments and values of `env:` reach a program as they are written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from definitions.findings import Findings
from definitions.schema.agents import Agent, Command

_VARIABLE = re.compile(r"[\w./:=@,+-]*\$([A-Z_][A-Z0-9_]*)[\w./:=@,+-]*")
"""A word with a variable in it, and nothing that a shell, awk or a regular expression would have to read."""

_READERS = frozenset(
    {
        "awk", "bash", "busybox", "dash", "envsubst", "fish", "gawk", "jq", "ksh", "make", "mawk", "perl", "php",
        "psql", "ruby", "sh", "zsh",
    }
)  # fmt: skip
"""Programs to which a dollar means something."""

SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSWORD", re.IGNORECASE)
"""Environment names that look like secrets: they are never read into a run."""


def check_variables(agents: Mapping[str, Agent], findings: Findings) -> None:
    """Warn of variables that stand where no shell reads them."""
    for role, agent in agents.items():
        if isinstance(agent, Command) and agent.run and PurePosixPath(agent.run[0]).name not in _READERS:
            for position, text in enumerate(agent.run):
                _check(role, text, ("run", position), findings)
        if agent.uses != "http":
            for name, text in getattr(agent, "env", {}).items():
                _check(role, str(text), ("env", name), findings)


def _check(role: str, text: str, place: tuple[str, str | int], findings: Findings) -> None:
    found = _VARIABLE.fullmatch(text)
    if found is None:
        return
    name = found[1]
    message = f"${name} is not expanded here: no shell reads it"
    hint = f"write {'shell: in place of run:, and ' if place[0] == 'run' else ''}pass_env: [{name}]"
    findings.add("PL412", ("agents", role, *place), message, hint=hint, severity="warning")
