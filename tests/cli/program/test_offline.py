"""What needs no server: checking definitions, help, errors, exit codes, the promises of the reference."""

from __future__ import annotations

import errno
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from cli import main
from cli.building import built
from cli.command import Act, command
from cli.exits import BY_CODE, MEANINGS, Exit, exit_for
from engine import errors
from tests.cli.program.person import PROGRAM, Person

REFERENCE = Path(main.__file__).parents[1] / "docs" / "reference" / "cli.md"

BAD = "phases:\n  - {name: A, depends_on: [B]}\n  - {name: A}\n  - {nme: C}\n"


def commands() -> Iterator[tuple[str, object]]:
    """Every visible command with its function."""

    def inside(group: TyperGroup, prefix: str) -> Iterator[tuple[str, object]]:
        for name, each in group.commands.items():
            if isinstance(each, TyperGroup):
                yield from inside(each, f"{prefix} {name}")
            elif not each.hidden:
                called = vars(each.callback)["__wrapped__"]  # by the function that Typer puts around it
                yield f"{prefix} {name}", called

    return inside(built(main.app), "phaseloom")


def test_no_command_is_a_coroutine_that_nobody_awaits() -> None:
    functions = [function for _, function in commands()]
    assert len(functions) >= 27
    assert not any(inspect.iscoroutinefunction(function) for function in functions)


def test_a_coroutine_command_runs_to_its_end_and_options_come_as_groups() -> None:
    app = typer.Typer()
    seen: list[object] = []

    async def act(word: str, options: Act) -> int:
        seen.append((word, options.run, options.actor, options.json))
        return 3

    command(app, "act")(act)
    command(app, "other")(act)
    code = built(app).main(args=["act", "hello", "--run", "wf_x", "--actor", "ana", "--json"], standalone_mode=False)
    assert (code, seen) == (3, [("hello", "wf_x", "ana", True)])


@pytest.mark.parametrize(
    ("words", "top", "below"),
    [
        ((), None, None),
        (("--help",), None, None),
        (("nonsense",), None, None),
        (("validate", "x.yaml"), ["validate"], None),
        (("workflow", "status", "--json"), ["workflow"], ["status"]),
        (("workflow", "gate", "retry"), ["workflow"], ["gate"]),
        (("workflow", "nonsense"), ["workflow"], None),
        (("workflow",), ["workflow"], None),
        (("status", "workflow"), None, None),
    ],
)
def test_only_the_command_that_is_named_is_built(
    words: tuple[str, ...], top: list[str] | None, below: list[str] | None
) -> None:
    whole, program = built(main.app), built(main.app, words)
    assert list(program.commands) == (top or list(whole.commands))
    if "workflow" in program.commands:
        found, all_of_it = program.commands["workflow"], whole.commands["workflow"]
        assert isinstance(found, TyperGroup)
        assert isinstance(all_of_it, TyperGroup)
        assert list(found.commands) == (below or list(all_of_it.commands))


def test_the_reference_names_every_command_and_every_exit_code() -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    for name, _ in commands():
        assert f"`{name}" in text, f"{name} is not in {REFERENCE.name}"
    for code, meaning in MEANINGS.items():
        assert f"| {code.value} | {meaning} |" in text
    assert set(MEANINGS) == set(Exit)


def test_every_error_of_ours_has_an_exit_code() -> None:
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.PhaseloomError)]
    assert {kind.code for kind in kinds} - {"error"} <= set(BY_CODE)
    assert exit_for(errors.RefusedError("no")) == 4


