"""Segments against both databases: whom a filter chooses, and what its name stands for."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailbot.audience import segment_store
from mailbot.audience.segment import parse
from mailbot.database.engine import Database, Tx
from mailbot.database.tables import journalist
from tests.edges.commands import Commands

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
PEOPLE = {
    "awa": {"language": "fr", "medium": "radio", "outlet": "Échos du Nord", "place": "Gao", "topics": None},
    "bob": {"language": "en", "medium": None, "outlet": "", "place": "", "topics": ["Water", "Health"]},
    "lea": {"language": "fr", "medium": "tv", "outlet": "100%_TV", "place": "gao", "topics": []},
}


@pytest.fixture
def listed(database: Database) -> Database:
    def known(tx: Tx) -> None:
        for name, said in PEOPLE.items():
            address = f"{name}@{name}.example"
            fixed = {"key": address, "address": address, "cap_key": address, "name": name, "origin": "", "state": "subscribed"}
            tx.execute(journalist.insert(), [fixed | said | {"created_at": NOW, "changed_at": NOW}])

    database.write_now(known)
    return database


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("language = FR", "awa lea"),
        ("medium != radio", "bob lea"),
        ("place = gao", "awa lea"),
        ('outlet = "Échos du nord"', "awa"),
        ('outlet = "100%_tv"', "lea"),
        ("domain = BOB.example", "bob"),
        ("domain = ob.example", ""),
        ("topic = water", "awa bob lea"),
        ("not topic = sport", "bob"),
        ("email in (awa@awa.example, lea@lea.example) and not name = lea", "awa"),
        ("outlet = \"' OR 1=1 --\"", ""),
    ],
)
def test_a_filter_chooses_whatever_the_case_and_who_wants_all_topics_wants_each(listed: Database, text: str, expected: str) -> None:
    found = listed.read_now(lambda tx: [row.name for row in segment_store.chosen(tx, parse(text))])
    assert " ".join(found) == expected
    assert listed.read_now(segment_store.counted, parse(text)) == len(found)


def test_a_name_stands_for_its_filter_until_it_is_removed(listed: Database, database_url: str, tmp_path: Path) -> None:
    mailbot = Commands(tmp_path)
    mailbot.configure(database_url)
    assert mailbot("audience", "segment", "set", "north", "place = Gao", "--early", "--json").json()["people"] == 2
    mailbot("audience", "segment", "set", "north", "language = en")
    assert mailbot("audience", "segment", "list", "--json").lines() == [
        {"name": "north", "filter": "language = en", "early": False, "people": 1}
    ]
    assert "character 1 is no field" in mailbot("audience", "segment", "set", "x", "colour = red").err
    assert mailbot("audience", "segment", "set", "all", "language = en").code == 2
    assert [mailbot("audience", "segment", "remove", "north").code for _ in range(2)] == [0, 1]


def test_the_list_can_be_looked_at_through_a_filter(listed: Database, database_url: str, tmp_path: Path) -> None:
    mailbot = Commands(tmp_path)
    mailbot.configure(database_url)
    mailbot("audience", "segment", "set", "north", "place = Gao")
    for words in (("--to", "north"), ("--to", "place = gao")):
        assert [row["address"] for row in mailbot("audience", "list", *words, "--json").lines()] == ["awa@awa.example", "lea@lea.example"]
    assert mailbot("audience", "list", "--to", "colour = red").code == 2
