"""What can be decided about a phase, in numbered words (B12)."""

from __future__ import annotations

from typing import Any

from engine.context import showing
from engine.interventions import available
from engine.phase_state import PhaseState

Json = dict[str, Any]


def options(phase: PhaseState) -> list[Json]:
    """B12's numbered choices for one phase."""
    name = phase.plan.name
    words = {
        "retry": f"Fix and retry {name}",
        "retry_with": f"Retry {name} with edited input",
        "replace_output": f"Replace the output of {name}",
        "skip": f"Skip the {name.lower()} phase (not recommended)",
        "go_to": f"Go back to a phase before {name}",
        "cancel": f"Cancel the {name.lower()} phase (what needs it is skipped)",
    }
    if phase.gate is not None:
        gate = phase.gate.plan.id
        words |= {
            "retry_gate": f"Fix and retry the {gate} gate",
            "retry": f"Run {name} again",
            "retry_with": f"Run {name} again with edited input",
            "skip_gate": f"Skip the {gate} gate (not recommended)",
        }
    if phase.held:
        words["retry"] = f"Retry {name}"
    if phase.undecided:
        words |= {action: text.format(name=name) for action, text in showing.OPTIONS.items()}
        words["retry"] = f"Run {name} again with what the context holds now"
    return [
        {"number": number, "action": action, "phase": phase.plan.index, "text": words[action]}
        for number, action in enumerate(available(phase), start=1)
    ]