@pytest.mark.parametrize("module", ["asyncio", "temporalio", "pydantic", "rich", "yaml", "minijinja"])
def test_help_loads_nothing_that_takes_long(module: str) -> None:
    script = f"import sys, cli.main; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_looking_at_a_run_never_loads_the_definitions_language() -> None:
    script = (
        "import sys, cli.main, cli.reach.selection, cli.reach.listing, cli.words.status, cli.embedded.connect;"
        "sys.exit('definitions.schema' in sys.modules or 'rich' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_findings_have_places_and_errors_end_with_3(offline: Person) -> None:
    offline.write("bad.yaml", BAD)
    offline.write("good.yaml", "name: Good\nphases:\n  - {name: One}\n")
    said = offline.tries("validate", "bad.yaml", "good.yaml")
    assert said.code == 3
    assert said.lines[0] == "bad.yaml:2:28 PL103 phases.a.depends_on: no phase 'B'"
    assert said.lines[-2:] == ["bad.yaml: 3 errors", "good.yaml: valid (good, 1 phase)"]
    told = offline.tries("validate", "bad.yaml", "good.yaml", "--json").json
    assert (told["ok"], [file["ok"] for file in told["files"]]) == (False, [False, True])
    assert told["files"][0]["diagnostics"][0] | {"message": ""} == {
        "code": "PL103",
        "severity": "error",
        "message": "",
        "file": "bad.yaml",
        "line": 2,
        "column": 28,
        "path": "phases.a.depends_on",
        "hint": "",
        "meaning": "no such phase",
    }


MISSING = [
    ("validate", "missing.yaml"),
    ("validate", "missing.yaml", "--sarif"),
    ("run", "missing.yaml"),
    ("plan", "missing.yaml"),
    ("graph", "missing.yaml"),
    ("import", "missing.yaml"),
    ("config", "show", "missing.yaml"),
    ("workflow", "start", "missing.yaml"),
    ("workflow", "define", "missing.yaml"),
    ("workflow", "show", "missing.yaml"),
    ("validate", "nobody-knows-this"),
]


@pytest.mark.parametrize("arguments", MISSING, ids=" ".join)
def test_what_is_not_there_ends_with_4_whoever_is_asked(arguments: tuple[str, ...], offline: Person) -> None:
    said = offline.tries(*arguments)
    assert (said.code, "there is no " in said.out + said.err) == (4, True), said


def test_what_cannot_be_read_is_a_definition_with_errors(offline: Person) -> None:
    (offline.root / "folder").mkdir()
    for words in (("validate",), ("run",), ("import",)):
        said = offline.tries(*words, "./folder/")
        assert (said.code, "PL001" in said.out + said.err) == (3, True), said


def test_a_missing_file_keeps_no_findings_of_the_others_back(offline: Person) -> None:
    bad = offline.write("bad.yaml", "phases: [{name: A, timeout: soon}]\n")
    said = offline.tries("validate", "gone.yaml", bad, "nothing")
    assert said.code == 4
    assert said.lines[0].startswith("bad.yaml:1:29 PL104")
    assert "there is no file 'gone.yaml'; there is no definition 'nothing'" in said.err


def test_a_definition_with_errors_is_never_started(offline: Person) -> None:
    offline.write("bad.yaml", BAD)
    for started in (("run",), ("workflow", "start")):
        said = offline.tries(*started, "bad.yaml")
        assert said.code == 3
        assert said.err.splitlines()[0].startswith("bad.yaml:2:28 PL103")
        assert said.err.splitlines()[-1] == "error: bad.yaml has 3 errors"
    told = offline.tries("run", "bad.yaml", "--json")
    assert (told.code, len(told.json["error"]["diagnostics"])) == (3, 3)
    assert not (offline.root / ".phaseloom").exists()


def test_warnings_count_only_when_strict(offline: Person) -> None:
    offline.write(
        "warned.yaml",
        "agents: {dev: {uses: command, run: [make]}}\nphases:\n  - {name: One, agents: [dev, designer]}\n",
    )
    said = offline.types("validate", "warned.yaml")
    assert "warning PL402" in said.out
    assert offline.tries("validate", "--strict", "warned.yaml").code == 3


def test_what_is_not_in_effect_is_named_and_what_cannot_start_is_said(offline: Person) -> None:
    offline.write("later.yaml", "budget: {tokens: 9}\nphases:\n  - {name: One, budget: {tokens: 9}}\n")
    said = offline.types("validate", "later.yaml")
    assert "later.yaml: not in effect yet: budget (one: nothing is limited)" in said.out
    offline.write(
        "llm.yaml", "agents: {writer: {uses: llm, model: some}}\nphases:\n  - {name: One, agents: [writer]}\n"
    )
    said = offline.types("validate", "llm.yaml")
    assert "cannot be started here now" in said.lines[-1]
    assert offline.tries("run", "llm.yaml").code == 3


def test_the_schema_is_a_json_schema(offline: Person) -> None:
    schema = offline.types("schema").json
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "phases" in schema["properties"]
    assert "catalogs" in offline.types("schema", "--project").json["properties"]


def test_settings_say_where_they_come_from(offline: Person) -> None:
    offline.write("phaseloom.yaml", "execution:\n  max_workers: 7\n  timeout_per_step: 10m\nserver: {port: 7300}\n")
    offline.write(
        "own.yaml",
        "execution: {max_workers: 2}\nphases:\n  - {name: One, tasks: ['true'], tool: sh, timeout: 90}\n"
        "  - {name: Two, tasks: ['true'], tool: sh}\n",
    )
    settings = {each["name"]: each for each in offline.types("config", "show", "own.yaml", "--json").json["settings"]}
    assert (settings["execution.max_workers"]["value"], settings["execution.max_workers"]["origin"]) == (
        2,
        "definition",
    )
    assert settings["phases.one.timeout"]["origin"] == "phase"
    assert (settings["phases.two.timeout"]["value"], settings["phases.two.timeout"]["line"]) == (600, 3)
    lines = offline.types("config", "show").lines
    for setting in (["execution.max_workers", "7", "phaseloom.yaml:2"], ["server.port", "7300", "phaseloom.yaml:4"]):
        assert [*setting, "(project)"] in [line.split() for line in lines]
    offline.write("phaseloom.yaml", "execution:\n  max_workrs: 7\n")
    said = offline.tries("config", "show")
    assert (said.code, "did you mean 'max_workers'" in said.err) == (3, True)


def test_the_catalog_is_listed_and_shown_with_indexes(offline: Person) -> None:
    ids = [entry["id"] for entry in offline.types("workflow", "list", "--json").json["definitions"]]
    assert {"full-stack-parallel", "comprehensive-audit", "parallel-utilities"} <= set(ids)
    lines = offline.types("workflow", "show", "full-stack-parallel").lines
    assert [line.split()[:2] for line in lines if line.endswith("  parallel")] == [["1", "Backend"], ["2", "Frontend"]]
    told = "description: |\n  First line.\n  Second line.\ninputs: {a: {description: 'one\n\n b'}}\nphases: [{id: a}]\n"
    lines = offline.types("workflow", "show", offline.write("told.yaml", told)).lines
    assert lines[1:3] == ["First line.", "Second line."]
    assert any(line.endswith("one b") for line in lines)
    unknown = offline.tries("workflow", "show", "full-stack-paralel")
    assert (unknown.code, "did you mean 'full-stack-parallel'?" in unknown.err) == (4, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["workflow", "statsu"], "did you mean"),
        (["workflow", "complete-phase"], "missing argument 'PHASE'"),
        (["run", "x", "--max-workers", "many"], "--max-workers 'many'"),
        (["run", "--inpt", "x"], "no such option"),
        (["worker"], "no Temporal server is named"),
    ],
)
def test_a_command_that_is_not_written_right_ends_with_2(arguments: list[str], words: str, offline: Person) -> None:
    said = offline.tries(*arguments)
    assert said.code == 2
    assert words.lower() in said.err.lower()
    assert said.err.startswith("error: ")
    told = offline.tries(*arguments, "--json") if arguments != ["worker"] else None
    assert told is None or (told.code, told.json["error"]["code"]) == (2, "usage")


