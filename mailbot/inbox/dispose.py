"""The flow that deals with what was stored: read, gather, decide, record, queue.

The decision and the mails that follow from it are one transaction: a crash leaves either both or neither, and the next
pass begins again with the same mail. Reading happens outside of it, in a process that may be killed.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

import structlog

from mailbot.database.engine import Database, Tx
from mailbot.inbox import compose, store
from mailbot.inbox.compose import Office, Subject
from mailbot.inbox.decision import Caps, Context, Decided, HandOff, Ignore, Reason, RecordReport, SendRelease, decide
from mailbot.inbox.explanation import explain
from mailbot.inbox.read_mail import Read, Reader
from mailbot.inbox.summarise import name_again
from mailbot.inbox.understanding import Understood
from mailbot.languages import Language
from mailbot.message import token
from mailbot.message.address import cap_key
from mailbot.message.authentication import Authentication, authentication
from mailbot.message.incoming import HEAD_OCTETS, IncomingMessage, Unreadable
from mailbot.outbox import store as outbox
from mailbot.outbox.delivery import Kind
from mailbot.releases.shelf import Shelf

log = structlog.get_logger()
TAKE_AT_ONCE = 25
MOST_ATTEMPTS = 3
NOTHING = b"\r\n"

Batch = list[tuple[store.Stored, Read]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What this office allows, and where its mail is filed."""

    mode: str  # observe, draft, automatic
    own_addresses: frozenset[str]
    authserv_id: str
    caps: Caps
    hand_offs_per_hour: int
    filed: str
    attention: str
    secret: bytes


