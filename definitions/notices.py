"""Notifications and hooks: what is wrong with them, and how they are compiled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec

from definitions.findings import Findings, Path
from definitions.order import Order
from definitions.schema.document import Definition, ProjectFile
from definitions.schema.notices import Hooks, Target
from engine.plan import HookPlan, TargetPlan
from engine.services import SERVICES, WEBHOOKS, needs_extra, problem_of, scheme_of

HOOKS = ("failure", "retry", "recovery", "circuit_open")
TIMEOUT = 60.0


def check_notices(definition: Definition, project: ProjectFile, order: Order, findings: Findings) -> None:
    """Report targets that do not exist or cannot be reached, and phases that do not exist."""
    table = project.notifications
    named = table.targets if table is not None else {}
    further = tuple(table.schemes) if table is not None else ()
    for position, target in enumerate(definition.notifications or ()):
        path: Path = ("notifications", position)
        _check_address(target, path, named, further, findings)
        for number, word in enumerate(target.phases):
            if len(order.find(word)) != 1:
                problem = "several phases have the name" if order.find(word) else "no phase"
                hint = findings.suggest(word, order.words)
                findings.add("PL103", (*path, "phases", number), f"{problem} '{word}'", hint=hint)


def check_project(project: ProjectFile, findings: Findings) -> None:
    """The same for the file of a project: its named targets, and what it sends itself."""
    table = project.notifications
    if table is None:
        return
    further = tuple(table.schemes)
    for name, target in table.targets.items():
        if target.to is not None and scheme_of(target.to) is None:
            path: Path = ("notifications", "targets", name)
            findings.add("PL413", path, f"'{target.to}' is not an address", hint="write a URL, or url_env: NAME")
        else:
            _check_address(target, ("notifications", "targets", name), {}, further, findings)
        _no_phases(target, ("notifications", "targets", name), findings)
    place = ("notifications", "send")
    above: Path = place if findings.root.at(place) is not None else place[:1]
    for position, target in enumerate(table.send):
        path = (*above, position)
        _check_address(target, path, table.targets, further, findings)
        _no_phases(target, path, findings)


def missing_extra(project: ProjectFile) -> list[str]:
    """Schemes of the project's own targets that nothing here can deliver to, because an extra is not installed."""
    table = project.notifications
    if table is None or find_spec("apprise") is not None:
        return []
    addresses = [target.to for target in (*table.targets.values(), *table.send) if target.to is not None]
    return sorted({scheme for each in addresses if (scheme := scheme_of(each)) is not None and needs_extra(each)})


def _no_phases(target: Target, path: Path, findings: Findings) -> None:
    if target.phases:
        findings.add("PL407", path, "a project does not know phases: 'phases' is for definitions", severity="warning")


def _check_address(
    target: Target, path: Path, named: Mapping[str, Target], further: Sequence[str], findings: Findings
) -> None:
    to = target.to
    if to is None:
        return
    if "${" in to:
        hint = "name the variable that holds it where the worker runs: {url_env: NAME}"
        findings.add("PL413", path, "an address is taken as it stands; nothing is evaluated in it", hint=hint)
    elif scheme_of(to) is None:
        if to not in named:
            hint = findings.suggest(to, named) or "write a URL, or name it in phaseloom.yaml: notifications.targets"
            findings.add("PL413", path, f"there is no target '{to}'", hint=hint)
    elif (problem := problem_of(to, tuple(further))) is not None:
        findings.add("PL413", path, problem, hint="a project allows more, in phaseloom.yaml: notifications.schemes")
    else:
        _warn(to, path, findings)


def _warn(to: str, path: Path, findings: Findings) -> None:
    if needs_extra(to) and find_spec("apprise") is None:
        message = f"{scheme_of(to)}:// needs an extra that is not installed here"
        findings.add("PL413", path, message, hint="pip install 'phaseloom[notify]'", severity="warning")
    authority = to.partition("://")[2].partition("/")[0]
    if "@" in authority and ":" in authority.rpartition("@")[0]:
        message = "a password stands in the address, and in every run's history"
        findings.add("PL305", path, message, hint="use url_env: NAME", severity="warning")


def targets_of(definition: Definition, project: ProjectFile | None, order: Order) -> tuple[TargetPlan, ...]:
    """Who is told of a run: what the definition says, or else its project."""
    table = project.notifications if project is not None else None
    written = definition.notifications
    chosen: Iterable[Target] = written if written is not None else table.send if table is not None else ()
    named = table.targets if table is not None else {}
    further = tuple(table.schemes) if table is not None else ()
    plans = []
    for number, target in enumerate(chosen, start=1):
        known = named.get(target.to or "")
        address = known or target
        unknown = address.to is None or scheme_of(address.to) not in SERVICES | WEBHOOKS
        plans.append(
            TargetPlan(
                name=target.to if known is not None and target.to is not None else f"target-{number}",
                to=address.to,
                url_env=address.url_env,
                on=tuple(target.on or address.on),
                phases=tuple(index for word in target.phases for index in order.find(word)),
                schemes=further if unknown else (),
            )
        )
    return tuple(plans)


def hooks_of(hooks: Hooks | None) -> dict[str, HookPlan]:
    """The hooks of a definition or a phase by what they run on."""
    written = {what: getattr(hooks, f"on_{what}", None) for what in HOOKS}
    return {
        what: HookPlan(
            run=tuple(hook.run or ()), shell=hook.shell, timeout=hook.timeout if hook.timeout is not None else TIMEOUT
        )
        for what, hook in written.items()
        if hook is not None
    }
