"""The flow that deals with what was stored: read, gather, decide, record, queue.

The decision and the mails that follow from it are one transaction: a crash leaves either both or neither, and the next
pass begins again with the same mail. Reading happens outside of it, in a process that may be killed.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

import structlog

from mailbot.audience import suppression_store
from mailbot.audience.forgotten import digest
from mailbot.cases import store as cases
from mailbot.cases.case import Note
from mailbot.database.engine import Database, Tx
from mailbot.inbox import arrival_store, brakes, breaker, direct_answer_store, join, known_store, store
from mailbot.inbox.acknowledge import weigh
from mailbot.inbox.carry_out import carry_out, folder, outcome_of, waits
from mailbot.inbox.compose import Subject
from mailbot.inbox.decision import decide
from mailbot.inbox.direct_answer import marks_of
from mailbot.inbox.explanation import explain, withheld
from mailbot.inbox.hand_over import Desk
from mailbot.inbox.intent import Kind as Wanted
from mailbot.inbox.lexicon import lexicon
from mailbot.inbox.outcome import Caps, Context, SendRelease, Variant
from mailbot.inbox.read_mail import Read, Reader
from mailbot.inbox.reason import Reason
from mailbot.inbox.said import Said, own_words
from mailbot.inbox.understanding import Understood, understand
from mailbot.languages import Language
from mailbot.message import token
from mailbot.message.address import cap_key
from mailbot.message.authentication import authentication
from mailbot.message.incoming import FAILED_TOO_OFTEN, HEAD_OCTETS, IncomingMessage, Unreadable
from mailbot.message.ours import own_deliveries
from mailbot.outbox import store as outbox
from mailbot.outbox.delivery import Kind
from mailbot.releases.shelf import Shelf

log = structlog.get_logger()
TAKE_AT_ONCE = 25
MOST_ATTEMPTS = 3
SMALL_OCTETS = 64 << 10  # a few of these are taken from the database at once
NOTHING = b"\r\n"
DAY = timedelta(days=1)
Batch = list[tuple[store.Stored, Read]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What this office allows, and where its mail is filed."""

    mode: str  # observe, draft, automatic
    own_addresses: frozenset[str]
    authserv_id: str
    caps: Caps
    zone: tzinfo
    unready_languages: frozenset[str]


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
        try:
            faults, records = await self._database.write(self._decide_each, batch, self._clock(), False)
        except Exception:  # in one of them, or of the database: each is decided behind a savepoint then, which costs more
            faults, records = await self._database.write(self._decide_each, batch, self._clock(), True)
        for mail_id, made in records:  # now that it is so, and the writer free
            log.info("disposed", mail=mail_id, outcome=made.outcome, reason=made.reason, kind=made.kind, mode=self._terms.mode)
        for stored, told in faults:
            await self._database.write(store.note_fault, stored.id, told)
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
        heads = await self._database.read(arrival_store.small_contents, [stored.id for stored in found if stored.size <= SMALL_OCTETS])
        return [(stored, await self._read(stored, heads.get(stored.id))) for stored in found]

    def _decide_each(
        self, tx: Tx, batch: Batch, now: datetime, guarded: bool
    ) -> tuple[list[tuple[store.Stored, str]], list[tuple[int, store.Record]]]:
        """A few mails in one transaction: to make each sure on its own would take longer than to decide it. Faults, and decisions.

        Not `guarded`, a fault in one is raised, and undoes all of them."""
        faults: list[tuple[store.Stored, str]] = []
        records: list[tuple[int, store.Record]] = []
        self._shelf.refresh(tx, now)
        for stored, (message, said) in batch:
            understood = None
            try:
                understood = self._understood(said, now) if said else None
                with tx.begin_nested() if guarded else contextlib.nullcontext():
                    made = self._decide(tx, stored, message, understood, now)
                if made is not None:
                    records.append((stored.id, made))
            except Exception as problem:  # one bad mail parks itself visibly, after three attempts before a person; the next goes on
                if not guarded:
                    raise
                told = _told(problem, said, understood)
                log.error("mail-fault", mail=stored.id, attempt=stored.attempts, fault=told, exc_info=told == repr(problem))
                faults.append((stored, told))
        return faults, records

    async def _refresh_shelf(self) -> None:
        """Here, and not first in the transaction that decides: to index many releases takes long, and every writer would wait."""
        with contextlib.suppress(Exception):  # what is wrong with a release is wrong in each decision too, and is dealt with there
            await self._database.read(self._shelf.refresh, self._clock())

    async def _warm_up(self) -> None:
        """All that is slow stands ready before a mail is taken: neither its deadline nor its attempts pay for our start."""
        await self._refresh_shelf()
        if not self._warm:
            await self._reader.read(NOTHING, len(NOTHING), self._clock())
            own = self._desk.office.own_language
            await asyncio.gather(*(asyncio.to_thread(one.learned) for one in lexicon(self._languages).tongues if one.code == own))
            self._warm = True

    async def _read(self, stored: store.Stored, head: bytes | None) -> Read:
        if stored.attempts > MOST_ATTEMPTS:
            return Unreadable(why=FAILED_TOO_OFTEN, size=stored.size, subject=""), None
        if head is None:
            head = await self._database.read(arrival_store.content, stored.id, HEAD_OCTETS)
        if not head:
            return Unreadable(why="too-large" if stored.size else "empty", size=stored.size, subject=""), None
        return await self._reader.read(head, stored.size, self._clock())

    def _understood(self, said: Said, now: datetime) -> Understood:
        office = self._desk.office
        known = own_words(self._terms.own_addresses, (office.name, office.short_name))
        return understand(said, self._languages, self._shelf.index, known, now)

    def _decide(
        self, tx: Tx, stored: store.Stored, message: IncomingMessage | Unreadable, understood: Understood | None, now: datetime
    ) -> store.Record | None:
        """What is known of the sender, the decision, and the mails that follow: all of it or nothing. None: it was decided before."""
        identity, words, marks = _identity(message), _words(message), self._marks(message)
        sender = message.sender if isinstance(message, IncomingMessage) else None
        known = known_store.look(tx, self._desk.secret, stored.id, sender, words, identity, marks, now)
        answered_at = direct_answer_store.answer_to(tx, marks, stored.received_at) if known.marks else None
        wants_photos = understood is not None and understood.reading.wish(Wanted.PHOTOS) is not None
        context = replace(
            self._context(tx, stored, message, known, wants_photos, now), understood=understood,
            answered_already=answered_at is not None and self._terms.mode != "observe",
        )  # fmt: skip
        subject = Subject(stored.id, message, stored.received_at, context.authentication, is_first=not known.sender)
        decided = decide(message, join.gather(tx, context, sender, known), now)
        observed, first = self._terms.mode == "observe", decided.decision
        explained = explain(decided, message, str(stored.id))
        made = store.Record(
            kind=decided.kind, outcome=outcome_of(first), reason=str(first.reason),
            explanation=withheld(explained) if decided.protected else explained, language=decided.language,
            sender=sender.address if sender else "", sender_key=sender.key if sender else "",
            subject="" if decided.protected else message.subject,
            message_id=message.message_id if isinstance(message, IncomingMessage) else "", identity=identity,
            words=words, waiting=not observed and waits(decided, self._desk),
            folder="" if observed else folder(decided, self._desk),
        )  # fmt: skip
        if not store.record(tx, stored.id, made, self._terms.mode, now):
            return None
        if answered_at is not None:
            direct_answer_store.answered(tx, stored.id, answered_at)
        if not observed:
            carry_out(tx, self._desk, decided, subject, self._shelf.releases, weigh(tx, decided, subject, context, known, now), now)
            answers = self._terms.mode == "automatic" and any(isinstance(one, SendRelease) for one in decided.decisions)
            if answers and context.answers_last_minute + 1 >= self._terms.caps.answers_per_minute:
                breaker.trip_if_flooded(tx, self._desk, self._terms.caps.answers_per_minute, now)
        return made

    def _marks(self, message: IncomingMessage | Unreadable) -> frozenset[str]:
        """What a colleague's answer to it from the mailbox itself would carry: he may have been there before us."""
        if isinstance(message, Unreadable) or message.sender is None:
            return frozenset()
        return marks_of(message.message_id, message.subject, message.sender.key, lexicon(self._languages).reply_prefixes)

    def _park(self, tx: Tx, stored: store.Stored, now: datetime) -> None:
        """Not even the note to a colleague can be written: the mail waits for a person, and the next list names it."""
        observed = self._terms.mode == "observe"
        parked = store.Record(
            kind="unreadable", outcome="hand_off", reason=str(Reason.UNREADABLE), explanation={}, language=self._desk.office.own_language,
            sender="", sender_key="", subject="", message_id="", identity="", words="",
            waiting=not observed, folder="" if observed else self._desk.attention,
        )  # fmt: skip
        store.record(tx, stored.id, parked, self._terms.mode, now)

    def _context(
        self, tx: Tx, stored: store.Stored, message: IncomingMessage | Unreadable, known: known_store.Known, wants_photos: bool,
        now: datetime,
    ) -> Context:
        """Of a stranger, and of words that nobody has written before, nothing else is asked."""
        person = message.sender if isinstance(message, IncomingMessage) else None
        met = person if known.sender else None
        own = own_deliveries(message, self._desk.secret)
        pause = now - timedelta(days=self._terms.caps.answer_pause_days)
        words, within = _words(message), now - brakes.SAME_WORDS_WITHIN
        same_words_from, answered = store.same_words(tx, words, person.key, within, pause) if known.words and person else (0, False)
        replied_to = known_store.answered_mails(tx, message, own)
        return Context(
            own_addresses=self._terms.own_addresses,
            colleagues=self._desk.office.insiders,
            authentication=authentication(message, self._terms.authserv_id),
            own_deliveries=own,
            note=_note(tx, message, own) if person else None,
            zone=self._terms.zone,
            our_mails=replied_to,
            leaver=join.leaver(tx, self._desk.secret, message),
            earlier_variants=_variants(tx, person.key, pause) if person and (replied_to or wants_photos) else (),
            earlier_answers=outbox.answers_to(tx, met.key, pause) if met else (),
            answers_today_address=outbox.count_since(tx, Kind.ANSWER, now - DAY, cap_key=cap_key(met.address)) if met else 0,
            answers_hour_domain=known.answers_hour_domain,
            answers_last_minute=known.answers_last_minute,
            same_words_from=same_words_from,
            same_words_answered=answered,
            silenced=met is not None and self._is_silenced(tx, met.key),
            answers_stopped=known.answers_stopped,
            caps=self._terms.caps,
            help_is_open=met is not None and store.help_is_open(tx, met.key),
            rescan_doubt=known.identity,
            older_than_a_day_in_rescan=stored.rescan and now - stored.received_at > DAY,
            received_at=stored.received_at,
            releases=self._shelf.releases,
            index=self._shelf.index,
            withdrawn=self._shelf.withdrawn,
            index_before=self._shelf.index_before,
            languages=self._languages,
            organisation_languages=self._desk.office.languages,
            organisation_names=(self._desk.office.name, self._desk.office.short_name),
            unready_languages=self._terms.unready_languages,
            junk=stored.junk,
        )

    def _is_silenced(self, tx: Tx, key: str) -> bool:
        """Whoever complained, was forgotten and writes again is still the one who complained."""
        return any(suppression_store.is_silenced(tx, one) for one in (key, digest(self._desk.secret, key)))


