"""Which reader a text is for: by its name first, then by what it begins with."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Final

from definitions.foreign.plan_declarations import MAX_LINE, declared_by_word
from definitions.foreign.plan_text import lines_and_fences

_YAML: Final = frozenset({".yaml", ".yml"})
_MARKDOWN: Final = frozenset({".md", ".markdown", ".mdown", ".mkd"})
_JSON: Final = frozenset({".json", ".jsonc", ".json5"})
_SCRIPT: Final = frozenset({".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".jsx", ".tsx"})
_BLANK: Final = r"(?:[\s\ufeff]++|//[^\n\r]*+|/\*(?:[^*]++|\*(?!/))*+\*/)*+"
_DECLARATION: Final = (
    r"(?:const|let|var)\s++[\w$]++\s*+[=:]|export\s++(?:default|const|let|var)\b|module\s*+\.\s*+exports\b"
)
_CALL: Final = rf"""(?:await\s++)?[\w$]++(?:\.[\w$]++)*+\({_BLANK}[{{'"`]"""
_LITERAL: Final = re.compile(
    rf"""{_BLANK}(?:\{{|\({_BLANK}\{{|\[{_BLANK}[\[{{'"\]]|['"]use\ strict['"]|{_DECLARATION}|{_CALL})"""
)
_STRICT: Final = re.compile(rf"{_BLANK}(?:[{{\[]{_BLANK})++[\"}}\]]")
_YAML_KEY: Final = re.compile(
    r"^(?:phases|steps|execution_groups|id|name|type|agents|execution|workflow|enhanced_workflow_step)[ \t]*:",
    re.MULTILINE,
)
_LOOKED_AT: Final = 50_000


def recognise(text: str, file_name: str) -> str | None:
    """The format to give to `read`: "object-literal", "json" or "markdown"; None for YAML."""
    ending = PurePath(file_name.replace("\\", "/")).suffix.lower()
    if ending in _YAML:
        return None
    if ending in _MARKDOWN:
        return "markdown"
    if ending in _JSON:
        return "json"
    if ending in _SCRIPT:
        return "object-literal"
    if _LITERAL.match(text) is not None:
        return "json" if _STRICT.match(text) is not None else "object-literal"
    return "markdown" if _is_plan(text[:_LOOKED_AT]) else None


def _is_plan(text: str) -> bool:
    """Whether the text declares phases as lines and is no YAML that speaks of them."""
    if _YAML_KEY.search(text) is not None:
        return False
    _, lines, _ = lines_and_fences(text)
    return any(declared_by_word(line) is not None for line in lines if line.indent < 4 and len(line.text) <= MAX_LINE)
