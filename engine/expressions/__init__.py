"""Expressions in definitions: `${ … }` in text, found, checked and evaluated, with no I/O and the same result always.

What a definition may write stands in `grammar.py`, how text is put together in `templates.py`, how values become text
in `values.py`, what is read and when that fails in `evaluation.py`. No expression, whatever it says, ends the process,
hangs, or takes more than milliseconds; each that fails raises ExpressionError with a kind and a place, and shows
no value.
"""

from engine.expressions.evaluation import Scope, check, condition, evaluate, references, yields
from engine.expressions.templates import Expr, Literal, parts, render, render_all, single
from engine.expressions.terms import ROOTS
from engine.expressions.values import ExpressionError, Kind, coerce, text_of

__all__ = [
    "ROOTS",
    "Expr",
    "ExpressionError",
    "Kind",
    "Literal",
    "Scope",
    "check",
    "coerce",
    "condition",
    "evaluate",
    "parts",
    "references",
    "render",
    "render_all",
    "single",
    "text_of",
    "yields",
]
