"""A checked definition as a plan: everything resolved that can be known at start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from definitions.checkpoints import after_of, keep_of
from definitions.deferring import deferred_of_definition, kept
from definitions.diagnostics import Diagnostic, InvalidDefinitionError
from definitions.failure_rules import retry_of, step_breaker, tool_breaker
from definitions.gates import GatePlans
from definitions.loading import Checked, under_project
from definitions.notices import hooks_of, targets_of
from definitions.project import ProjectConfig
from definitions.roles import PERSON, TOOLS, bindings
from definitions.schema import phases
from definitions.schema.agents import (
    IN_EFFECT,
    Activity,
    Agent,
    Aider,
    ChildWorkflow,
    Command,
    Http,
    Manual,
    Outputs,
    Python,
)
from definitions.schema.document import Definition
from definitions.schema.phases import Phase
from definitions.settings import Resolved, resolve_execution, timeout_of
from engine.agents import MANUAL, TESTS, AgentPlan, OutputPlan
from engine.children import CHILD
from engine.expressions import single
from engine.plan import MAX_ROUNDS, Execution, InputPlan, Json, JumpPlan, PhasePlan, Plan, StepGroup

AUTO = 0
"""`Execution.max_workers` for `auto`."""


def compile_plan(checked: Checked, env: Mapping[str, str], project: ProjectConfig | None = None) -> Plan:
    """The plan of a definition under this environment (only the names of `env_names` matter).

    Raises:
        InvalidDefinitionError: when the definition has errors, when an expression in `execution` cannot be resolved, or
            when a phase needs an executor that is not in effect yet.
    """
    checked = under_project(checked, project)
    project = checked.project
    definition = checked.definition
    if definition is None or not checked.ok:
        raise InvalidDefinitionError(checked.diagnostics)
    resolved = resolve_execution(checked, env, project)
    agents = _Agents(bindings(definition, project.agents if project is not None else {}))
    errors = [*resolved.diagnostics, *_not_startable(checked, definition, agents)]
    if errors:
        raise InvalidDefinitionError(errors)
    gates = GatePlans(definition, _groups(project, definition), agents.role)
    return Plan(
        id=checked.id,
        name=checked.name,
        description=definition.description,
        version=definition.version,
        kind="workstream" if definition.steps is not None else "workflow",
        source=checked.file,
        digest=checked.digest,
        phases=_with_lists(
            checked,
            [
                _phase(checked, resolved, agents, phase, index, gates=gates)
                for index, phase in enumerate(definition.ordered)
            ],
        ),
        inputs=inputs_of(checked),
        execution=_execution(resolved),
        step_groups=_step_groups(checked, definition),
        completion_signals=tuple(definition.completion_signals),
        hooks=hooks_of(definition.hooks),
        targets=targets_of(definition, project.settings if project is not None else None, checked.facts.order),
        keep_checkpoints=keep_of(checked, project),
        **checked.facts.shared(),
        deferred=deferred_of_definition(checked, project),
        signers=_signers(project),
        users=tuple(project.settings.users) if project is not None else (),
    )


def env_names(checked: Checked, project: ProjectConfig | None = None) -> list[str]:
    """The environment names that the definition and the project's file write, in order, each once."""
    return list(under_project(checked, project).facts.env)


def _execution(resolved: Resolved) -> Execution:
    parallel, workers = resolved.value("parallel"), resolved.value("max_workers")
    return Execution(
        parallel=parallel,
        max_workers=1 if not parallel else AUTO if workers == "auto" else workers,
        rate_limit_delay=resolved.value("rate_limit_delay"),
        on_failure=resolved.value("on_failure"),
    )


def _phase(
    checked: Checked, resolved: Resolved, agents: _Agents, phase: Phase, index: int, *, gates: GatePlans
) -> PhasePlan:
    order = checked.facts.order
    working = agents.of(phase)
    timeout = phase.timeout if phase.timeout is not None else resolved.value("timeout_per_step")
    # People have deadlines; a child run has limits of its own, unless the phase sets one.
    unlimited = all(agent.uses == MANUAL or (agent.uses == CHILD and phase.timeout is None) for agent in working)
    return PhasePlan(
        id=order.ids[index],
        name=order.names[index],
        index=index,
        description=phase.description,
        agents=working,
        agents_mode=phase.agents_mode,
        needs=order.needs[index],
        after_group=order.after_group[index],
        group=order.groups[index],
        condition=_condition(phase),
        always=phase.always,
        on_failure=phase.on_failure if phase.on_failure is not None else resolved.value("on_failure"),
        timeout=None if unlimited else timeout_of(timeout),
        retry=retry_of(phase.retry if phase.retry is not None else resolved.value("retry")),
        breaker=step_breaker(phase.circuit_breaker),
        prompt=_prompt(phase, agents.bound),
        outputs=_outputs(phase.outputs),
        reads=checked.facts.reads.get(index, ()),
        acceptance_tests=tuple(phase.acceptance_tests),
        files_scope=tuple(phase.files_scope),
        files_create=tuple(phase.files_create),
        estimate=phase.estimate if phase.estimate is not None else phase.estimated_duration,
        limits=agents.limits(checked, index),
        gates=gates.of(phase),
        checkpoint=after_of(checked, checked.project, index),
        keep_checkpoints=phase.checkpoints.keep if phase.checkpoints is not None else None,
        jumps=_jumps(checked, phase),
        on_jump=phase.on_jump,
        deadline=phase.deadline,
        remind=phase.remind,
        hooks=hooks_of(phase.hooks),
        for_each=single(phase.for_each) if isinstance(phase.for_each, str) else phase.for_each,
        max_parallel=phase.max_parallel,
        list_reads=checked.facts.list_reads.get(index, ()),
        **checked.facts.shared(index),
        deferred=kept(checked.plain[checked.definition.phase_key][index], phases.DEFERRED)
        if checked.definition
        else {},
    )


