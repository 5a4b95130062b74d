"""Somebody is forgotten while an announcement to the list is planned: the two wait for each other, and no row keeps the address."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from mailbot.archive import forget, forget_store
from mailbot.archive.person import pattern, person
from mailbot.broadcast.announce import Order, announce
from mailbot.broadcast.broadcast import Kind
from mailbot.broadcast.letters import Readers
from mailbot.database.engine import Database, Tx
from mailbot.database.tables import delivery
from tests.edges.announced import announce as announced
from tests.edges.newsroom import NOW, SECRET, Newsroom, newsroom
from tests.edges.test_retention import TERMS

AWA, BO = "awa@journal.example", "bo@paper.example"
WHO = person(AWA, (), "***")
ORDER = Order(release="marche", kind=Kind.RELEASE, audience="all", where=None, early=False)


@pytest.fixture
def office(database: Database, database_url: str, tmp_path: Path) -> Newsroom:
    """A newsroom with two people on the list, who have had one announcement."""
    made = newsroom(database, database_url, tmp_path)
    database.write_now(announced, [AWA, BO], SECRET.encode())
    return made


def recipients(tx: Tx, broadcast: str) -> list[str]:
    return sorted(tx.execute(sa.select(delivery.c.recipient).where(delivery.c.broadcast == broadcast)).scalars())


def plan(tx: Tx, office: Newsroom) -> None:
    secret = SECRET.encode()
    announce(tx, office.desk.office, Readers(office.desk.office, secret), secret, ORDER, "b2", NOW)


def is_waiting(database: Database) -> bool:
    asked = sa.text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
    return bool(database.read_now(lambda tx: tx.execute(asked).scalar()))


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_who_is_forgotten_while_an_announcement_is_planned_is_in_none_of_its_rows(office: Newsroom) -> None:
    with ThreadPoolExecutor(1) as pool:
        with office.database.engine.begin() as tx:
            plan(tx, office)
            assert recipients(tx, "b2") == [AWA, BO]
            forgetting = pool.submit(forget.forget, office.database, WHO, TERMS, SECRET.encode(), NOW)
            while not forgetting.done() and not is_waiting(office.database):
                continue
            assert not forgetting.done()
        forgetting.result()
    for broadcast in ("b1", "b2"):
        assert office.database.read_now(recipients, broadcast) == ["", BO]
    assert [one for one in office.unsound() if "journalist" in one] == []


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_an_announcement_that_is_planned_while_somebody_is_forgotten_goes_to_the_others(office: Newsroom) -> None:
    with ThreadPoolExecutor(1) as pool:
        with office.database.engine.begin() as tx:
            found = forget.look(office.database, WHO)
            forget_store.forget(tx, WHO, pattern(WHO), found, TERMS, "digest", NOW)
            planning = pool.submit(office.database.write_now, plan, office)
            while not planning.done() and not is_waiting(office.database):
                continue
            assert not planning.done()
        planning.result()
    assert office.database.read_now(recipients, "b2") == [BO]
