"""An upgrade while mails wait, are tried again, in hand or in doubt: a database of the first version goes on, none lost or sent twice."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from mailbot.database import migrate
from mailbot.database.engine import Database, Tx
from mailbot.message.address import Address
from mailbot.outbox import store
from mailbot.outbox.delivery import Kind
from mailbot.outbox.dispatch import Dispatcher, Terms
from tests.servers.relay import LoopbackRelay

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OLD_PROCESS, DEAD_PROCESS = "the process of the older version", "one that was killed"
BYTES = b"From: presse@office.example\r\nTo: retrying@journal.example\r\nSubject: fixed\r\n\r\nThe bytes of the first try.\r\n"


def first_version(tx: Tx) -> None:
    """The tables as the first version made them."""
    config = Config()
    config.set_main_option("script_location", str(migrate.FOLDER))
    config.attributes["connection"] = tx
    command.upgrade(config, "0001")


def written(moment: datetime) -> str:
    """As both databases read it from a plain statement."""
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


def add(tx: Tx, name: str, kind: Kind, **changed: Any) -> None:
    """A delivery, by the columns that there were then."""
    row = {
        "id": name, "key": name, "kind": kind, "priority": 0, "state": "queued", "release": "", "edition": "", "language": "fr",
        "recipient": f"{name}@journal.example", "recipient_name": "", "recipient_key": f"{name}@journal.example", "cap_key": "",
        "recipient_domain": "journal.example", "message_id": f"<{name}@office.example>", "subject": "S", "text": "T", "html": "",
        "in_reply_to": "", "references": "[]", "content_hash": "", "mentions": "[]", "attach_original": False, "variant": "", "sheet": "",
        "sheet_name": "", "created_at": written(NOW), "due_at": written(NOW), "attempts": 0, "doubts": 0, "holder": "", "fence": 0,
        "last_phase": "", "last_text": "",
    } | changed  # fmt: skip
    names, places = ", ".join(f'"{column}"' for column in row), ", ".join(f":{column}" for column in row)
    tx.execute(sa.text(f"INSERT INTO delivery ({names}) VALUES ({places})"), row)
    if row["state"] == "sending":
        tried = {"delivery": name, "started_at": written(NOW), "holder": row["holder"]}
        tx.execute(
            sa.text(
                "INSERT INTO attempt (delivery, number, started_at, holder, phase, text, verdict)"
                " VALUES (:delivery, 1, :started_at, :holder, '', '', '')"
            ),
            tried,
        )


def left_by_the_first_version(tx: Tx) -> None:
    """Every way in which a mail can lie there; the older process still lives, by its lease of two minutes."""
    first_version(tx)
    add(tx, "queued", Kind.ANSWER)
    add(tx, "later", Kind.ANSWER, due_at=written(NOW + timedelta(hours=1)))
    add(tx, "retrying", Kind.ANSWER, state="retrying", attempts=1, fence=1, date=written(NOW), raw=BYTES)
    sending = {"state": "sending", "attempts": 1, "fence": 1}
    add(tx, "in-hand", Kind.ANSWER, holder=OLD_PROCESS, **sending)
    add(tx, "cut", Kind.ANSWER, holder=DEAD_PROCESS, **sending)
    add(tx, "in-doubt", Kind.ANSWER, holder=DEAD_PROCESS, in_doubt_since=written(NOW), raw=BYTES, **sending)
    add(tx, "gone", Kind.ANSWER, state="sent", attempts=1, fence=1, finished_at=written(NOW))
    lease = {"name": "process:old", "holder": OLD_PROCESS, "until": written(NOW + timedelta(minutes=2))}
    tx.execute(sa.text("INSERT INTO lease (name, holder, until) VALUES (:name, :holder, :until)"), lease)


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain statement's times are UTC for PostgreSQL too."""
    monkeypatch.setenv("PGTZ", "UTC")


@pytest.mark.usefixtures("utc")
async def test_what_waits_in_an_older_database_leaves_once_and_what_is_in_hand_there_is_left_alone(
    empty_database_url: str, relay: LoopbackRelay
) -> None:
    with closing(Database(empty_database_url)) as database:
        database.write_now(left_by_the_first_version)
        assert migrate.upgrade(database) == "0001"
        await send(database, relay, NOW)
        assert sorted(got.recipient.partition("@")[0] for got in relay.mails) == ["cut", "queued", "retrying"]
        assert states(database) == {
            "queued": "sent", "retrying": "sent", "cut": "sent", "gone": "sent", "later": "queued", "in-hand": "sending",
            "in-doubt": "uncertain",
        }  # fmt: skip
        (again,) = [got.content for got in relay.mails if got.recipient.startswith("retrying")]
        assert again == BYTES, "the bytes of the first try"
        await send(database, relay, NOW + timedelta(minutes=3))
        assert sorted(got.recipient.partition("@")[0] for got in relay.mails) == ["cut", "in-hand", "queued", "retrying"]
        await send(database, relay, NOW + timedelta(hours=2))
        assert len(relay.mails) == 5
        assert set(states(database).values()) == {"sent", "uncertain"}


async def test_the_older_process_goes_on_with_the_mail_in_its_hands(empty_database_url: str) -> None:
    """Its claim is a row, and the row is as it left it: what it records afterwards holds."""
    with closing(Database(empty_database_url)) as database:
        database.write_now(first_version)
        database.write_now(add, "in-hand", Kind.ANSWER, state="sending", holder=OLD_PROCESS, attempts=1, fence=1)
        migrate.upgrade(database)
        done = "UPDATE delivery SET state = 'sent', holder = '' WHERE id = 'in-hand' AND holder = :holder AND fence = 1"
        assert database.write_now(lambda tx: tx.execute(sa.text(done), {"holder": OLD_PROCESS}).rowcount) == 1
        assert states(database) == {"in-hand": "sent"}


async def send(database: Database, relay: LoopbackRelay, now: datetime) -> None:
    """Everything that is due, as the new version sends."""
    sending = Terms(
        sender=Address("presse@office.example"), return_path="", rate_per_minute=0, rate_per_day=0, connections=1, mails_per_connection=100,
        retry_seconds=(60.0,), uncertain_retry_seconds=60.0,
    )  # fmt: skip
    dispatcher = Dispatcher(
        database, relay.server(), sending, "the new version", aftermath=lambda *_: None, original=lambda *_: b"", values=lambda _: {},
        clock=lambda: now,
    )
    await dispatcher.drain()


def states(database: Database) -> dict[str, str]:
    return {row["id"]: row["state"] for row in database.read_now(store.listed)}