def test_a_bug_of_ours_is_said_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    program = typer.Typer()

    def broken() -> None:
        raise ZeroDivisionError("division by zero")

    command(program, "broken")(broken)
    assert main.execute(["broken"], program=program) == 70
    assert capsys.readouterr().err.splitlines() == [
        "error: a bug in Phaseloom: ZeroDivisionError: division by zero",
        "hint: see where with: --debug",
    ]
    assert main.execute(["broken", "--debug"], program=program) == 70
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["validate x.yaml", "graph x.yaml", "workflow start x", "runs", "doctor"])
def test_in_a_directory_that_has_been_deleted_a_command_says_so(command: str, offline: Person) -> None:
    (offline.root / "gone").mkdir()
    done = _at_a_shell(f'cd gone && rmdir ../gone && "{PROGRAM}" {command}', offline)
    assert (done.returncode, done.stderr.splitlines()[0]) == (6, "error: the working directory does not exist any more")


def test_a_full_disk_or_a_missing_right_is_no_bug_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    program = typer.Typer()

    def write() -> None:
        raise OSError(errno.EROFS, "Read-only file system", "/project/.phaseloom")

    command(program, "write")(write)
    assert main.execute(["write"], program=program) == 6
    assert capsys.readouterr().err.splitlines()[0] == "error: /project/.phaseloom: Read-only file system"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has it")