def _groups(project: ProjectConfig | None, definition: Definition) -> dict[str, list[str]]:
    """The groups of people: the project's, and over them the definition's."""
    return {**(project.settings.groups if project is not None else {}), **definition.groups}


def _signers(project: ProjectConfig | None) -> dict[str, tuple[str, ...]]:
    """The public keys of people: a run keeps those that its project has when it starts."""
    keys = project.settings.signing.keys if project is not None else {}
    return {name: tuple(dict.fromkeys(of_person)) for name, of_person in keys.items()}


def _with_lists(checked: Checked, plans: list[PhasePlan]) -> tuple[PhasePlan, ...]:
    """The phases, told which of their outputs lists come from: the engine has to see these, not a reference."""
    for paths in checked.facts.list_reads.values():
        for path in paths:
            head, *rest = path.split(".")
            if head == "phases" and len(rest) > 2 and (index := checked.facts.order.by_id.get(rest[0])) is not None:
                # Of agents in parallel first comes the role, then its output.
                inline = {*plans[index].inline, *rest[2:4]}
                plans[index] = replace(plans[index], inline=tuple(sorted(inline)))
    return tuple(plans)


def _jumps(checked: Checked, phase: Phase) -> tuple[JumpPlan, ...]:
    """The ways of a phase's `next`, as far as they can ever be gone."""
    order = checked.facts.order
    return tuple(
        JumpPlan(
            to=order.find(jump.go_to)[0],
            condition=single(jump.if_) if isinstance(jump.if_, str) else None,
            max_rounds=jump.max_rounds if jump.max_rounds is not None else MAX_ROUNDS,
        )
        for jump in phase.next
        if jump.if_ is not False
    )


def _condition(phase: Phase) -> str | None:
    """The source of the condition; None where the phase always runs."""
    if phase.if_ is None or phase.if_ is True:
        return None
    return "false" if phase.if_ is False else single(phase.if_)


def _prompt(phase: Phase, bound: Mapping[str, Agent]) -> str | None:
    """What the agents are told. Tasks that no tool takes are part of it."""
    is_tool = phase.tool is None or phase.tool in TOOLS
    if not phase.tasks or (not phase.agents and is_tool and phase.tool not in bound):
        return phase.prompt
    if isinstance(bound.get(phase.tool or ""), Aider):
        return phase.prompt
    tasks = "\n".join(f"- {task}" for task in phase.tasks)
    return tasks if phase.prompt is None else f"{phase.prompt.rstrip()}\n\n{tasks}"


def _outputs(outputs: Outputs) -> dict[str, OutputPlan]:
    return {
        name: OutputPlan(
            type=output.type,
            value=single(output.value) if output.value is not None else None,
            default=output.default,
            optional="default" in output.model_fields_set,
            description=output.description,
        )
        for name, output in outputs.items()
    }


def inputs_of(checked: Checked) -> dict[str, InputPlan]:
    """The inputs that a run of a definition takes."""
    definition = checked.definition
    assert definition is not None
    inputs = {
        name: InputPlan(
            type=declared.type,
            default=declared.default,
            required=declared.required if declared.required is not None else "default" not in declared.model_fields_set,
            description=declared.description,
        )
        for name, declared in definition.inputs.items()
    }
    for name, written in checked.facts.outside.items():
        inputs[name] = InputPlan(description=f"{written}, which nothing in the definition produces")
    return inputs


def _step_groups(checked: Checked, definition: Definition) -> tuple[StepGroup, ...]:
    order = checked.facts.order
    return tuple(
        StepGroup(
            id=group.id,
            phases=tuple(dict.fromkeys(index for word in group.members[1] for index in order.find(word))),
            max_workers=1 if group.execute == "sequential" else group.max_workers,
        )
        for group in definition.step_groups
    )


