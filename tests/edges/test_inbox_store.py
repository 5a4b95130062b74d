"""The laws of what is remembered of incoming mail, on both databases."""

from datetime import UTC, datetime, timedelta

import pytest

from mailbot.database.engine import Database
from mailbot.inbox import arrival_store, known_store, store
from mailbot.inbox.arrival_store import Arrival
from mailbot.inbox.store import Record

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def arrival(uid: int, content: bytes | None = b"Subject: a\r\n\r\nb", uidvalidity: int = 7) -> Arrival:
    size = len(content) if content is not None else 99_000_000
    return Arrival(mailbox="INBOX", uidvalidity=uidvalidity, uid=uid, content=content, size=size, received_at=NOW)


def record(folder: str = "mailbot", waiting: bool = False, identity: str = "") -> Record:
    return Record(
        kind="request", outcome="hand_off" if waiting else "ignore", reason="unsure", explanation={"actions": []}, language="fr",
        sender="a@b.example", sender_key="a@b.example", subject="a", message_id="", identity=identity, words="",
        waiting=waiting, folder=folder,
    )  # fmt: skip


def test_the_same_bytes_are_one_mail_however_often_they_lie_there(database: Database) -> None:
    assert database.write_now(arrival_store.keep, [arrival(1), arrival(2)], NOW) == 1
    assert database.write_now(arrival_store.keep, [arrival(1), arrival(9, uidvalidity=8)], NOW) == 0
    assert database.read_now(arrival_store.known_uids, "INBOX", 7) == {1, 2}
    assert database.read_now(arrival_store.known_uids, "INBOX", 8) == {9}
    (mail,) = database.read_now(store.next_stored, 10)
    database.write_now(store.record, mail.id, record(), "automatic", NOW)
    assert database.read_now(arrival_store.to_file, "INBOX", 7) == {"mailbot": [1, 2]}, "each copy is filed"


