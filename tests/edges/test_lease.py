"""A lease has one holder at a time, on both databases, and a holder that is certainly dead holds nothing."""

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from mailbot.database import lease
from mailbot.database.engine import Database

NOW = datetime(2025, 3, 1, 9, 30, tzinfo=UTC)
LATER = NOW + timedelta(seconds=61)


async def test_the_first_to_ask_gets_it_and_may_renew_it(database: Database) -> None:
    assert await database.write(lease.acquire, "inbox", "a", NOW, 60)
    assert await database.write(lease.acquire, "inbox", "a", NOW, 60)


async def test_of_many_that_ask_at_once_one_gets_it(database: Database) -> None:
    asked = [database.write(lease.acquire, "inbox", f"holder {number}", NOW, 60) for number in range(12)]
    assert sum(await asyncio.gather(*asked)) == 1


async def test_of_many_that_take_over_at_once_one_gets_it(database: Database) -> None:
    await database.write(lease.acquire, "inbox", "the last one", NOW, 60)
    asked = [database.write(lease.acquire, "inbox", f"holder {number}", LATER, 60) for number in range(12)]
    assert sum(await asyncio.gather(*asked)) == 1


@pytest.mark.parametrize(
    ("when", "taken"),
    [
        pytest.param(NOW + timedelta(seconds=59), False, id="while it lasts, no"),
        pytest.param(NOW + timedelta(seconds=60), True, id="from its end on, yes"),
    ],
)
async def test_another_gets_it_only_when_it_has_run_out(database: Database, when: datetime, taken: bool) -> None:
    await database.write(lease.acquire, "inbox", "a", NOW, 60)
    assert await database.write(lease.acquire, "inbox", "b", when, 60) is taken


async def test_given_back_on_a_clean_exit_they_are_free_at_once_and_only_ones_own(database: Database) -> None:
    for name, holder in (("inbox", "a"), ("outbox", "a"), ("another inbox", "c")):
        await database.write(lease.acquire, name, holder, NOW, 60)
    await database.write(lease.release_all, "b")
    assert not await database.write(lease.acquire, "inbox", "b", NOW, 60)
    await database.write(lease.release_all, "a")
    assert await database.read(lease.living, NOW) == {"c"}
    assert await database.write(lease.acquire, "inbox", "b", NOW, 60)


async def test_a_holder_that_lost_it_does_not_get_it_back_by_renewing(database: Database) -> None:
    await database.write(lease.acquire, "inbox", "a", NOW, 60)
    await database.write(lease.acquire, "inbox", "b", LATER, 60)
    assert not await database.write(lease.acquire, "inbox", "a", LATER, 60)


async def test_two_names_are_two_leases(database: Database) -> None:
    assert await database.write(lease.acquire, "inbox", "a", NOW, 60)
    assert await database.write(lease.acquire, "another inbox", "b", NOW, 60)


@pytest.fixture
def dead() -> str:
    """The holder's name of a process of this machine that is no more."""
    program = "from mailbot.database.lease import this_process; print(this_process('gone'), end='')"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


async def test_the_dead_hold_nothing(database: Database, dead: str) -> None:
    assert await database.write(lease.acquire, "inbox", dead, NOW, 60)
    assert await database.read(lease.living, NOW) == frozenset()
    assert await database.write(lease.acquire, "inbox", "b", NOW, 60)


async def test_the_living_are_those_whose_lease_has_not_run_out(database: Database) -> None:
    await database.write(lease.acquire, "inbox", lease.this_process("one"), NOW, 60)
    await database.write(lease.acquire, "outbox", "on another machine", NOW, 600)
    assert await database.read(lease.living, NOW) == {lease.this_process("one"), "on another machine"}
    assert await database.read(lease.living, LATER) == {"on another machine"}


def test_death_is_only_stated_where_it_is_certain(dead: str) -> None:
    assert lease.has_died(dead)
    assert not lease.has_died(lease.this_process("x"))
    host, *rest = dead.split("|")
    assert not lease.has_died("|".join((f"not-{host}", *rest)))
    assert not lease.has_died("a name from elsewhere")


def test_a_process_number_that_was_given_out_again_is_not_the_same_process() -> None:
    host, space, number, born, name = lease.this_process("x").split("|")
    assert lease.has_died("|".join((host, space, number, str(int(born) - 1), name)))
