"""The inputs of a run: given on the command line or in a file, checked against what the definition declares."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.exits import UsageError

if TYPE_CHECKING:
    from engine.plan import InputPlan

Json = dict[str, Any]


def workers_wanted(text: str | None, option: str = "--max-workers") -> int | None:
    """The number that `--max-workers`, or the option named, asks for; 0 for `auto`."""
    if text is None:
        return None
    if text == "auto":
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= 1000):
        raise UsageError(f"{option} {text!r} is neither a number from 1 to 1000 nor 'auto'")
    return int(text)


def pairs(written: Sequence[str], option: str) -> Json:
    """The values of a repeated `name=value` option, as text."""
    found: Json = {}
    for item in written:
        name, equals, value = item.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"{option} {item!r} is not written name=value")
        found[name.strip()] = value
    return found


def values(written: Sequence[str], option: str) -> Json:
    """As `pairs`, with what is valid JSON taken as that: `3`, `true`, `["a"]`; all else is text."""
    return {name: _json_or_text(value) for name, value in pairs(written, option).items()}


def outputs(written: Sequence[str], option: str = "--output") -> Json:
    """As `values`; `name=@FILE` is what the file holds, `@-` what comes on stdin, and `@@` begins a text with `@`."""
    return {name: _json_or_text(_content(value, name)) for name, value in pairs(written, option).items()}


def _content(value: str, name: str) -> str:
    if not value.startswith("@"):
        return value
    if value.startswith("@@"):
        return value[1:]
    try:
        data = sys.stdin.buffer.read() if value == "@-" else Path(value[1:]).read_bytes()
    except OSError as error:
        why = f"output {name!r}: {value[1:]} cannot be read: {error.strerror}"
        raise UsageError(why, hint=f"a text that begins with @ is written {name}=@{value[:40]}") from error
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"output {name!r}: {value[1:]} is no text", hint="hand it on with --artifact") from error


def files(written: Sequence[str]) -> dict[str, Path]:
    """The files of a repeated `--artifact NAME=FILE`, or `FILE` where it keeps its name."""
    found: dict[str, Path] = {}
    for item in written:
        name, equals, path = item.partition("=")
        if not equals:
            name, path = Path(item).name, item
        if not name.strip() or not path:
            raise UsageError(f"--artifact {item!r} is not written NAME=FILE")
        if name in found:
            raise UsageError(f"--artifact names {name!r} twice")
        found[name] = Path(path)
    return found


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def from_file(path: Path) -> Json:
    """The inputs that a JSON or YAML file holds."""
    from definitions.source import read_source  # noqa: PLC0415 - only with --inputs-file
    from definitions.yaml_reader import read_yaml  # noqa: PLC0415

    source, diagnostics = read_source(path, str(path))
    if source is not None:
        node, found = read_yaml(source.text)
        diagnostics = [*diagnostics, *found]
        if node is not None and isinstance(node.value, dict) and not found:
            plain: Json = node.plain()
            return plain
    reason = diagnostics[0].message if diagnostics else "it is not a mapping of names to values"
    raise UsageError(f"{path} cannot be read as inputs: {reason}")


def checked(
    declared: Mapping[str, InputPlan], file: Mapping[str, Any], written: Mapping[str, str], *, command: str = ""
) -> Json:
    """The inputs in their declared types; `written` (texts of the command line) wins over `file`.

    `command` is what was typed, without its inputs: the hint shows it with those that it needs.

    Raises UsageError naming everything that is missing, unknown or of the wrong type.
    """
    problems: list[str] = []
    for name in dict.fromkeys([*file, *written]):
        if name not in declared:
            close = get_close_matches(name, declared, n=1)
            problems.append(f"there is no input {name!r}{f' (did you mean {close[0]!r}?)' if close else ''}")
    given: Json = {}
    for name, plan in declared.items():
        if name not in file and name not in written:
            if plan.required:
                about = f" - {plan.description}" if plan.description else ""
                problems.append(f"the input {name!r} ({plan.type}) is required{about}")
            continue
        value = _parsed(plan, written[name]) if name in written else file[name]
        try:
            given[name] = _coerced(plan, value)
        except ValueError as error:
            problems.append(f"the input {name!r}: {error}")
    if problems:
        raise UsageError("\n".join(problems), hint=_hint(declared, file, written, command))
    return given


def _hint(declared: Mapping[str, InputPlan], file: Mapping[str, Any], written: Mapping[str, str], command: str) -> str:
    """The whole command to type, and what else may be given."""
    if not declared:
        return "this definition takes no inputs"
    known = ", ".join(f"{name} ({plan.type})" for name, plan in declared.items())
    kept = {name: text for name, text in written.items() if name in declared}
    missing = [name for name, plan in declared.items() if plan.required and name not in file and name not in written]
    if not command or not missing:
        return f"give inputs with --input name=value; there are: {known}"
    options = [f" -i {shlex.quote(f'{name}={text}')}" for name, text in kept.items()]
    return f"type: {command}{''.join(options)}{''.join(f' -i {name}=…' for name in missing)}; there are: {known}"


def _parsed(plan: InputPlan, text: str) -> Any:
    return _json_or_text(text) if plan.type in {"any", "list", "object"} else text


def _coerced(plan: InputPlan, value: Any) -> Any:
    from engine.expressions import ExpressionError, coerce  # noqa: PLC0415 - only where there are inputs

    try:
        return coerce(value, plan.type)
    except ExpressionError as error:
        raise ValueError(error.message) from error
