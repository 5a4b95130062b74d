"""The flow that reads the mailbox: fetch and store; later, when a mail is decided, file it away.

Whatever the server holds and we have not stored is simply still there, so a crash loses nothing: the mail is moved
only after its decision is committed, and looked for again on every pass. IDLE is a hint that something came, the
SEARCH after it is the guarantee. One watcher a mailbox, by a lease.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from mailbot.database import flag, lease
from mailbot.database.engine import Database, Tx
from mailbot.inbox import arrival_store, imap
from mailbot.inbox.notice_answers import SentFolder
from mailbot.pulse import Pulse
from mailbot.rounds import pause

log = structlog.get_logger()
SIZE_CAP_OCTETS = 64 << 20  # over it the mail stays unread, and a person is told
BATCH_MAILS, BATCH_OCTETS = 25, 1 << 20  # stored in one transaction
FILE_AT_ONCE = 100
MOST_REFUSALS = 3  # then the mail is not asked for any more: a person has to look at it where it lies
REFUSED_MOVE_SECONDS = 300.0
LONGEST_WAIT_SECONDS = 3600.0
BACKOFF_SECONDS = (1.0, 300.0)
LOGIN_BACKOFF_SECONDS = 60.0
SESSION_SECONDS = 45 * 60
STEP_SECONDS = 300.0  # no few commands of ours take longer, and each has a deadline of its own
NOTE_SECONDS = 5.0  # a commit for each look would cost more than the look


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Which mailbox, and how it is watched."""

    mailbox: str
    filed: str
    attention: str
    observe: bool
    start_from: datetime | None  # None: the first start
    poll_seconds: float
    idle_seconds: float
    lease_seconds: float


