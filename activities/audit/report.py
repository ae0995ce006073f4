"""What the report says: its sections, from the results of the stages."""

from __future__ import annotations

from activities.audit.areas import performance_section, quality_section, security_section
from activities.audit.document import Bars, Code, Document, Items, Level, Part, Section, Stacks, Strong, Table, Tile
from activities.audit.finding import SEVERITIES, Json, counted
from activities.audit.languages import OTHER
from activities.audit.priorities import Work, prioritised
from activities.audit.results import AREAS, Results

_WHEN = {"first": "First", "next": "Next", "later": "Later"}
_PLAN_ITEMS = 15
_WORST_FILES = 15

Line = tuple[Part, ...]


def compose(results: Results, *, name: str, date: str, run: str = "") -> tuple[Document, list[Work]]:
    """The report and its plan. `name` is the audited directory's, `date` the day's."""
    plan = prioritised(results.checks, results.preparation.get("history", {}).get("most_changed", ()))
    subtitle = f"{date}, by Phaseloom, offline" + (f", run {run}" if run else "")
    document = Document(f"Audit of {name}", subtitle, _tiles(results))
    _summary(document.section("Summary"), results, plan)
    if results.not_run:
        _not_run(document.section("Not run or incomplete"), results)
    if plan:
        _plan(document.section("Plan"), plan)
    if results.total():
        _worst(document.section("Worst files"), results)
    for area, section in (
        ("security", security_section),
        ("performance", performance_section),
        ("quality", quality_section),
    ):
        outputs = results.checks.get(area)
        if outputs is not None and (results.has_python or outputs["total"]):
            section(document.section(AREAS[area]), outputs)
    if results.preparation:
        _inventory(document.section("Inventory"), results.preparation)
    _method(document.section("How this was made"), results)
    return document, plan


def headline(results: Results) -> str:
    """The result in one sentence."""
    scale = results.preparation
    size = f"{counted(scale['files'], 'file')}, {counted(scale['python_lines'], 'line')} of Python: " if scale else ""
    counts = ", ".join(f"{results.total(severity):,} {severity}" for severity in SEVERITIES)
    gaps = len(results.not_run)
    incomplete = f"; {counted(gaps, 'check')} not run or incomplete" if gaps else ""
    return f"{size}{counted(results.total(), 'finding')} ({counts}){incomplete}"


def _tiles(results: Results) -> list[Tile]:
    scale = results.preparation
    tiles = (
        [Tile("Files", f"{scale['files']:,}"), Tile("Lines of Python", f"{scale['python_lines']:,}")] if scale else []
    )
    if results.checks:
        tiles += [Tile(severity.capitalize(), f"{results.total(severity):,}", severity) for severity in SEVERITIES]
    if results.not_run:
        tiles.append(Tile("Not run or incomplete", str(len(results.not_run))))
    return tiles


def _summary(section: Section, results: Results, plan: list[Work]) -> None:
    if not results.has_python:
        section.say(
            "There is no Python in this tree, so there is nothing that the performance and code quality checks could "
            "look at. What follows is the inventory, and the search for credentials, which reads every text file."
        )
    section.say(f"{headline(results)}.")
    stacks = tuple((AREAS[area], _stack(results, area)) for area in AREAS)
    if results.has_python:
        section.add(Stacks("Findings by area", stacks))
    first = [item for item in plan if item.when == "first"]
    if first:
        section.say(
            "Before anything else: ",
            "; ".join(item.topic.title[0].lower() + item.topic.title[1:] for item in first),
            ".",
        )
    elif results.checks and not results.not_run:
        section.say("Nothing was found that has to be done at once.")


def _stack(results: Results, area: str) -> tuple[int, int, int] | str:
    outputs = results.checks.get(area)
    if outputs is None:
        return f"not run: {results.missing.get(area, 'no results')}"
    tools = [str(value) for value in outputs["tools"].values()]
    if tools and all(value.startswith("not run: ") for value in tools):
        return tools[0]
    return outputs["high"], outputs["medium"], outputs["low"]


def _not_run(section: Section, results: Results) -> None:
    section.say(
        "These checks did not run, or not on everything. Their silence says nothing about the code, and the numbers "
        "here do not count it as free of findings.",
        warning=True,
    )
    section.add(Items(tuple((f"{area}: ", line) for area, line in results.not_run)))


