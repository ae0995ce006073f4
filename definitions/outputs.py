"""What is known of inputs and outputs before a run: which exist, and of what type."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from definitions.order import Order
from definitions.roles import roles_of
from definitions.schema.agents import Agent, Output
from definitions.schema.document import Definition
from definitions.shape import Damage

_OWN_TYPES = {"status": "string", "prompt_file": "string", "stdout": "string", "exit_code": "integer"}


@dataclass
class Known:
    """The inputs of the run and the declared outputs of its phases."""

    definition: Definition
    order: Order
    bound: Mapping[str, Agent]
    damage: Damage
    outside: Collection[str] = ()
    """Inputs that come from reads of producers outside the file."""
    _outputs: dict[int, dict[str, Output | None] | None] = field(default_factory=dict)
    _unclear: dict[int, bool] = field(default_factory=dict)

    @cached_property
    def inputs(self) -> dict[str, None]:
        """The names of all inputs, wrongly declared ones too."""
        return dict.fromkeys([*self.definition.inputs, *self._cut_from("inputs"), *self.outside])

    def _cut_from(self, key: str) -> set[str]:
        return {str(path[1]) for path in self.damage.paths if len(path) > 1 and path[0] == key}

    def has_output(self, index: int, steps: Sequence[str]) -> bool | None:
        """Whether a phase declares this output, or may do so where it is written wrong; None if it declares none."""
        declared = self._declared(index)
        if self._is_unclear(index) and steps[0] not in (declared or ()):
            return True
        return None if declared is None else steps[0] in declared

    def output_names(self, index: int) -> list[str]:
        """The declared outputs of a phase."""
        return list(self._declared(index) or ())

    def type_of(self, path: str) -> str:
        """The declared type of what a path names; `any` where nothing is declared."""
        steps = path.split(".")
        if steps[0] == "inputs" and len(steps) == 2 and steps[1] in self.definition.inputs:
            return self.definition.inputs[steps[1]].type
        if steps[0] == "context" and len(steps) == 2 and steps[1] in self.definition.context:
            return self.definition.context[steps[1]].type
        if steps[0] == "phases" and len(steps) == 3 and steps[2] == "status":
            return "string"
        if steps[0] == "phases" and len(steps) == 4 and (index := self.order.by_id.get(steps[1])) is not None:
            output = (self._declared(index) or {}).get(steps[3])
            return output.type if output is not None else "any"
        return _OWN_TYPES.get(path, "any")

    def _declared(self, index: int) -> dict[str, Output | None] | None:
        """The outputs that a phase declares itself or through its roles; the roles where these work in parallel."""
        if index in self._outputs:
            return self._outputs[index]
        phase = self.definition.ordered[index]
        if phase.for_each is not None:  # what is declared is each item's
            self._outputs[index] = {"items": Output(type="list")}
            return self._outputs[index]
        declared: dict[str, Output | None] | None = dict(phase.outputs)
        roles = [role for _, role in roles_of(phase)]
        agents = [self.bound[role].outputs for role in roles if role in self.bound]
        assert declared is not None
        if phase.agents_mode == "parallel" and len(roles) > 1:
            if declared or any(agents):
                declared.update(dict.fromkeys(roles))
        else:
            for outputs in agents:
                declared.update(outputs)
        self._outputs[index] = declared or None
        return self._outputs[index]

    def _is_unclear(self, index: int) -> bool:
        """Whether what a phase declares is not known, because something of it is wrong."""
        if self.damage.paths and index not in self._unclear:
            place = (self.definition.phase_key, index)
            roles = [role for _, role in roles_of(self.definition.ordered[index])]
            self._unclear[index] = (
                index in self.damage.phases
                or any(self.damage.touches(*place, key) for key in ("outputs", "agents", "role"))
                or any(
                    self.damage.covers("agents", role) or self.damage.touches("agents", role, "outputs")
                    for role in roles
                )
            )
        return self._unclear.get(index, False)
