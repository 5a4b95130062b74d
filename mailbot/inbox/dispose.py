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

import structlog

from mailbot.database.engine import Database, Tx
from mailbot.inbox import store
from mailbot.inbox.answer_back import reference
from mailbot.inbox.carry_out import Desk, carry_out, folder, outcome_of, waits
from mailbot.inbox.compose import Subject
from mailbot.inbox.decision import decide
from mailbot.inbox.explanation import explain
from mailbot.inbox.outcome import Caps, Context, Variant
from mailbot.inbox.read_mail import Read, Reader
from mailbot.inbox.reason import Reason
from mailbot.inbox.understanding import Understood
from mailbot.languages import Language
from mailbot.message import token
from mailbot.message.address import cap_key
from mailbot.message.authentication import Authentication, authentication
from mailbot.message.incoming import HEAD_OCTETS, IncomingMessage, Unreadable
from mailbot.outbox import store as outbox
from mailbot.outbox.delivery import Kind, OurMail
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


class Disposer:
    """Deals with stored mails, a few at a time. `disposed` is called after each commit: there may be mail to send and to file."""

    def __init__(
        self, database: Database, reader: Reader, desk: Desk, languages: dict[str, Language], shelf: Shelf, terms: Terms, *,
        disposed: Callable[[], None], clock: Callable[[], datetime],
    ) -> None:  # fmt: skip
        self.wake = asyncio.Event()
        self._database, self._reader, self._desk, self._languages, self._shelf = database, reader, desk, languages, shelf
        self._terms, self._clock = terms, clock
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
        observed, first = self._terms.mode == "observe", decided.decision
        made = store.Record(
            kind=decided.kind, outcome=outcome_of(first), reason=str(first.reason),
            explanation=explain(decided, message, str(stored.id)), language=decided.language,
            sender=sender.address if sender else "", sender_key=sender.key if sender else "", subject=message.subject,
            message_id=message.message_id if isinstance(message, IncomingMessage) else "", identity=identity,
            waiting=not observed and waits(decided, self._desk), folder="" if observed else folder(decided, self._desk),
        )  # fmt: skip
        if not store.record(tx, stored.id, made, self._terms.mode, now):
            return
        if not observed:
            carry_out(tx, self._desk, decided, subject, self._shelf.releases, now)
        log.info("disposed", mail=stored.id, outcome=made.outcome, reason=made.reason, kind=made.kind, mode=self._terms.mode)

    def _park(self, tx: Tx, stored: store.Stored, now: datetime) -> None:
        """Not even the note to a colleague can be written: the mail waits for a person, and the next list names it."""
        observed = self._terms.mode == "observe"
        parked = store.Record(
            kind="unreadable", outcome="hand_off", reason=str(Reason.UNREADABLE), explanation={}, language=self._desk.office.own_language,
            sender="", sender_key="", subject="", message_id="", identity="", waiting=not observed,
            folder="" if observed else self._desk.attention,
        )  # fmt: skip
        store.record(tx, stored.id, parked, self._terms.mode, now)

    def _context(
        self, tx: Tx, stored: store.Stored, message: IncomingMessage | Unreadable, identity: str, now: datetime
    ) -> Context:
        person = message.sender if isinstance(message, IncomingMessage) else None
        pause = now - timedelta(days=self._terms.caps.answer_pause_days)
        ours = own_deliveries(message, self._desk.secret)
        answered = answered_mails(tx, message, ours)
        return Context(
            own_addresses=self._terms.own_addresses,
            colleagues=frozenset(colleague.key for colleague in self._desk.office.colleagues),
            authentication=authentication_of(message, self._terms.authserv_id),
            own_deliveries=ours,
            our_mails=answered,
            earlier_variants=_variants(tx, person.key, pause) if answered and person else (),
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
            organisation_languages=self._desk.office.languages,
            organisation_names=(self._desk.office.name, self._desk.office.short_name),
            junk=stored.junk,
        )

    @staticmethod
    def _count(tx: Tx, since: datetime, *, cap_key: str = "", domain: str = "") -> int:
        return outbox.count_since(tx, Kind.ANSWER, since, cap_key=cap_key, domain=domain)


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


def answered_mails(tx: Tx, message: IncomingMessage | Unreadable, ours: Sequence[str]) -> tuple[OurMail, ...]:
    """What we know of the mails of ours that it answers; where none is named, of the last that brought him the edition in its subject."""
    if ours:
        return outbox.our_mails(tx, ours)
    slug = reference(message.subject)
    sender = message.sender if isinstance(message, IncomingMessage) else None
    return outbox.last_with(tx, sender.key, slug) if slug and sender else ()


def _variants(tx: Tx, person: str, since: datetime) -> tuple[tuple[str, str], ...]:
    return tuple((edition, variant or Variant.FULL) for edition, variant in outbox.variants_to(tx, person, since))


def _identity(message: IncomingMessage | Unreadable) -> str:
    """The same mail under another UID and with other bytes has the same Message-ID, sender and date; empty where one is missing."""
    if isinstance(message, Unreadable) or message.sender is None or not message.message_id or message.date is None:
        return ""
    return hashlib.sha256("\n".join((message.message_id, message.sender.key, message.date.isoformat())).encode()).hexdigest()