def _plan(section: Section, plan: list[Work]) -> None:
    section.say(
        "Ordered by what a piece of work is worth (severity and number of places, more in files that change often) "
        "against what it costs (places times a typical time for one). Later means: where the code is touched anyway."
    )
    rows = tuple(_plan_row(number, item) for number, item in enumerate(plan[:_PLAN_ITEMS], 1))
    section.add(Table(("#", "When", "What", "Why", "Effort", "Start at"), rows, frozenset({0})))
    if len(plan) > _PLAN_ITEMS:
        section.say(
            f"{len(plan) - _PLAN_ITEMS} smaller items are left out here; the outputs of the run hold all of them."
        )


def _plan_row(number: int, item: Work) -> tuple[Part | Line, ...]:
    hours = f"{item.hours:,.3g} h" if item.hours >= 1 else f"{max(round(item.hours * 60), 1)} min"
    levels: list[Part] = []
    for severity in item.worth_doing:
        if item.counts[severity]:
            levels += [", " if levels else "", Level(severity, item.counts[severity])]
    if item.hot_places:
        levels.append(f"; {item.hot_places:,} in often changed files")
    waiting = item.counts["low"] if "low" not in item.worth_doing else 0
    if waiting:
        levels.append(f"; {waiting:,} low can wait")
    places: list[Part] = []
    for place in item.places[:2]:
        places += [", " if places else "", Code(f"{place['file']}:{place['line']}")]
    what: Line = (Strong(f"{item.topic.title}."), f" {item.topic.advice}")
    return number, _WHEN[item.when], what, tuple(levels), f"{item.effort} (about {hours})", tuple(places)


def _worst(section: Section, results: Results) -> None:
    commits = results.commits_of
    rows = tuple(
        (
            Code(row["file"]),
            *(row[severity] for severity in SEVERITIES),
            commits.get(row["file"], "-"),
            ", ".join(row["areas"]),
        )
        for row in results.worst_files()[:_WORST_FILES]
    )
    section.add(Table(("File", "High", "Medium", "Low", "Commits", "Areas"), rows, frozenset({1, 2, 3, 4})))


def _inventory(section: Section, outputs: Json) -> None:
    languages = [(name, row["lines"], row["files"]) for name, row in outputs["languages"].items()]
    if languages:  # outputs travel as JSON, which sorts them by name
        shown = sorted(languages, key=lambda row: (row[0] == OTHER, -row[1], row[0]))[:10]
        section.add(
            Bars(
                "Lines by language",
                tuple((f"{name} ({counted(files, 'file')})", lines) for name, lines, files in shown),
                "line",
            )
        )
    history = outputs["history"]
    if history.get("available"):
        section.say(
            f"{counted(history['commits'], 'commit')} by {counted(history['authors'], 'author')} from "
            f"{history['first_commit']} to "
            f"{history['last_commit']}."
            + (" The clone is shallow: older history is missing." if history["shallow"] else "")
        )
        rows = tuple((Code(row["file"]), row["commits"]) for row in history["most_changed"][:10])
        section.add(Table(("Most changed file", "Commits"), rows, frozenset({1})))
    else:
        section.say(f"History: not run: {history.get('reason', 'unknown')}.")
    section.say(
        f"Marks in the Python code: {outputs['suppressions']:,} suppressions of tools (noqa, nosec, type: ignore …), "
        f"{outputs['todos']:,} notes to do something later."
    )
    if outputs["left_out"]:
        section.say("Left out of the audit:")
        section.add(Items(tuple((f"{reason}: {number:,}",) for reason, number in outputs["left_out"].items())))


_METHOD = (
    "Security: bandit, and Phaseloom's search for credentials in every text file. Values are masked.",
    "Performance: complexity by radon, sizes and slow patterns from the syntax tree; nothing was measured at run time.",
    "Code quality: ruff with a fixed choice of rules, vulture, and a comparison of code lines for copies.",
    "Findings in tests count as low: they matter less, and test data often breaks rules on purpose.",
    (
        "Not looked at, because it needs a network or a running program: known flaws in dependencies, licences, "
        "behaviour under load, test coverage."
    ),
)


def _method(section: Section, results: Results) -> None:
    listed = results.preparation.get("listed_by", "walking the directory")
    first = f"Files were listed by {listed}; nothing of the repository was executed, none of its tool settings applied."
    section.add(Items(tuple((line,) for line in (first, *_METHOD))))
