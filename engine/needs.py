"""Who waits for whom: how many needs of each phase are open, kept as phases settle, never counted by scanning."""

from __future__ import annotations

from engine.phase_state import PhaseState


class Needs:
    """The needs of a plan's phases. Only `data` needs, and the group before a phase, keep it from starting."""

    def __init__(self, phases: list[PhaseState]) -> None:
        self._phases = phases
        self._dependents: list[list[int]] = [[] for _ in phases]
        self._after: dict[int, list[int]] = {}
        self.group_of: dict[int, list[int]] = {}
        for phase in phases:
            plan = phase.plan
            if plan.group is not None:
                self.group_of.setdefault(plan.group, []).append(plan.index)
            for need in plan.needs:
                if need.kind == "data":
                    self._dependents[need.phase].append(plan.index)
                    phase.open_needs += 1
            if plan.after_group is not None:
                self._after.setdefault(plan.after_group, []).append(plan.index)
                phase.open_needs += 1
        self._open = {group: len(members) for group, members in self.group_of.items()}
        self._bad = dict.fromkeys(self.group_of, 0)

    def settled(self, phase: PhaseState) -> list[int]:
        """A phase has settled; the phases whose last need that was."""
        bad = not phase.satisfied
        opened = [index for index in self._dependents[phase.plan.index] if self.met(index, bad=bad)]
        group = phase.plan.group
        if group is None:
            return opened
        self._open[group] -= 1
        self._bad[group] += bad
        if not self._open[group]:
            bad = self._bad[group] > 0
            opened += [index for index in self._after.get(group, ()) if self.met(index, bad=bad)]
        return opened

    def open_in(self, group: int) -> int:
        """How many phases of a group have not settled."""
        return self._open[group]

    def met(self, index: int, *, bad: bool) -> bool:
        """One need of a phase is met, or never will be; whether that was the last one."""
        dependent = self._phases[index]
        dependent.open_needs -= 1
        dependent.bad_needs += bad
        return not dependent.open_needs

    def unsettled(self, phase: PhaseState) -> None:
        """A phase that had settled will run again; `count` has to follow for those that need it."""
        group = phase.plan.group
        if group is not None:
            self._open[group] += 1
            self._bad[group] -= not phase.satisfied

    def count(self, phase: PhaseState) -> None:
        """Count a phase's needs anew."""
        needed = [self._phases[need.phase] for need in phase.plan.needs if need.kind == "data"]
        phase.open_needs = sum(not each.settled for each in needed)
        phase.bad_needs = sum(each.settled and not each.satisfied for each in needed)
        group = phase.plan.after_group
        if group is not None:
            phase.open_needs += self._open[group] > 0
            phase.bad_needs += not self._open[group] and self._bad[group] > 0

    def directly_after(self, index: int) -> list[int]:
        """The phases that need this one, or its group."""
        group = self._phases[index].plan.group
        return [*self._dependents[index], *(self._after.get(group, ()) if group is not None else ())]

    def directly_before(self, index: int) -> list[int]:
        """The phases that this one needs, those of a group before it too."""
        plan = self._phases[index].plan
        needed = [need.phase for need in plan.needs if need.kind == "data"]
        return needed if plan.after_group is None else [*needed, *self.group_of.get(plan.after_group, ())]
