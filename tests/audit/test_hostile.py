"""Nothing in an audited tree stops the audit, is executed by it, or is changed by it."""

from __future__ import annotations

import json
import os

from tests.audit.repository import PROJECT, Repository, run_audit

STAGES = ("preparation", "security", "performance", "quality", "all")

ODD = {
    "latin.py": b"# -*- coding: latin-1 -*-\nname = 'caf\xe9'\n",
    "undeclared.py": b"name = 'caf\xe9'\n",
    "utf16.txt": "password = 'x'".encode("utf-16"),
    "bom.py": b"\xef\xbb\xbfx = 1\n",
    "nul.py": b"x = 1\0\n",
    "unknown.py": b"# coding: no-such-codec\nx = 1\n",
    "empty.py": b"",
    "long.py": b"x = '" + b"a" * 900_000 + b"'\n",
    "huge.py": b"x = 1\n" * 300_000,
    "deep.py": b"x = " + b"(" * 5000 + b")" * 5000 + b"\n",
    "chain.py": b"x = " + b" + ".join([b"a"] * 20_000) + b"\n",
    "nested.py": "".join(f"{' ' * n}if x:\n" for n in range(95)).encode() + b" " * 95 + b"pass\n",
    "number.py": b"x = " + b"9" * 10_000 + b"\n",
    "newer.py": b"type Pair[T] = tuple[T, T]\nprint(f'{'a'}')\n",
    'odd name\'s "quotes" `ticks` | pipe <b>.py': b"import os\n",
    "@arguments.py": b"--fix\n",
    "-rf.py": b"import os\n",
    "script": b"#!/usr/bin/env python3\nimport os\n",
    "data.json": b"{" * 100_000,
}


def test_files_of_any_kind_are_survived_by_every_stage(repository: Repository) -> None:
    repository.write(ODD)
    (repository.root / os.fsdecode(b"bytes-\xff.py")).write_text("import os\n")
    (repository.root / "new\nline\x1b[31m.py").write_text("import os\n")
    for stage in STAGES:
        outputs = repository.audit(stage)
        assert outputs
        assert "\x1b" not in json.dumps(outputs, ensure_ascii=False)
    lint = {f["file"] for f in repository.audit("quality")["findings"] if f["rule"] == "F401"}
    assert lint >= {"-rf.py", "script", 'odd name\'s "quotes" `ticks` | pipe <b>.py'}


def test_newer_syntax_than_this_interpreters_is_not_called_broken(repository: Repository) -> None:
    repository.write({"newer.py": ODD["newer.py"]})
    assert not [f for f in repository.audit("quality")["findings"] if f["rule"] == "invalid-syntax"]


def test_the_audited_code_is_never_executed_and_nothing_is_written(repository: Repository) -> None:
    ran = repository.root.parent / "ran"
    code = f"open({str(ran)!r}, 'w').write('executed')\n"
    names = (
        *("a.py", "conftest.py", "setup.py", "sitecustomize.py", "usercustomize.py", "json.py", "ast.py", "bandit.py"),
        *("ruff/__init__.py", "radon/__init__.py", "radon/__main__.py", "vulture.py", "minijinja.py", "noxfile.py"),
    )
    repository.write(dict.fromkeys(names, code))
    for name in ("bandit", "vulture", "git"):  # found only where PATH holds a relative entry
        repository.write({name: f"#!/bin/sh\ntouch {ran}\n"})
        (repository.root / name).chmod(0o755)
    before = repository.snapshot()
    for stage in STAGES:
        path = os.pathsep.join((".", "", os.environ["PATH"]))
        done = run_audit(
            stage, "--json", cwd=repository.root, env={"PATH": path, "PYTHONPATH": str(PROJECT), "PYTHONSAFEPATH": "1"}
        )
        assert done.returncode == 0, done.stderr
    assert not ran.exists()
    assert repository.snapshot() == before


def test_an_empty_directory_and_one_without_python_are_audited_honestly(repository: Repository) -> None:
    for files in ({}, {"main.go": "package main\n", "README.md": "# hi\n"}):
        repository.write(files)
        assert repository.audit("preparation")["python_files"] == 0
        for stage in ("performance", "quality"):
            tools = repository.audit(stage)["tools"]
            assert set(tools.values()) == {"nothing to do: no Python files"}
        security = repository.audit("security")
        assert security["tools"]["bandit"] == "nothing to do: no Python files"
        assert security["complete"] is True
