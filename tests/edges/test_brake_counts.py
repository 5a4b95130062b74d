"""What the brakes count, on both databases: the same words, notes about one sender, answers over time; and the breaker's memory."""

from datetime import UTC, datetime, timedelta

from mailbot.database.engine import Database
from mailbot.inbox import arrival_store, breaker, store
from mailbot.inbox.arrival_store import Arrival
from mailbot.inbox.store import Record
from mailbot.message.address import Address
from mailbot.outbox import store as outbox
from mailbot.outbox.delivery import Kind

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, WEEK = NOW - timedelta(hours=1), NOW - timedelta(days=7)


def met(
    database: Database, uid: int, sender: str, *, words: str = "w", outcome: str = "send_release", mode: str = "automatic", ago: float = 0
) -> None:
    """A mail that was decided so many minutes ago."""
    at = NOW - timedelta(minutes=ago)
    content = str(uid).encode()
    database.write_now(
        arrival_store.keep, [Arrival(mailbox="INBOX", uidvalidity=1, uid=uid, content=content, size=len(content), received_at=at)], at
    )
    made = Record(
        kind="request", outcome=outcome, reason="latest-asked", explanation={}, language="fr", sender=sender, sender_key=sender, subject="",
        message_id="", identity="", words=words, waiting=False, folder="mailbot",
    )  # fmt: skip
    database.write_now(store.record, uid, made, mode, at)


def queued(database: Database, number: int, kind: Kind, *, mail: int | None = None, ago: float = 0) -> None:
    draft = outbox.Draft(key=str(number), kind=kind, recipient=Address("a@b.example"), language="fr", subject="", text="", mail=mail)
    database.write_now(outbox.enqueue, draft, str(number), f"<{number}@office.example>", NOW - timedelta(minutes=ago))


def test_other_addresses_that_were_answered_to_the_same_words_are_counted_once_each(database: Database) -> None:
    for uid, sender in enumerate(("a@x.example", "a@x.example", "b@x.example", "me@x.example"), 1):
        met(database, uid, sender)
    met(database, 5, "c@x.example", words="others")
    met(database, 6, "d@x.example", ago=61)
    met(database, 7, "e@x.example", mode="observe")
    met(database, 8, "forged@x.example", outcome="hand_off")
    assert database.read_now(store.same_words, "w", "me@x.example", HOUR, WEEK)[0] == 2


def test_who_was_answered_for_the_same_words_within_the_pause_is_known(database: Database) -> None:
    met(database, 1, "answered@x.example", ago=600)
    met(database, 2, "handed@x.example", outcome="hand_off")
    met(database, 3, "long-ago@x.example", ago=8 * 24 * 60)
    met(database, 4, "others@x.example", words="others")
    names = ("answered", "handed", "long-ago")
    known = {name: database.read_now(store.same_words, "w", f"{name}@x.example", HOUR, WEEK)[1] for name in names}
    assert known == {"answered": True, "handed": False, "long-ago": False}
    assert not database.read_now(store.same_words, "w", "others@x.example", HOUR, WEEK)[1]


def test_notes_are_counted_by_whose_mail_they_are_about(database: Database) -> None:
    met(database, 1, "a@x.example")
    met(database, 2, "b@x.example")
    queued(database, 1, Kind.HAND_OFF, mail=1)
    queued(database, 2, Kind.HAND_OFF, mail=1, ago=61)
    queued(database, 3, Kind.HAND_OFF, mail=2)
    queued(database, 4, Kind.ANSWER, mail=1)
    queued(database, 5, Kind.HAND_OFF)
    assert database.read_now(store.hand_offs_about, "a@x.example", HOUR) == 1


def test_the_times_of_answers_come_oldest_first(database: Database) -> None:
    for number, ago in enumerate((5, 9, 70)):
        queued(database, number, Kind.ANSWER, ago=ago)
    queued(database, 9, Kind.HAND_OFF)
    assert database.read_now(outbox.times_since, Kind.ANSWER, HOUR) == [NOW - timedelta(minutes=9), NOW - timedelta(minutes=5)]


def test_a_reset_says_whether_anything_had_tripped(database: Database) -> None:
    assert database.write_now(breaker.reset, NOW) is False
    assert database.read_now(breaker.is_tripped) is False
