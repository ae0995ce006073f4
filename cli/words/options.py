"""The numbered choices of a run that waits for a decision, and what each of them asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

RESUME = "resume"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Something that a choice needs beside its number: its name in the message, its option, an example, a question."""

    name: str
    option: str
    question: str
    example: str


FIELDS = {
    "retry_with": (Field(name="prompt", option="--prompt", question="The edited input", example="'…'"),),
    "replace_output": (
        Field(name="outputs", option="--output", question="Each output as name=value, empty to end", example="NAME=…"),
    ),
    "replace_context": (
        Field(name="context", option="--context", question="Each value as key=value, empty to end", example="KEY=…"),
    ),
    "go_to": (Field(name="to", option="--to", question="To which phase", example="PHASE"),),
    "skip_gate": (Field(name="reason", option="--reason", question="Why it is skipped", example="'…'"),),
    "skip": (Field(name="reason", option="--reason", question="Why it is skipped", example="'…'"),),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One choice. `phase` is the index it is about; None where it is about the whole run."""

    number: int
    text: str
    action: str
    phase: int | None = None

    @property
    def fields(self) -> tuple[Field, ...]:
        """What has to be known before it can be sent."""
        return FIELDS.get(self.action, ())

    @property
    def written(self) -> str:
        """The options that it needs beside its number, as they are typed."""
        return " ".join(f"{field.option} {field.example}" for field in self.fields)

    @property
    def message(self) -> str:
        """The message that carries it out."""
        return "resume" if self.action == RESUME else "intervene"

    def payload(self, **details: Any) -> Json:
        """The message's fields, with the details that are given."""
        given = {name: value for name, value in details.items() if value is not None}
        return given if self.phase is None else {"phase": self.phase, "action": self.action, **given}

    def missing(self, details: Json) -> tuple[Field, ...]:
        """What has not been given yet."""
        return tuple(field for field in self.fields if not details.get(field.name))


def options(view: Json) -> list[Option]:
    """What can be chosen now, as `status` numbers it; nothing where nothing waits for a decision."""
    pause = view.get("pause")
    if pause is None:
        return []
    return [
        Option(number=each["number"], text=each["text"], action=each["action"], phase=each.get("phase"))
        for each in pause["options"]
    ]


def chosen(options: Sequence[Option], word: str) -> Option | None:
    """The option that a number or the name of an action means; None where there is none."""
    asked = word.strip().lower().rstrip(".").replace("-", "_")
    return next((option for option in options if asked in {str(option.number), option.action}), None)


def prompted(options: Sequence[Option], ask: Callable[[str], str], *, tries: int = 3) -> tuple[Option, Json] | None:
    """Let a person choose and give what the choice needs; None where no answer makes sense.

    `ask` puts a question to the person and returns the answer. Outputs and context come as lists of `name=value`.
    """
    for _ in range(tries):
        option = chosen(options, ask(f"Choose 1 to {len(options)}"))
        if option is not None:
            break
    else:
        return None
    details: Json = {}
    for field in option.fields:
        details[field.name] = (
            _several(ask, field) if field.name in {"outputs", "context"} else ask(field.question).strip()
        )
    return (option, details) if not option.missing(details) else None


def _several(ask: Callable[[str], str], field: Field) -> list[str]:
    answers = []
    while answer := ask(field.question).strip():
        answers.append(answer)
    return answers
