"""`mailbot user`: who may use the desk. A password comes from standard input, a link lets in once, and who is removed is out."""

from contextlib import closing
from pathlib import Path

import pytest

from mailbot.clock import now
from mailbot.database.engine import Database
from mailbot.message.address import Address
from mailbot.web.desk import user_store
from mailbot.web.desk.role import Role
from tests.edges.commands import Commands

AWA = "awa@office.example"
PASSWORD = "four words that stay"


@pytest.fixture
def mailbot(tmp_path: Path, database_url: str) -> Commands:
    commands = Commands(tmp_path)
    commands.configure(database_url, {"security": {"secret_key": "a key for a test"}})
    return commands


def _kept(url: str) -> tuple[str, list[str]]:
    with closing(Database(url)) as database:
        found = database.read_now(user_store.find, AWA)
    assert found is not None
    return found[1], [str(one) for one in found[0].roles]


def test_a_user_is_added_changed_listed_and_removed(mailbot: Commands, database_url: str) -> None:
    word = f"{PASSWORD}\n".encode()
    assert mailbot("user", "add", AWA, "--role", "editor", "--name", "Awa", "--json", given=word).json()["added"] is True
    hashed, roles = _kept(database_url)
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,") and PASSWORD not in hashed and roles == ["editor"]
    with closing(Database(database_url)) as database:
        database.write_now(user_store.begin, AWA, "token", now())
        changed = mailbot("user", "add", AWA, "--role", "approver", "--role", "protection", "--json", given=word).json()
        assert (changed["added"], database.read_now(user_store.who, "token", now())) == (False, None)   # another role, another session
    assert _kept(database_url)[1] == ["approver", "protection"]
    assert mailbot("user", "list", "--json").json()["roles"] == ["approver", "protection"]
    assert mailbot("user", "remove", AWA, "--dry-run", "--json").json()["removed"] is False
    assert mailbot("user", "list", "--json").json()["address"] == AWA
    assert mailbot("user", "remove", AWA, "--json").json()["removed"] is True
    assert mailbot("user", "remove", AWA).code == 1


@pytest.mark.parametrize("password", ["", "short", "x" * 201], ids=["none", "short", "endless"])
def test_a_weak_password_is_refused(mailbot: Commands, password: str) -> None:
    refused = mailbot("user", "add", AWA, "--role", "reader", given=(password + "\n").encode())
    assert (refused.code, "at least 12 letters" in refused.err) == (1, True)
    assert mailbot("user", "list").out == ""


def test_without_a_page_there_is_no_link(mailbot: Commands) -> None:
    assert mailbot("user", "add", AWA, "--role", "reader", "--link").code == 2


def test_words_that_are_no_role_or_no_address_are_refused(mailbot: Commands) -> None:
    assert mailbot("user", "add", AWA, "--role", "king", given=(PASSWORD).encode()).code == 2
    assert mailbot("user", "add", "nobody", "--role", "reader", given=(PASSWORD).encode()).code == 2


def test_a_database_keeps_no_token_that_could_be_used(database: Database) -> None:
    database.write_now(user_store.put, Address(AWA, "Awa"), "fr", [Role.READER], "", now())
    database.write_now(user_store.begin, AWA, "a-session-token", now())
    database.write_now(user_store.offer_link, AWA, "a-link-token", now())
    assert database.read_now(user_store.who, "a-session-token", now()) is not None
    hashed = user_store.hashed("a-session-token")
    assert database.read_now(user_store.who, hashed, now()) is None
