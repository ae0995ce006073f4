from __future__ import annotations

import ast
from pathlib import Path
from textwrap import dedent

import pytest

from activities.audit.functions import functions_of
from activities.audit.slow_patterns import RULES, slow_patterns
from activities.audit.syntax import Module
from activities.audit.tree import SourceFile
from tests.audit.repository import Repository


def found(code: str) -> list[tuple[int, str]]:
    text = dedent(code).strip()
    file = SourceFile(Path("a.py"), "a.py", len(text), "Python", python=True)
    return [(f.line, f.rule) for f in slow_patterns(Module(file, text, ast.parse(text)))]


SLOW = {
    "text-grows-in-loop": "def f(xs):\n    s = ''\n    for x in xs:\n        s += str(x)",
    "list-lookup-in-loop": "def f(xs):\n    seen = []\n    for x in xs:\n        if x not in seen: seen.append(x)",
    "frame-rows": "def f(df):\n    a = 1\n    b = 2\n    for i, row in df.iterrows(): print(row)",
    "frame-grows-in-loop": "import pandas as pd\ndef f(xs, df):\n    for x in xs:\n        df = pd.concat([df, x])",
    "regex-in-loop": "import re\ndef f(xs):\n    for x in xs:\n        re.compile('a+').match(x)",
    "deepcopy-in-loop": "from copy import deepcopy\ndef f(xs, state):\n    for x in xs:\n        x(deepcopy(state))",
    "sort-in-loop": "def f(xs, n):\n    queue = list(xs)\n    while queue:\n        queue.sort(); queue.pop()",
    "front-of-list": "def f(start):\n    queue = [start]\n    while queue:\n        queue.pop(0)",
    "nested-loops": "def f(a, b, c):\n    for x in a:\n        for y in b:\n            for z in c: print(x, y, z)",
    "blocking-in-async": "from time import sleep\nasync def f():\n    print()\n    sleep(1)",
    "query-in-loop": "def f(ids):\n    for i in ids:\n        a = 1\n        cursor.execute('select', (i,))",
    "request-in-loop": "import requests\ndef f(urls):\n    for u in urls:\n        requests.get(u)",
    "process-in-loop": "import subprocess\ndef f(xs):\n    for x in xs:\n        subprocess.run([x])",
    "sorted-for-extreme": "def f(xs):\n    a = 1\n    b = 2\n    return sorted(xs)[0]",
    "list-for-aggregate": "def f(xs):\n    a = 1\n    b = 2\n    return sum([x for x in xs])",
    "keys-lookup": "def f(d, x):\n    a = 1\n    b = 2\n    return x in d.keys()",
}


def test_every_rule_has_an_example() -> None:
    assert SLOW.keys() == RULES.keys()


@pytest.mark.parametrize("rule", SLOW)
def test_a_slow_pattern_is_found_on_its_line(rule: str) -> None:
    assert found(SLOW[rule]) == [(4, rule)]


@pytest.mark.parametrize(
    "code",
    [
        "def f(xs):\n    n = 0\n    for x in xs:\n        n += 1",
        "def f(xs):\n    for x in xs:\n        s = ''\n        s += x",  # anew in each round
        "def f(xs):\n    for x in xs:\n        if x in ('a', 'b'): pass",
        "def f(xs):\n    small = ['a', 'b']\n    return [x for x in xs if x in small]",
        "def f(xs):\n    seen = set()\n    for x in xs:\n        if x in seen: pass",
        "def f(xs):\n    for x in xs:\n        def g():\n            time.sleep(1)",
        "import time\nasync def f():\n    def g():\n        time.sleep(1)",  # runs in a thread, perhaps
        "import time\ndef f():\n    time.sleep(1)",
        "def f(files):\n    for file in files:\n        for line in file:\n            for word in line: print(word)",
        "def f(xs):\n    for x in xs:\n        for kind in ('a', 'b'):\n            for y in range(3): print(x)",
        "import re\ndef f(ps):\n    return [re.compile(p) for p in ps]",
        "def f(dirs):\n    for d in dirs:\n        names = list(d)\n        names.sort()",
        "def f(session, urls):\n    for u in urls:\n        session.get(u)",
        "def f(xs):\n    for x in sorted(xs): print(x)",
    ],
)
def test_what_is_not_slow_is_left_alone(code: str) -> None:
    assert found(code) == []


def test_functions_are_measured() -> None:
    code = """
    class A:
        def m(self, a, *, b=1):
            if a and b or a:
                for x in [y for y in a if y]:
                    while x:
                        pass
            elif b:
                return 1

            def inner():
                if a: pass
    """
    one, two = functions_of(ast.parse(dedent(code)))
    assert (one.name, one.complexity, one.nesting, one.parameters, one.lines) == ("A.m", 9, 3, 2, 10)
    assert (two.name, two.complexity) == ("A.m.inner", 2)


def test_a_complex_and_long_function_is_reported_with_its_numbers(repository: Repository) -> None:
    body = "".join(f"    if x == {n}:\n        y += {n}\n" for n in range(45))
    repository.write({"app.py": f"def small(x):\n    return x\n\n\ndef huge(x, y=0):\n{body}    return y\n"})
    outputs = repository.audit("performance")
    assert {(f["line"], f["rule"], f["severity"]) for f in outputs["findings"]} == {
        (5, "complex-function", "high"),
        (5, "large-function", "low"),
    }
    assert outputs["functions"] == 2
    assert outputs["highest_complexity"] == 46
    assert outputs["complexity_by"] == "radon"
    assert outputs["complexity_spread"] == {"1-5": 1, "6-10": 0, "11-20": 0, "21-30": 0, "31-40": 0, "over 40": 1}
    assert outputs["most_complex"][0]["function"] == "huge"


def test_radon_and_our_own_count_agree_on_this_project(repository: Repository) -> None:
    source = Path(__file__).parents[2] / "activities" / "audit" / "slow_patterns.py"
    repository.write({"a.py": source.read_bytes()})
    radon = repository.audit("performance")
    own = [f.complexity for f in functions_of(ast.parse(source.read_bytes()))]
    assert radon["complexity_by"] == "radon"
    assert radon["functions"] == len(own)
    assert abs(radon["average_complexity"] - sum(own) / len(own)) < 0.2


def test_files_that_radon_cannot_read_are_named_beside_its_count(repository: Repository) -> None:
    repository.write({"a.py": "def f():\n    pass\n", "marked.py": "\ufeffdef g():\n    pass\n"})
    outputs = repository.audit("performance")
    assert outputs["functions"] == 2
    assert outputs["tools"]["radon"] == "1 functions measured (of 1 of 2 files it could read none)"
