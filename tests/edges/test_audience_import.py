"""`mailbot audience import`: who comes onto the press list by it, who does not, and what each line is told."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from mailbot.audience import store, suppression_store
from mailbot.audience.forgotten import digest
from mailbot.audience.journalist import State
from mailbot.database.engine import Database, Tx
from mailbot.database.tables import consent, delivery, journalist
from mailbot.message.address import Address
from tests.edges.commands import Commands

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
SECRET = "0123456789abcdef" * 2
LIST = """Courriel;Nom;Média;Type;Langue;Format;Ville
awa@journal.example;Awa Traoré;L'Essor;presse;français;texte;Bamako
left@paper.example;Lea;;;;;
barred@paper.example;Bob;;;;;
forgotten@paper.example;Nobody;;;;;
nonsense;;;;;;
"""
IMPORT = ("audience", "import", "list.csv", "--origin", "press list 2023")


@pytest.fixture
def mailbot(tmp_path: Path, database: Database, database_url: str) -> Commands:
    """An office whose list somebody has left, with an address that is suppressed and one that was forgotten."""
    commands = Commands(tmp_path)
    commands.configure(database_url, {"security": {"secret_key": SECRET}})
    (tmp_path / "list.csv").write_text(LIST, encoding="cp1252")

    def known(tx: Tx) -> None:
        left = store.known(tx, Address("left@paper.example"), "fr", NOW)
        store.become(tx, left, State.UNSUBSCRIBED, NOW)
        suppression_store.suppress(tx, "barred@paper.example", "hard-bounce", NOW)
        suppression_store.suppress(tx, digest(SECRET.encode(), "forgotten@paper.example"), "forgotten", NOW)

    database.write_now(known)
    return commands


def people(database: Database) -> dict[str, tuple[str, ...]]:
    columns = [journalist.c[name] for name in ("state", "name", "outlet", "medium", "language", "format", "place", "origin")]
    return {row.key: tuple(row)[1:] for row in database.read_now(lambda tx: list(tx.execute(sa.select(journalist.c.key, *columns))))}


def test_new_people_join_and_nobody_comes_back_by_a_list(mailbot: Commands, database: Database) -> None:
    told = mailbot(*IMPORT, "--json").json()
    assert {name: told[name] for name in ("added", "updated", "unchanged", "refused")} == {
        "added": 1, "updated": 0, "unchanged": 0, "refused": 4,
    }  # fmt: skip
    assert [(line["line"], line["refused"]) for line in told["lines"]] == [(3, True), (4, True), (5, True), (6, True)]
    found = people(database)
    assert found["awa@journal.example"] == (
        "subscribed", "Awa Traoré", "L'Essor", "press", "fr", "text", "Bamako", "press list 2023",
    )  # fmt: skip
    assert found["left@paper.example"][0] == "unsubscribed"
    assert found.keys() == {"awa@journal.example", "left@paper.example"}
    with database.engine.connect() as tx:
        assert [(row.event, row.channel, row.words) for row in tx.execute(sa.select(consent))] == [("added", "command", "press list 2023")]
        assert tx.execute(sa.select(sa.func.count()).select_from(delivery)).scalar() == 0


def test_the_same_list_twice_changes_nothing_and_a_newer_one_what_it_says(mailbot: Commands, database: Database) -> None:
    mailbot(*IMPORT)
    before = people(database)
    assert mailbot(*IMPORT, "--json").json()["unchanged"] == 1
    assert people(database) == before
    (mailbot.folder / "list.csv").write_text("email,outlet,name\nAWA@journal.example,Le Soir,\n")
    assert mailbot(*IMPORT, "--json").json()["updated"] == 1
    assert people(database)["awa@journal.example"][:3] == ("subscribed", "Awa Traoré", "Le Soir")


def test_a_rehearsal_changes_nothing(mailbot: Commands, database: Database) -> None:
    before = people(database)
    said = mailbot(*IMPORT, "--dry-run")
    assert "1 added" in said.out and "nothing was changed" in said.out
    assert people(database) == before


def test_with_unconfirmed_each_is_asked_once_and_nobody_joins(mailbot: Commands, database: Database) -> None:
    for asked in (1, 1):
        assert mailbot(*IMPORT, "--unconfirmed", "--json").json()["asked"] == asked
    assert people(database)["awa@journal.example"][0] == "asked"
    with database.engine.connect() as tx:
        (mail,) = tx.execute(sa.select(delivery))
    assert (mail.recipient, mail.kind, mail.language) == ("awa@journal.example", "confirmation", "fr")
    assert "press list 2023" in mail.text and "OUI" in mail.text


@pytest.mark.parametrize("content", ["email\n", "name\nAwa\n", "email;name\nnobody;Awa\n"], ids=["no line", "no addresses", "all refused"])
def test_a_list_without_anybody_is_an_error(mailbot: Commands, content: str) -> None:
    (mailbot.folder / "list.csv").write_text(content)
    assert mailbot(*IMPORT).code == 1


def test_a_list_needs_its_origin_and_a_file(mailbot: Commands) -> None:
    assert mailbot("audience", "import", "list.csv", "--origin", " ").code == 2
    assert mailbot("audience", "import", "nowhere.csv", "--origin", "x").code == 1
