"""Where a project keeps its artifacts: `artifacts: {store: URL}` of `phaseloom.yaml`, or a variable instead of it.

Every command asks this, so it imports a YAML reader only where the file speaks of artifacts, and never the schema.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from definitions.root import CONFIG_NAME
from engine.errors import DefinitionError

VARIABLE = "PHASELOOM_ARTIFACT_STORE"
"""The variable that wins over the project's file."""

SCHEMES = ("s3", "gs", "az", "abfs", "abfss", "file")
_HINT = "for example s3://bucket/folder, gs://bucket, az://container, file:///srv/artifacts"
_KEY = re.compile(rb"(?m)^[\"']?artifacts[\"']?\s*:")


def problem_of(url: str) -> tuple[str, str] | None:
    """What is wrong with the URL of a store, and what helps; None for a good one."""
    from urllib.parse import urlsplit  # noqa: PLC0415 - only where a store is named

    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        return f"'{parts.scheme}://' is no artifact store" if parts.scheme else "this is no URL of a store", _HINT
    if parts.password is not None or parts.query:
        return (
            "the URL of a store holds no credentials and no parameters",
            "credentials are variables of the worker's and your own environment",
        )
    if parts.scheme == "file":
        if parts.netloc or not parts.path.startswith("/"):
            return "a directory is written with three slashes", "file:///srv/artifacts"
    elif not parts.netloc:
        return "the URL names no bucket", _HINT
    return None


def store_url(root: Path, environ: Mapping[str, str]) -> str:
    """The URL of the store of the project at `root`; empty where artifacts stay in the project's own directory.

    Raises DefinitionError where it is written wrong: artifacts must not land elsewhere than somebody meant.
    """
    url, where = environ.get(VARIABLE, ""), f"${VARIABLE}"
    if not url:
        url, where = _written(root), CONFIG_NAME
    if url and (problem := problem_of(url)) is not None:
        raise DefinitionError(f"{where}: {problem[0]}", hint=problem[1])
    return url


def _written(root: Path) -> str:
    """What the project's file says."""
    try:
        data = (root / CONFIG_NAME).read_bytes()
    except OSError:
        return ""
    if not _KEY.search(data):
        return ""
    from definitions.yaml_reader import read_yaml  # noqa: PLC0415 - 20 ms that most projects do not pay

    node, findings = read_yaml(data.decode("utf-8-sig", errors="replace"))
    plain = node.plain() if node is not None and isinstance(node.value, dict) else None
    if plain is None or any(found.severity == "error" for found in findings):
        raise DefinitionError(
            f"{CONFIG_NAME} cannot be read, and it says where artifacts are kept", hint="phaseloom config show"
        )
    settings = plain.get("artifacts")
    url = settings.get("store") if isinstance(settings, dict) else None
    if url is not None and not isinstance(url, str):
        raise DefinitionError(f"{CONFIG_NAME}: artifacts.store must be a URL", hint=_HINT)
    return url or ""
