"""Who is told of what, and commands that run when something happens, as they are written."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from definitions.schema.scalars import Exact, Id, Limit, Line, Name, Text, refusal

KindWord = Literal["paused", "gate", "failed", "completed", "cancelled", "reminder", "deadline", "escalated"]


def _address_alone(value: object) -> object:
    return {"to": value} if isinstance(value, str) else value


def _one_alone(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _list_alone(value: object) -> object:
    return {"send": value} if isinstance(value, list | str) else value


def _command_alone(value: object) -> object:
    return {"run": value} if isinstance(value, list) else {"shell": value} if isinstance(value, str) else value


class _Target(Exact):
    to: Line | None = None
    """A URL, or the name of a target of the project."""
    url_env: Name | None = None
    """The variable of the worker that holds the URL: neither the definition nor the run's history knows it."""
    on: list[KindWord] = Field(default_factory=list)
    """What it is told of; not written: everything."""
    phases: list[Line] = Field(default_factory=list)
    """Only what concerns these phases."""

    @model_validator(mode="after")
    def _has_one_address(self) -> _Target:
        if self.to is not None and self.url_env is not None:
            raise refusal("PL111", "'to' and 'url_env' exclude each other")
        if self.to is None and self.url_env is None:
            raise refusal("PL105", "a target needs 'to' or 'url_env'")
        return self


Target = Annotated[_Target, BeforeValidator(_address_alone, json_schema_input_type=str | _Target)]
Targets = Annotated[list[Target], BeforeValidator(_one_alone, json_schema_input_type=str | _Target | list[Target])]


class _ProjectNotices(Exact):
    targets: dict[Id, Target] = Field(default_factory=dict)
    """Targets by name, for `to` in definitions."""
    send: Targets = Field(default_factory=list)
    """What holds for definitions that have no `notifications` of their own."""
    schemes: list[Id] = Field(default_factory=list)
    """Services that are allowed beside the known ones."""


ProjectNotices = Annotated[
    _ProjectNotices, BeforeValidator(_list_alone, json_schema_input_type=Targets | _ProjectNotices)
]


class _Hook(Exact):
    run: list[Text] | None = Field(default=None, min_length=1)
    shell: Text | None = None
    timeout: Limit | None = None
    """Default: 60 seconds."""

    @model_validator(mode="after")
    def _is_one_command(self) -> _Hook:
        if self.run is not None and self.shell is not None:
            raise refusal("PL111", "'run' and 'shell' exclude each other")
        if self.run is None and self.shell is None:
            raise refusal("PL105", "a hook needs 'run' or 'shell'")
        return self


Hook = Annotated[_Hook, BeforeValidator(_command_alone, json_schema_input_type=str | list[str] | _Hook)]


class Hooks(Exact):
    """Commands that run when something happens."""

    on_failure: Hook | None = None
    on_retry: Hook | None = None
    on_recovery: Hook | None = None
    on_circuit_open: Hook | None = None
