from __future__ import annotations

from textwrap import dedent

import pytest

from activities.audit.syntax import VERSION
from tests.audit.repository import Repository

BLOCK = """\
    total = 0
    for order in orders:
        if order.paid and order.amount > 0:
            total += order.amount * order.rate
        elif order.refunded:
            total -= order.refund_amount
        else:
            audit_log.append((order.identifier, order.state))
    report.update(total=total, count=len(orders))
    return round(total, 2)
"""


def test_likely_mistakes_are_found_by_ruff(repository: Repository) -> None:
    repository.write(
        {"a.py": "import os\n\n\ndef f(x=[]):\n    try:\n        return missing\n    except:\n        pass\n"}
    )
    assert repository.rules("quality", "ruff") >= {
        ("a.py", 1, "F401"),
        ("a.py", 4, "B006"),
        ("a.py", 6, "F821"),
        ("a.py", 7, "E722"),
    }


def test_dead_code_is_found_and_fields_of_models_are_not(repository: Repository) -> None:
    code = """
    from dataclasses import dataclass

    import flask

    app = flask.Flask("a")


    @dataclass
    class Order:
        identifier: int


    @app.route("/")
    def page():
        return "called by the framework"


    def nobody_calls_this():
        return 1
        print("never")


    print(Order(1))
    """
    repository.write({"a.py": dedent(code).lstrip()})
    found = {(line, rule) for _, line, rule in repository.rules("quality", "vulture")}
    assert found == {(18, "unused-function"), (20, "unreachable-code")}


def test_code_used_by_another_file_is_not_dead(repository: Repository) -> None:
    repository.write({"a.py": "def used():\n    return 1\n", "b.py": "from a import used\n\nprint(used())\n"})
    assert repository.rules("quality", "vulture") == set()


def test_copies_are_found_across_names_of_functions_comments_and_spacing(repository: Repository) -> None:
    copied = BLOCK.replace("total = 0", "total  =  0  ").replace("    else:", "    # why\n\n        else:")
    repository.write(
        {
            "a.py": f'def first(orders, report):\n    """Doc."""\n{BLOCK}',
            "b.py": f"import os\n\n\ndef second(orders, report):\n{copied}",
            "c.py": "def other():\n    return 1\n",
        }
    )
    outputs = repository.audit("quality")
    (copy,) = [f for f in outputs["findings"] if f["tool"] == "duplication"]
    assert (copy["file"], copy["line"]) == ("a.py", 3)
    assert copy["message"] == "10 lines of code also at b.py:5"
    assert outputs["duplicate_lines"] == 10
    assert outputs["duplication"] == pytest.approx(41.7, abs=0.1)


def test_repetitive_data_and_equal_imports_are_no_copies(repository: Repository) -> None:
    imports = "".join(f"import module_with_a_long_name_{n}\n" for n in range(12))
    table = "ROWS = [\n" + '    ("a long row of a table", 1, 2, 3),\n' * 40 + "]\n"
    repository.write({"a.py": imports + table, "b.py": imports + "x = 1\n"})
    assert repository.rules("quality", "duplication") == set()


def test_a_file_full_of_one_repeated_pattern_ends_soon_in_a_few_findings(repository: Repository) -> None:
    pattern = "".join(f"the_number_{n} = len('some text') + {n}\n" for n in range(9))
    repository.write({"a.py": pattern * 2000})
    outputs = repository.audit("quality")
    assert len([f for f in outputs["findings"] if f["tool"] == "duplication"]) < 9


def test_the_repositorys_ruff_settings_neither_change_files_nor_hide_findings(repository: Repository) -> None:
    hostile = '[lint]\nignore = ["ALL"]\nexclude = ["*"]\n'
    repository.write(
        {
            "a.py": "import os\nx = 1\n",
            "ruff.toml": "fix = true\nunsafe-fixes = true\noutput-file = 'written.json'\ncache-dir = 'cache'\n"
            + hostile,
            "pyproject.toml": "[tool.ruff]\nfix = true\n[tool.vulture]\nmin_confidence = 100\nexclude = ['*']\n",
            "setup.cfg": "[radon]\noutput_file = written.json\n",
            "radon.cfg": "[radon]\noutput_file = written.json\nexclude = *\n",
        }
    )
    before = repository.snapshot()
    assert ("a.py", 1, "F401") in repository.rules("quality", "ruff")
    repository.audit("performance")
    assert repository.snapshot() == before


def test_what_does_not_parse_is_one_finding_and_named(repository: Repository) -> None:
    repository.write(
        {
            "old.py": "print 'hello'\ntry:\n    pass\nexcept ValueError, e:\n    print e\n",
            "broken.py": "def f(:\n    return ]\n",
            "good.py": "x = 1\n",
        }
    )
    outputs = repository.audit("quality")
    found = [(f["file"], f["severity"]) for f in outputs["findings"] if f["rule"] == "invalid-syntax"]
    assert sorted(found) == [("broken.py", "high"), ("old.py", "medium")]
    assert (outputs["unparsed_files"], outputs["python_2_files"]) == (2, 1)
    assert outputs["complete"] is False
    assert f"duplication: partly run: 2 of 3 files do not parse as Python {VERSION}" in outputs["not_run"]
    assert "bandit: partly run: 2 of 3 files missed (they do not parse" in " ".join(
        repository.audit("security")["not_run"]
    )


def test_no_advice_is_given_that_breaks_older_pythons(repository: Repository) -> None:
    repository.write({"a.py": "def f(x, y):\n    return list(map(max, x, y)), list(zip(x, y))\n"})
    assert not {rule for _, _, rule in repository.rules("quality", "ruff")} & {"B905", "B912"}


def test_every_reason_why_files_were_missed_is_told_with_its_number(repository: Repository) -> None:
    repository.write({"broken.py": "def f(:\n", "good.py": "x = 1\n", "new\nline.py": "x = 1\n"})
    told = " ".join(repository.audit("security")["not_run"])
    assert f"2 of 3 files missed (1: they do not parse as Python {VERSION}; 1: their names are not printable)" in told
