"""A definition in a format that people already have, written down as native YAML."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.api.checking import findings_of
from cli.api.results import PLAIN, Result
from cli.exits import UsageError

if TYPE_CHECKING:
    from definitions.diagnostics import Diagnostic
    from definitions.loading import Checked

Json = dict[str, Any]

NATIVE = frozenset({"native", "yaml"})


@dataclass(frozen=True, kw_only=True)
class ImportedDefinition(Result):
    """A definition of another `format` that now stands in the file `path`, in native YAML."""

    id: str
    path: str
    format: str
    phases: int
    not_in_effect: tuple[str, ...] = field(default=(), metadata=PLAIN)
    diagnostics: tuple[Json, ...] = field(default=(), metadata=PLAIN)

    @property
    def findings(self) -> tuple[Diagnostic, ...]:
        """The diagnostics as objects."""
        return findings_of(self.diagnostics)


def imported(
    file: Path, root: Path, *, identifier: str | None = None, output: Path | None = None, replace: bool = False
) -> ImportedDefinition:
    """Write the definition in `file` to `output` (default: `definitions/ID.yaml` of the project).

    Raises UsageError for a native one, InvalidDefinitionError when it has errors, RefusedError when another file is
    there already, unless it may `replace` that.
    """
    from cli.api.catalog import of_file  # noqa: PLC0415 - half a second
    from cli.reach.reading import compiled, shortest  # noqa: PLC0415
    from cli.reach.writing import refuse_to_replace, write_whole  # noqa: PLC0415
    from definitions import not_in_effect  # noqa: PLC0415

    checked = of_file(file)
    if checked.format in NATIVE:
        hint = f"keep it under its id with: phaseloom workflow define {file}"
        raise UsageError(f"'{file}' is in the native format already", hint=hint)
    document, text = _written(checked, identifier)
    path = output if output is not None else root / "definitions" / f"{document['id']}.yaml"
    refuse_to_replace(path, text, force=replace)
    write_whole(path, text)
    plan = compiled(checked)
    return ImportedDefinition.of(
        {
            "id": document["id"],
            "path": str(shortest(path)),
            "format": checked.format,
            "phases": len(plan.phases),
            "not_in_effect": not_in_effect(plan),
            "diagnostics": [finding.to_json() for finding in checked.diagnostics],
        }
    )


def _written(checked: Checked, identifier: str | None) -> tuple[Json, str]:
    """The document with its id and name, and its text, which reads as the same document again."""
    from json import dumps  # noqa: PLC0415

    import yaml  # noqa: PLC0415 - not needed for --help

    from definitions import load_text  # noqa: PLC0415 - loaded by then

    document = {"id": checked.id, "name": checked.name, **checked.plain}
    if identifier is not None:
        document["id"] = identifier
    head = f"# Imported from {Path(checked.file).name} ({checked.format}).\n".replace("\r", " ")
    text = head + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)
    again = load_text(text, file="import.yaml")
    if again.plain != document:
        # YAML has more than one reading of plain words; JSON is YAML too, and has one.
        text = head + dumps(document, indent=2, ensure_ascii=False) + "\n"
        again = load_text(text, file="import.yaml")
    if not again.ok:
        _report(again, identifier)
    return document, text


def _report(again: Checked, identifier: str | None) -> None:
    """Raise what keeps the written document from being used: an id that is none, or else our own mistake."""
    from definitions import InvalidDefinitionError  # noqa: PLC0415 - loaded by then

    of_id = [finding for finding in again.errors if finding.path == "id"]
    if identifier is not None and of_id:
        raise UsageError(f"--id {identifier!r}: {of_id[0].message}", hint=of_id[0].hint)
    raise InvalidDefinitionError(again.diagnostics)
