"""Advice: what is allowed and probably not what its author wants. Never an error, and said by `validate` only."""

from __future__ import annotations

from definitions.advice_estimates import advise_on_length
from definitions.advice_groups import advise_on_groups
from definitions.advice_sequence import advise_on_sequence
from definitions.advice_subject import Subject
from definitions.diagnostics import Diagnostic
from definitions.findings import Findings
from definitions.loading import Checked
from definitions.roles import bindings


def advise(checked: Checked) -> tuple[Diagnostic, ...]:
    """Bad candidates for parallel, phases that could be parallel, and runs that take long; in the order of the file.

    Nothing for a definition with errors: what it means is not known.
    """
    definition = checked.definition
    if definition is None or not checked.ok or checked.facts.order.sequence is None:
        return ()
    project = checked.project
    findings = Findings(checked.source, checked.node)
    subject = Subject(
        definition=definition,
        order=checked.facts.order,
        reads=checked.facts.named,
        bound=bindings(definition, project.agents if project is not None else {}),
        project=project.settings if project is not None else None,
        sharing=checked.facts.sharing,
    )
    if subject.workers != 1:
        advise_on_groups(subject, findings)
        advise_on_sequence(subject, findings)
    advise_on_length(subject, findings)
    return findings.sorted()