@pytest.mark.parametrize("option", ["", "--json"])
def test_an_output_that_cannot_be_written_ends_with_6(option: str, offline: Person) -> None:
    done = _at_a_shell(f'"{PROGRAM}" workflow list {option} > /dev/full', offline)
    assert done.returncode == 6
    assert option or "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_command_needs_no_streams(offline: Person) -> None:
    assert _at_a_shell(f'"{PROGRAM}" workflow list <&- >&- 2>&-', offline).returncode == 0
    done = _at_a_shell(f'"{PROGRAM}" workflow show nothing <&- >&-', offline)
    assert (done.returncode, "there is no definition 'nothing'" in done.stderr) == (4, True)


def test_an_interrupt_while_the_program_is_loaded_is_no_crash(offline: Person) -> None:
    script = """if True:
        import sys, phaseloom
        class Interrupt:
            def find_spec(self, name, path=None, target=None):
                if name == "typer":
                    raise KeyboardInterrupt
        sys.meta_path.insert(0, Interrupt())
        phaseloom.main()
    """
    done = subprocess.run([sys.executable, "-c", script], cwd=offline.root, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "")


def _at_a_shell(line: str, person: Person) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-c", line], cwd=person.root, env=person.environ, capture_output=True, text=True, check=False
    )


def test_a_reader_that_goes_away_is_no_crash(offline: Person) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    done = subprocess.run(
        [PROGRAM, "workflow", "list"],
        cwd=offline.root,
        env=offline.environ,
        stdout=theirs,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(theirs)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_terminal_without_unicode_gets_what_is_closest_and_no_crash(offline: Person) -> None:
    offline.write("uni.yaml", "name: Prüfung ✓\nphases:\n  - {name: Ärger}\n")
    said = offline.types("workflow", "show", "uni.yaml", PYTHONIOENCODING="ascii")
    assert "uni: Pr?fung +" in said.out


def test_the_audits_stages_are_passed_on(offline: Person) -> None:
    said = offline.types("audit", "--help")
    assert "usage: phaseloom audit" in said.out
    assert "audit" not in [line.split()[0] for line in offline.types("--help").lines if line.startswith("  ")]
    assert offline.tries("audit", "nonsense").code == 2


def test_the_version_is_printed(offline: Person) -> None:
    assert offline.types("--version").out.startswith("phaseloom ")
    assert json.dumps(offline.tries().code) == "2"
