"""The laws of what is remembered of colleagues' own answers, on both databases, and of the look into the Sent folder, on a real Dovecot."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from mailbot.database import flag
from mailbot.database.engine import Database
from mailbot.inbox import arrival_store, direct_answer_store, store
from mailbot.inbox.direct_answer import DirectAnswer, marks_of
from mailbot.inbox.imap import Server, Session
from mailbot.inbox.notice_answers import SentFolder, sent_folder
from mailbot.inbox.read_mail import Read
from mailbot.message import token
from mailbot.message.address import key
from mailbot.message.incoming import parse
from tests.servers.dovecot import Dovecot

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PREFIXES = frozenset({"re"})
AWA, SECRET = "awa@radio.example", b"a secret"
NUMBERS = count(1)


def waiting_mail(database: Database, number: int = 1, mode: str = "automatic", at: datetime = NOW) -> int:
    """A mail of Awa's that a person has to answer, or that was observed."""
    database.write_now(arrival_store.keep, [arrival_store.Arrival(
        mailbox="INBOX", uidvalidity=1, uid=number, content=b"mail %d" % number, size=6, received_at=at,
    )], at)  # fmt: skip
    (stored,) = database.read_now(store.next_stored, 1)
    made = store.Record(
        kind="request", outcome="hand_off", reason="interview", explanation={}, language="fr", sender=AWA, sender_key=key(AWA),
        subject=f"Demande {number}", message_id=f"<{number}@radio.example>", identity="", words="", waiting=mode != "observe",
        folder="" if mode == "observe" else "mailbot/attention",
    )  # fmt: skip
    assert database.write_now(store.record, stored.id, made, mode, at)
    return stored.id


def answer(number: int = 1, at: datetime = NOW + timedelta(hours=1)) -> DirectAnswer:
    return DirectAnswer(at, (key(AWA),), marks_of(f"<{number}@radio.example>", "", key(AWA), PREFIXES))


def settled(database: Database, *answers: DirectAnswer, after: datetime = NOW + timedelta(days=1)) -> list[int]:
    def both(tx: store.Tx) -> list[int]:
        direct_answer_store.remember_answers(tx, answers)
        return direct_answer_store.settle_answered(tx, {one for given in answers for one in given.recipients}, after, PREFIXES)

    return database.write_now(both)


@pytest.mark.parametrize("mode", ["automatic", "draft", "observe"])
def test_what_a_colleague_answered_waits_no_longer_and_says_when(database: Database, mode: str) -> None:
    first, other = waiting_mail(database, 1, mode), waiting_mail(database, 2, mode)
    assert settled(database, answer(1)) == [first]
    rows = {row["id"]: row for row in database.read_now(store.listed)}
    assert (rows[first]["waiting"], rows[first]["answered_at"]) == (False, NOW + timedelta(hours=1))
    assert (rows[other]["waiting"], rows[other]["answered_at"]) == (mode != "observe", None)
    assert settled(database, answer(1)) == [], "to hear it twice changes nothing"


def test_what_was_sent_before_a_mail_came_does_not_answer_it(database: Database) -> None:
    waiting_mail(database)
    assert settled(database, answer(at=NOW - timedelta(seconds=1))) == []


def test_an_answer_that_was_there_first_is_found_when_the_mail_is_decided(database: Database) -> None:
    settled(database, answer(1))
    marks = marks_of("<1@radio.example>", "", key(AWA), PREFIXES)
    assert database.read_now(direct_answer_store.answer_to, marks, NOW) == NOW + timedelta(hours=1)
    assert database.read_now(direct_answer_store.answer_to, marks, NOW + timedelta(hours=2)) is None
    assert database.read_now(direct_answer_store.answer_to, frozenset(), NOW) is None


def test_a_mail_that_was_decided_at_the_same_moment_is_settled_by_the_next_look(database: Database) -> None:
    settled(database, answer(1))
    mail_id = waiting_mail(database)
    assert settled(database, after=NOW - timedelta(minutes=1)) == [mail_id]


def test_a_call_for_help_is_open_until_somebody_has_dealt_with_it(database: Database) -> None:
    mail_id = waiting_mail(database)
    assert not database.read_now(store.help_is_open, key(AWA)), "an interview is none"

    def plea(tx: store.Tx) -> None:
        tx.execute(store.mail.update().values(reason="call-for-help"))

    database.write_now(plea)
    assert database.read_now(store.help_is_open, key(AWA))
    assert not database.read_now(store.help_is_open, key("moussa@radio.example"))
    assert settled(database, answer(1)) == [mail_id]
    assert not database.read_now(store.help_is_open, key(AWA))


