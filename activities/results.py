"""What an attempt hands back: outputs, checked and kept small, and the files it left as artifacts."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from activities.artifacts import ArtifactStore
from activities.failures import AttemptError
from activities.masking import mask_json
from engine.agents import OutputPlan
from engine.errors import DefinitionError
from engine.expressions import coerce, evaluate, references
from engine.plan import Json
from engine.requests import DEPTH_LIMIT, too_deep

if TYPE_CHECKING:
    from activities.job import Job

INLINE = 4 * 1024
"""Bytes of JSON up to which an output stays in the result."""

INLINE_TOGETHER = 16 * 1024
"""Bytes that the outputs of one result may have together; the largest leave first."""

WORTH_MOVING = 256
"""Bytes under which a reference would be no smaller."""

INLINE_LISTS = 48 * 1024
"""Bytes of JSON up to which an output stays whose items another phase runs for."""

MOST = 64 * 1024
"""Bytes of outputs that a result never exceeds: a hundred results may arrive in one workflow task."""

SAID = 4096
"""Characters of what a reviewer printed that its result has."""

LISTED = 64
"""Files up to which artifacts are listed in the result; a list of more is an artifact itself."""

MANIFEST_TYPE = "application/vnd.phaseloom.manifest+json"


class Yielded(Protocol):
    """What the work of an agent has come to, as output expressions see it."""

    def read(self, names: AbstractSet[str], what: str) -> Json:
        """The values of these names as far as there are such; `what` begins the message of an AttemptError."""

    def unwritten(self, name: str) -> Any:
        """The output of this name, which is declared without an expression and was not written; or AttemptError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """What a command printed on stdout, for output expressions."""

    stdout: bytes = b""
    truncated: bool = False
    exit_code: int = 0

    def read(self, names: AbstractSet[str], what: str) -> Json:
        """`exit_code`, and of `stdout` and `stdout_json` what is wanted."""
        if self.truncated and names & {"stdout", "stdout_json"}:
            raise AttemptError("bad_output", f"{what}: more was printed on stdout than {len(self.stdout)} bytes")
        values: Json = {"exit_code": self.exit_code}
        if "stdout" in names:
            values["stdout"] = self.stdout.decode(errors="replace").rstrip("\n")
        if "stdout_json" in names:
            values["stdout_json"] = parse(self.stdout, f"{what}: stdout")
        return values

    def unwritten(self, name: str) -> NoReturn:
        """A command has to write it."""
        raise AttemptError("bad_output", f"output {name!r} is declared, and was not written to $PHASELOOM_OUTPUT")


def read_output(path: Path, limit: int) -> Json:
    """The JSON object that a command wrote to `$PHASELOOM_OUTPUT`; empty when it wrote nothing."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise AttemptError("bad_output", "$PHASELOOM_OUTPUT is not a file")
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError:
        return {}
    if len(data) > limit:
        raise AttemptError(
            "bad_output", f"$PHASELOOM_OUTPUT is larger than {limit} bytes; leave a file in $PHASELOOM_ARTIFACTS"
        )
    if not data.strip():
        return {}
    value = parse(data, "$PHASELOOM_OUTPUT")
    if not isinstance(value, dict):
        raise AttemptError("bad_output", "$PHASELOOM_OUTPUT does not hold a JSON object")
    return value


def outputs(declared: Mapping[str, OutputPlan], written: Json, yielded: Yielded, scope: Mapping[str, Any]) -> Json:
    """The outputs of an agent: what it wrote, and the declared ones, with their types.

    A declared expression decides over a written value of its name; a default stands in for what nothing yields.
    """
    found = dict(written)
    for name, plan in declared.items():
        if plan.value is not None:
            found[name] = _value(name, plan.value, yielded, scope)
            if found[name] is None and plan.optional:
                found[name] = plan.default
        elif name not in found:
            found[name] = plan.default if plan.optional else yielded.unwritten(name)
        if plan.optional and found[name] is plan.default:
            continue  # its type was checked with the definition
        try:
            found[name] = coerce(found[name], plan.type)
        except DefinitionError as error:
            raise AttemptError("bad_output", f"output {name!r}: {error.message}") from None
    return found


def said(job: Job) -> str:
    """The beginning of what the commands of an agent printed, masked: where it declares nothing that is its answer."""
    shown = mask_json(job.printed.stdout[: 2 * SAID].decode(errors="replace"), job.environment.secrets)
    return str(shown)[:SAID]


def externalise(found: Json, store: ArtifactStore, inline: Collection[str] = ()) -> Json:
    """The outputs with the large ones replaced by references; those of `inline` stay up to `INLINE_LISTS`."""
    sizes = {name: len(json.dumps(value).encode()) for name, value in found.items()}
    sizes = {name: size for name, size in sizes.items() if name not in inline or size > INLINE_LISTS}
    together = sum(sizes.values())
    result = dict(found)
    for name in sorted(sizes, key=lambda name: (-sizes[name], name)):
        if sizes[name] <= INLINE and (together <= INLINE_TOGETHER or sizes[name] <= WORTH_MOVING):
            break
        result[name] = store.put_json(found[name]).to_json()
        together -= sizes[name] - WORTH_MOVING
    if len(json.dumps(result)) > MOST:
        raise AttemptError("bad_output", f"{len(result)} outputs are too many; gather them in one object")
    return result


def collect(directory: Path, store: ArtifactStore) -> list[Json]:
    """The files below a directory, stored; symbolic links and special files are not followed."""
    listed = []
    for path in _files(directory):
        ref = store.put_file(path)
        name = path.relative_to(directory).as_posix().encode(errors="replace").decode()
        listed.append({"name": name, "sha256": ref.sha256, "size": ref.size, "media_type": ref.media_type})
    if len(listed) <= LISTED:
        return listed
    ref = store.put_json(listed)
    return [{"name": "manifest.json", "sha256": ref.sha256, "size": ref.size, "media_type": MANIFEST_TYPE}]


def _files(directory: Path) -> Iterator[Path]:
    for place, directories, names in os.walk(directory):
        directories.sort()
        for name in sorted(names):
            path = Path(place, name)
            if stat.S_ISREG(path.lstat().st_mode):
                yield path


def _value(name: str, source: str, yielded: Yielded, scope: Mapping[str, Any]) -> Any:
    local = yielded.read({path.partition(".")[0] for path in references(source)}, f"output {name!r}")
    try:
        return evaluate(source, {**scope, **local})
    except DefinitionError as error:
        raise AttemptError("bad_output", f"output {name!r}: {error.message}") from None


def parse(data: bytes, what: str) -> Any:
    """JSON that somebody else wrote; an AttemptError that names `what` where it is none, or is too deep."""
    try:
        value = json.loads(data, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        where = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else type(error).__name__
        raise AttemptError("bad_output", f"{what} is not JSON ({where})") from None
    if too_deep(value):
        raise AttemptError("bad_output", f"{what} is nested more than {DEPTH_LIMIT} levels deep")
    return value


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON number")