@pytest.mark.parametrize("octets", [0, 1, arrival_store.PART_OCTETS, arrival_store.PART_OCTETS + 1, 3 * arrival_store.PART_OCTETS])
def test_the_bytes_come_back_as_they_were(database: Database, octets: int) -> None:
    content = bytes(range(256)) * (octets // 256) + b"\0" * (octets % 256)
    database.write_now(arrival_store.keep, [arrival(1, content)], NOW)
    (mail,) = database.read_now(store.next_stored, 1)
    assert database.read_now(arrival_store.content, mail.id, 10 * arrival_store.PART_OCTETS) == content
    assert database.read_now(arrival_store.content, mail.id, 100) == content[:100]


def test_a_few_together_keep_their_order_and_each_its_own_bytes(database: Database) -> None:
    large = b"l" * (2 * arrival_store.PART_OCTETS + 5)
    contents = [b"one", large, b"two", b"one", b"", b"three"]
    assert database.write_now(arrival_store.keep, [arrival(uid, content) for uid, content in enumerate(contents, 1)], NOW) == 5
    found = database.read_now(store.next_stored, 10)
    assert [database.read_now(arrival_store.content, mail.id, len(large)) for mail in found] == [b"one", large, b"two", b"", b"three"]
    small = [mail.id for mail in found if mail.size < 100]
    assert sorted(database.read_now(arrival_store.small_contents, small).values()) == [b"one", b"three", b"two"]
    assert database.read_now(arrival_store.known_uids, "INBOX", 7) == set(range(1, 7)), "the second copy of the first lies there too"


def test_a_mail_over_the_cap_has_a_row_and_no_bytes(database: Database) -> None:
    database.write_now(arrival_store.keep, [arrival(1, None)], NOW)
    (mail,) = database.read_now(store.next_stored, 1)
    assert (mail.size, database.read_now(arrival_store.content, mail.id, 100)) == (99_000_000, b"")


def tried(database: Database, limit: int) -> list[store.Stored]:
    """Give out the next few, and count the attempt."""
    found = database.read_now(store.next_stored, limit)
    database.write_now(store.count_attempt, [mail.id for mail in found])
    return found


def test_an_attempt_is_counted_when_it_begins_and_the_least_tried_goes_first(database: Database) -> None:
    database.write_now(arrival_store.keep, [arrival(1, b"one"), arrival(2, b"two")], NOW)
    assert [mail.attempts for mail in database.read_now(store.next_stored, 2)] == [1, 1], "to read is not to try"
    (first,) = tried(database, 1)
    (second,) = tried(database, 1)
    assert (first.attempts, second.attempts) == (1, 1)
    assert first.id != second.id
    assert [mail.attempts for mail in tried(database, 2)] == [2]


def test_those_who_were_in_hand_together_when_we_died_come_one_by_one_after_it(database: Database) -> None:
    database.write_now(arrival_store.keep, [arrival(1, b"one"), arrival(2, b"two")], NOW)
    first = min(mail.id for mail in tried(database, 10))
    database.write_now(arrival_store.keep, [arrival(3, b"three")], NOW)
    assert [mail.attempts for mail in tried(database, 10)] == [1], "who is new waits for no culprit"
    assert [(mail.id, mail.attempts) for mail in tried(database, 10)] == [(first, 2)]
    third = tried(database, 10)
    assert len(third) == 1
    assert third[0].id != first, "and the others do not pay for the first"


def test_a_mail_is_decided_once(database: Database) -> None:
    database.write_now(arrival_store.keep, [arrival(1)], NOW)
    (mail,) = database.read_now(store.next_stored, 1)
    assert database.write_now(store.record, mail.id, record(), "automatic", NOW)
    assert not database.write_now(store.record, mail.id, record(waiting=True), "automatic", NOW)
    assert (database.read_now(store.handled), database.read_now(store.waiting), database.read_now(store.undecided)) == (1, 0, 0)


def test_a_filed_mail_is_filed_no_more_and_an_observed_one_never(database: Database) -> None:
    database.write_now(arrival_store.keep, [arrival(1, b"one"), arrival(2, b"two")], NOW)
    one, two = database.read_now(store.next_stored, 2)
    database.write_now(store.record, one.id, record("mailbot"), "automatic", NOW)
    database.write_now(store.record, two.id, record(""), "observe", NOW)
    assert database.read_now(arrival_store.to_file, "INBOX", 7) == {"mailbot": [1]}
    database.write_now(arrival_store.filed, "INBOX", 7, [1], NOW)
    assert database.read_now(arrival_store.to_file, "INBOX", 7) == {}


def test_older_mail_is_known_and_has_no_decision_to_wait_for(database: Database) -> None:
    database.write_now(arrival_store.note_older, "INBOX", 7, [1, 2, 3])
    database.write_now(arrival_store.note_older, "INBOX", 7, [3])
    assert database.read_now(arrival_store.known_uids, "INBOX", 7) == {1, 2, 3}
    assert database.read_now(store.next_stored, 5) == []


def test_what_waits_is_closed_by_a_person_once(database: Database) -> None:
    database.write_now(arrival_store.keep, [arrival(1)], NOW)
    (mail,) = database.read_now(store.next_stored, 1)
    database.write_now(store.record, mail.id, record(waiting=True), "automatic", NOW)
    assert database.read_now(store.waiting) == 1
    assert [row["id"] for row in database.read_now(store.unannounced_after, 0)] == [mail.id]
    assert database.write_now(store.close, mail.id, NOW)
    assert not database.write_now(store.close, mail.id, NOW)
    assert database.read_now(store.unannounced_after, 0) == []


def test_a_mail_is_met_before_when_another_with_its_identity_was_decided(database: Database) -> None:
    def met(mail_id: int) -> bool:
        return database.read_now(known_store.look, b"", mail_id, None, "", "same", (), NOW).identity

    database.write_now(arrival_store.keep, [arrival(1, b"one"), arrival(2, b"two")], NOW)
    one, two = database.read_now(store.next_stored, 2)
    assert not met(two.id)
    database.write_now(store.record, one.id, record(identity="same"), "automatic", NOW + timedelta(hours=1))
    assert met(two.id)
    assert not met(one.id), "it is not its own double"


def test_what_is_in_hand_is_not_given_out_again(database: Database) -> None:
    database.write_now(arrival_store.keep, [arrival(1, b"one"), arrival(2, b"two")], NOW)
    (one,) = database.read_now(store.next_stored, 1)
    (two,) = database.read_now(store.next_stored, 5, [one.id])
    assert database.read_now(store.next_stored, 5, [one.id, two.id]) == []
