"""What to do about each kind of finding, from `advice.toml`: topics that are one piece of work."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import NamedTuple


class Topic(NamedTuple):
    """One piece of work: what it is, what to do, and the minutes that one place takes."""

    key: str
    title: str
    advice: str
    minutes: int
    urgent: bool


class _Table(NamedTuple):
    by_rule: dict[str, Topic]
    by_prefix: tuple[tuple[str, Topic], ...]
    by_tool: dict[str, Topic]


def topic_of(tool: str, rule: str) -> Topic:
    """The piece of work that a rule's findings belong to. Every tool has at least one of its own."""
    table = _table()
    if tool != "ruff":  # its B rules and bandit's share their names
        return table.by_rule.get(rule) or table.by_tool[tool]
    return next((topic for prefix, topic in table.by_prefix if rule.startswith(prefix)), table.by_tool[tool])


@cache
def _table() -> _Table:
    by_rule: dict[str, Topic] = {}
    by_prefix: list[tuple[str, Topic]] = []
    by_tool: dict[str, Topic] = {}
    for key, row in tomllib.loads(files("activities.audit").joinpath("advice.toml").read_text("utf-8")).items():
        topic = Topic(key, row["title"], row["advice"], row["minutes"], row.get("urgent", False))
        by_rule.update(dict.fromkeys(row.get("rules", ()), topic))
        by_prefix += [(prefix, topic) for prefix in row.get("prefixes", ())]
        if "tool" in row:
            by_tool[row["tool"]] = topic
    return _Table(by_rule, tuple(by_prefix), by_tool)