class Disposer:
    """Deals with stored mails, a few at a time. `disposed` is called after each commit: there may be mail to send and to file."""

    def __init__(
        self, database: Database, reader: Reader, office: Office, languages: dict[str, Language], shelf: Shelf, terms: Terms, *,
        disposed: Callable[[], None], clock: Callable[[], datetime], new_id: Callable[[], str],
    ) -> None:  # fmt: skip
        self.wake = asyncio.Event()
        self._database, self._reader, self._office, self._languages, self._shelf = database, reader, office, languages, shelf
        self._terms, self._clock, self._new_id = terms, clock, new_id
        self._disposed = disposed
        self._stopping = asyncio.Event()
        self._warm = False
        self._ahead: asyncio.Task[Batch] | None = None

    def stop(self) -> None:
        """End after the mail in hand."""
        self._stopping.set()
        self.wake.set()

    async def run(self) -> None:
        """Deal with whatever is stored until stop()."""
        while not self._stopping.is_set():
            self.wake.clear()
            if not await self.some():
                await self.wake.wait()
        await self._read_ahead()

    async def drain(self) -> None:
        """Deal with everything that is stored now."""
        while await self.some():
            pass

    async def some(self) -> bool:
        """Deal with the next few mails, decided together while those after them are read; False where there are none."""
        batch = await self._read_ahead()
        if not batch:
            if await self._database.read(store.undecided) == 0:
                return False
            await self._warm_up()
            batch = await self._read_next(())
        if not batch:
            return False
        in_hand = [stored.id for stored, _ in batch]
        self._ahead = asyncio.create_task(self._read_next(in_hand))
        await self._refresh_shelf()
        await self._database.write(store.count_attempt, in_hand)
        faults = await self._database.write(self._decide_each, batch, self._clock())
        for stored, problem in faults:
            await self._database.write(store.note_fault, stored.id, repr(problem))
            if stored.attempts > MOST_ATTEMPTS:
                await self._database.write(self._park, stored, self._clock())
        self._disposed()
        return True

    async def _read_ahead(self) -> Batch:
        ahead, self._ahead = self._ahead, None
        return await ahead if ahead is not None else []

    async def _read_next(self, in_hand: Sequence[int]) -> Batch:
        """The next few mails, read. Nobody counts that: a mail can kill the process that reads it, and not us."""
        found = await self._database.read(store.next_stored, TAKE_AT_ONCE, in_hand)
        return [(stored, await self._read(stored)) for stored in found]

    def _decide_each(self, tx: Tx, batch: Batch, now: datetime) -> list[tuple[store.Stored, Exception]]:
        """A few mails in one transaction: to make each sure on its own would take longer than to decide it."""
        faults: list[tuple[store.Stored, Exception]] = []
        for stored, (message, understood) in batch:
            try:
                with tx.begin_nested():
                    self._decide(tx, stored, message, understood, now)
            except Exception as problem:
                # One bad mail parks itself visibly, after three attempts before a person, and the next one goes on.
                log.exception("mail-fault", mail=stored.id, attempt=stored.attempts)
                faults.append((stored, problem))
        return faults

    async def _refresh_shelf(self) -> None:
        """Here, and not first in the transaction that decides: to index many releases takes long, and every writer would wait."""
        with contextlib.suppress(Exception):  # what is wrong with a release is wrong in each decision too, and is dealt with there
            await self._database.read(self._shelf.refresh, self._clock())

    async def _warm_up(self) -> None:
        """All that is slow stands ready before a mail is taken: neither its deadline nor its attempts pay for our start."""
        await self._refresh_shelf()
        if not self._warm:
            await self._reader.read(NOTHING, len(NOTHING), self._clock())
            self._warm = True

    async def _read(self, stored: store.Stored) -> Read:
        if stored.attempts > MOST_ATTEMPTS:
            return Unreadable(why="failed-too-often", size=stored.size, subject=""), None
        head = await self._database.read(store.content, stored.id, HEAD_OCTETS)
        if not head:
            return Unreadable(why="too-large" if stored.size else "empty", size=stored.size, subject=""), None
        return await self._reader.read(head, stored.size, self._clock())

    def _decide(
        self, tx: Tx, stored: store.Stored, message: IncomingMessage | Unreadable, understood: Understood | None, now: datetime
    ) -> None:
        """What is known of the sender, the decision, and the mails that follow from it: all of it or nothing."""
        self._shelf.refresh(tx, now)
        identity = _identity(message)
        context = replace(self._context(tx, stored, message, identity, now), understood=understood)
        decided = decide(message, context, now)
        subject = Subject(stored.id, message, stored.received_at, context.authentication)
        sender = subject.sender
        waiting = isinstance(decided.decision, HandOff) or (self._terms.mode == "draft" and isinstance(decided.decision, SendRelease))
        made = store.Record(
            kind=decided.kind, outcome=_outcome(decided), reason=str(decided.decision.reason),
            explanation=explain(decided, message, str(stored.id)), language=decided.language,
            sender=sender.address if sender else "", sender_key=sender.key if sender else "", subject=message.subject,
            message_id=message.message_id if isinstance(message, IncomingMessage) else "", identity=identity,
            waiting=waiting and self._terms.mode != "observe", folder=self._folder(decided),
        )  # fmt: skip
        if not store.record(tx, stored.id, made, self._terms.mode, now):
            return
        if self._terms.mode != "observe":
            self._queue(tx, decided, subject, now)
        log.info("disposed", mail=stored.id, outcome=made.outcome, reason=made.reason, kind=made.kind, mode=self._terms.mode)

    def _park(self, tx: Tx, stored: store.Stored, now: datetime) -> None:
        """Not even the note to a colleague can be written: the mail waits for a person, and the next list names it."""
        observed = self._terms.mode == "observe"
        parked = store.Record(
            kind="unreadable", outcome="hand_off", reason=str(Reason.UNREADABLE), explanation={}, language=self._office.own_language,
            sender="", sender_key="", subject="", message_id="", identity="", waiting=not observed,
            folder="" if observed else self._terms.attention,
        )  # fmt: skip
        store.record(tx, stored.id, parked, self._terms.mode, now)

    def _context(
        self, tx: Tx, stored: store.Stored, message: IncomingMessage | Unreadable, identity: str, now: datetime
    ) -> Context:
        person = message.sender if isinstance(message, IncomingMessage) else None
        pause = now - timedelta(days=self._terms.caps.answer_pause_days)
        return Context(
            own_addresses=self._terms.own_addresses,
            colleagues=frozenset(colleague.key for colleague in self._office.colleagues),
            authentication=authentication_of(message, self._terms.authserv_id),
            own_deliveries=own_deliveries(message, self._terms.secret),
            earlier_answers=outbox.answers_to(tx, person.key, pause) if person else (),
            answers_today_address=self._count(tx, now - timedelta(days=1), cap_key=cap_key(person.address)) if person else 0,
            answers_hour_domain=self._count(tx, now - timedelta(hours=1), domain=person.domain) if person else 0,
            answers_last_minute=self._count(tx, now - timedelta(minutes=1)),
            caps=self._terms.caps,
            rescan_doubt=bool(identity) and store.met_before(tx, identity, stored.id),
            older_than_a_day_in_rescan=stored.rescan and now - stored.received_at > timedelta(days=1),
            received_at=stored.received_at,
            releases=self._shelf.releases,
            index=self._shelf.index,
            languages=self._languages,
            organisation_languages=self._office.languages,
            organisation_names=(self._office.name, self._office.short_name),
            junk=stored.junk,
        )

    @staticmethod
    def _count(tx: Tx, since: datetime, *, cap_key: str = "", domain: str = "") -> int:
        return outbox.count_since(tx, Kind.ANSWER, since, cap_key=cap_key, domain=domain)

    def _folder(self, decided: Decided) -> str:
        if self._terms.mode == "observe":
            return ""
        match decided.decision:
            case HandOff():
                return self._terms.attention
            case SendRelease():
                return self._terms.attention if self._terms.mode == "draft" else self._terms.filed
            case RecordReport(ours=ours):  # one about a mail of ours is for a person: what we sent has not arrived
                return self._terms.attention if ours else self._terms.filed
            case Ignore():
                return self._terms.filed
            case _:
                assert_never(decided.decision)

    def _queue(self, tx: Tx, decided: Decided, subject: Subject, now: datetime) -> None:
        """The mails that follow from the decision."""
        match decided.decision:
            case SendRelease() as release if self._terms.mode == "automatic":
                draft = compose.answer(self._office, subject, release, self._shelf.releases, decided.language)
                self._enqueue(tx, draft, now)
            case SendRelease() as release:
                self._hand_off(tx, HandOff(reason=Reason.DRAFT_MODE, why="draft-mode", draft=release), decided.language, subject, now)
            case HandOff() as passed_on:
                self._hand_off(tx, passed_on, decided.language, subject, now)
            case RecordReport(ours=ours, reported=reported) if any(one.action in ("failed", "") for one in reported):
                for mail in outbox.mails_of(tx, ours):  # what we wrote about it has not arrived after all
                    store.put_before_a_person(tx, mail)
                    name_again(tx, mail, now)
            case RecordReport() | Ignore():
                return
            case _:
                assert_never(decided.decision)

    def _hand_off(self, tx: Tx, decision: HandOff, language: str, subject: Subject, now: datetime) -> None:
        """A note to the first colleague; past the hour's number the mail waits for the digest."""
        sent = outbox.count_since(tx, Kind.HAND_OFF, now - timedelta(hours=1))
        sender = subject.sender
        if sent >= self._terms.hand_offs_per_hour:
            return
        colleagues = [one for one in self._office.colleagues if sender is None or one.key != sender.key]
        for colleague in colleagues[:1]:
            draft = compose.hand_off(self._office, subject, decision, self._shelf.releases, language, colleague)
            self._enqueue(tx, draft, now)

    def _enqueue(self, tx: Tx, draft: outbox.Draft, now: datetime) -> None:
        delivery_id = self._new_id()
        message_id = token.message_id(self._terms.secret, delivery_id, self._office.address.domain)
        outbox.enqueue(tx, draft, delivery_id, message_id, now)


