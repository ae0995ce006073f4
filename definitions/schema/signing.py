"""`signing` of a project: the public keys of the people whose decisions count."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema, model_validator

from definitions.schema.scalars import Exact, Line, found, refusal
from engine.gates.signatures import KEY_BYTES, SCHEME, decoded
from engine.requests import AGENT

MOST_KEYS = 16


def _key(value: object) -> str:
    if not isinstance(value, str):
        raise refusal("PL102", f"expected a public key, found {found(value)}", "phaseloom keys create NAME prints one")
    try:
        decoded(value, KEY_BYTES)
    except ValueError as error:
        shown = found(value)
        raise refusal("PL109", f"{shown} is no public key: {error}", "phaseloom keys create NAME prints one") from None
    return value


def _several(value: object) -> object:
    return value if isinstance(value, list) else [value]


PublicKey = Annotated[
    str, PlainValidator(_key), WithJsonSchema({"type": "string", "pattern": f"^{SCHEME}[A-Za-z0-9+/]{{43}}=$"})
]
Keys = Annotated[
    list[PublicKey],
    Field(min_length=1, max_length=MOST_KEYS),
    BeforeValidator(_several, json_schema_input_type=PublicKey | list[PublicKey]),
]


class Signing(Exact):
    """Who has which keys. With any key, decisions only count when one of them has signed them."""

    keys: dict[Line, Keys] = Field(default_factory=dict)
    """By name, one public key or several: `ed25519:` and base64."""

    @model_validator(mode="after")
    def _each_key_is_of_one_person(self) -> Signing:
        owners: dict[str, str] = {}
        for name, keys in self.keys.items():
            if name.startswith(AGENT):
                raise refusal("PL109", f"'{name}' is the name of an agent, and agents decide about nothing")
            for key in keys:
                if (owner := owners.setdefault(key, name)) != name:
                    raise refusal("PL107", f"'{owner}' and '{name}' have the same key", "each person needs a key alone")
        return self
