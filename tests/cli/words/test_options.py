"""The numbered choices as something that can be carried out."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cli.words.options import chosen, options, prompted
from engine import operations
from tests.cli.words.stories import Story, steps


def failing() -> Story:
    return Story(steps(tests=False, count=1)).broke(0)


def answering(*answers: str) -> Callable[[str], str]:
    given: Iterator[str] = iter(answers)
    return lambda _: next(given)


def test_every_choice_can_be_sent_with_what_it_asks_for() -> None:
    details = {"prompt": "better", "outputs": {"n": 1}, "reason": "flaky"}
    actions = [option.action for option in options(failing().view)]
    assert actions == ["retry", "retry_with", "replace_output", "skip", "cancel"]
    for number in range(1, len(actions) + 1):
        story = failing()
        option = chosen(options(story.view), str(number))
        assert option is not None
        needed = {field.name: details[field.name] for field in option.fields}
        answer = operations.act(story.engine, option.message, option.payload(**needed), story.at)
        assert answer["action"] == actions[number - 1]


def test_a_choice_says_what_is_missing() -> None:
    skip = chosen(options(failing().view), "skip")
    assert skip is not None
    assert [field.option for field in skip.missing({})] == ["--reason"]
    assert skip.missing({"reason": "flaky"}) == ()


def test_numbers_and_names_mean_the_same() -> None:
    found = options(failing().view)
    assert chosen(found, "2") == chosen(found, "retry-with") == chosen(found, " 2. ")
    assert chosen(found, "9") is None
    assert chosen(found, "") is None


def test_a_run_paused_by_a_person_can_be_resumed() -> None:
    story = Story(steps())
    story.ask("pause")
    (resume,) = options(story.view)
    assert (resume.message, resume.payload()) == ("resume", {})
    assert options(Story(steps()).view) == []


def test_a_person_is_asked_for_the_number_and_what_it_needs() -> None:
    found = options(failing().view)
    answer = prompted(found, answering("nonsense", "4", "flaky"))
    assert answer is not None
    assert (answer[0].action, answer[1]) == ("skip", {"reason": "flaky"})
    replaced = prompted(found, answering("3", "a=1", "b=2", ""))
    assert replaced is not None
    assert replaced[1] == {"outputs": ["a=1", "b=2"]}
    assert prompted(found, answering("4", "")) is None
    assert prompted(found, answering("x", "y", "z")) is None
