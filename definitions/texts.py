"""Where a definition holds expressions: every text with its path, the names it may use, and the phases it runs for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from definitions.findings import Path
from definitions.gates import included
from definitions.roles import TOOLS
from definitions.schema.agents import Activity, Agent, Aider, ChildWorkflow, Command, Http, Outputs
from definitions.schema.document import Definition, Execution
from definitions.schema.phases import Phase

START = ("env",)
BASE = ("inputs", "phases", "context", "env", "run")
ITEM = ("item", "item_index")
PHASE = (*BASE, *ITEM)
AGENT = (*PHASE, "prompt_file")
RESULT = (*AGENT, "stdout", "stdout_json", "exit_code")
ANSWER = (*AGENT, "status", "headers", "body", "json")
SETTLED = (*PHASE, "outputs", "status")

Kind = Literal["template", "condition", "expression", "list", "script"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One text of a definition.

    A `template` is a text with expressions in it, a `condition` is one that yields true or false, an `expression` is
    exactly one `${…}`, a `list` one that yields a list, and a `script` goes to a shell as it stands. `phases` are the
    phases that it is evaluated for; `own`: the outputs of the phase itself can be read; `of_list`: it belongs to the
    list of a `for_each`, which no agent is handed.
    """

    path: Path
    text: str
    kind: Kind = "template"
    names: tuple[str, ...] = PHASE
    phases: tuple[int, ...] = ()
    own: bool = False
    of_list: bool = False


def texts_of(definition: Definition, bound: Mapping[str, Agent]) -> Iterator[Text]:
    """Every text of the definition that may hold an expression, agents' apart (see `agent_texts`)."""
    yield from execution_texts(definition.execution)
    for index, phase in enumerate(definition.ordered):
        texts = _phase_texts(phase, index, (definition.phase_key, index), bound)
        yield from texts if phase.for_each is not None else without_item(texts)
    yield from _gate_texts(definition)
    for key, declared in definition.context.items():
        if declared.invariant is not None:
            at = ("context", key, "invariant")
            yield Text(path=at, text=declared.invariant, kind="condition", names=("context",))
    yield from _hook_texts(definition, (), ())


def without_item(texts: Iterable[Text]) -> Iterator[Text]:
    """The same texts where no item is: outside of phases with `for_each`."""
    for text in texts:
        yield replace(text, names=tuple(name for name in text.names if name not in ITEM))


def execution_texts(execution: Execution) -> Iterator[Text]:
    """The expressions of an `execution` block, which are resolved at start."""
    for name in ("parallel", "max_workers", "timeout_per_step", "rate_limit_delay", "on_failure"):
        value = getattr(execution, name)
        if isinstance(value, str) and "${" in value:
            yield Text(path=("execution", name), text=value, names=START)


def _phase_texts(phase: Phase, index: int, path: Path, bound: Mapping[str, Agent]) -> Iterator[Text]:
    here = (index,)
    if phase.prompt is not None and "${" in phase.prompt:
        yield Text(path=(*path, "prompt"), text=phase.prompt, phases=here)
    if isinstance(phase.if_, str):
        yield Text(path=(*path, "if"), text=phase.if_, kind="condition", names=BASE, phases=here)
    if phase.for_each is not None:
        yield from _list_texts(phase.for_each, (*path, "for_each"), here)
    if phase.tasks or phase.acceptance_tests:
        yield from _step_texts(phase, path, here, bound)
    if phase.outputs:
        yield from _output_texts(phase.outputs, (*path, "outputs"), here)
    if phase.next or phase.compensation is not None or phase.hooks is not None:
        yield from _deferred_texts(phase, path, here)


def _list_texts(for_each: Any, path: Path, here: tuple[int, ...]) -> Iterator[Text]:
    if isinstance(for_each, str):
        yield Text(path=path, text=for_each, kind="list", names=BASE, phases=here, of_list=True)
        return
    for below, text in _strings(for_each):
        yield Text(path=(*path, *below), text=text, names=BASE, phases=here, of_list=True)


def _step_texts(phase: Phase, path: Path, here: tuple[int, ...], bound: Mapping[str, Agent]) -> Iterator[Text]:
    kind: Kind = "script" if runs_tasks_in_a_shell(phase, bound) else "template"
    for number, task in enumerate(phase.tasks):
        if "${" in task:
            yield Text(path=(*path, "tasks", number), text=task, kind=kind, phases=here)
    for number, test in enumerate(phase.acceptance_tests):
        if "${" in test:
            yield Text(path=(*path, "acceptance_tests", number), text=test, kind="script", phases=here)


def _deferred_texts(phase: Phase, path: Path, here: tuple[int, ...]) -> Iterator[Text]:
    for number, jump in enumerate(phase.next):
        if isinstance(jump.if_, str):
            at = (*path, "next", number, "if")
            yield Text(path=at, text=jump.if_, kind="condition", names=SETTLED, phases=here, own=True)
    if phase.compensation is not None:
        yield from _run_texts(phase.compensation, (*path, "compensation"), SETTLED, here, own=True)
    if phase.hooks is not None:
        yield from _hook_texts(phase, path, here)


