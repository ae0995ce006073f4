"""Commands that hand back what they see."""

from __future__ import annotations

import sys
from typing import Any

SHOW = "import json, os, sys; json.dump({'got': eval(sys.argv[1])}, open(os.environ['PHASELOOM_OUTPUT'], 'w'))"


def python(expression: str) -> dict[str, Any]:
    """A command whose output `got` is what the Python expression yields inside it."""
    return {"run": [sys.executable, "-c", SHOW, expression]}
