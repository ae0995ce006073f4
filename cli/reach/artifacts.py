"""What the agents of a run have left in the artifact store, by phase and name: read from the run's facts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.exits import NotFoundError, UsageError
from engine.errors import PhaseloomError

if TYPE_CHECKING:
    from activities.artifacts import ArtifactStore
    from cli.reach.runs import Run

Json = dict[str, Any]

OUTPUTS = "outputs."
"""Begins the name of an output that was too large to stay in the result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One artifact of a run. `name` is the file's, or `outputs.NAME`."""

    run: str
    phase: str
    name: str
    sha256: str
    size: int
    media_type: str

    @property
    def word(self) -> str:
        """What names it: `run/phase/name`."""
        return f"{self.run}/{self.phase}/{self.name}"

    def to_json(self) -> Json:
        """All fields as JSON values."""
        return {
            "run": self.run,
            "phase": self.phase,
            "name": self.name,
            "sha256": self.sha256,
            "size": self.size,
            "media_type": self.media_type,
        }


async def artifacts_of(run: Run, store: ArtifactStore) -> list[Artifact]:
    """The artifacts of a run in the order of its phases: those of each phase's newest epoch.

    Where a phase left more files than a result lists, the stored list is read.
    """
    from engine.expansion import PhasePlans  # noqa: PLC0415 - not needed for --help
    from engine.facts import Fact  # noqa: PLC0415

    plans = PhasePlans(await run.plan())
    found: dict[int, dict[str, Json]] = {}
    since = 0
    while True:
        page = await run.journal(since)
        for encoded in page["facts"]:
            fact = Fact.from_json(encoded)
            plans.follow(fact)
            if fact.phase is not None:
                _take(found.setdefault(fact.phase, {}), fact)
        if page["next"] >= page["total"] or not page["facts"]:
            break
        since = page["next"]
    return [
        Artifact(run=run.id, phase=plans[index].id, name=name, **of)
        for index in sorted(found)
        for name, of in _expanded(found[index], store).items()
    ]


def _take(kept: dict[str, Json], fact: Any) -> None:
    """What one fact tells of the artifacts of its phase."""
    if fact.kind == "phase_started":
        kept.clear()
    if fact.kind == "phase_settled":
        for name in [name for name in kept if name.startswith(OUTPUTS)]:
            del kept[name]
    for result in (fact.data.get("result"), *fact.data.get("results", ())):  # several: reused from another run
        files = result.get("artifacts") if isinstance(result, dict) else None
        for file in files if isinstance(files, list) else ():
            if isinstance(file, dict) and file.keys() >= {"name", "sha256", "size", "media_type"}:
                kept[str(file["name"])] = _fields(file["sha256"], file)
    kept.update(_references(fact.data.get("outputs"), OUTPUTS))


def _references(value: Any, name: str) -> Iterator[tuple[str, Json]]:
    """The references in outputs, however deep, each with the path that leads there."""
    if isinstance(value, list):
        for position, item in enumerate(value):
            yield from _references(item, f"{name}{position}.")
    elif isinstance(value, dict):
        digest = value.get("$artifact")
        if isinstance(digest, str) and value.keys() == {"$artifact", "size", "media_type"}:
            yield name.removesuffix("."), _fields(digest.removeprefix("sha256:"), value)
        else:
            for key, item in value.items():
                yield from _references(item, f"{name}{key}.")


def _fields(sha256: str, of: Json) -> Json:
    return {"sha256": sha256, "size": of["size"], "media_type": of["media_type"]}


def _expanded(files: dict[str, Json], store: ArtifactStore) -> dict[str, Json]:
    from activities.results import MANIFEST_TYPE  # noqa: PLC0415 - loaded by then

    listed: dict[str, Json] = {}
    for name, of in files.items():
        listed[name] = of
        if of["media_type"] == MANIFEST_TYPE:
            try:
                content = store.get_json(of["sha256"])
            except PhaseloomError:
                continue  # the list itself is what is missing then, and has its own line
            listed.update({each["name"]: _fields(each["sha256"], each) for each in content})
    return listed


def content_named(store: ArtifactStore, digest: str) -> str:
    """The whole digest of the one content that begins so."""
    from activities.upkeep import contents  # noqa: PLC0415 - not needed for --help

    if len(digest) == 64:
        return digest
    found = sorted(each for each in contents(store) if each.startswith(digest))
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotFoundError(
            f"no artifact begins with {digest}", hint="phaseloom artifacts list --all shows what is stored"
        )
    raise UsageError(f"{len(found)} artifacts begin with {digest}", hint=f"write more of it: {found[0]}")


def one_named(found: list[Artifact], run: str, word: str) -> Artifact:
    """The artifact of a run that `PHASE/NAME` names; raises NotFoundError where there is none."""
    for each in found:
        if f"{each.phase}/{each.name}" == word:
            return each
    phase = word.partition("/")[0]
    names = [each.name for each in found if each.phase == phase]
    known = f"; of '{phase}' there are: {', '.join(names[:10])}" if names else ""
    raise NotFoundError(
        f"the run {run} has no artifact '{word}'{known}", hint=f"phaseloom artifacts list --run {run} shows all of them"
    )
