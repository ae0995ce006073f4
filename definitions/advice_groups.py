"""Bad candidates for parallel: phases of one group that need something of each other, or an order.

Overlapping files are no advice but a finding of their own (PL403).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from definitions.advice_subject import Subject
from definitions.findings import Findings, Path
from definitions.scopes import segments_of

_ORDERLY = re.compile(
    r"\b(?:in (?:the |this |that |exact |strict |given )*(?:order|sequence)(?! to\b| that\b)"
    r"|sequential(?:ly)?|one after (?:the other|another)|one at a time|order[- ]preserving|preserv\w+ (?:the )?order)\b"
    r"|^\s*then\b",
    re.IGNORECASE,
)
_NOT = re.compile(r"\b(?:not|never|no|any|without|non)[\s-]+(?:\w+\s+)?$", re.IGNORECASE)
_WORD = re.compile(r"[^\s'\"`(){}\[\],;:<>|&=]+")
_TEMPLATE = re.compile(r"\$\{.*?\}", re.DOTALL)
FEW = 4
"""A message names the phases of a group up to this size, and counts those of a larger one."""

_BESIDE = "take 'parallel: true' away from it, so that it runs on its own"


def advise_on_groups(subject: Subject, findings: Findings) -> None:
    """Look at every parallel group, and at phases that are marked parallel and are not."""
    for members in subject.order.members:
        _needs_of_each_other(subject, members, findings)
        _approvals(subject, members, findings)
        _migrations(subject, members, findings)
        _build_chain(subject, members, findings)
        _orderly(subject, members, findings)
    _cut_off(subject, findings)


def _needs_of_each_other(subject: Subject, members: Sequence[int], findings: Findings) -> None:
    makers = _makers(subject, members)
    for index in members:
        for need in subject.order.needs[index]:
            if need.phase in members and need.phase != index:
                _report_need(subject, index, need.phase, "depends_on", findings)
        for source in sorted(subject.sources(index)):
            if source in members and source != index:
                _report_need(subject, index, source, _reading_key(subject, index), findings)
        for field, position, text in _commands(subject, index) if makers else ():
            for word in _WORD.findall(_TEMPLATE.sub(" ", text)):
                maker = makers.get(_plain_path(word))
                if maker is not None and maker != index:
                    message = f"'{word}' is made by {subject.named([maker])}, which starts at the same time"
                    hint = f"let '{subject.order.ids[index]}' depend on '{subject.order.ids[maker]}'"
                    findings.add("PL501", (subject.key, index, field, position), message, hint=hint, severity="warning")


def _reading_key(subject: Subject, index: int) -> str:
    """The key under which a phase names what it reads."""
    phase = subject.phases[index]
    return next((key for key in ("inputs", "context", "context_requirements") if getattr(phase, key)), "prompt")


def _report_need(subject: Subject, index: int, other: int, field: str, findings: Findings) -> None:
    message = f"{subject.named([index])} uses what {subject.named([other])} makes, and both start at the same time"
    hint = f"let '{subject.order.ids[index]}' depend on '{subject.order.ids[other]}' and wait for it"
    findings.add("PL501", (subject.key, index, field), message, hint=hint, severity="warning")


def _makers(subject: Subject, members: Sequence[int]) -> dict[tuple[str, ...], int]:
    """Files that members of a group create, with the first one that does. Patterns are left out: they name nothing."""
    makers: dict[tuple[str, ...], int] = {}
    for index in members:
        for pattern in subject.phases[index].files_create:
            for segments in segments_of(pattern):
                if segments and not any(letter in part for part in segments for letter in "*?["):
                    makers.setdefault(segments, index)
    return makers


def _plain_path(word: str) -> tuple[str, ...]:
    return tuple(part for part in word.rstrip(".").split("/") if part not in {"", "."})


def _commands(subject: Subject, index: int) -> list[tuple[str, int, str]]:
    phase = subject.phases[index]
    return [
        (field, position, text)
        for field, texts in (("tasks", phase.tasks), ("acceptance_tests", phase.acceptance_tests))
        for position, text in enumerate(texts)
    ]


def _approvals(subject: Subject, members: Sequence[int], findings: Findings) -> None:
    approvals = [index for index in members if subject.is_approval(index)]
    for earlier, later in pairwise(approvals):
        message = f"{subject.named([earlier])} and {subject.named([later])} are approved at the same time, in any order"
        hint = "approvals are usually asked for one after the other: take 'parallel: true' away from one of them"
        findings.add("PL502", (subject.key, later), message, hint=hint, severity="warning")


def _migrations(subject: Subject, members: Sequence[int], findings: Findings) -> None:
    for index in members:
        if subject.is_migration(index):
            others = f"{len(members) - 1} other phases"
            if len(members) <= FEW:
                others = subject.named([other for other in members if other != index])
            message = f"the migration {subject.named([index])} runs at the same time as {others}"
            hint = f"{_BESIDE}, or write 'independent: true' if nothing else touches its data"
            findings.add("PL503", (subject.key, index), message, hint=hint, severity="warning")


def _build_chain(subject: Subject, members: Sequence[int], findings: Findings) -> None:
    """Two links of the chain that are about the same thing: `Build api` beside `Test api`, not beside `Test web`."""
    chains: dict[frozenset[str], tuple[int, int]] = {}
    for index in members:
        found = None if subject.phases[index].independent else subject.stage(index)
        if found is None:
            continue
        stage, about = found
        first = chains.setdefault(about, (index, stage))
        if first[1] != stage:
            early, late = (first[0], index) if first[1] < stage else (index, first[0])
            message = f"{subject.named([late])} usually needs what {subject.named([early])} makes, and does not wait"
            hint = f"write 'depends_on: [{subject.order.ids[early]}]', or 'independent: true' if it does not"
            findings.add("PL504", (subject.key, late), message, hint=hint, severity="warning")


def _orderly(subject: Subject, members: Sequence[int], findings: Findings) -> None:
    for index in members:
        phase = subject.phases[index]
        if phase.independent:
            continue
        # Not its tasks: they run one after the other anyway.
        for field, text in (("name", phase.name or ""), ("description", phase.description)):
            found = _orderly_word(text)
            if found:
                path: Path = (subject.key, index, field)
                message = f"{subject.named([index])} says '{found}', and runs at the same time as others"
                findings.add("PL505", path, message, hint=f"{_BESIDE}, if the order matters", severity="warning")
                break


def _orderly_word(text: str) -> str:
    found = _ORDERLY.search(text)
    if found is None or _NOT.search(text[: found.start()]):
        return ""
    return found[0].strip().lower()


def _cut_off(subject: Subject, findings: Findings) -> None:
    """Phases marked parallel that run alone, because they wait for the one that they stand next to."""
    order, phases = subject.order, subject.phases
    for index in range(1, len(phases)):
        before = index - 1
        if not (phases[index].parallel and phases[before].parallel) or order.groups[index] is not None:
            continue
        needed = [need.phase for need in order.needs[index] if not need.implicit and need.kind == "data"]
        if before in needed:
            message = f"it waits for {subject.named([before])} next to it, so 'parallel: true' has no effect"
            hint = "take 'parallel: true' away, or the need"
            findings.add("PL501", (subject.key, index, "parallel"), message, hint=hint, severity="warning")
