"""Credentials left in the tree: known token formats, private keys, and random values given to telling names.

What is found is reported masked. A value never leaves this module whole: `masked` cleans other tools' messages too.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

from activities.audit.finding import Finding, Outcome, Severity, printable
from activities.audit.languages import as_text, is_binary, lines_of
from activities.audit.tree import SourceFile

TOOL = "secrets"

MAX_LINE = 2_000
"""Longer lines are minified or data; only their beginning is looked at."""

_MAX_MESSAGE = 300

MAX_PER_FILE = 50
"""One file full of tokens is one problem, not thousands of findings."""


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of credential: group 1 of the pattern (or the whole match) is the value."""

    rule: str
    title: str
    severity: Severity
    pattern: re.Pattern[str]
    shown: int = 4


def _format(rule: str, title: str, pattern: str, severity: Severity = "high", shown: int = 4) -> Format:
    return Format(rule, title, severity, re.compile(pattern), shown)


_PART = r"[^\s:/@'\"<>]"

FORMATS = (
    _format("private-key", "private key", r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----", shown=0),
    _format("aws-access-key", "AWS access key id", r"\b((?:AKIA|ASIA)[A-Z2-7]{16})\b"),
    _format("github-token", "GitHub token", r"\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{60,})\b"),
    _format("gitlab-token", "GitLab token", r"\b(gl(?:pat|dt|rt|cbt|ptt|soat)-[\w-]{20,})"),
    _format("slack-token", "Slack token", r"\b(xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-\d-[A-Z0-9]+-\d+-[a-f0-9]+)"),
    _format("slack-webhook", "Slack webhook", r"https://hooks\.slack\.com/services/(T\w+/B\w+/\w{16,})", shown=0),
    _format("google-api-key", "Google API key", r"\b(AIza[\w-]{35})(?![\w-])"),
    _format("stripe-key", "Stripe live key", r"\b([rs]k_live_[A-Za-z0-9]{20,})"),
    _format("anthropic-key", "Anthropic API key", r"\b(sk-ant-[\w-]{20,})"),
    _format("openai-key", "OpenAI API key", r"\b(sk-(?:proj-|svcacct-)[\w-]{40,}|sk-\w{20}T3BlbkFJ\w{20})"),
    _format("huggingface-token", "Hugging Face token", r"\b(hf_[A-Za-z0-9]{34,})\b"),
    _format("sendgrid-key", "SendGrid key", r"\b(SG\.[\w-]{16,}\.[\w-]{32,})"),
    _format("npm-token", "npm token", r"\b(npm_[A-Za-z0-9]{36})\b"),
    _format("pypi-token", "PyPI token", r"\b(pypi-AgE[\w-]{50,})"),
    _format("digitalocean-token", "DigitalOcean token", r"\b(do[opr]_v1_[a-f0-9]{64})\b"),
    _format("shopify-token", "Shopify token", r"\b(shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32})\b"),
    _format("telegram-token", "Telegram bot token", r"\b(\d{8,10}:AA[\w-]{33})(?![\w-])", shown=0),
    _format("azure-key", "Azure storage key", r"AccountKey=([A-Za-z0-9+/]{86}==)", shown=0),
    _format("json-web-token", "JSON web token", r"\b(eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,})", "medium"),
    _format(
        "url-password",
        "password in a URL",
        rf"\b[a-z][a-z0-9+.-]{{1,20}}://{_PART}{{1,64}}:({_PART}{{3,128}})@",
        "medium",
        0,
    ),
)

_NAME = (
    r"[\w.-]{0,40}(?:passw(?:or)?d|passphrase|secret|token|credential|(?:api|access|auth|private)[_-]?key)s?\w{0,20}"
)
_QUOTED = re.compile(
    rf"(?i)\b({_NAME})[\"']?\]?\s*(?::\s*\w+\s*)?(?::=|=>|[:=])\s*[bru]{{0,2}}([\"'])([^\"'\s]{{8,256}})\2"
)
_BARE = re.compile(rf"(?i)^\s*(?:export\s+|-\s+)?({_NAME})\s*[:=]\s*([^\s\"'#,;{{}}()\[\]]{{16,256}})\s*(?:#.*)?$")
_BARE_FILES = {".env", ".ini", ".cfg", ".conf", ".properties", ".yaml", ".yml", ".toml", ".tfvars", ".sh", ""}
_WORTH_READING = re.compile(
    r"(?i)passw|passphrase|secret|token|key|credential|://|AKIA|ASIA|gh[pousr]_|github_pat|xox|AIza|_live_|hf_|SG\.|"
    r"npm_|pypi-|_v1_|shp|gl[a-z]{2,4}-|:AA|eyJ|sk-"
)
_PLACEHOLDER = re.compile(
    r"(?i)example|sample|placeholder|change.?me|your[_-]?|dummy|fake|foobar|test|xxx|\.\.\.|redacted|insert|replace|"
    r"todo|none|null|undefined|default|1234567|abcdef|<|>|\$\{|\$\(|\{\{|%\(|^\$|^%|^\{|\*\*\*|^https?:|^/|^\./|"
    r"process\.env|environ|\\"
)
_CHECKED = frozenset({"url-password", "aws-access-key"})
"""Formats that documentation and defaults are full of."""

_COMMON = re.compile(
    r"(?i)\[.*|p(?:ass)?(?:w(?:or)?d)?|pwd|secret|token|user(?:name)?|guest|admin|root|postgres|mysql|.{1,3}"
)
_CODE_LIKE = re.compile(r"^[A-Za-z_][\w]*(?:[.\[(/-][\w.\[\]()/-]*)?$")
_LOCK_FILES = {
    "poetry.lock", "uv.lock", "pdm.lock", "Pipfile.lock", "package-lock.json", "yarn.lock", "pnpm-lock.yaml",
    "Cargo.lock", "go.sum", "composer.lock", "Gemfile.lock",
}  # fmt: skip
_DATA_SUFFIXES = (".min.js", ".min.css", ".map", ".svg", ".po", ".pot", ".csv", ".tsv")


def scan_secrets(files: list[SourceFile]) -> Outcome:
    """Every text file's credentials. Lock files and minified or tabular data, full of digests, are passed over."""
    outcome = Outcome(TOOL)
    unreadable = 0
    for file in files:
        if not file.readable or PurePosixPath(file.name).name in _LOCK_FILES or file.name.endswith(_DATA_SUFFIXES):
            continue
        try:
            data = file.read()
        except OSError:
            unreadable += 1
            continue
        if not is_binary(data):
            found = _in_text(file.name, as_text(data, python=file.python))
            outcome.findings.extend(finding for finding, _ in zip(found, range(MAX_PER_FILE), strict=False))
    if unreadable:
        outcome.status = f"partly run: {unreadable} files cannot be read"
    return outcome


def cleaned(message: str) -> str:
    """Another tool's message as a finding may show it: printable, without credentials, not longer than two lines."""
    shown = masked(printable(message[:MAX_LINE]).replace("\\x0a", " "))
    return shown if len(shown) <= _MAX_MESSAGE else f"{shown[:_MAX_MESSAGE]}…"


def masked(text: str) -> str:
    """The text with everything in it that looks like a credential replaced by its mask."""
    for kind in FORMATS:
        text = kind.pattern.sub(partial(_masked_match, shown=kind.shown), text)
    return text


def _masked_match(found: re.Match[str], *, shown: int) -> str:
    return found[0].replace(_value(found), mask(_value(found), shown))


def mask(value: str, shown: int = 0) -> str:
    """A value's first characters (a token's prefix names its issuer, no more) and its length."""
    return f"{value[:shown]}…({len(value)} characters)"


def entropy(value: str) -> float:
    """Shannon's entropy in bits per character."""
    counts = Counter(value)
    return -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())


