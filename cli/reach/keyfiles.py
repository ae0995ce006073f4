"""Private keys of this user: files outside of every project, that nobody else may read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cli.exits import UsageError
from engine.errors import PhaseloomError, RefusedError, WorkspaceError
from engine.gates.signatures import encoded
from engine.requests import AGENT

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY_VARIABLE = "PHASELOOM_KEY"
"""Names the file of the key to sign with; an agent's environment never has it."""

SUFFIX = ".key"
LARGEST = 64 * 1024
NAME_LIMIT = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFile:
    """A key of somebody: the file with its private half, the public half as `phaseloom.yaml` takes it.

    `problem`: why the file cannot be used; then `public` is empty.
    """

    name: str
    file: Path
    public: str = ""
    problem: str = ""


@contextmanager
def library_needed() -> Iterator[None]:
    """Turn a missing library into UsageError with what to install."""
    try:
        yield
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "cryptography":
            raise
        raise UsageError(
            "signing needs the extra 'encryption' (cryptography is not installed)",
            hint="install it with: pip install 'phaseloom[encryption]'",
        ) from None


def folder() -> Path:
    """Where this user's keys are; made when the first one is."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "phaseloom" / "keys"


def file_of(name: str) -> Path:
    """The file with the key of somebody; raises UsageError for a name that can be none of a file."""
    bad = not name.isprintable() or "/" in name or name.startswith(".") or not name.strip() or len(name) > NAME_LIMIT
    if bad:
        raise UsageError(
            f"{name[:NAME_LIMIT]!r} cannot be the name of a key file", hint="name the file itself with --key FILE"
        )
    return folder() / f"{name}{SUFFIX}"


def create(name: str) -> KeyFile:
    """Make a key for somebody. Raises RefusedError when they have one here already."""
    if name.startswith(AGENT):
        raise UsageError(f"{name!r} is the name of an agent, and agents decide about nothing")
    file = file_of(name)
    with library_needed():
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - only where a key is made
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
    key = Ed25519PrivateKey.generate()
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(text)
    except FileExistsError:
        hint = "phaseloom keys list shows it; for another one, move that file away, or choose another name"
        raise RefusedError(f"{name} has a key already: {file}", hint=hint) from None
    except OSError as error:
        raise WorkspaceError(f"'{file}' cannot be written: {error.strerror}") from error
    return KeyFile(name=name, file=file, public=public_of(key))


def listed() -> list[KeyFile]:
    """The keys of this user, by name."""
    return [_described(file) for file in sorted(folder().glob(f"*{SUFFIX}"))]


def _described(file: Path) -> KeyFile:
    try:
        return KeyFile(name=file.stem, file=file, public=public_of(load(file)))
    except (RefusedError, WorkspaceError) as error:
        return KeyFile(name=file.stem, file=file, problem=error.message)


def load(file: Path) -> Ed25519PrivateKey:
    """The private key in a file.

    Raises WorkspaceError where there is none, and RefusedError where others than its owner can read or change it.
    """
    with library_needed():
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - only where something is signed
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
        from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415
    try:
        with file.open("rb") as source:
            mode = os.fstat(source.fileno()).st_mode
            text = source.read(LARGEST)
    except OSError as error:
        raise WorkspaceError(f"the key '{file}' cannot be read: {error.strerror}", hint=_where()) from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise RefusedError(
            f"others than its owner can use the key '{file}' (mode {stat.S_IMODE(mode):04o})",
            hint=f"chmod 600 '{file}'; if somebody may have read it, make a new one",
        )
    try:
        key = load_pem_private_key(text, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise WorkspaceError(f"'{file}' holds no private key without a password", hint=_where()) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise WorkspaceError(f"the key in '{file}' is not an Ed25519 key", hint=_where())
    return key


def _where() -> str:
    return f"phaseloom keys create NAME makes one in {folder()}"


def chosen(name: str, given: Path | None) -> Path:
    """The key file of somebody: as given, as `PHASELOOM_KEY` says, or theirs among this user's keys.

    Raises RefusedError when they have none.
    """
    if given is not None:
        return given
    if variable := os.environ.get(KEY_VARIABLE):
        return Path(variable)
    file = file_of(name)
    if not file.exists():
        raise RefusedError(
            f"the decision has to be signed, and there is no key of {name}: '{file}'",
            hint=f"name the key's file with --key FILE or {KEY_VARIABLE}, or who decides with --actor NAME",
        )
    return file


def in_reach() -> list[KeyFile]:
    """The keys that a command of this user would find: those of the folder, and the one that `PHASELOOM_KEY` names."""
    found = listed()
    if variable := os.environ.get(KEY_VARIABLE):
        found.append(_described(Path(variable)))
    return found


def public_of(key: Ed25519PrivateKey) -> str:
    """The public half of a key, as it is written in `phaseloom.yaml`."""
    return encoded(key.public_key().public_bytes_raw())


def can_sign() -> bool:
    """Whether the library is installed."""
    try:
        with library_needed():
            import cryptography  # noqa: F401, PLC0415 - only whether it is there
    except PhaseloomError:
        return False
    return True
