"""`mailbot audience`: who is on the press list, how they came there, and taking one off."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailbot.audience import store
from mailbot.audience.journalist import Channel, State, Why
from mailbot.database.engine import Database, Tx
from mailbot.message.address import Address
from tests.edges.commands import Commands

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
AWA = "awa@journal.example"


@pytest.fixture
def mailbot(tmp_path: Path, database: Database, database_url: str) -> Commands:
    """An office with two journalists: Awa has confirmed, Bob was asked."""
    folder = tmp_path / "office"
    folder.mkdir()
    commands = Commands(folder)
    commands.configure(database_url)
    database.write_now(_known)
    return commands


def _known(tx: Tx) -> None:
    awa = store.known(tx, Address(AWA, "Awa \x1b[31mTraoré"), "fr", NOW)
    store.become(tx, awa, State.SUBSCRIBED, NOW)
    store.note(tx, awa, Channel.MAIL, Why.ASKED, "confirm_subscription/fr 0123", None, NOW)
    store.note(tx, awa, Channel.MAIL, Why.CONFIRMED, "OUI \x1b[2J", None, NOW)
    store.become(tx, store.known(tx, Address("bob@paper.example"), "en", NOW), State.ASKED, NOW)


def test_everybody_is_listed_with_where_they_stand(mailbot: Commands) -> None:
    assert {row["address"]: row["state"] for row in mailbot("audience", "list", "--json").lines()} == {
        AWA: "subscribed", "bob@paper.example": "asked",
    }  # fmt: skip
    assert mailbot("audience", "list").out.count("\n") == 2


def test_one_is_shown_with_the_history_of_consent(mailbot: Commands) -> None:
    shown = mailbot("audience", "show", AWA.upper(), "--json").json()
    assert (shown["state"], [(one["event"], one["channel"]) for one in shown["consent"]]) == (
        "subscribed", [("asked", "mail"), ("confirmed", "mail")],
    )  # fmt: skip
    assert "confirm_subscription/fr 0123" in mailbot("audience", "show", AWA).out


def test_no_strangers_name_commands_the_terminal(mailbot: Commands) -> None:
    for words in (("list",), ("show", AWA)):
        assert "\x1b" not in mailbot("audience", *words).out


def test_one_is_removed_once_and_that_is_on_record(mailbot: Commands) -> None:
    gone = {"address": AWA, "before": "subscribed", "state": "unsubscribed"}
    assert mailbot("audience", "remove", AWA, "--dry-run", "--json").json() == gone | {"dry_run": True}
    assert mailbot("audience", "show", AWA, "--json").json()["state"] == "subscribed"
    assert mailbot("audience", "remove", AWA, "--json").json() == gone | {"dry_run": False}
    assert mailbot("audience", "remove", AWA).out == f"{AWA}: unsubscribed -> unsubscribed\n"
    last = mailbot("audience", "show", AWA, "--json").json()["consent"][-1]
    assert (last["event"], last["channel"]) == ("removed", "command")


@pytest.mark.parametrize("words", [("show",), ("remove",), ("remove", "--dry-run")])
@pytest.mark.parametrize("address", ["nobody@paper.example", "no address at all"])
def test_whom_nobody_knows_is_said_so(mailbot: Commands, words: tuple[str, ...], address: str) -> None:
    said = mailbot("audience", words[0], address, *words[1:])
    assert (said.code, said.out) == (1, "")
    assert "there is no journalist" in said.err
