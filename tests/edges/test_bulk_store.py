"""The laws of an announcement's queue, on both databases."""

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from mailbot.database.broadcast_tables import broadcast
from mailbot.database.engine import Database, Tx
from mailbot.database.tables import delivery, journalist
from mailbot.message import token
from mailbot.message.letter import Letter, mark
from mailbot.message.outgoing import File
from mailbot.outbox import bulk_store, store
from mailbot.outbox.bulk_store import Addressee
from mailbot.outbox.delivery import DeliveryState

NOW = datetime(2026, 3, 4, 9, tzinfo=UTC)
SECRET = b"s" * 32
LETTER = Letter(
    language="fr",
    edition="fontaine",
    content_hash="a" * 64,
    subject=f"{mark('name')}, une fontaine",
    text="Texte",
    html="<p>Texte</p>",
    headers=(("List-Id", "<presse>"),),
    files=(File("é.bin", "image/jpeg", bytes(range(256))),),
)


def announced(tx: Tx, number: int = 3, state: str = "sending", name: str = "b1") -> int:
    """A broadcast to so many journalists; its letter."""
    plan = {
        "id": name,
        "kind": "release",
        "release": "fontaine",
        "state": state,
        "audience": "all",
        "recipients": number,
        "skipped": {},
        "created_at": NOW,
    }
    tx.execute(broadcast.insert(), plan)
    for one in range(1, number + 1):
        row = {
            "id": one,
            "key": f"j{one}@journal.example",
            "address": f"j{one}@journal.example",
            "cap_key": f"j{one}@journal.example",
            "name": "",
            "language": "fr",
            "outlet": "",
            "state": "subscribed",
            "origin": "list",
            "created_at": NOW,
            "changed_at": NOW,
        }
        tx.execute(journalist.insert(), row)
    return bulk_store.put_letters(tx, name, [LETTER])[0]


def addressees(letter: int, numbers: Iterable[int]) -> list[Addressee]:
    return [
        Addressee(journalist=n, address=f"J{n}@journal.example", name=f"Awa {n}", letter=letter, facts={"origin": "list"}) for n in numbers
    ]


def queue(database: Database, number: int = 3) -> int:
    letter = database.write_now(announced, number)
    asked = addressees(letter, range(1, number + 1))
    assert database.write_now(bulk_store.enqueue_all, "b1", "fontaine", asked, SECRET, "office.example", NOW) == number
    return letter


def queue_more(database: Database, letter: int) -> int:
    return database.write_now(bulk_store.enqueue_all, "b1", "fontaine", addressees(letter, [6]), SECRET, "office.example", NOW)


def rows(database: Database) -> list[sa.Row[tuple[object, ...]]]:
    return database.read_now(lambda tx: list(tx.execute(sa.select(delivery).order_by(delivery.c.journalist))))


def test_a_letter_is_kept_as_it_was_written(database: Database) -> None:
    letter = database.write_now(announced)
    assert database.read_now(bulk_store.letters_of, "b1") == {letter: LETTER}


@pytest.mark.parametrize("again", [[6, 1], [6, 7, 6], [1, 2, 3, 4, 5]])
def test_nobody_is_queued_twice_and_nobody_at_all_where_one_would_be(
    database: Database, monkeypatch: pytest.MonkeyPatch, again: list[int]
) -> None:
    monkeypatch.setattr(bulk_store, "AT_ONCE", 2)
    letter = queue(database, 5)
    with pytest.raises(sa.exc.IntegrityError):
        database.write_now(bulk_store.enqueue_all, "b1", "fontaine", addressees(letter, again), SECRET, "office.example", NOW)
    assert len(rows(database)) == database.read_now(bulk_store.states_of, "b1")["queued"] == 5
    assert queue_more(database, letter) == 1


def test_a_row_says_who_gets_what_and_nothing_of_the_text(database: Database) -> None:
    letter = queue(database, 1)
    (row,) = rows(database)
    assert (row.journalist, row.letter, row.broadcast, row.release, row.edition) == (1, letter, "b1", "fontaine", "fontaine")
    assert (row.recipient, row.recipient_key, row.recipient_domain, row.language) == (
        "J1@journal.example",
        "j1@journal.example",
        "journal.example",
        "fr",
    )
    assert (row.subject, row.text, row.html, row.raw, row.content_hash) == ("", "", "", None, "a" * 64)
    assert row.written_from == {"origin": "list"} and token.own_delivery(SECRET, row.message_id) == row.id


def test_nobody_is_queued_where_one_has_no_address(database: Database) -> None:
    letter = database.write_now(announced)
    wrong = [*addressees(letter, [1, 2]), Addressee(journalist=3, address="x y\r\n@z", name="", letter=letter)]
    with pytest.raises(ValueError, match="journalist 3"):
        database.write_now(bulk_store.enqueue_all, "b1", "fontaine", wrong, SECRET, "office.example", NOW)
    assert rows(database) == []


def test_nobody_is_queued_where_a_letter_is_none_of_this_announcement(database: Database) -> None:
    letter, foreign = queue(database, 5), database.write_now(announced, 0, "sending", "b2")
    for other in (foreign, foreign + 1):
        asked = [*addressees(letter, [6]), *addressees(other, [7])]
        with pytest.raises(ValueError, match="none of broadcast b1"):
            database.write_now(bulk_store.enqueue_all, "b1", "fontaine", asked, SECRET, "office.example", NOW)
    assert len(rows(database)) == 5


def test_the_single_path_leaves_what_is_written_from_a_letter_alone(database: Database) -> None:
    queue(database)
    assert database.write_now(store.claim, "worker", NOW) is None
    assert database.read_now(store.next_due) is None


def test_what_waits_can_be_cancelled_and_the_states_add_up(database: Database) -> None:
    queue(database, 4)
    database.write_now(lambda tx: tx.execute(delivery.update().where(delivery.c.journalist == 1).values(state="sent")))
    assert database.write_now(bulk_store.cancel_waiting, "b1", "stopped", NOW) == 3
    states = database.read_now(bulk_store.states_of, "b1")
    assert (states["sent"], states["cancelled"], sum(states.values())) == (1, 3, 4)


def test_a_correction_gives_the_new_letter_to_whom_the_old_one_has_certainly_not_left(database: Database) -> None:
    letter = queue(database, 6)
    been = [
        ("queued", {}),
        ("retrying", {"attempts": 1, "raw_hash": "x", "date": NOW}),
        ("retrying", {"attempts": 1, "doubts": 1, "raw_hash": "x"}),
        ("sending", {"holder": "w", "fence": 1}),
        ("sending", {"holder": "w", "fence": 1, "in_doubt_since": NOW}),
        ("sent", {}),
    ]
    for number, (state, more) in enumerate(been, 1):
        there = delivery.update().where(delivery.c.journalist == number).values(state=state, **more)
        database.write_now(lambda tx, there=there: tx.execute(there))
    new = Letter(language="fr", edition="fontaine", content_hash="b" * 64, subject="Correction", text="Texte")

    done = database.write_now(bulk_store.swap_letter, "b1", letter, new, "corrected since", NOW)

    found = rows(database)
    assert (done.waiting, done.doubtful) == (3, 1)
    assert [row.letter == done.letter for row in found] == [True, True, False, True, False, False]
    assert [row.state for row in found] == ["queued", "retrying", DeliveryState.CANCELLED, "queued", "sending", "sent"]
    assert [row.raw_hash for row in found[:2]] == ["", ""] and found[3].holder == "" and found[0].content_hash == "b" * 64
