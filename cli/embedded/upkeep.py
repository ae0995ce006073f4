"""What `phaseloom.yaml` says about the server and the worker of a project: port, metrics, logs."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from definitions.root import CONFIG_NAME
from engine.errors import UnreachableError

WORDS = (b"logs", b"metrics", b"server")

logger = logging.getLogger("phaseloom.worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """`metrics` is `IP:PORT`, `keep_logs` seconds, `log_limit` bytes, `port` the server's; None is the default.

    `trouble`: what is wrong with the file.
    """

    metrics: str | None = None
    keep_logs: float | None = None
    log_limit: int | None = None
    port: int | None = None
    trouble: str = ""


def upkeep(root: Path) -> Upkeep:
    """The settings of the project at `root`; a file with errors counts as none: a worker must work all the same."""
    try:
        text = (root / CONFIG_NAME).read_bytes()
    except OSError:
        return Upkeep()
    if not any(word in text for word in WORDS):
        return Upkeep()  # reading it costs a third of a second

    from definitions import load_config  # noqa: PLC0415 - as said

    config, found = load_config(root)
    errors = [finding.text for finding in found if finding.severity == "error"]
    if errors:
        return Upkeep(trouble=errors[0])
    settings = config.settings
    return Upkeep(
        metrics=settings.metrics,
        keep_logs=settings.logs.keep,
        log_limit=settings.logs.max_size,
        port=settings.server.port,
    )


def listening(metrics: str | None) -> str | None:
    """The address for metrics, if it can be had: where another process has it, a worker goes on without."""
    import worker  # noqa: PLC0415 - half a second, which only workers pay

    try:
        worker.runtime(metrics)
    except UnreachableError as error:
        logger.warning("%s", error.message)
        return None
    return metrics
