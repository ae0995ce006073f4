"""Definitions that run other ones as phases: whether those are there, sound, given their inputs, and in no circle."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from definitions.compile import inputs_of
from definitions.diagnostics import Diagnostic
from definitions.findings import Findings
from definitions.loading import Checked
from definitions.roles import bindings, roles_of
from definitions.schema.agents import ChildWorkflow
from engine.errors import DefinitionError

Loader = Callable[[str], Checked]
"""The definition with an id; raises DefinitionError when there is none."""

Trouble = tuple[str, str, str]
"""A code, a message and a hint."""


def check_children(checked: Checked, load: Loader) -> tuple[Diagnostic, ...]:
    """What keeps the child runs of a definition from being started, each at the binding of its role.

    Nothing for a definition with errors: what it means is not known.
    """
    definition = checked.definition
    if definition is None or not checked.ok:
        return ()
    project = checked.project
    own = Findings(checked.source, checked.node)
    projects = Findings(project.source, project.node) if project is not None else own
    children = _Children(load)
    for role, agent in _children_of(checked):
        findings = projects if project is not None and role in project.agents else own
        at = ("agents", role, "definition")
        trouble = children.trouble(agent.definition, (checked.id,))
        if trouble is not None:
            code, message, hint = trouble
            findings.add(code, at, message, hint=hint)
            continue
        for name in children.missing(agent):
            message = f"'{agent.definition}' requires the input '{name}'"
            path = ("agents", role, "inputs") if agent.inputs else at
            findings.add("PL411", path, message, hint=f"write it here: inputs: {{{name}: …}}")
    return (*own.sorted(), *(projects.sorted() if projects is not own else ()))


def _children_of(checked: Checked) -> Iterator[tuple[str, ChildWorkflow]]:
    """The roles in use that are child runs, each once."""
    definition, project = checked.definition, checked.project
    assert definition is not None
    bound = bindings(definition, project.agents if project is not None else {})
    for role in dict.fromkeys(role for phase in definition.ordered for _, role in roles_of(phase)):
        if isinstance(agent := bound.get(role), ChildWorkflow):
            yield role, agent


class _Children:
    """The definitions below one, each loaded and looked through once."""

    def __init__(self, load: Loader) -> None:
        self._load = load
        self._loaded: dict[str, Checked] = {}
        self._sound: set[str] = set()

    def trouble(self, name: str, above: tuple[str, ...]) -> Trouble | None:
        """The first thing that keeps a definition, or one below it, from being run; None when all is well."""
        if name in self._sound:
            return None
        try:
            child = self._definition(name)
        except DefinitionError as error:
            return "PL408", error.message, error.hint
        if child.id in above:
            return "PL410", f"a run cannot contain itself: {' -> '.join((*above, child.id))}", ""
        if not child.ok:
            count = len(child.errors)
            errors = f"{count} error{'' if count == 1 else 's'}"
            return "PL409", f"'{name}' has {errors}", f"see: phaseloom validate {name}"
        for _, agent in _children_of(child):
            found = self.trouble(agent.definition, (*above, child.id)) or self._lack(agent)
            if found is not None:
                code, message, hint = found
                own = message if code == "PL410" else f"in '{name}': {message}".replace("': in '", "' in '")
                return code, own, hint
        self._sound.add(name)
        return None

    def missing(self, agent: ChildWorkflow) -> list[str]:
        """The required inputs that a child is not given."""
        declared = inputs_of(self._definition(agent.definition))
        return [name for name, each in declared.items() if each.required and name not in agent.inputs]

    def _lack(self, agent: ChildWorkflow) -> Trouble | None:
        missing = self.missing(agent)
        return ("PL411", f"'{agent.definition}' requires the input '{missing[0]}'", "") if missing else None

    def _definition(self, name: str) -> Checked:
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]
