"""The flow that notices when a colleague answers from the media mailbox itself: a look into the Sent folder, which changes nothing there.

Only what came since the last look is read, and of that only the header. What a colleague sent is remembered before the place in the
folder is, both in one transaction; so an answer that is there before mailbot has dealt with the mail is not missed.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from mailbot.database import flag
from mailbot.database.engine import Database, Tx
from mailbot.inbox import direct_answer_store, imap
from mailbot.inbox.direct_answer import DirectAnswer, direct_answer
from mailbot.inbox.read_mail import Read
from mailbot.message import token
from mailbot.message.incoming import IncomingMessage

log = structlog.get_logger()
MOST_AT_ONCE = 200  # the next look goes on from there
HEAD_OCTETS = 64 << 10
MEANWHILE = timedelta(minutes=10)  # a mail that was decided while this was written saw no mark, and was not seen: the next look sees it


@dataclass(slots=True, kw_only=True)
class SentFolder:
    """Where a mailbox keeps what people send from it, and when it was looked into last. `name` empty: the server says which it is."""

    database: Database
    read: Callable[[bytes, int, datetime], Awaitable[Read]]
    name: str
    prefixes: frozenset[str]  # `re` in every language
    secret: bytes
    every_seconds: float
    clock: Callable[[], datetime]
    _looked: float = field(default=float("-inf"))

    @property
    def is_due(self) -> bool:
        """Is it time for the next look?"""
        return asyncio.get_running_loop().time() - self._looked >= self.every_seconds

    async def look(self, session: imap.Session, watcher: str, start: datetime) -> None:
        """Remember what was sent since the last look, and never what is older than `start`. The session is left in that folder.

        A folder that cannot be opened or read is no reason to watch the mailbox no longer; a server that asks us to stay away is."""
        self._looked = asyncio.get_running_loop().time()
        try:
            name = self.name or await sent_folder(session)
            if name:
                await self._look(session, name, f"sent:{watcher}", start)
        except imap.ImapRefused as refusal:
            if refusal.retry_after:
                raise
            log.warning("sent-folder-refused", what=str(refusal))

    async def _look(self, session: imap.Session, name: str, place: str, start: datetime) -> None:
        selected = await session.select(name, read_only=True)
        validity, _, last = (await self.database.read(flag.get, place) or "").partition(":")
        seen = int(last) if validity == str(selected.uidvalidity) else 0
        since = (start - timedelta(days=1)).strftime("%d-%b-%Y")  # the server compares days, in its own zone
        found = await session.search("UID", f"{seen + 1}:*", "SINCE", since)
        new = [uid for uid in found if uid > seen][:MOST_AT_ONCE]  # "9:*" always has the last mail, whatever its number
        facts = await session.facts(new)
        answers = [await self._answer(session, facts[uid]) for uid in new if uid in facts and facts[uid].internal_date >= start]
        reached = f"{selected.uidvalidity}:{max(new, default=max(seen, (selected.uidnext or 1) - 1))}"
        given = [answer for answer in answers if answer is not None]
        await self.database.write(_remember, given, self.prefixes, place, reached, self.clock())

    async def _answer(self, session: imap.Session, fact: imap.Facts) -> DirectAnswer | None:
        """None: it is gone, cannot be read, answers nothing, or is ours: some servers keep there what we send through them."""
        head = await session.head(fact.uid, HEAD_OCTETS)
        message = (await self.read(head, fact.size, self.clock()))[0] if head else None
        if not isinstance(message, IncomingMessage) or token.own_delivery(self.secret, message.message_id):
            return None
        return direct_answer(message, fact.internal_date, self.prefixes)


async def sent_folder(session: imap.Session) -> str:
    """The folder that the server calls the one of sent mail; empty where it names none."""
    folders = await session.folders()
    return next((name for name, flags in folders if "\\sent" in {one.lower() for one in flags}), "")


def _remember(
    tx: Tx, answers: list[DirectAnswer], prefixes: frozenset[str], place: str, reached: str, now: datetime
) -> None:
    direct_answer_store.remember_answers(tx, answers)
    senders = {key for answer in answers for key in answer.recipients}
    for mail_id in direct_answer_store.settle_answered(tx, senders, now - MEANWHILE, prefixes):
        log.info("answered-by-a-colleague", mail=mail_id)
    flag.put(tx, place, reached, now)