class _Agents:
    """The agents of phases under one set of bindings; each role is compiled once."""

    def __init__(self, bound: Mapping[str, Agent]) -> None:
        self.bound = bound
        self._roles: dict[str, AgentPlan] = {}
        self._limits: dict[int, list[int]] | None = None

    def of(self, phase: Phase) -> tuple[AgentPlan, ...]:
        """Who works on a phase, the acceptance tests' own agent included where one is needed."""
        working = self._working(phase)
        if not phase.acceptance_tests:
            return working
        alone = len(working) == 1 or phase.agents_mode == "in_turn"
        if alone and working[-1].uses in ("command", "aider", "python", "http"):
            return working  # its attempt ends with the tests
        return (*working, AgentPlan(role=TESTS, uses="command", config={"tasks": []}))

    def _working(self, phase: Phase) -> tuple[AgentPlan, ...]:
        if phase.agents:
            return tuple(self.role(role) for role in phase.agents)
        if phase.tool is None:
            return (_tool("sh", phase),) if phase.tasks else (self.role(PERSON),)
        if phase.tool in TOOLS and phase.tool not in self.bound:
            return (_tool(phase.tool, phase),)
        agent = self.role(phase.tool)
        if agent.uses == "aider":
            tasks = [*agent.config.get("tasks", []), *phase.tasks]
            agent = replace(agent, config={**agent.config, "tasks": tasks})
        return (agent,)

    def role(self, role: str) -> AgentPlan:
        """Who is bound to a role."""
        if role not in self._roles:
            agent = self.bound.get(role)
            self._roles[role] = (
                AgentPlan(role=role)
                if agent is None
                else AgentPlan(
                    role=role,
                    uses=agent.uses,
                    config=_config(agent),
                    outputs=_outputs(agent.outputs),
                    breaker=tool_breaker(role, agent),
                )
            )
        return self._roles[role]

    def limits(self, checked: Checked, index: int) -> tuple[int, ...]:
        """The step groups that a phase is in."""
        if self._limits is None:
            self._limits = {}
            assert checked.definition is not None
            for number, group in enumerate(_step_groups(checked, checked.definition)):
                for member in group.phases:
                    self._limits.setdefault(member, []).append(number)
        return tuple(self._limits.get(index, ()))


def _tool(tool: str, phase: Phase) -> AgentPlan:
    uses = "command" if tool == TOOLS[0] else "aider"
    return AgentPlan(role=tool, uses=uses, config={"tasks": list(phase.tasks)})


def _config(agent: Agent) -> Json:
    """The executor's own configuration: what is written, without what every agent has."""
    if isinstance(agent, Manual):
        return {"instructions": agent.instructions} if agent.instructions else {}
    config: Json = {}
    if isinstance(agent, Command):
        config = _command(agent)
    elif isinstance(agent, Aider):
        config["tasks"] = list(agent.tasks)
        if agent.model is not None:
            config["model"] = agent.model
    elif isinstance(agent, Activity | ChildWorkflow):
        config = _activity(agent) if isinstance(agent, Activity) else _child(agent)
    elif isinstance(agent, Python | Http):
        config = _call(agent)
    if isinstance(agent, Command | Aider | Python):
        config |= {key: value for key in ("env", "pass_env") if (value := getattr(agent, key))}
    return config


def _activity(agent: Activity) -> Json:
    written = {"task_queue": agent.task_queue, "heartbeat_timeout": agent.heartbeat_timeout}
    config: Json = {"activity": agent.activity, **{key: value for key, value in written.items() if value is not None}}
    return config | ({"input": agent.input} if "input" in agent.model_fields_set else {})


def _child(agent: ChildWorkflow) -> Json:
    """The child's name and inputs; whoever starts the run adds its plan."""
    return {"definition": agent.definition} | ({"inputs": agent.inputs} if agent.inputs else {})


def _command(agent: Command) -> Json:
    config: Json = {}
    if agent.run is not None:
        config["run"] = list(agent.run)
    else:
        config["tasks"] = [agent.shell] if agent.shell is not None else list(agent.tasks or [])
    if agent.cwd is not None:
        config["cwd"] = agent.cwd
    if agent.ok_exit_codes != [0]:
        config["ok_exit_codes"] = list(agent.ok_exit_codes)
    return config


def _call(agent: Python | Http) -> Json:
    """What is called and with what; defaults are left to the executor."""
    own = {"uses", "description", "outputs", "circuit_breaker"}
    return agent.model_dump(exclude=own, exclude_unset=True)


def _not_startable(checked: Checked, definition: Definition, agents: _Agents) -> list[Diagnostic]:
    """One error for each executor that is not in effect yet, naming the phases that need it."""
    needing: dict[str, list[int]] = {}
    for index, phase in enumerate(definition.ordered):
        for uses in {agent.uses for agent in agents.of(phase)} - IN_EFFECT:
            needing.setdefault(uses, []).append(index)
    errors = []
    for uses, indexes in sorted(needing.items()):
        names = ", ".join(checked.facts.order.ids[index] for index in indexes[:10])
        more = f" and {len(indexes) - 10} more" if len(indexes) > 10 else ""
        mark = checked.node.value_mark_of((definition.phase_key, indexes[0]))
        errors.append(
            Diagnostic(
                code="PL404",
                message=f"'uses: {uses}' is not in effect yet; needed by {names}{more}",
                file=checked.file,
                line=mark.line,
                column=mark.column,
                path=f"{definition.phase_key}.{checked.facts.order.ids[indexes[0]]}",
                hint="bind the role to another executor in phaseloom.yaml",
            )
        )
    return errors
