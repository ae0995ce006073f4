"""What a run will take is worked out by the rules of a run."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.forecast import Forecast, Span, forecast, needs_worker, remaining, walls
from engine.plan import Execution, Need, Plan, StepGroup
from tests.counting import calls
from tests.engine.world import PERSON, phase, plan_of


def fixed(*lengths: float) -> dict[int, Span]:
    return {index: (length, length) for index, length in enumerate(lengths)}


def starts(found: Forecast) -> list[float]:
    return [each.start[1] for each in found.phases]


def slacks(found: Forecast) -> list[float]:
    return [each.slack for each in found.phases]


def test_a_diamond_takes_its_longest_chain_and_the_other_branch_has_the_rest_as_slack() -> None:
    plan = plan_of(phase(0), phase(1, 0), phase(2, 0), phase(3, 1, 2))
    found = forecast(plan, fixed(10, 30, 5, 10))
    assert found.wall == (50, 50)
    assert found.serial == (55, 55)
    assert found.critical_path == (0, 1, 3)
    assert slacks(found) == [0, 0, 25, 0]
    assert [each.critical for each in found.phases] == [True, True, False, True]
    assert found.groups == ((0,), (1, 2), (3,))
    assert found.unknown == ()


def test_low_and_high_are_two_runs() -> None:
    found = forecast(plan_of(phase(0), phase(1, 0)), {0: (1, 2), 1: (10, 20)})
    assert found.wall == (11, 22)
    assert found.serial == (11, 22)
    assert found.phases[1].start == (1, 2)
    assert found.phases[1].end == (11, 22)


def test_a_phase_without_a_length_counts_as_no_time_and_is_named() -> None:
    found = forecast(plan_of(phase(0), phase(1, 0)), {0: (5, 5)})
    assert found.wall == (5, 5)
    assert found.unknown == (1,)


def test_context_and_validation_needs_make_nobody_wait() -> None:
    waiting = (Need(phase=0, kind="context"), Need(phase=1, kind="validation"))
    found = forecast(plan_of(phase(0), phase(1), phase(2, needs=waiting)), fixed(5, 5, 5))
    assert found.wall == (5, 5)
    assert found.groups == ((0, 1, 2),)


def test_a_need_on_a_group_waits_for_all_of_it() -> None:
    plan = plan_of(phase(0, group=0), phase(1, group=0), phase(2, after_group=0))
    found = forecast(plan, fixed(3, 8, 1))
    assert starts(found) == [0, 0, 8]
    assert slacks(found) == [5, 0, 0]
    assert found.critical_path == (1, 2)
    assert found.groups == ((0, 1), (2,))


def test_phases_queue_for_workers_in_the_order_of_the_plan() -> None:
    plan = plan_of(*(phase(index) for index in range(5)), execution=Execution(max_workers=2))
    found = forecast(plan, fixed(4, 10, 4, 4, 4))
    assert starts(found) == [0, 0, 4, 8, 10]
    assert found.wall == (14, 14)
    assert found.critical_path == (1, 4)


def test_auto_and_more_workers_than_phases_are_no_limit() -> None:
    plan = plan_of(*(phase(index) for index in range(5)), execution=Execution(max_workers=0))
    assert forecast(plan, fixed(4, 4, 4, 4, 4)).wall == (4, 4)
    assert forecast(plan, fixed(4, 4, 4, 4, 4), workers=99).wall == (4, 4)


def test_people_take_no_worker() -> None:
    plan = plan_of(phase(0), phase(1, agents=(PERSON,)), phase(2), execution=Execution(max_workers=1))
    found = forecast(plan, fixed(4, 4, 4))
    assert starts(found) == [0, 0, 4]
    assert not needs_worker(plan.phases[1])


def test_a_step_group_has_its_own_limit() -> None:
    members = tuple(phase(index, limits=(0,)) for index in range(3))
    plan = plan_of(*members, phase(3), step_groups=(StepGroup(id="db", phases=(0, 1, 2), max_workers=1),))
    found = forecast(plan, fixed(2, 2, 2, 1))
    assert starts(found) == [0, 2, 4, 0]
    assert found.critical_path == (0, 1, 2)


def test_without_parallel_phases_come_one_after_another() -> None:
    plan = plan_of(phase(0), phase(1), phase(2), execution=Execution(parallel=False))
    found = forecast(plan, fixed(2, 2, 2))
    assert found.wall == found.serial == (6, 6)
    assert slacks(found) == [0, 0, 0]


def test_starts_keep_the_pace_that_is_asked_for() -> None:
    plan = plan_of(phase(0), phase(1), phase(2), execution=Execution(rate_limit_delay=3.0))
    found = forecast(plan, fixed(5, 5, 5))
    assert starts(found) == [0, 3, 6]
    assert found.wall == (11, 11)
    assert found.critical_path == (0, 1, 2)
    assert slacks(found)[2] == 0


def test_a_phase_without_agents_takes_no_time() -> None:
    found = forecast(plan_of(phase(0, agents=()), phase(1, 0)), fixed(100, 5))
    assert found.wall == (5, 5)


def test_more_workers_are_compared() -> None:
    plan = plan_of(*(phase(index) for index in range(4)))
    assert walls(plan, fixed(6, 6, 6, 6), (1, 2, 3, 4)) == {1: (24, 24), 2: (12, 12), 3: (12, 12), 4: (6, 6)}


def test_an_open_run_is_forecast_from_now() -> None:
    plan = plan_of(phase(0), phase(1, 0), phase(2, 0), phase(3, 1, 2))
    found = remaining(plan, fixed(10, 30, 5, 10), done={0}, running={1: 12.0})
    assert [each.index for each in found.phases] == [1, 2, 3]
    assert found.phases[0].start == (-12, -12)
    assert found.wall == (28, 28)
    assert found.serial == (33, 33)
    assert found.critical_path == (1, 3)
    assert found.groups == ((1, 2), (3,))


def test_running_phases_keep_their_workers() -> None:
    plan = plan_of(phase(0), phase(1), phase(2), execution=Execution(max_workers=2))
    found = remaining(plan, fixed(10, 10, 10), done=(), running={0: 4.0, 1: 1.0})
    assert found.phases[2].start == (6, 6)
    assert found.wall == (16, 16)


def test_a_phase_beyond_its_length_is_taken_to_end_now() -> None:
    found = remaining(plan_of(phase(0), phase(1, 0)), fixed(10, 5), done=(), running={0: 60.0})
    assert found.wall == (5, 5)


def test_nothing_is_left_of_a_run_that_is_over() -> None:
    found = remaining(plan_of(phase(0)), fixed(10), done={0}, running={})
    assert found.wall == found.serial == (0, 0)
    assert (found.phases, found.critical_path, found.groups) == ((), (), ())


def test_phases_that_wait_for_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="wait for each other"):
        forecast(plan_of(phase(0, 1), phase(1, 0)), fixed(1, 1))


@st.composite
def plans(draw: st.DrawFn) -> tuple[Plan, Mapping[int, Span]]:
    count = draw(st.integers(1, 12))
    limited = draw(st.booleans())
    phases = []
    for index in range(count):
        needs = draw(st.sets(st.integers(0, index - 1), max_size=3)) if index else set()
        mine = (PERSON,) if draw(st.integers(0, 5)) == 0 else None
        fields = {"limits": (0,)} if limited and index % 2 else {}
        phases.append(phase(index, *sorted(needs), **fields, **({"agents": mine} if mine else {})))
    odd = tuple(range(1, count, 2))
    plan = plan_of(
        *phases,
        execution=Execution(max_workers=draw(st.integers(1, 4)), rate_limit_delay=draw(st.sampled_from([0.0, 2.0]))),
        step_groups=(StepGroup(id="odd", phases=odd, max_workers=draw(st.integers(1, 2))),) if limited else (),
    )
    lengths = {}
    for index in range(count):
        low = draw(st.integers(0, 9))
        lengths[index] = (float(low), float(low + draw(st.integers(0, 9))))
    return plan, lengths


@given(plans())
@settings(max_examples=100, deadline=None)
def test_a_forecast_keeps_every_rule_and_adds_up(drawn: tuple[Plan, Mapping[int, Span]]) -> None:
    plan, lengths = drawn
    found = forecast(plan, lengths)
    assert [each.index for each in found.phases] == list(range(len(plan.phases)))
    for side in (0, 1):
        for each in found.phases:
            assert each.end[side] == each.start[side] + lengths[each.index][side]
            for need in plan.phases[each.index].needs:
                assert found.phases[need.phase].end[side] <= each.start[side]
        for each in found.phases:
            at = each.start[side]
            open_now = [o.index for o in found.phases if o.start[side] <= at < o.end[side]]
            assert sum(needs_worker(plan.phases[i]) for i in open_now) <= plan.execution.max_workers
            for number, group in enumerate(plan.step_groups):
                assert sum(number in plan.phases[i].limits for i in open_now) <= (group.max_workers or 99)
    assert found.wall[1] == max(each.end[1] for each in found.phases)
    assert found.serial[1] == sum(high for _, high in lengths.values())
    assert sorted(index for level in found.groups for index in level) == list(range(len(plan.phases)))


@given(plans())
@settings(max_examples=100, deadline=None)
def test_the_critical_path_leads_from_the_start_to_the_end_without_a_gap(
    drawn: tuple[Plan, Mapping[int, Span]],
) -> None:
    found = forecast(*drawn)
    path = [found.phases[index] for index in found.critical_path]
    assert path[0].start[1] == 0
    assert path[-1].end[1] == found.wall[1]
    pace = drawn[0].execution.rate_limit_delay
    for before, after in pairwise(path):
        assert after.start[1] in {before.end[1], before.start[1] + pace}
    assert all(each.slack == 0 for each in path)
    assert all(0 <= each.slack <= found.wall[1] - each.end[1] + 1e-6 for each in found.phases)


@given(plans(), st.data())
@settings(max_examples=100, deadline=None)
def test_the_rest_of_a_run_is_what_its_forecast_said_all_along(
    drawn: tuple[Plan, Mapping[int, Span]], data: st.DataObject
) -> None:
    plan, lengths = drawn
    # An open run tells neither when it last started a phase nor who waits first for a place in a step group.
    assume(not plan.execution.rate_limit_delay and not plan.step_groups)
    high = {index: (span[1] + 1, span[1] + 1) for index, span in lengths.items()}
    whole = forecast(plan, high)
    now = data.draw(st.integers(0, int(whole.wall[1]) - 1)) + 0.5
    rest = remaining(
        plan,
        high,
        done={each.index for each in whole.phases if each.end[1] <= now},
        running={each.index: now - each.start[1] for each in whole.phases if each.start[1] < now < each.end[1]},
    )
    assert rest.wall[1] == pytest.approx(whole.wall[1] - now)


def test_a_written_list_takes_as_many_rounds_as_its_items_need_places() -> None:
    plan = plan_of(phase(0, for_each=list("abcdefg"), max_parallel=3), execution=Execution(max_workers=8))
    found = forecast(plan, fixed(10))
    assert (found.wall, found.serial) == ((30, 30), (70, 70))
    assert walls(plan, fixed(10), [1, 2, 3, 8]) == {1: (70, 70), 2: (40, 40), 3: (30, 30), 8: (30, 30)}
    assert forecast(plan_of(phase(0, for_each=[])), fixed(10)).wall == (0, 0)
    assert forecast(plan_of(phase(0, for_each="inputs.services")), fixed(10)).wall == (10, 10), "nobody knows how many"
    assert forecast(plan, fixed(10), workers=0).wall == (30, 30), "auto is no limit"


def test_the_work_for_a_phase_does_not_grow_with_their_number() -> None:
    def work(count: int) -> float:
        members = [phase(i, group=i // 10, after_group=i // 10 - 1 if i >= 10 else None) for i in range(count)]
        plan = plan_of(*members, execution=Execution(max_workers=8))
        lengths = {index: (float(index % 7), float(index % 11)) for index in range(count)}
        assert len(forecast(plan, lengths).groups) == count // 10
        return calls(lambda: forecast(plan, lengths)) / count

    assert work(800) < 1.3 * work(200)
