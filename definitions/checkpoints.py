"""Which checkpoints a run makes by itself and how many it keeps: by its phase, its definition, its project."""

from __future__ import annotations

from definitions.loading import Checked
from definitions.project import ProjectConfig
from definitions.schema.deferred import Checkpoints
from definitions.settings import Origin, Setting
from engine.plan import CheckpointAfter

BLOCK = "checkpoints"


def after_of(checked: Checked, project: ProjectConfig | None, index: int) -> CheckpointAfter:
    """Whether the completion of a phase is a checkpoint."""
    value = _after(checked, project, index).value
    if not isinstance(value, list):
        word: CheckpointAfter = value
        return word
    named = {found for text in value for found in checked.facts.order.find(text)}
    return "phase" if index in named else "never"


def keep_of(checked: Checked, project: ProjectConfig | None) -> int | None:
    """How many automatic checkpoints of a run are kept; None: all."""
    keep: int | None = _keep(checked, project).value
    return keep


def checkpoint_settings(checked: Checked, project: ProjectConfig | None) -> list[Setting]:
    """The effective values, and where each comes from."""
    assert checked.definition is not None
    shown = [_keep(checked, project)]
    for index, phase in enumerate(checked.definition.ordered):
        label = f"phases.{checked.facts.order.ids[index]}.checkpoints"
        after = _after(checked, project, index)
        value = after_of(checked, project, index)
        shown.append(Setting(f"{label}.after", value, after.origin, after.file, after.line))
        if phase.checkpoints is not None and phase.checkpoints.keep is not None:
            line = checked.node.value_mark_of((checked.definition.phase_key, index, BLOCK, "keep")).line
            shown.append(Setting(f"{label}.keep", phase.checkpoints.keep, "phase", checked.file, line))
    return shown


def _keep(checked: Checked, project: ProjectConfig | None) -> Setting:
    return _nearest(checked, project, "keep")


def _after(checked: Checked, project: ProjectConfig | None, index: int) -> Setting:
    assert checked.definition is not None
    own = checked.definition.ordered[index].checkpoints
    if own is not None and "after" in own.model_fields_set:
        line = checked.node.value_mark_of((checked.definition.phase_key, index, BLOCK, "after")).line
        return Setting("checkpoints.after", own.after, "phase", checked.file, line)
    return _nearest(checked, project, "after")


def _nearest(checked: Checked, project: ProjectConfig | None, field: str) -> Setting:
    """The value of the definition, else of the project, else the default."""
    assert checked.definition is not None
    levels: list[tuple[Origin, Checkpoints | None, Checked | ProjectConfig]] = [
        ("definition", checked.definition.checkpoints, checked)
    ]
    if project is not None:
        levels.append(("project", project.settings.checkpoints, project))
    for origin, block, holder in levels:
        if block is not None and field in block.model_fields_set:
            line = holder.node.value_mark_of((BLOCK, field)).line
            return Setting(f"checkpoints.{field}", getattr(block, field), origin, holder.file, line)
    return Setting(f"checkpoints.{field}", getattr(Checkpoints(), field), "default")