def _in_text(name: str, text: str) -> Iterator[Finding]:
    if not _WORTH_READING.search(text):
        return
    bare = PurePosixPath(name).suffix in _BARE_FILES or PurePosixPath(name).name.startswith(".env")
    for number, line in enumerate(lines_of(text), 1):
        if _WORTH_READING.search(line, 0, MAX_LINE):
            yield from _in_line(name, number, line[:MAX_LINE], bare=bare)


def _in_line(name: str, number: int, line: str, *, bare: bool) -> Iterator[Finding]:
    known = False
    for kind in FORMATS:
        for match in kind.pattern.finditer(line):
            value = _value(match)
            if kind.rule in _CHECKED and (_PLACEHOLDER.search(value) or _COMMON.fullmatch(value)):
                continue
            known = True
            yield _finding(name, number, kind.rule, kind.severity, f"{kind.title}: {mask(value, kind.shown)}")
    if known:
        return
    for variable, value in _assigned(line, bare=bare):
        yield _finding(name, number, "secret-assigned", "medium", f"{variable} is given a secret: {mask(value)}")


def _assigned(line: str, *, bare: bool) -> Iterator[tuple[str, str]]:
    matches = [(m[1], m[3]) for m in _QUOTED.finditer(line)]
    if bare and not matches:
        matches = [(m[1], m[2]) for m in _BARE.finditer(line)]
    for variable, value in matches:
        if _telling(value):
            yield variable[-60:], value


def _telling(value: str) -> bool:
    """Whether a value given to a telling name is itself likely secret: random enough, no placeholder, no name."""
    if _PLACEHOLDER.search(value):
        return False
    digits = any(c.isdigit() for c in value)
    if _CODE_LIKE.match(value) and not (digits and len(value) >= 16):
        return False
    classes = (
        digits + any(c.islower() for c in value) + any(c.isupper() for c in value) + any(not c.isalnum() for c in value)
    )
    return entropy(value) >= (3.0 if len(value) < 16 else 3.4) and classes >= 2


def _value(match: re.Match[str]) -> str:
    return match[1] if match.re.groups else match[0]


def _finding(file: str, line: int, rule: str, severity: Severity, message: str) -> Finding:
    return Finding(file=file, line=line, rule=rule, severity=severity, message=message, tool=TOOL)