class Watcher:
    """Watches one mailbox. `wake` ends an IDLE when a decision waits to be filed; `arrived` says that mails were stored."""

    def __init__(
        self, database: Database, server: imap.Server, terms: Terms, holder: str, sent: SentFolder, *,
        arrived: Callable[[], None], clock: Callable[[], datetime],
    ) -> None:  # fmt: skip
        self.wake, self.pulse = asyncio.Event(), Pulse()
        self._database, self._server, self._terms, self._holder = database, server, terms, holder
        self.sent, self._arrived, self._clock = sent, arrived, clock
        self._stopping = asyncio.Event()
        self._failures = 0
        self._refused: Counter[tuple[int, int]] = Counter()  # mails that the server would not give, by UIDVALIDITY and UID
        self._file_after = 0.0

    @property
    def lease_name(self) -> str:
        """One watcher a mailbox, whoever and wherever."""
        return f"watcher:{self._server.username}@{self._server.host}/{self._terms.mailbox}"

    def stop(self) -> None:
        """End after the command in hand."""
        self._stopping.set()
        self.wake.set()

    async def run(self) -> None:
        """Watch until stop(), through every failure of the server."""
        while not self._stopping.is_set():
            self._beat()
            if not await self._have_lease():
                await self._pause(min(self._terms.lease_seconds / 3, 5.0))
                continue
            try:
                async with asyncio.TaskGroup() as both:
                    keeper = both.create_task(self._keep_lease())
                    await self._session()
                    keeper.cancel()
            except* (imap.ImapTrouble, OSError) as group:
                await self._after(_first(group))

    async def once(self) -> bool:
        """One pass: fetch and store whatever is new. False where another watcher has the mailbox."""
        if not await self._have_lease():
            return False
        try:
            await self._fetch_all()
        except (imap.ImapTrouble, OSError) as trouble:
            await self._database.write(_note_trouble, trouble, self._clock())
            raise
        await self._database.write(_note_success, self._clock())
        return True

    async def _fetch_all(self) -> None:
        session = await imap.Session.open(self._server)
        try:
            await self._take_up(session)
            while await self._fetch_new(session):
                pass
            await self.sent.look(session, self.lease_name, self._start)
        finally:
            await session.close()

    async def file_once(self) -> None:
        """One pass: file what is decided."""
        session = await imap.Session.open(self._server)
        try:
            await self._take_up(session)
            await self._file_away(session)
        finally:
            await session.close()

    async def _have_lease(self) -> bool:
        return await self._database.write(lease.acquire, self.lease_name, self._holder, self._clock(), self._terms.lease_seconds)

    async def _keep_lease(self) -> None:
        while True:
            await asyncio.sleep(self._terms.lease_seconds / 3)
            if not await self._have_lease():
                raise imap.ImapDead("another process watches this mailbox now")

    async def _session(self) -> None:
        """One connection, from login to an orderly end."""
        session = await imap.Session.open(self._server)
        try:
            await self._take_up(session)
            self._arrived()  # who watched before us may have stored what nobody has decided
            loop = asyncio.get_running_loop()
            ends, noted = loop.time() + min(SESSION_SECONDS, session.seconds_left), -NOTE_SECONDS
            while not self._stopping.is_set() and (left := ends - loop.time()) > 0:
                self.wake.clear()
                self._beat()
                new = await self._fetch_new(session)
                moved = await self._file_away(session)
                self._failures = 0
                if loop.time() - noted >= NOTE_SECONDS:
                    await self._database.write(_note_success, self._clock())
                    noted = loop.time()
                if new or moved or session.pending:
                    continue
                if self.sent.is_due:  # between two waits, on the same connection; back in the mailbox a search comes first
                    await self.sent.look(session, self.lease_name, self._start)
                    await self._select(session)
                else:
                    await self._wait(session, left)
        finally:
            await session.close()

    async def _wait(self, session: imap.Session, left: float) -> None:
        seconds = self._terms.idle_seconds if "IDLE" in session.capabilities else self._terms.poll_seconds
        self._beat(seconds)
        await session.idle(min(seconds, left), self.wake)

    def _beat(self, waits: float = 0.0) -> None:
        self.pulse.beat(asyncio.get_running_loop().time(), waits + STEP_SECONDS)

    async def _take_up(self, session: imap.Session) -> None:
        """Select the mailbox; find out whether its UIDs still mean what they meant."""
        if not self._terms.observe:
            await session.ensure_folder(self._terms.filed)
            await session.ensure_folder(self._terms.attention)
        await self._select(session)

    async def _select(self, session: imap.Session) -> None:
        selected = await session.select(self._terms.mailbox, read_only=self._terms.observe)
        self._uidvalidity = selected.uidvalidity
        self._start, self._rescan_below = await self._database.write(
            _begin, self.lease_name, selected.uidvalidity, selected.uidnext or 0, self._terms.start_from, self._clock()
        )

    async def _fetch_new(self, session: imap.Session) -> int:
        """Store every mail that is ours and not stored yet; returns how many."""
        since = (self._start - timedelta(days=1)).strftime("%d-%b-%Y")  # the server compares days, in its own zone
        found = await session.search("SINCE", since)
        known = await self._database.read(arrival_store.known_uids, self._terms.mailbox, self._uidvalidity, min(found, default=0))
        new = [uid for uid in found if uid not in known]
        if not new:
            return 0
        facts = await session.facts(new)
        older = [uid for uid, fact in facts.items() if fact.internal_date < self._start]
        if older:
            await self._database.write(arrival_store.note_older, self._terms.mailbox, self._uidvalidity, older)
        ours = [fact for fact in facts.values() if fact.internal_date >= self._start]
        batch: list[arrival_store.Arrival] = []
        stored = 0
        for fact in sorted(ours, key=lambda one: one.uid):
            try:
                arrival = await self._fetch(session, fact)
            except (imap.ImapTrouble, OSError):
                self._refused[self._uidvalidity, fact.uid] += 1
                await self._store(batch)  # what came before it is not fetched again and again for its sake
                raise
            if arrival is not None:
                batch.append(arrival)
                stored += 1
            if len(batch) >= BATCH_MAILS or sum(one.size for one in batch) >= BATCH_OCTETS:
                await self._store(batch)
                batch = []
                await self._file_away(session)
        await self._store(batch)
        return stored

    async def _fetch(self, session: imap.Session, fact: imap.Facts) -> arrival_store.Arrival | None:
        content = None
        self._beat()
        if fact.size <= SIZE_CAP_OCTETS and self._refused[self._uidvalidity, fact.uid] < MOST_REFUSALS:
            content = await session.fetch(fact.uid, fact.size)
            if content is None:  # somebody took it away between two commands; one that stays is a mail that we do not get
                self._refused[self._uidvalidity, fact.uid] += 1
                return None
        return arrival_store.Arrival(
            mailbox=self._terms.mailbox, uidvalidity=self._uidvalidity, uid=fact.uid, content=content,
            size=fact.size if content is None else len(content), received_at=fact.internal_date,
            junk="$junk" in {one.lower() for one in fact.flags}, rescan=fact.uid < self._rescan_below,
        )  # fmt: skip

    async def _store(self, batch: Iterable[arrival_store.Arrival]) -> None:
        arrivals = list(batch)
        if arrivals:
            await self._database.write(arrival_store.keep, arrivals, self._clock())
            self._arrived()

    async def _file_away(self, session: imap.Session) -> int:
        """Move what is decided; a mail that somebody else has moved counts as moved."""
        if self._terms.observe or asyncio.get_running_loop().time() < self._file_after:
            return 0
        waiting = await self._database.read(arrival_store.to_file, self._terms.mailbox, self._uidvalidity)
        moved = 0
        for folder, uids in waiting.items():
            for start in range(0, len(uids), FILE_AT_ONCE):
                some = uids[start : start + FILE_AT_ONCE]
                try:
                    await session.move(some, folder)
                except imap.ImapRefused as refusal:  # a full or forbidden folder: to read and answer goes on
                    if refusal.retry_after:
                        raise  # not the folder: the server asks us to stay away
                    log.warning("move-refused", folder=folder, what=str(refusal))
                    self._file_after = asyncio.get_running_loop().time() + REFUSED_MOVE_SECONDS
                    return moved
                await self._database.write(arrival_store.filed, self._terms.mailbox, self._uidvalidity, some, self._clock())
                moved += len(some)
        return moved

    async def _after(self, trouble: BaseException) -> None:
        """Say what went wrong, and come back later: soon after a lost line, slowly after a refused login."""
        low, high = BACKOFF_SECONDS
        wait = min(high, low * 2**self._failures) * (0.5 + random.random() / 2)  # noqa: S311 - spreads, guards nothing
        if isinstance(trouble, imap.ImapLoginRefused):
            wait = max(wait, LOGIN_BACKOFF_SECONDS)
        wait = max(wait, min(getattr(trouble, "retry_after", None) or 0.0, LONGEST_WAIT_SECONDS))
        self._failures = min(self._failures + 1, 20)
        log.warning("inbox-trouble", what=str(trouble), again_in_seconds=round(wait, 1))
        await self._database.write(_note_trouble, trouble, self._clock())
        await self._pause(wait)

    async def _pause(self, seconds: float) -> None:
        self._beat(seconds)
        await pause(seconds, self._stopping)


