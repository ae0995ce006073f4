"""The names and values that expressions of the tests see."""

from __future__ import annotations

from typing import Any

SCOPE: dict[str, Any] = {
    "inputs": {
        "n": 3,
        "half": 0.5,
        "one": 1.0,
        "text": "hi",
        "list": [1, 2, 3],
        "words": ["b", "a"],
        "object": {"a": 1, "k": "v"},
        "rows": [{"name": "x"}, {"name": "y"}],
        "nothing": None,
        "yes": True,
        "key": "a",
        "if": 7,
    },
    "env": {"CI": "true", "EMPTY": ""},
    "phases": {
        "design-contract": {"status": "completed", "outputs": {"contract": "C", "big": {"$artifact": "sha256:0"}}},
        "test": {"status": "failed", "outputs": {"failed": 2, "coverage": 0.9}},
        "01-setup": {"outputs": {"x": 1}},
        "pre-push": {"status": "completed"},
        "überprüfung": {"outputs": {"x": 2}},
    },
    "status": "completed",
    "outputs": {"failed": 1, "a-b": 2},
}