def authentication_of(message: IncomingMessage | Unreadable, authserv_id: str) -> Authentication:
    """Who vouches for the From domain; nobody, where the mail cannot be read."""
    return Authentication.NONE if isinstance(message, Unreadable) else authentication(message, authserv_id)


def own_deliveries(message: IncomingMessage | Unreadable, secret: bytes) -> tuple[str, ...]:
    """The deliveries of ours that it is, answers or returns, known by the seal in their Message-IDs."""
    if isinstance(message, Unreadable):
        return ()
    named = (message.message_id, *message.in_reply_to, *message.references, *message.returned_ids)
    found = (token.own_delivery(secret, one) for one in named)
    return tuple(dict.fromkeys(one for one in found if one))


def _outcome(decided: Decided) -> str:
    words = {SendRelease: "send_release", HandOff: "hand_off", Ignore: "ignore", RecordReport: "record_report"}
    return words[type(decided.decision)]


def _identity(message: IncomingMessage | Unreadable) -> str:
    """The same mail under another UID and with other bytes has the same Message-ID, sender and date; empty where one is missing."""
    if isinstance(message, Unreadable) or message.sender is None or not message.message_id or message.date is None:
        return ""
    return hashlib.sha256("\n".join((message.message_id, message.sender.key, message.date.isoformat())).encode()).hexdigest()