def _told(problem: Exception, said: Said | None, understood: Understood | None) -> str:
    """What went wrong; its kind alone where the mail calls for help, or may do so, as an error may quote what it failed at."""
    may_plead = said is not None and (understood is None or understood.reading.wish(Wanted.HELP))
    return type(problem).__name__ if may_plead else repr(problem)


def _note(tx: Tx, message: IncomingMessage | Unreadable, own: tuple[str, ...]) -> Note | None:
    """The note to a colleague that this mail replies to: by its sealed Message-ID, else by the token in its subject."""
    return (cases.by_delivery(tx, own) if own else None) or cases.by_subject_token(tx, token.in_brackets(message.subject))


def _words(message: IncomingMessage | Unreadable) -> str:
    return "" if isinstance(message, Unreadable) else brakes.words_key(message.subject, message.visible_text)


def _variants(tx: Tx, person: str, since: datetime) -> tuple[tuple[str, str], ...]:
    return tuple((edition, variant or Variant.FULL) for edition, variant in outbox.variants_to(tx, person, since))


def _identity(message: IncomingMessage | Unreadable) -> str:
    """The same mail under another UID and with other bytes has the same Message-ID, sender and date; empty where one is missing."""
    if isinstance(message, Unreadable) or message.sender is None or not message.message_id or message.date is None:
        return ""
    return hashlib.sha256("\n".join((message.message_id, message.sender.key, message.date.isoformat())).encode()).hexdigest()
