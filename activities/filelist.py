"""Lists of what files hold, how they are written, and what differs between two of them.

A list has a value per path: None for a file of the commit that is gone, else what it holds, begun with `+` where the
commit has no such file. What a file holds is told as `<sha256>` (with an `x` behind it where it may be executed),
`link:<sha256>` of a symbolic link's target, `git:<sha256>` of the state of a repository of its own, `special`, or `?`
where it cannot be read.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

Files = dict[str, str | None]

NEW = "+"
UNREAD = "?"


def encoded(value: object) -> bytes:
    """The one way in which a list is written."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode(errors="surrogatepass")


def digest_of(files: Files) -> str:
    """The digest by which a list is named."""
    return hashlib.sha256(encoded(files)).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The paths at which two lists differ, and those of which nobody knows."""

    changed: list[str]
    new: list[str]
    gone: list[str]
    unread: list[str]

    @property
    def count(self) -> int:
        """How many differ for certain."""
        return len(self.changed) + len(self.new) + len(self.gone)


def changes(then: Files, now: Files) -> Changes:
    """What differs between two lists against the same commit, or two walks."""
    found = Changes(changed=[], new=[], gone=[], unread=[])
    for name in sorted(then.keys() | now.keys()):
        before, after = _held(name, then, now), _held(name, now, then)
        if before is None and after is not None:
            found.new.append(name)
        elif before is not None and after is None:
            found.gone.append(name)
        elif UNREAD in {before, after}:
            found.unread.append(name)
        elif before != after:
            found.changed.append(name)
    return found


def _held(name: str, own: Files, other: Files) -> str | None:
    """What a file held on one side; what that does not list is as in the commit, which only the other one knows."""
    if name in own:
        value = own[name]
        return None if value is None else value.removeprefix(NEW)
    return None if (other[name] or "").startswith(NEW) else "as in the commit"
