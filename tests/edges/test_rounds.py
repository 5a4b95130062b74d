"""The round of a flow that looks every so often: what one look cannot deal with ends nothing but that look."""

import asyncio

import pytest

from mailbot.database.engine import DatabaseUnusable
from mailbot.rounds import every


async def test_a_look_that_fails_is_followed_by_the_next() -> None:
    stopping, looks = asyncio.Event(), list[int]()

    async def look() -> None:
        looks.append(len(looks))
        if len(looks) == 1:
            raise ValueError("a row that cannot be dealt with")
        stopping.set()

    await every(0, stopping, "test", look)
    assert looks == [0, 1]


async def test_a_database_that_cannot_be_used_ends_the_round() -> None:
    async def look() -> None:
        raise DatabaseUnusable("the disk is full")

    with pytest.raises(DatabaseUnusable):
        await every(0, asyncio.Event(), "test", look)


async def test_who_is_asked_to_stop_waits_for_no_next_look() -> None:
    stopping = asyncio.Event()

    async def look() -> None:
        asyncio.get_running_loop().call_soon(stopping.set)

    await asyncio.wait_for(every(3600, stopping, "test", look), 5)
