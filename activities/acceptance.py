"""Acceptance tests: shell commands that decide, as part of the attempt, whether the work is good."""

from __future__ import annotations

from activities.failures import AttemptError
from activities.job import SHELL, Job
from engine.plan import Json

TAIL = 500
"""Characters of a failing test's output that its result keeps."""


async def run_tests(job: Job) -> Json:
    """Run all tests of the task, one after another; their results.

    Raises:
        AttemptError: one of them failed, or the time was up.
    """
    results: list[Json] = []
    for test in job.task.acceptance_tests:
        ended, output = await job.try_out([SHELL, "-c", test])
        tail = output.tail()
        if ended.timed_out:
            job.require_end(ended, f"test {test!r}", tail)
        code = ended.exit_code if ended.exit_code is not None else -(ended.signal or 0)
        passed = ended.exit_code == 0
        results.append({"test": test, "passed": passed, "exit_code": code, "tail": "" if passed else tail[-TAIL:]})
        await job.log.log.say("INFO" if passed else "WARNING", f"Test: {test} - {'Passed' if passed else 'Failed'}")
    failed = [result for result in results if not result["passed"]]
    summary = {"passed": len(results) - len(failed), "failed": len(failed), "total": len(results), "results": results}
    if failed:
        raise AttemptError(
            "tests_failed",
            f"{len(failed)} of {len(results)} acceptance tests failed: {failed[0]['test']}",
            exit_code=failed[0]["exit_code"],
            tail=failed[0]["tail"],
            tests=summary,
        )
    return summary
