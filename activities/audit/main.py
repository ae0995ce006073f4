"""`phaseloom audit [STAGE]`: one stage of the audit, for an agent or by hand.

An agent's stage comes from `PHASELOOM_PHASE`; it reads `PHASELOOM_INPUT`, writes `PHASELOOM_OUTPUT` and
`PHASELOOM_ARTIFACTS`, and the report goes below `.phaseloom/workflows/<run>/report/`. By hand, `report` and `all` (the
default) run every stage and print the report; `--output DIR` writes it there instead.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from activities.audit.delivery import DeliveryError, as_json, report_directory, write
from activities.audit.finding import Json, printable
from activities.audit.results import Results, collect

STAGES = ("preparation", "security", "performance", "quality", "report", "all")

_INPUT_LIMIT = 256 << 20


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one stage. Exit codes: 0 done (also with findings), 1 the result cannot be written, 2 wrong arguments."""
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as wanted:  # --help, or arguments that argparse has explained
        return int(wanted.code or 0)
    environment = os.environ
    root = Path(arguments.root).resolve()
    if not root.is_dir():
        return _refuse(f"no directory: {arguments.root}")
    stage = _stage(arguments.stage, environment)
    if stage is None:
        phase = environment.get("PHASELOOM_PHASE", "")
        return _refuse(f"phase {phase!r} names no stage: give one as argument ({', '.join(STAGES)})")
    try:
        outputs, printed = _run(stage, root, arguments.output, environment)
        _deliver(stage, outputs, environment)
    except (DeliveryError, OSError) as error:
        sys.stderr.write(f"phaseloom audit: {error}\n")
        return 1
    sys.stdout.write(as_json(outputs) if arguments.json else printed)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="phaseloom audit", description="Audits a repository offline, reading only.")
    parser.add_argument("stage", nargs="?", choices=STAGES, help="default: from PHASELOOM_PHASE, else all")
    parser.add_argument("--root", default=".", help="the directory to audit (default: here)")
    parser.add_argument("--json", action="store_true", help="print the outputs as JSON")
    parser.add_argument("--output", metavar="DIR", help="write the report there instead of printing it")
    return parser


def _refuse(message: str) -> int:
    sys.stderr.write(f"phaseloom audit: {message}\n")
    return 2


def _stage(given: str | None, environment: Mapping[str, str]) -> str | None:
    from activities.audit.stages import ALL, stage_of  # noqa: PLC0415 - the stages load when one runs

    if given is not None:
        return given
    phase = environment.get("PHASELOOM_PHASE")
    return stage_of(phase) if phase else ALL


def _run(stage: str, root: Path, output: str | None, environment: Mapping[str, str]) -> tuple[Json, str]:
    from activities.audit.stages import ALL, CHECKS, REPORT, summary  # noqa: PLC0415 - as above
    from activities.audit.tree import list_tree  # noqa: PLC0415 - as above

    if stage not in (REPORT, ALL):
        outputs = CHECKS[stage](list_tree(root))
        return outputs, "\n".join(summary(stage, outputs)) + "\n"
    given = _given(environment)
    if stage == REPORT and given is not None:
        results = collect(given, {name: _stage_name(name) for name in given})
    else:
        tree = list_tree(root)
        results = Results(stages={name: check(tree) for name, check in CHECKS.items()})
    return _report(results, root, output, environment)


def _stage_name(phase: str) -> str:
    from activities.audit.stages import stage_of  # noqa: PLC0415 - as above

    return stage_of(phase) or ""


def _given(environment: Mapping[str, str]) -> Json | None:
    """The earlier phases' results in `$PHASELOOM_INPUT`; None by hand."""
    path = environment.get("PHASELOOM_INPUT")
    if not path:
        return None
    try:
        with Path(path).open("rb") as file:
            data = json.loads(file.read(_INPUT_LIMIT))
    except (OSError, ValueError) as error:
        raise DeliveryError(f"PHASELOOM_INPUT cannot be read: {error}") from None
    values = data.get("values", data) if isinstance(data, dict) else {}
    phases = values.get("phases", {}) if isinstance(values, dict) else {}
    return phases if isinstance(phases, dict) else {}


def _report(results: Results, root: Path, output: str | None, environment: Mapping[str, str]) -> tuple[Json, str]:
    from activities.audit.markdown import as_markdown  # noqa: PLC0415 - as above
    from activities.audit.page import as_page  # noqa: PLC0415 - as above
    from activities.audit.report import compose, headline  # noqa: PLC0415 - as above

    run = environment.get("PHASELOOM_RUN", "")
    date = datetime.now(UTC).date().isoformat()
    document, plan = compose(results, name=printable(root.name) or "/", date=date, run=printable(run))
    texts = {"report.md": as_markdown(document), "report.html": as_page(document)}
    directory = _directory(root, output, run)
    if directory is not None:
        for name, text in texts.items():
            write(directory / name, text)
    if artifacts := environment.get("PHASELOOM_ARTIFACTS"):
        for name, text in texts.items():
            write(Path(artifacts) / name, text)
    outputs: Json = {
        "summary": headline(results),
        "findings": results.total(),
        **{severity: results.total(severity) for severity in ("high", "medium", "low")},
        "complete": not results.not_run,
        "not_run": [f"{area}: {line}" for area, line in results.not_run],
        "plan": [item.as_output() for item in plan],
        "report": [str(directory / name) if output else _relative(directory / name, root) for name in texts]
        if directory
        else [],
    }
    said = [headline(results), *outputs["not_run"], *(f"Report: {path}" for path in outputs["report"])]
    return outputs, "\n".join(said) + "\n" if directory is not None else texts["report.md"]


def _directory(root: Path, output: str | None, run: str) -> Path | None:
    if output is not None:
        directory = Path(output)
        directory.mkdir(parents=True, exist_ok=True)
        return directory
    return report_directory(root, run) if run else None


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _deliver(stage: str, outputs: Json, environment: Mapping[str, str]) -> None:
    text = as_json(outputs)
    if artifacts := environment.get("PHASELOOM_ARTIFACTS"):
        Path(artifacts).mkdir(parents=True, exist_ok=True)
        write(Path(artifacts) / f"{stage}.json", text)
    if path := environment.get("PHASELOOM_OUTPUT"):
        write(Path(path), text)