# --- the folder ---


async def _read(head: bytes, size: int, now: datetime) -> Read:
    return parse(head, size), None


@pytest.fixture
def user(dovecot: Dovecot) -> str:
    address = f"sent-{next(NUMBERS)}@office.example"
    dovecot.add_user(address)
    return address


@pytest.fixture
async def session(dovecot: Dovecot, user: str) -> AsyncIterator[Session]:
    opened = await Session.open(Server(host=dovecot.host, port=dovecot.imap_port, security="plain", username=user, password="secret"))
    yield opened
    await opened.close()


@pytest.fixture
def folder(database: Database) -> Callable[[str], SentFolder]:
    """Looks as a fresh process does."""

    def fresh(name: str = "") -> SentFolder:
        return SentFolder(
            database=database, read=_read, name=name, prefixes=PREFIXES, secret=SECRET, every_seconds=60, clock=lambda: NOW
        )

    return fresh


def reply(number: int = 1, message_id: str = "<reply@office.example>") -> bytes:
    lines = ["From: presse@office.example", f"To: {AWA}", "Subject: Re: x", f"Message-ID: {message_id}"]
    return "\r\n".join([*lines, f"In-Reply-To: <{number}@radio.example>", "", "Bonjour Awa"]).encode()


Fresh = Callable[..., SentFolder]
BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)


async def test_a_sent_answer_is_noticed_and_the_folder_is_left_as_it_was(
    database: Database, folder: Fresh, session: Session, dovecot: Dovecot, user: str
) -> None:
    mail_id = waiting_mail(database)
    assert await sent_folder(session) == "Sent Items"
    dovecot.put(user, "Sent Items", reply())
    await folder().look(session, "w", BEGINNING)
    (row,) = database.read_now(store.listed)
    assert (row["id"], row["waiting"]) == (mail_id, False)
    assert row["answered_at"] is not None
    assert not list((dovecot.root / "mail" / user).rglob("*:2,*S*")), "a sent mail was marked as read"


async def test_each_sent_mail_is_read_once_also_by_the_next_process(
    database: Database, folder: Fresh, session: Session, dovecot: Dovecot, user: str
) -> None:
    dovecot.put(user, "Sent Items", reply(1))
    await folder().look(session, "w", BEGINNING)
    place = database.read_now(flag.get, "sent:w")
    waiting_mail(database, 1, at=datetime.now(UTC) + timedelta(hours=1))
    await folder().look(session, "w", BEGINNING)
    assert database.read_now(flag.get, "sent:w") == place
    second = waiting_mail(database, 2)
    dovecot.put(user, "Sent Items", reply(2))
    await folder().look(session, "w", BEGINNING)
    assert [row["id"] for row in database.read_now(store.listed) if not row["waiting"]] == [second]


async def test_what_is_older_than_the_first_start_is_not_read(
    database: Database, folder: Fresh, session: Session, dovecot: Dovecot, user: str
) -> None:
    waiting_mail(database)
    dovecot.put(user, "Sent Items", reply())
    await folder().look(session, "w", datetime.now(UTC) + timedelta(hours=1))
    assert [row["waiting"] for row in database.read_now(store.listed)] == [True]


async def test_what_we_sent_ourselves_answers_nothing_there(
    database: Database, folder: Fresh, session: Session, dovecot: Dovecot, user: str
) -> None:
    """Microsoft 365 keeps in Sent Items what is sent through it."""
    waiting_mail(database)
    dovecot.put(user, "Sent Items", reply(message_id=token.message_id(SECRET, "d1", "office.example")))
    await folder().look(session, "w", BEGINNING)
    assert [row["waiting"] for row in database.read_now(store.listed)] == [True]


async def test_a_folder_that_is_not_there_stops_nothing(database: Database, folder: Fresh, session: Session) -> None:
    await folder("Nowhere").look(session, "w", BEGINNING)
    assert (await session.select("INBOX")).exists == 0


async def test_after_a_new_uidvalidity_the_folder_is_read_again(
    database: Database, folder: Fresh, session: Session, dovecot: Dovecot, user: str
) -> None:
    waiting_mail(database)
    database.write_now(flag.put, "sent:w", "1:4000000", NOW)
    dovecot.put(user, "Sent Items", reply())
    await folder().look(session, "w", BEGINNING)
    assert [row["waiting"] for row in database.read_now(store.listed)] == [False]