def runs_tasks_in_a_shell(phase: Phase, bound: Mapping[str, Agent]) -> bool:
    """Whether the phase's tasks are shell scripts: with `tool: sh`, or with nobody named who would do them."""
    if phase.agents:
        return False
    return phase.tool is None or (phase.tool == TOOLS[0] and phase.tool not in bound)


def agent_texts(agent: Agent, path: Path, phases: tuple[int, ...]) -> Iterator[Text]:
    """Every text of one agent, evaluated for each of the phases that it works on."""
    if isinstance(agent, Command):
        yield from _run_texts(agent, path, AGENT, phases)
        for number, task in enumerate(agent.tasks or []):
            yield Text(path=(*path, "tasks", number), text=task, kind="script", phases=phases)
    elif isinstance(agent, Aider):
        for number, task in enumerate(agent.tasks):
            yield Text(path=(*path, "tasks", number), text=task, names=AGENT, phases=phases)
    for field in ("env", "headers", "args", "inputs", "input", "body", "url", "system", "instructions", "model"):
        for below, text in _strings(getattr(agent, field, None)):
            # What another worker is sent is evaluated where no prompt file is.
            names = PHASE if isinstance(agent, Activity | ChildWorkflow) else AGENT
            yield Text(path=(*path, field, *below), text=text, names=names, phases=phases)
    yield from _output_texts(agent.outputs, (*path, "outputs"), phases, ANSWER if isinstance(agent, Http) else RESULT)


def _output_texts(
    outputs: Outputs, path: Path, phases: tuple[int, ...], names: tuple[str, ...] = RESULT
) -> Iterator[Text]:
    for name, output in outputs.items():
        if output.value is not None:
            at = (*path, name, "value")
            yield Text(path=at, text=output.value, kind="expression", names=names, phases=phases)


def _gate_texts(definition: Definition) -> Iterator[Text]:
    users: dict[str, list[int]] = {}
    for index, phase in enumerate(definition.ordered):
        for name in dict.fromkeys(inner for gate in phase.gates for inner in included(definition.gates, gate)):
            users.setdefault(name, []).append(index)
    for name, gate in definition.gates.items():
        phases = tuple(users.get(name, ()))
        for number, check in enumerate(gate.checks):
            path = ("gates", name, "checks", number)
            if check.expr is not None:
                at = (*path, "expr")
                yield Text(path=at, text=check.expr, kind="condition", names=SETTLED, phases=phases, own=True)
            yield from _run_texts(check, path, SETTLED, phases, own=True)
            for below, text in _strings(check.env):
                yield Text(path=(*path, "env", *below), text=text, names=SETTLED, phases=phases, own=True)


def _hook_texts(holder: Definition | Phase, path: Path, phases: tuple[int, ...]) -> Iterator[Text]:
    for name in ("on_failure", "on_retry", "on_recovery", "on_circuit_open"):
        hook = getattr(holder.hooks, name, None)
        if hook is not None:
            yield from _run_texts(hook, (*path, "hooks", name), SETTLED, phases, own=True)


def _run_texts(
    holder: Any, path: Path, names: tuple[str, ...], phases: tuple[int, ...], *, own: bool = False
) -> Iterator[Text]:
    """The argument lists and scripts of anything that runs a command."""
    for field in ("run", "fix"):
        arguments: list[str] = getattr(holder, field, None) or []
        script = script_position(arguments)
        for number, argument in enumerate(arguments):
            kind: Kind = "script" if number == script else "template"
            if "${" in argument:
                yield Text(path=(*path, field, number), text=argument, kind=kind, names=names, phases=phases, own=own)
    shell = getattr(holder, "shell", None)
    if shell is not None and "${" in shell:
        yield Text(path=(*path, "shell"), text=shell, kind="script", names=names, phases=phases, own=own)


_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "ash", "fish", "mksh", "cmd", "powershell", "pwsh"})


def script_position(arguments: list[str]) -> int | None:
    """Which argument a shell would run as a script: the one after `-c` (also `-lc`, `/c`, `-Command`), if any."""
    shell = False
    for position, argument in enumerate(arguments[:-1]):
        name = argument.replace("\\", "/").rpartition("/")[2].lower().removesuffix(".exe")
        if name in _SHELLS:
            shell = True
        elif shell and (
            argument.lower() in ("/c", "/k", "-command", "--command")
            or (argument.startswith("-") and not argument.startswith("--") and "c" in argument)
        ):
            return position + 1
    return None


def _strings(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """All texts inside a JSON value that hold an expression."""
    if isinstance(value, str):
        if "${" in value:
            yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _strings(item, (*path, key))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _strings(item, (*path, position))
