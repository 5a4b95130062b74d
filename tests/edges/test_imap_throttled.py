"""Exchange's `Suggested Backoff Time` is obeyed wherever it stands: whatever was asked, mailbot stays away for so long."""

from datetime import UTC, datetime

import pytest

from mailbot.database.engine import Database
from mailbot.inbox import store
from mailbot.inbox.imap import ImapRefused, Session
from mailbot.inbox.notice_answers import SentFolder
from mailbot.inbox.watch import Terms, Watcher
from tests.edges.test_direct_answers import waiting_mail
from tests.servers.scripted_imap import Said, ScriptedImap, at, mailbox

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
THROTTLED = b"TAG BAD Request is throttled. Suggested Backoff Time: 5000 milliseconds\r\n"
FULL = b"TAG NO [OVERQUOTA] no\r\n"
only_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


def watcher(database: Database, server: ScriptedImap) -> Watcher:
    terms = Terms(
        mailbox="INBOX", filed="mailbot", attention="mailbot/attention", observe=False, start_from=NOW, poll_seconds=1, idle_seconds=1,
        lease_seconds=30,
    )  # fmt: skip
    return Watcher(database, at(server), terms, "holder", sent(database), arrived=lambda: None, clock=lambda: NOW)


def sent(database: Database) -> SentFolder:
    async def read(content: bytes, size: int, now: datetime) -> object:
        raise AssertionError("nothing comes as far as that")

    return SentFolder(
        database=database, read=read, name="Sent", prefixes=frozenset(), secret=b"x", every_seconds=60, clock=lambda: NOW  # type: ignore[arg-type]
    )  # fmt: skip


@only_sqlite
@pytest.mark.parametrize(("said", "away"), [(THROTTLED, True), (FULL, False)], ids=["throttled", "a full folder"])
async def test_a_move_that_is_throttled_ends_the_session_and_one_that_is_refused_does_not(
    database: Database, said: Said, away: bool
) -> None:
    number = waiting_mail(database)
    server = ScriptedImap({
        "SELECT": b"* 1 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\nTAG OK done\r\n", "UID MOVE": said, "UID COPY": said,
        "UID SEARCH": b"* SEARCH 1\r\nTAG OK done\r\n",
    })  # fmt: skip
    async with server:
        flow, session = watcher(database, server), await Session.open(at(server))
        await flow._select(session)
        if away:
            with pytest.raises(ImapRefused) as caught:
                await flow._file_away(session)
            assert caught.value.retry_after == 5
        else:
            assert await flow._file_away(session) == 0
        session.abort()
    (row,) = [one for one in database.read_now(store.listed) if one["id"] == number]
    assert row["state"] == "decided"


@only_sqlite
@pytest.mark.parametrize(("said", "away"), [(THROTTLED, True), (b"TAG NO no such folder\r\n", False)], ids=["throttled", "no folder"])
async def test_a_look_into_the_sent_folder_that_is_throttled_ends_the_session_too(database: Database, said: Said, away: bool) -> None:
    async with mailbox(ScriptedImap({"EXAMINE": said})) as session:
        if away:
            with pytest.raises(ImapRefused) as caught:
                await sent(database).look(session, "w", NOW)
            assert caught.value.retry_after == 5
        else:
            await sent(database).look(session, "w", NOW)
