"""The environment of a command: a short list of harmless names, what the definition asks for, and our own variables."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from activities.masking import secrets

INHERITED = frozenset(
    {
        "CURL_CA_BUNDLE", "HOME", "LANG", "LANGUAGE", "LOGNAME", "PATH", "REQUESTS_CA_BUNDLE", "SHELL", "SSL_CERT_DIR",
        "SSL_CERT_FILE", "TERM", "TMPDIR", "TZ", "USER",
    }
)  # fmt: skip
"""What every command gets from the worker, besides `LC_*`; all else, credentials first of all, has to be asked for."""

FORBIDDEN = re.compile(r"TEMPORAL_|PHASELOOM_")
"""Beginnings of names that nothing passes on: an agent must not be able to act as the worker, nor pose as another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The variables of a command, what of them must not be shown, and what could not be passed as asked."""

    variables: dict[str, str]
    secrets: tuple[bytes, ...]
    warnings: tuple[str, ...]


def bin_directory() -> Path:
    """Where this installation's executables are."""
    return Path(sys.executable).parent


def build(
    worker: Mapping[str, str], *, passed: Iterable[str], given: Mapping[str, str], own: Mapping[str, str]
) -> Environment:
    """The environment of a command that a worker with the variables `worker` starts.

    `passed` are names whose values come from the worker and are secret, `given` is the definition's `env:` (it wins),
    `own` are Phaseloom's variables (they win always).
    """
    variables = {name: value for name, value in worker.items() if name in INHERITED or name.startswith("LC_")}
    warnings = []
    secret = {}
    for name in passed:
        if FORBIDDEN.match(name):
            warnings.append(f"pass_env: {name} is never passed to a command")
        elif name not in worker:
            warnings.append(f"pass_env: {name} is not set where the worker runs")
        else:
            secret[name] = worker[name]
    warnings.extend(f"env: {name} cannot be set for a command" for name in given if FORBIDDEN.match(name))
    allowed = {name: value for name, value in given.items() if not FORBIDDEN.match(name)}
    variables |= secret | allowed
    variables["PATH"] = os.pathsep.join((variables.get("PATH") or os.defpath, str(bin_directory())))
    return Environment(variables={**variables, **own}, secrets=secrets(secret), warnings=tuple(warnings))
