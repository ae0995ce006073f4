"""What a shell may complete: definitions, runs and phases, read from files alone.

Nothing is asked of a server and none is started, no definition is parsed, and whatever goes wrong completes to nothing:
it happens between two key strokes.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import typer

from cli.reach.place import STATE, current_run, here

Json = dict[str, Any]

REMEMBERED = "completion.json"
RUNS = 50
"""The most runs that are remembered, those that were started last."""

PHASES = 500
"""The most phases that are remembered of one run."""

HEAD = 4096
"""Characters of a file in which its id is looked for."""

_ID = re.compile(r"^\s*[\"']?id[\"']?\s*:\s*[\"']?([\w.-]+)", re.MULTILINE)
_SUFFIXES = (".yaml", ".yml", ".json")


def remember(root: Path, run: str, definition: str, phases: list[str]) -> None:
    """Keep what can be completed about a run that was just started; a file that cannot be written is no trouble."""
    path = root / STATE / REMEMBERED
    known = {run: {"definition": definition, "phases": phases[:PHASES]}} | _remembered(root)
    draft = path.with_name(f".{REMEMBERED}.{os.getpid()}")
    with contextlib.suppress(OSError):
        draft.write_text(json.dumps(dict(list(known.items())[:RUNS])), encoding="utf-8")
        draft.replace(path)


def definitions(incomplete: str) -> list[str]:
    """Ids of definitions; nothing for what looks like a path, so that the shell completes files."""
    if os.sep in incomplete:
        return []
    return _quietly(lambda: sorted({name for name in _ids(here()) if name.startswith(incomplete)}))


def runs(incomplete: str) -> list[tuple[str, str]]:
    """Runs of this project, the newest first, with their definitions."""
    return _quietly(
        lambda: [(run, str(of["definition"])) for run, of in _remembered(here()).items() if run.startswith(incomplete)]
    )


def phases(ctx: typer.Context, incomplete: str) -> list[str]:
    """Ids of the phases of the run that is meant."""

    def found() -> list[str]:
        root = here()
        run = ctx.params.get("run") or os.environ.get("PHASELOOM_RUN") or current_run(root)
        known = _remembered(root).get(str(run), {"phases": []})["phases"]
        return [identifier for identifier in known if identifier.startswith(incomplete)]

    return _quietly(found)


def places(ctx: typer.Context, incomplete: str) -> list[str]:
    """Where the run that is meant may go back to: its phases, its last checkpoint, its beginning."""
    words = ("beginning", "last-checkpoint")
    return [*(word for word in words if word.startswith(incomplete)), *phases(ctx, incomplete)]


COMPLETERS: dict[str, Callable[..., Any]] = {
    "PHASE": phases,
    "[PHASE]": phases,
    "CHECKPOINT": places,
    "[CHECKPOINT]": places,
    "[RUN] CHECKPOINT": places,
    "PLACE": places,
    "RUN": runs,
    "[RUN]": runs,
    "ID": runs,
    "ID|FILE": definitions,
    "FILE|ID": definitions,
    "FILE|ID...": definitions,
}
"""What completes an argument or an option, by the word that stands for its value in `--help`."""


def _quietly(find: Callable[[], list[Any]]) -> list[Any]:
    try:
        return find()
    except Exception:  # noqa: BLE001 - a traceback in the middle of a command line helps nobody
        return []


def _remembered(root: Path) -> dict[str, Json]:
    try:
        known = json.loads((root / STATE / REMEMBERED).read_bytes())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _ids(root: Path) -> Iterator[str]:
    for directory in (root / "definitions", root / STATE / "definitions", *_catalogs(root)):
        if directory.is_dir():
            for path in directory.iterdir():
                if path.suffix in _SUFFIXES and path.is_file():
                    with path.open(encoding="utf-8", errors="replace") as file:
                        found = _ID.search(file.read(HEAD))
                    yield found[1] if found else path.stem


def _catalogs(root: Path) -> list[Path]:
    """The catalog that comes with Phaseloom, and those that the project's file names."""
    import definitions as package  # noqa: PLC0415 - only its place is asked for

    found = [Path(package.__file__).parent / "catalog"]
    config = root / "phaseloom.yaml"
    if config.is_file() and "catalogs" in (text := config.read_text(encoding="utf-8", errors="replace")):
        import yaml  # noqa: PLC0415 - only where there are catalogs

        found += [root / str(each) for each in yaml.safe_load(text).get("catalogs") or ()]
    return found
