"""The press list as it is kept, on both databases: one row an address, a consent for each change, a token that is used once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from mailbot.audience import store
from mailbot.audience.journalist import Channel, Journalist, Purpose, State, Why
from mailbot.database.engine import Database, Tx
from mailbot.database.tables import confirmation, consent, journalist
from mailbot.message.address import Address
from mailbot.outbox import store as outbox
from mailbot.outbox.delivery import Kind

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
AWA = Address("Awa.Toure@mail.example", "Awa Touré")


def questioned(tx: Tx, delivery: str, to: Address = AWA, purpose: Purpose = Purpose.JOIN, at: datetime = NOW) -> Journalist:
    """The address is asked by this delivery, whose token is its name."""
    who = store.known(tx, to, "fr", at)
    draft = outbox.Draft(key=delivery, kind=Kind.CONFIRMATION, recipient=to, language="fr", subject="s", text="t")
    outbox.enqueue(tx, draft, delivery, f"<{delivery}@x>", at)
    store.ask(tx, who, purpose, delivery, f"token of {delivery}", at)
    return who


def test_the_same_address_is_one_journalist_and_the_first_spelling_stays(database: Database) -> None:
    first = database.write_now(store.known, AWA, "fr", NOW)
    again = database.write_now(store.known, Address("AWA.TOURE@MAIL.example", "Somebody"), "en", NOW)
    assert first == again == database.read_now(store.find, AWA.key)
    assert (first.state, first.name, first.language, first.address) == (State.NONE, "Awa Touré", "fr", AWA.address)
    assert database.read_now(store.find, "nobody@mail.example") is None


def test_a_state_changes_from_the_one_that_was_seen_and_from_no_other(database: Database) -> None:
    who = database.write_now(store.known, AWA, "fr", NOW)
    assert database.write_now(store.become, who, State.ASKED, NOW)
    assert not database.write_now(store.become, who, State.SUBSCRIBED, NOW), "it was seen before somebody else changed it"
    assert database.write_now(store.become, replace(who, state=State.ASKED), State.SUBSCRIBED, NOW)


def test_a_token_is_used_once_and_for_its_purpose_alone(database: Database) -> None:
    database.write_now(questioned, "d1")
    for token, purpose in (("token of d2", Purpose.JOIN), ("", Purpose.JOIN), ("d1", Purpose.JOIN), ("token of d1", Purpose.LEAVE)):
        assert not database.write_now(store.redeem, token, purpose, NOW)
    assert database.write_now(store.redeem, "token of d1", Purpose.JOIN, NOW)
    assert not database.write_now(store.redeem, "token of d1", Purpose.JOIN, NOW)
    found = database.read_now(store.asked, ["d1"])
    assert found is not None and found.is_used


def test_no_token_can_be_read_in_the_database(database: Database) -> None:
    database.write_now(questioned, "d1")
    kept = database.read_now(lambda tx: [str(row) for row in tx.execute(sa.select(confirmation))])
    assert "token of" not in "".join(kept)


def test_what_a_mail_answers_is_the_newest_of_our_questions_that_it_names(database: Database) -> None:
    database.write_now(questioned, "d1")
    database.write_now(questioned, "d2", AWA, Purpose.LEAVE, NOW + timedelta(minutes=1))
    for named in (["d1", "d2", "dx"], ["d2", "d1"]):
        found = database.read_now(store.asked, named)
        assert found is not None
        assert (found.delivery, found.purpose, found.journalist.key, found.at) == ("d2", Purpose.LEAVE, AWA.key, NOW + timedelta(minutes=1))
    assert database.read_now(store.asked, ["dx"]) is None
    assert database.read_now(store.asked, []) is None


@pytest.mark.parametrize(
    ("address", "counts"),
    [
        ("a.b@gmail.com", True), ("ab@gmail.com", True), ("A.B+press@GMAIL.com", True),
        ("abc@gmail.com", False), ("a.b@mail.example", False),
    ],
)  # fmt: skip
def test_every_spelling_of_a_mailbox_counts_for_the_question_of_the_day(database: Database, address: str, counts: bool) -> None:
    database.write_now(questioned, "d1", Address("a.b+x@gmail.com"))
    database.write_now(questioned, "d2", Address("a.b@gmail.com"), Purpose.JOIN, NOW + timedelta(hours=1))
    found = database.read_now(store.last_asked, address)
    assert found == ({Purpose.JOIN: NOW + timedelta(hours=1)} if counts else {})


def test_consent_is_kept_with_its_time_way_and_words_oldest_first(database: Database) -> None:
    who = database.write_now(store.known, AWA, "fr", NOW)
    database.write_now(store.note, who, Channel.MAIL, Why.CONFIRMED, "  OUI\r\n merci  ", None, NOW)
    database.write_now(store.note, who, Channel.MAIL, Why.LEFT, "x" * 5000, None, NOW + timedelta(days=1))
    row = database.read_now(store.shown, AWA.key)
    assert row is not None
    assert [(one["at"], one["channel"], one["event"], one["words"]) for one in row["consent"]] == [
        (NOW, "mail", "confirmed", "OUI merci"),
        (NOW + timedelta(days=1), "mail", "left", "x" * store.LONGEST_WORDS),
    ]


def test_a_colleague_removes_once_and_it_is_on_record(database: Database) -> None:
    assert database.write_now(store.remove, AWA.key, NOW) is None
    database.write_now(store.known, AWA, "fr", NOW)
    for _ in range(2):
        database.write_now(store.remove, AWA.key, NOW)
    row = database.read_now(store.shown, AWA.key)
    assert row is not None
    assert (row["state"], [(one["channel"], one["event"]) for one in row["consent"]]) == ("unsubscribed", [("command", "removed")])


def test_who_is_forgotten_takes_consent_and_questions_along(database: Database) -> None:
    who = database.write_now(questioned, "d1")
    database.write_now(store.note, who, Channel.MAIL, Why.ASKED, "v", None, NOW)
    database.write_now(lambda tx: tx.execute(journalist.delete()))
    assert database.read_now(lambda tx: [*tx.execute(sa.select(consent)), *tx.execute(sa.select(confirmation))]) == []


def test_a_crash_in_between_leaves_neither_the_state_nor_the_question_nor_the_mail(database: Database) -> None:
    """State, consent, question and mail are one transaction: whoever dies in it has done nothing, and the next start does all of it."""
    class Died(Exception):
        """As if the process were killed."""

    def half(tx: Tx) -> None:
        who = questioned(tx, "d1")
        store.become(tx, who, State.ASKED, NOW)
        store.note(tx, who, Channel.MAIL, Why.ASKED, "v", None, NOW)
        raise Died

    with pytest.raises(Died):
        database.write_now(half)
    assert database.read_now(store.find, AWA.key) is None
    assert database.read_now(store.last_asked, AWA.address) == {}
    assert database.read_now(outbox.listed) == []
