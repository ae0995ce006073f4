"""Writes the parts of the reference that are drawn from the code: `python docs/generate.py`.

A part stands between `<!-- generated: NAME -->` and `<!-- end -->`. The tests fail when one is out of date.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from activities.environment import INHERITED
from definitions.diagnostics import MEANINGS
from definitions.schema import document, phases
from definitions.schema.agents import EXECUTORS, IN_EFFECT
from engine.facts import FactKind
from engine.interventions import ACTIONS
from engine.operations import OPERATIONS
from engine.statuses import PHASE_TRANSITIONS, RUN_TRANSITIONS, SHOWN

DOCS = Path(__file__).parent

_PART = re.compile(r"(<!-- generated: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_TYPES = {int: "number", str: "text", dict: "object", list: "list", float: "number", bool: "true or false"}


def diagram(transitions: Mapping[Any, frozenset[Any]], shown: Mapping[Any, str]) -> str:
    """A transition table as a Mermaid state diagram; a status is written as it is printed."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {next(iter(transitions))}"]
    for old, news in transitions.items():
        lines += [f"    {shown.get(old, old)} --> {shown.get(new, new)}" for new in transitions if new in news]
        if not news:
            lines.append(f"    {shown.get(old, old)} --> [*]")
    return "\n".join([*lines, "```"])


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A Markdown table."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows))


def messages() -> str:
    """Every message with its payload's own fields."""
    rows = []
    for name, operation in OPERATIONS.items():
        fields = []
        for field, types in operation.fields.items():
            words = " or ".join(dict.fromkeys(_TYPES[kind] for kind in types))
            fields.append(f"`{field}` ({words}{'' if field in operation.required else ', optional'})")
        rows.append((f"`{name}`", ", ".join(fields) or "none"))
    return table(("message", "fields"), rows)


def listed(names: tuple[str, ...] | frozenset[str]) -> str:
    """Names in a line, in order where they have one."""
    ordered = sorted(names) if isinstance(names, frozenset) else names
    return ", ".join(f"`{name}`" for name in ordered)


def diagnostics() -> str:
    """Every code with its meaning."""
    return table(("code", "meaning"), [(f"`{code}`", meaning) for code, meaning in MEANINGS.items()])


def executors() -> str:
    """The executors and whether they can be started."""
    rows = [(f"`{name}`", "yes" if name in IN_EFFECT else "not in effect yet") for name in EXECUTORS]
    return table(("`uses`", "can be started"), rows)


PARTS: dict[str, Callable[[], str]] = {
    "run-statuses": lambda: diagram(RUN_TRANSITIONS, {}),
    "phase-statuses": lambda: diagram(PHASE_TRANSITIONS, SHOWN),
    "messages": messages,
    "actions": lambda: listed(ACTIONS),
    "facts": lambda: listed(get_args(FactKind)),
    "diagnostics": diagnostics,
    "executors": executors,
    "inherited": lambda: listed(INHERITED) + ", `LC_*`",
    "deferred-definition": lambda: listed(document.DEFERRED),
    "deferred-phase": lambda: listed(phases.DEFERRED),
    "deferred-project": lambda: listed(document.PROJECT_DEFERRED),
}


def rewritten(text: str) -> str:
    """A page with its generated parts as the code has them now; KeyError for a part that nobody writes."""
    return _PART.sub(lambda part: f"{part[1]}\n{PARTS[part['name']]()}\n\n{part[3]}", text)


def main() -> None:
    """Rewrite every page that is out of date."""
    for page in sorted(DOCS.rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        if (new := rewritten(text)) != text:
            page.write_text(new, encoding="utf-8")
            print(f"rewritten: {page.relative_to(DOCS)}")  # noqa: T201 - its whole answer


if __name__ == "__main__":
    main()
