"""Who works: the executors that `uses:` names, each with the keys of its own."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator

from definitions.schema.scalars import (
    EnvText,
    Exact,
    Function,
    Id,
    JsonValue,
    Limit,
    Line,
    Name,
    RelativePath,
    Text,
    TypeWord,
    refusal,
)

EXECUTORS = ("manual", "command", "aider", "python", "http", "llm", "workflow", "activity")
IN_EFFECT = frozenset({"manual", "command", "aider", "python", "http", "workflow", "activity"})
"""The executors that can already be started."""


class Output(Exact):
    """One declared output of a phase or an agent."""

    type: TypeWord = "any"
    value: Text | None = None
    """The expression that yields the output: over `stdout`, `stdout_json`, `exit_code`; for `http` over the answer."""
    default: JsonValue = None
    description: Text = ""


def _output(value: object) -> object:
    """A word alone is the type; nothing at all is an output of any type."""
    if value is None:
        return {}
    return {"type": value} if isinstance(value, str) else value


def _outputs(value: object) -> object:
    """A list of names declares outputs of any type."""
    if isinstance(value, list):
        if not all(isinstance(name, str) for name in value):
            raise refusal("PL102", "outputs are a mapping, or a list of names")
        return {name: {} for name in value}
    return value


Outputs = Annotated[
    dict[Name, Annotated[Output, BeforeValidator(_output, json_schema_input_type=TypeWord | Output | None)]],
    BeforeValidator(_outputs, json_schema_input_type=dict[Name, TypeWord | Output | None] | list[Name]),
]


class _Agent(Exact):
    description: Text = ""
    outputs: Outputs = Field(default_factory=dict)


class ToolBreaker(Exact):
    """When a tool is left alone in all runs of the project, and how long that lasts."""

    tool: Line | None = None
    """What breaks: roles with the same word share it. Not written: the program, function or host of the role."""
    threshold: Annotated[int, Field(ge=1, le=1000)] = 5
    """Failures in a row that are the tool's: transient ones and those of the system."""
    recovery: Limit = 60.0
    """After it one attempt may show whether the tool works again."""


class _Tool(_Agent):
    circuit_breaker: ToolBreaker | None = None


class _Process(_Tool):
    env: dict[Name, EnvText] = Field(default_factory=dict)
    """Variables for the process; values may hold expressions."""
    pass_env: list[Name] = Field(default_factory=list)
    """Variables that the worker's own environment hands over: the way for keys and tokens."""


class Manual(_Agent):
    """A person, or anything else that reports by message."""

    uses: Literal["manual"] = "manual"
    instructions: Text = ""


class Command(_Process):
    """A process: one argument list, or shell scripts that are passed on as they stand."""

    uses: Literal["command"] = "command"
    run: list[Text] | None = Field(default=None, min_length=1)
    shell: Text | None = None
    tasks: list[Text] | None = None
    ok_exit_codes: list[Annotated[int, Field(ge=0, le=255)]] = Field(default_factory=lambda: [0], min_length=1)
    cwd: RelativePath | None = None

    @model_validator(mode="after")
    def _one_way_to_run(self) -> Command:
        written = [key for key in ("run", "shell", "tasks") if getattr(self, key) is not None]
        if len(written) > 1:
            raise refusal("PL111", f"'{written[0]}' and '{written[1]}' exclude each other")
        if not written:
            raise refusal("PL105", "a command needs 'run', 'shell' or 'tasks'", "write run: [program, argument]")
        return self


class Aider(_Process):
    """aider, the coding agent; it works on the phase's prompt, its own tasks and the phase's `files_scope`."""

    uses: Literal["aider"]
    tasks: list[Text] = Field(default_factory=list)
    model: Text | None = None


class Python(_Process):
    """A function of the project, called in a process of its own."""

    uses: Literal["python"]
    function: Function
    args: dict[Name, JsonValue] = Field(default_factory=dict)


class Http(_Tool):
    """One request."""

    uses: Literal["http"]
    url: Text
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    headers: dict[str, EnvText] = Field(default_factory=dict)
    body: JsonValue = None
    ok_status: list[Annotated[int, Field(ge=100, le=599)]] = Field(default_factory=lambda: [200], min_length=1)
    timeout: Limit | None = None
    pass_env: list[Name] = Field(default_factory=list)


class Llm(_Agent):
    """A language model, asked directly."""

    uses: Literal["llm"]
    model: Text
    system: Text = ""
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    pass_env: list[Name] = Field(default_factory=list)


class ChildWorkflow(_Agent):
    """Another definition, run as a child."""

    uses: Literal["workflow"]
    definition: Id
    inputs: dict[Name, JsonValue] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _outputs_are_the_childs(self) -> ChildWorkflow:
        if self.outputs:
            raise refusal("PL111", "a child run's outputs are its phases' outputs, by id; none can be declared")
        return self


class Activity(_Agent):
    """Any activity type on any task queue, in any language."""

    uses: Literal["activity"]
    activity: Text
    task_queue: Text | None = None
    input: JsonValue = None
    """What the activity is given; without it the whole task."""
    heartbeat_timeout: Limit | None = None
    """For a worker that heartbeats: how long it may be silent. Only such a worker hears of a cancellation."""

    @model_validator(mode="after")
    def _outputs_are_returned(self) -> Activity:
        if any(output.value is not None for output in self.outputs.values()):
            raise refusal("PL111", "an activity's outputs are what it returns; 'value' is for commands")
        return self


def _executor(value: Any) -> str | None:
    """The executor that a mapping means: what `uses` says, else a command where it says how to run one."""
    if not isinstance(value, dict):
        return value.uses if isinstance(value, Exact) and hasattr(value, "uses") else "manual"
    if "uses" in value:
        return value["uses"] if isinstance(value["uses"], str) else None
    return "command" if {"run", "shell", "tasks"} & value.keys() else "manual"


Agent = Annotated[
    Annotated[Manual, Tag("manual")]
    | Annotated[Command, Tag("command")]
    | Annotated[Aider, Tag("aider")]
    | Annotated[Python, Tag("python")]
    | Annotated[Http, Tag("http")]
    | Annotated[Llm, Tag("llm")]
    | Annotated[ChildWorkflow, Tag("workflow")]
    | Annotated[Activity, Tag("activity")],
    Discriminator(_executor),
]
Role = Annotated[str, WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 200})]
