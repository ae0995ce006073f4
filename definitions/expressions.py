"""Expressions in a definition: syntax, kind, secrets, shells, and what they name.

Only what can be known before a run is checked: whether a name exists, whether its phase has certainly run by then. A
phase of which no outputs are declared may still have them, so that is a warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from definitions.findings import Findings
from definitions.order import Ancestry, Order
from definitions.outputs import Known
from definitions.sharing import Sharing
from definitions.texts import Text
from definitions.variables import SECRET
from engine.expressions import Expr, ExpressionError, check, parts, references, yields
from engine.values import OF_ITEM

_KIND_CODES = {"name": "PL302"}
_SHELL_NAME = re.compile(r"[#!]?([A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-])(?=$|[:%#/^,@+=?\[-])")
_SCRIPT_EXPRESSION = re.compile(r"(?<!\\)\$\{([^}]*)")
_HANDED_OVER = ("inputs", "phases", "env")
"""What an agent is given only as far as its phase names it."""

_OF_A_LIST = (*_HANDED_OVER, "context")
"""What a list is evaluated with only as far as it names it."""

_YIELDS = {
    "condition": ("boolean", "a condition is true or false", "compare it with something"),
    "list": ("list", "'for_each' takes a list", "write a list, or name an input or an output that is one"),
}
"""What texts of a kind have to yield, the rule in words, and what helps."""

_RUN_NAMES = ("id", "definition")
_PHASE_NAMES = ("outputs", "artifacts", "status")


@dataclass(frozen=True, slots=True)
class _Later:
    """A use of another phase, to be compared with the order once all uses are known."""

    text: Text
    offset: int
    reader: int
    target: int


@dataclass(slots=True)
class Expressions:
    """The checks of one definition's expressions. `reads` collects what each phase names, for the plan.

    `list_reads` are the paths that the list of its `for_each` names.
    """

    known: Known
    order: Order
    sharing: Sharing
    reads: dict[int, dict[str, None]] = field(default_factory=dict)
    env: dict[str, None] = field(default_factory=dict)
    list_reads: dict[int, dict[str, None]] = field(default_factory=dict)
    _later: list[tuple[_Later, Findings]] = field(default_factory=list)

    def check(self, texts: Iterable[Text], findings: Findings) -> None:
        """Check every text; findings are those of the file that holds the texts."""
        for text in texts:
            if text.kind == "script":
                _check_script(text, findings)
                continue
            for expression in self._parsed(text, findings):
                self._check_names(text, expression, findings)

    def check_order(self, *, jumps: bool) -> None:
        """Report uses of phases that cannot have run. With jumps they may have, in a later round: a warning."""
        if self.order.sequence is None:
            return
        open_uses = [(use, findings) for use, findings in self._later if not self._is_direct(use)]
        ancestry = Ancestry(self.order, {use.target for use, _ in open_uses})
        for use, findings in open_uses:
            if not ancestry.precedes(use.target, use.reader):
                target, reader = self.order.ids[use.target], self.order.ids[use.reader]
                itself = use.target == use.reader
                findings.add(
                    "PL303",
                    use.text.path,
                    f"'{target}' has not run yet when it is read here"
                    if itself
                    else f"'{target}' need not have run when '{reader}' reads it",
                    hint="" if itself else f"write depends_on: [{target}]",
                    offset=use.offset,
                    severity="warning" if jumps else "error",
                )

    def _is_direct(self, use: _Later) -> bool:
        if use.target == use.reader:
            return use.text.own
        if self._sends(use.target, use.reader):
            return True
        return any(need.phase == use.target for need in self.order.needs[use.reader])

    def _sends(self, index: int, to: int) -> bool:
        """Whether a phase sends control to one that runs only then: that one may read what it was sent for."""
        phases = self.known.definition.ordered
        return phases[to].on_jump and any(to in self.order.find(jump.go_to) for jump in phases[index].next)

    def _parsed(self, text: Text, findings: Findings) -> Iterator[Expr]:
        """The expressions in a text that can be read; what the text must be as a whole is checked here."""
        try:
            found = parts(text.text)
        except ExpressionError as error:
            cut = " #" in findings.line_at(text.path)
            hint = "quote it: YAML ends an unquoted text at ' #'" if cut else error.hint
            findings.add("PL301", text.path, error.message, hint=hint, offset=error.offset)
            return
        if text.kind != "template" and not (len(found) == 1 and isinstance(found[0], Expr)):
            _report_mixture(text, has_expression=any(isinstance(part, Expr) for part in found), findings=findings)
        for part in found:
            if isinstance(part, Expr) and _is_readable(part, text, findings):
                if text.kind in _YIELDS and len(found) == 1:
                    self._check_yield(text, part, findings)
                yield part

    def _check_yield(self, text: Text, expression: Expr, findings: Findings) -> None:
        wanted, rule, hint = _YIELDS[text.kind]
        kind = yields(expression.source)
        named = references(expression.source)
        if kind == "any" and list(named) == [expression.source]:
            kind = self.known.type_of(expression.source)
        if kind not in ("any", wanted):
            article = "an" if kind[0] in "aio" else "a"
            message = f"this yields {article} {kind}" if kind != "none" else "this yields nothing"
            findings.add("PL304", text.path, f"{message}, and {rule}", hint=hint, offset=expression.offset)

    def _check_names(self, text: Text, expression: Expr, findings: Findings) -> None:
        for path in references(expression.source):
            offset = expression.offset + max(expression.source.find(path), 0)
            steps = path.split(".")
            if steps[0] in (_OF_A_LIST if text.of_list else _HANDED_OVER) and not text.own:
                for index in text.phases:
                    (self.list_reads if text.of_list else self.reads).setdefault(index, {})[path] = None
            if steps[0] == "env":
                self._check_env(text, steps[1], offset, findings)
            elif steps[0] == "inputs" and len(steps) > 1:
                self._check_input(text, steps[1], offset, findings)
            elif steps[0] == "phases":
                self._check_phase(text, steps[1:], offset, findings)
            elif steps[0] == "item" and len(steps) > 1:
                self._check_item(text, steps[1:], offset, findings)
            elif steps[0] == "run" and len(steps) > 1 and steps[1] not in _RUN_NAMES:
                hint = findings.suggest(steps[1], _RUN_NAMES)
                findings.add("PL302", text.path, f"a run has no '{steps[1]}'", hint=hint, offset=offset)
            elif steps[0] == "context":
                self.sharing.check_use(text, steps, offset, findings)

    def _check_item(self, text: Text, steps: Sequence[str], offset: int, findings: Findings) -> None:
        """Report what an item of a written list does not have."""
        for index in text.phases:
            items = self.known.definition.ordered[index].for_each
            for number, item in enumerate(items if isinstance(items, list) else ()):
                if (missing := _missing(item, steps)) is not None:
                    message = f"item {number} of '{self.order.ids[index]}' has no '{missing}'"
                    findings.add("PL302", text.path, message, offset=offset)
                    return

    def _check_env(self, text: Text, name: str, offset: int, findings: Findings) -> None:
        self.env[name] = None
        if SECRET.search(name):
            message = f"'{name}' looks like a secret, and what env holds is kept with the run"
            findings.add(
                "PL305", text.path, message, hint=f"write pass_env: [{name}] at the agent that needs it", offset=offset
            )

    def _check_input(self, text: Text, name: str, offset: int, findings: Findings) -> None:
        if name not in self.known.inputs and not self.known.damage.covers("inputs"):
            hint = findings.suggest(name, self.known.inputs) or "declare it under 'inputs'"
            findings.add("PL302", text.path, f"no input '{name}'", hint=hint, offset=offset)

    def _check_phase(self, text: Text, steps: Sequence[str], offset: int, findings: Findings) -> None:
        target = self.order.by_id.get(steps[0])
        if target is None:
            named = self.order.by_name.get(steps[0], [])
            hint = f"write its id: {self.order.ids[named[0]]}" if named else findings.suggest(steps[0], self.order.ids)
            findings.add("PL302", text.path, f"no phase '{steps[0]}'", hint=hint, offset=offset)
            return
        for reader in text.phases:
            self._later.append((_Later(text, offset, reader, target), findings))
        if len(steps) > 1 and steps[1] not in _PHASE_NAMES:
            hint = findings.suggest(steps[1], _PHASE_NAMES)
            if self.known.has_output(target, steps[1:2]) is True:
                hint = f"write phases.{steps[0]}.outputs.{steps[1]}"
            findings.add("PL302", text.path, f"a phase has no '{steps[1]}'", hint=hint, offset=offset)
        elif len(steps) > 2 and steps[1] == "outputs":
            self.check_output(text, target, steps[2:], offset, findings)
        elif len(steps) > 2 and steps[1] == "artifacts":
            self.check_file(text, target, steps[2], offset, findings)

    def check_file(self, text: Text, target: int, name: str, offset: int, findings: Findings) -> None:
        """Report a file that no item of its phase can have left."""
        items, phase = self.known.definition.ordered[target].for_each, self.order.ids[target]
        of_item = OF_ITEM.match(name)
        if items is not None and of_item is None:
            message = f"'{phase}' runs once per item, and each item has artifacts of its own"
            hint = f"write phases.{phase}.artifacts['items/0/NAME'], or phases.{phase}.artifacts for all of them"
            findings.add("PL302", text.path, message, hint=hint, offset=offset)
        elif isinstance(items, list) and of_item is not None and int(of_item[1]) >= len(items):
            message = f"'{phase}' has no item {of_item[1]}"
            findings.add("PL302", text.path, message, hint=f"the last one is {len(items) - 1}", offset=offset)

    def check_output(self, text: Text, target: int, steps: Sequence[str], offset: int, findings: Findings) -> None:
        """Report an output that its phase does not declare: a warning if the phase declares none at all."""
        has = self.known.has_output(target, steps)
        identifier = self.order.ids[target]
        if has is None:
            message = f"'{identifier}' declares no outputs, so nothing promises '{steps[0]}'"
            hint = f"declare it there: outputs: {{{steps[0]}: {{}}}}"
            findings.add("PL302", text.path, message, hint=hint, offset=offset, severity="warning")
        elif not has:
            hint = findings.suggest(steps[-1], self.known.output_names(target))
            findings.add(
                "PL302", text.path, f"'{identifier}' has no output '{'.'.join(steps)}'", hint=hint, offset=offset
            )

    def note_use(self, text: Text, target: int, findings: Findings) -> None:
        """Let the order be checked for a use that is no expression."""
        for reader in text.phases:
            self._later.append((_Later(text, 0, reader, target), findings))


def _missing(item: object, steps: Sequence[str]) -> str | None:
    """The first step that leads nowhere in an item as it is written; what is yet to be rendered may have anything."""
    for step in steps:
        if isinstance(item, str) and "${" in item:
            return None
        if not isinstance(item, dict) or step not in item:
            return step
        item = item[step]
    return None


def _is_readable(part: Expr, text: Text, findings: Findings) -> bool:
    try:
        check(part.source, text.names)
    except ExpressionError as error:
        code = _KIND_CODES.get(error.kind, "PL301")
        hint = error.hint
        if error.kind == "name":
            word = re.match(r"\w+", part.source[error.offset :])
            listed = f"here a path starts with {', '.join(text.names)}"
            hint = findings.suggest(word[0] if word else "", text.names) or (hint if "hyphen" in hint else listed)
        findings.add(code, text.path, error.message, hint=hint, offset=part.offset + error.offset)
        return False
    return True


def _report_mixture(text: Text, *, has_expression: bool, findings: Findings) -> None:
    """A condition or an expression that is not exactly one `${…}`."""
    code = "PL304" if text.kind in _YIELDS else "PL301"
    if has_expression:
        findings.add(code, text.path, "there is text around the expression", hint="put all of it into one ${ … }")
        return
    try:
        check(text.text, text.names)
    except ExpressionError:
        hint = "write ${ … }"
    else:
        hint = f"write ${{{text.text}}}" if len(text.text) <= 60 else "write ${ … }"
    what = "a condition is an expression" if text.kind == "condition" else "this is an expression"
    findings.add(code, text.path, f"{what}, and here is only text", hint=hint)


def _check_script(text: Text, findings: Findings) -> None:
    """Refuse expressions in a shell script; parameters of the shell (`${HOME}`, `${1:-x}`) are its own affair.

    An argument of a `run:` list is a template, so there every `${` is ours.
    """
    is_argument = len(text.path) > 1 and text.path[-2] in ("run", "fix")
    for found in _SCRIPT_EXPRESSION.finditer(text.text):
        inside = found[1].strip()
        parameter = _SHELL_NAME.match(found[1])
        if is_argument and text.text[: found.start()].endswith("$"):
            continue
        if not is_argument and parameter is not None and parameter[1] not in text.names:
            continue
        hint = 'bind it through env: and write "$NAME" in the script'
        if parameter is not None and is_argument:
            hint = f"write ${parameter[1]} for the shell's own variable"
        message = f"the expression ${{{inside[:40]}}} would be pasted into a shell script"
        findings.add("PL306", text.path, message, hint=hint, offset=found.start())
