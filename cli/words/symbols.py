"""Marks that differ in shape and not in colour alone, and what stands for each where only ASCII can be shown."""

from __future__ import annotations

SYMBOLS = {
    "pending": "·",
    "in_progress": "⟳",
    "paused": "‖",
    "completed": "✓",
    "failed": "✗",
    "cancelled": "⊘",
    "skipped": "↷",
}
"""One per status of a phase."""

PLAIN = {
    "pending": ".",
    "in_progress": ">",
    "paused": "=",
    "completed": "+",
    "failed": "x",
    "cancelled": "o",
    "skipped": "-",
}
"""The same in ASCII; they differ from each other too."""

ASCII = {symbol: PLAIN[status] for status, symbol in SYMBOLS.items()} | {
    "→": "->",
    "▶": ">",
    "…": "...",
    "—": "-",
    "█": "#",
    "░": ".",
    "≤": "<=",
    "≥": ">=",
    "µ": "u",
}
"""What stands for a character of ours on a stream that cannot show it."""
