"""Looking at the shared context of a run: the keys at any version, and who changed what."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.api.messages import Messages
from cli.api.results import PLAIN, Result, several

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ContextKey(Result):
    """One key. `version` is the one that wrote it, 0 for its default; `value` is absent where it has none."""

    key: str
    type: str
    version: int
    value: Any = None
    owner: str | None = None
    hash: str | None = None
    by: str | None = None
    phase: str | None = None
    at: str | None = None

    @property
    def has_value(self) -> bool:
        """Whether the key has a value: one that was written, or its default."""
        return "value" in self.raw


@dataclass(frozen=True, kw_only=True)
class Context(Result):
    """The keys as they were at `version`; `now` is the newest version."""

    version: int
    now: int
    keys: tuple[ContextKey, ...] = field(default=(), metadata=several(ContextKey))

    @property
    def values(self) -> Json:
        """The values by key."""
        return {key.key: key.value for key in self.keys if key.has_value}


@dataclass(frozen=True, kw_only=True)
class ContextVersion(Result):
    """One accepted write: `keys` are content hashes by key, `base` the version that the writer had read."""

    version: int
    at: str
    by: str
    phase: str
    fact: int
    base: int
    keys: dict[str, str] = field(default_factory=dict)
    merged: tuple[str, ...] = field(default=(), metadata=PLAIN)
    decision: str | None = None
    decided_by: str | None = None


class SharedContext(Messages):
    """The shared context of a run, open or ended."""

    _root: Path

    async def context(self, key: str | None = None, *, at: int | str | None = None) -> Context:
        """The keys, or one of them, with their values.

        `at` is a version, or `@n` for what it was after the fact with this number. A large value is read from this
        project's artifacts; where it is not there it stays a reference.
        """
        asked: Json = {name: value for name, value in (("key", key), ("at", at)) if value is not None}
        found = await self._run.context(asked)
        rows = [row if "bytes" not in row else await self._alone(row, found["version"]) for row in found["keys"]]
        filled = [{**row, "value": self._filled(row["value"])} if "value" in row else row for row in rows]
        return Context.of({**found, "keys": filled})

    async def _alone(self, row: Json, version: int) -> Json:
        """A key with its value, which had no room among the others."""
        found = await self._run.context({"key": row["key"], "at": version})
        alone: Json = found["keys"][0]
        return alone

    async def context_history(self, key: str | None = None) -> tuple[ContextVersion, ...]:
        """All versions, or those of one key, the oldest first."""
        versions: list[Json] = []
        asked: Json = {"history": True} | ({"key": key} if key is not None else {})
        while True:
            page = await self._run.context({**asked, "since": versions[-1]["version"] if versions else 0})
            versions += page["versions"]
            if not page["more"]:
                return tuple(ContextVersion.of(version) for version in versions)

    def _filled(self, value: Any) -> Any:
        if not (isinstance(value, dict) and "$artifact" in value):
            return value
        from activities.artifacts import resolve  # noqa: PLC0415 - only for large values
        from cli.reach.store import project_store  # noqa: PLC0415
        from engine.errors import WorkspaceError  # noqa: PLC0415

        with suppress(WorkspaceError):
            return resolve(value, project_store(self._root))
        return value
