"""Staying with a run from its very start."""

from __future__ import annotations

import asyncio

from cli.attending import begun


async def test_a_start_is_waited_for_and_ctrl_c_meanwhile_is_told() -> None:
    """What would be cancelled in its middle may have begun a run that nobody knows of."""
    answered = asyncio.Event()

    async def start() -> str:
        await answered.wait()
        return "wf_abc123"

    starting = asyncio.create_task(begun(start()))
    await asyncio.sleep(0)
    starting.cancel()
    await asyncio.wait({starting}, timeout=0.1)
    assert not starting.done()
    answered.set()
    assert await starting == ("wf_abc123", True)


async def test_a_start_without_ctrl_c_tells_of_none() -> None:
    assert await begun(asyncio.sleep(0, "wf_abc123")) == ("wf_abc123", False)
