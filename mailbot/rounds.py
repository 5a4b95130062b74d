"""The round of a flow that looks again every so often, until it is asked to stop.

These flows stand beside the way of a mail: a list, the next name, an alert, old words. What is wrong with one of them is said at each
look, and keeps nobody from being answered. A database that cannot be used is everybody's trouble, and ends the round.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from mailbot.database.engine import DatabaseUnusable

log = structlog.get_logger()


async def every(seconds: float, stopping: asyncio.Event, flow: str, look: Callable[[], Awaitable[None]]) -> None:
    """Look at once and then every so many seconds. `flow`: its name for the log. Raises DatabaseUnusable."""
    while not stopping.is_set():
        try:
            await look()
        except DatabaseUnusable:
            raise
        except Exception as problem:
            # It may be one row that cannot be dealt with: without a word of anybody's, its kind alone; and the next look tries again.
            log.error("flow-fault", flow=flow, fault=type(problem).__name__, again_in_seconds=seconds)
        await pause(seconds, stopping)


async def pause(seconds: float, stopping: asyncio.Event) -> None:
    """So long, or until it is asked to stop."""
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return