def _begin(
    tx: Tx, name: str, uidvalidity: int, uidnext: int, start_from: datetime | None, now: datetime
) -> tuple[datetime, int]:
    """From when mail is ours, and below which UID it may be mail that we met under its old number."""
    start = datetime.fromisoformat(flag.put_first(tx, f"start:{name}", now.replace(microsecond=0).isoformat(), now))
    before = flag.get(tx, f"uidvalidity:{name}")
    rescan = int(flag.get(tx, f"rescan:{name}:{uidvalidity}") or 0)
    if before is not None and int(before) != uidvalidity:
        rescan = uidnext
        flag.put(tx, f"rescan:{name}:{uidvalidity}", str(uidnext), now)
    flag.put(tx, f"uidvalidity:{name}", str(uidvalidity), now)
    return start_from or start, rescan


def _note_success(tx: Tx, now: datetime) -> None:
    flag.put(tx, flag.INBOX_SUCCESS, now.isoformat(), now)
    flag.clear(tx, flag.INBOX_TROUBLE)
    flag.clear(tx, flag.INBOX_LOGIN_REFUSED)


def _note_trouble(tx: Tx, trouble: BaseException, now: datetime) -> None:
    """A refused login stays on record until one succeeds, whatever else goes wrong meanwhile: a person has to do something."""
    flag.put(tx, flag.INBOX_TROUBLE, str(trouble)[:500], now)
    if isinstance(trouble, imap.ImapLoginRefused):
        by_token = isinstance(trouble, imap.ImapTokenRefused)  # then the record says so, for who is alerted
        flag.put(tx, flag.INBOX_LOGIN_REFUSED, f"{'token-refused: ' if by_token else ''}{trouble}"[:500], now)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
