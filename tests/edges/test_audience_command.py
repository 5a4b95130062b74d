"""`mailbot audience`: who is on the press list, how they came there, and taking one off."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailbot.audience import store, suppression_store
from mailbot.audience.journalist import Channel, State, Why
from mailbot.audience.spreadsheet import table
from mailbot.database.broadcast_tables import broadcast, left_out
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


def test_an_address_is_added_with_its_origin_and_never_against_its_owners_wish(mailbot: Commands) -> None:
    mailbot.environment["MAILBOT_SECURITY__SECRET_KEY"] = "a key that only this test knows"
    given = ("--origin", "press day 2026", "--name", "Cy", "--outlet", "Le Phare", "--language", "en")
    assert mailbot("audience", "add", "cy@paper.example", *given, "--json").json()["state"] == "subscribed"
    shown = mailbot("audience", "show", "cy@paper.example", "--json").json()
    kept = {name: shown[name] for name in ("origin", "outlet", "language")}
    assert kept == {"origin": "press day 2026", "outlet": "Le Phare", "language": "en"}
    assert [one["event"] for one in shown["consent"]] == ["added"]
    assert mailbot("audience", "add", "cy@paper.example", *given, "--json").json()["state"] == "subscribed", "twice is once"
    mailbot("audience", "remove", AWA)
    said = mailbot("audience", "add", AWA, *given)
    assert (said.code, said.out) == (1, "")
    assert "only the journalist can come back" in said.err
    facts = ("--beat", "culture", "--place", "Ségou", "--format", "lite", "--notes", "le matin\nseulement")
    mailbot("audience", "add", "di@paper.example", *given, *facts)
    shown = mailbot("audience", "show", "di@paper.example", "--json").json()
    assert [shown[name] for name in ("beat", "place", "format", "notes")] == ["culture", "Ségou", "lite", "le matin seulement"]
    assert mailbot("audience", "add", "di@paper.example", *given, "--format", "fax").code == 2
    assert mailbot("audience", "add", "cy@paper.example", "--origin", " ").code == 2
    assert mailbot("audience", "add", "cy@paper.example", "--origin", "x", "--language", "xx").code == 2


def test_an_address_is_suppressed_and_that_is_lifted_by_a_persons_word(mailbot: Commands, database: Database) -> None:
    mailbot.environment["MAILBOT_SECURITY__SECRET_KEY"] = "a key that only this test knows"
    assert mailbot("audience", "suppress", AWA, "--dry-run", "--json").json()["reasons"] == ["by-hand"]
    assert not database.read_now(suppression_store.is_suppressed, AWA)
    mailbot("audience", "suppress", AWA)
    assert database.read_now(suppression_store.is_suppressed, AWA)
    assert not database.read_now(suppression_store.is_silenced, AWA), "what she asks for is answered"
    assert "is not written to (by-hand)" in mailbot("audience", "add", AWA, "--origin", "x").err
    assert "not written to since" in mailbot("audience", "show", AWA).out
    assert mailbot("audience", "unsuppress", AWA).code == 2, "nobody at a terminal said yes"
    assert database.read_now(suppression_store.is_suppressed, AWA)
    assert mailbot("audience", "unsuppress", AWA, "--yes", "--json").json()["lifted"] == ["by-hand"]
    assert not database.read_now(suppression_store.is_suppressed, AWA)
    assert "lifted" in mailbot("audience", "show", AWA).out


def test_the_list_goes_out_as_a_file_that_no_spreadsheet_acts_on(mailbot: Commands, database: Database, tmp_path: Path) -> None:
    evil = "=HYPERLINK(A1)"
    database.write_now(lambda tx: store.known(tx, Address("eve@paper.example", evil), "fr", NOW))
    assert mailbot("audience", "export", "--file", tmp_path / "list.csv").code == 0
    assert (tmp_path / "list.csv").stat().st_mode & 0o077 == 0
    text = (tmp_path / "list.csv").read_bytes().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["event"] for row in rows if row["address"] == AWA] == ["asked", "confirmed"]
    assert [row["name"] for row in rows if row["address"] == "eve@paper.example"] == ["'" + evil]
    assert mailbot("audience", "export", "--file", tmp_path / "list.csv").code == 1, "no file is written over"
    assert [one["address"] for one in mailbot("audience", "export", "--json").lines()] == [AWA, "bob@paper.example", "eve@paper.example"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_begins_as_a_formula_does(start: str) -> None:
    assert f"'{start}1" in table(["a"], [{"a": f"{start}1"}])
    assert table(["a"], [{"a": -1}]).splitlines()[1] == "-1", "a number is a number"


def test_an_address_a_letter_away_is_named(mailbot: Commands) -> None:
    assert f"Is it {AWA}?" in mailbot("audience", "show", "awo@journal.example").err


def test_what_somebody_did_not_get_is_shown_with_its_reason(mailbot: Commands, database: Database) -> None:
    def left(tx: Tx) -> None:
        kept = {"kind": "release", "release": "fontaine", "state": "finished", "audience": "all", "recipients": 0, "skipped": {}}
        tx.execute(broadcast.insert(), {"id": "b1", "created_at": NOW, **kept})
        who = store.find(tx, AWA)
        assert who is not None
        tx.execute(left_out.insert(), {"broadcast": "b1", "journalist": who.id, "reason": "paused"})

    database.write_now(left)
    assert "announcement b1, 2026-03-01: not sent (paused), fontaine" in mailbot("audience", "show", AWA).out
