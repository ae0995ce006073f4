"""`phaseloom validate` and `phaseloom schema`: what is wrong with a definition, and what an editor should know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.command import command
from cli.console import Console
from cli.exits import Exit, UsageError
from engine.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cli.api.checking import Validation
    from definitions.diagnostics import Diagnostic

Json = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "validate")(validate)
    command(app, "schema")(schema)


def validate(
    files: Annotated[list[str], typer.Argument(metavar="FILE|ID...", help="Definitions: files, ids, or - for stdin.")],
    *,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as errors.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")] = False,
    sarif: Annotated[bool, typer.Option("--sarif", help="Print SARIF 2.1.0 instead of words, for CI.")] = False,
) -> Exit:
    """Check definitions and say what is wrong, where, and what could be better.

    Every finding has its place, a stable code, and what was probably meant. Ends with 3 when there are errors. Advice
    (PL5nn) is about phases that should not, or could, run in parallel, and about runs that take long; it is no error.
    """
    from cli.api.checking import validated  # noqa: PLC0415 - not needed for --help
    from cli.reach.place import here  # noqa: PLC0415
    from definitions import load_config  # noqa: PLC0415 - half a second

    if json and sarif:
        raise UsageError("--json and --sarif exclude each other", hint="write one of them")
    if files.count("-") > 1:
        raise UsageError("the standard input can be read once", hint="write - once, or name files")
    root = here()
    config, of_project = load_config(root)
    console = Console(json=json or sarif)
    results: list[Validation] = []
    missing: list[DefinitionError] = []
    for name in files:
        try:
            results.append(validated(name, root, project=config, typed=True))
        except DefinitionError as error:
            missing.append(error)
    project = [finding.to_json() for finding in of_project]
    good = not _counts(of_project, strict=strict) and all(_good(result, strict=strict) for result in results)
    console.lines(finding.text for finding in of_project)
    for result in results:
        console.lines(_lines(result))
    if missing:
        # After all that can be said of the others.
        raise DefinitionError("; ".join(error.message for error in missing), hint=missing[0].hint, code=missing[0].code)
    told = [result.to_json() for result in results]
    code = Exit.OK if good else Exit.INVALID
    if sarif:
        console.data(_sarif(root, of_project, results, code))
    else:
        console.data({"ok": good, "files": told, "project": project})
    return code


def _sarif(root: Path, of_project: Sequence[Diagnostic], results: Sequence[Validation], code: Exit) -> Json:
    from dataclasses import replace  # noqa: PLC0415 - not needed for --help

    from cli.embedded.version import version  # noqa: PLC0415
    from cli.words.sarif import sarif  # noqa: PLC0415
    from definitions import MEANINGS  # noqa: PLC0415 - loaded by then

    # The project's file is named as seen from the project, a definition as seen from here.
    findings = [replace(finding, file=str(root / finding.file)) for finding in of_project]
    for result in results:
        findings += result.findings
    return sarif(findings, meanings=MEANINGS, version=version(), root=root, code=code)


def _good(result: Validation, *, strict: bool) -> bool:
    return result.ok and not (strict and _counts(result.findings, strict=True))


def _counts(findings: Any, *, strict: bool) -> int:
    bad = {"error", "warning"} if strict else {"error"}
    return sum(1 for finding in findings if finding.severity in bad)


def _lines(result: Validation) -> list[str]:
    from cli.words.durations import counted  # noqa: PLC0415 - not needed for --help

    lines = [finding.text for finding in result.findings]
    if result.not_in_effect:
        lines.append(f"{result.file}: not in effect yet: {', '.join(result.not_in_effect)}")
    errors = sum(1 for finding in result.diagnostics if finding["severity"] == "error")
    warnings = sum(1 for finding in result.diagnostics if finding["severity"] == "warning")
    with_warnings = f", {counted(warnings, 'warning')}" if warnings else ""
    if not result.ok:
        return [*lines, f"{result.file}: {counted(errors, 'error')}{with_warnings}"]
    form = "" if result.format in {"native", "yaml"} else f", format {result.format}"
    state = "valid, but it cannot be started here now" if result.not_startable else "valid"
    return [*lines, f"{result.file}: {state} ({result.id}, {counted(result.phases, 'phase')}{form}{with_warnings})"]


def schema(
    *,
    project: Annotated[bool, typer.Option("--project", help="The schema of phaseloom.yaml instead.")] = False,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Write it there instead of printing it.")
    ] = None,
) -> Exit:
    """Print the JSON schema of the definition format, for editors.

    `phaseloom init` writes both schemas and tells the editor of them. Elsewhere, put into the first line of a file:

    # yaml-language-server: $schema=FILE
    """
    from definitions import json_schema  # noqa: PLC0415 - half a second

    described = json_schema("project" if project else "definition")
    if output is None:
        Console(json=True).data(described)
        return Exit.OK
    from json import dumps  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415 - loaded by then

    from cli.reach.writing import write_whole  # noqa: PLC0415 - not needed for --help

    write_whole(Path(output), dumps(described, indent=2, ensure_ascii=False) + "\n")
    Console().line(f"Wrote {output}")
    return Exit.OK
