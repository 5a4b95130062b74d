"""The mailroom of announcements: hands each connection the next mail, made and marked, and writes down what came of the last ones.

The connections are those of dispatch.py: each looks first whether an answer or a note is due, and takes from here what it may send
otherwise. One commit records the last outcomes and the next marks, so that at most two mails a connection are ever marked and unanswered:
only those can be in doubt after a crash. Bytes are not stored: they are made again from the letter and the row, and must be what their
hash says; if they are not, the mail does not leave and a person decides.
"""

import asyncio
import hashlib
import random
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import structlog

from mailbot.database.engine import Database
from mailbot.message import outgoing
from mailbot.message.address import Address
from mailbot.message.letter import Letter
from mailbot.message.splice import Pieces, cut, splice
from mailbot.outbox import bulk_record
from mailbot.outbox.bulk_claim_store import Held
from mailbot.outbox.bulk_record import Done, Made, Outcome
from mailbot.outbox.bulk_store import Values, letter_of
from mailbot.outbox.delivery import Failed, Fault, Kind, Phase, RelayDown, Reply, Sent, Uncertain
from mailbot.outbox.patience import Patience

if TYPE_CHECKING:
    from mailbot.message.dkim import Signer  # needs the extra `dkim`, which an office whose relay signs does without

log = structlog.get_logger()
STOCK, LOW = 400, 100  # claimed at a time, and when to claim more
MARKED_EACH = 2  # a connection: one on the wire, one that follows
GATHER_SECONDS = 0.02  # so long an outcome may wait for others, as long as the connections have mails to go on with
AHEAD_EACH, BATCH = 4, 8  # mails made before they are needed; so many in one piece of work
STALE_SECONDS = 5.0  # a mark older than that is not trusted: this process was frozen, and others may have taken over
LONG_HELD_SECONDS = 5.0  # after that it is asked again who may be written to
LOOK_SECONDS = 1.0
LETTERS_KEPT = 64
CHANGED = "bytes-differ"


class Job(NamedTuple):
    """A mail to be sent now: it is marked as in doubt already."""

    held: Held
    octets: bytes
    date: datetime
    digest: str


class Mailroom:
    """Holds what is claimed, made, marked and heard; `terms.holder` is whose claims those are."""

    def __init__(
        self, database: Database, terms: bulk_record.Terms, connections: int, patience: Patience, *,
        sender: Address, values: Values, signer: "Signer | None", clock: Callable[[], datetime],
    ) -> None:  # fmt: skip
        self._database, self._terms, self._patience, self._clock = database, terms, patience, clock
        self._sender, self._values, self._signer = sender, values, signer
        self._most_marked, self._ahead = MARKED_EACH * connections, AHEAD_EACH * connections
        self._letters: dict[int, tuple[Letter, Pieces | outgoing.Unsendable]] = {}
        self._claimed: deque[Held] = deque()
        self._made: deque[Job] = deque()
        self._ready: deque[tuple[Job, float]] = deque()
        self._outcomes: list[Outcome] = []
        self._marked = 0  # in the database, and not recorded
        self._waiting: deque[asyncio.Future[Job | datetime]] = deque()
        self._news = asyncio.Event()
        self._gathering: asyncio.TimerHandle | None = None
        self._ending = False
        self._claimed_at = 0.0
        self._empty_at: float | None = None  # when the queue was last found empty
        self._makers = ThreadPoolExecutor(2, "letters") if signer else None

    async def job(self) -> Job | datetime:
        """The next mail, marked; or when to ask again. What is given out is given back by `heard`."""
        while self._ready:
            job, since = self._ready.popleft()
            if asyncio.get_running_loop().time() - since < STALE_SECONDS:
                if self._is_low():
                    self._news.set()
                return job
            self._give_up(job)
        asked: asyncio.Future[Job | datetime] = asyncio.get_running_loop().create_future()
        self._waiting.append(asked)
        self._news.set()
        try:
            return await asked
        except asyncio.CancelledError:
            if asked.done() and not asked.cancelled() and isinstance(given := asked.result(), Job):
                self._give_up(given)
            raise

    def heard(self, job: Job, reply: Reply) -> None:
        """What the relay said; it is on record with the next commit."""
        now = self._clock()
        if reply.fault is Fault.STOPPED:
            self._give_up(job)
            return
        jitter = random.random()  # noqa: S311 - spreads retries, guards nothing
        verdict = self._patience.judged(reply, Kind.BROADCAST, job.held.attempts + 1, job.held.doubts, now, jitter)
        self._outcomes.append(Outcome(job.held, verdict, reply, now))
        if not isinstance(verdict, Sent):
            log.info("delivery", delivery=job.held.id, kind="broadcast", verdict=type(verdict).__name__, phase=reply.phase, code=reply.code)
        if self._is_low():
            self._news.set()
        elif self._gathering is None:
            self._gathering = asyncio.get_running_loop().call_later(GATHER_SECONDS, self._news.set)

    def _is_low(self) -> bool:
        """A commit for thirty mails costs little more than one for a single mail: it waits until few of the marked ones are left."""
        return len(self._ready) <= self._most_marked // 4

    def end(self) -> None:
        """No connection asks any more: record, put back, return from run()."""
        self._ending = True
        self._news.set()

    async def run(self) -> None:
        """Serve the connections until end()."""
        try:
            while not self._ending:
                await self._news.wait()
                self._news.clear()
                if self._gathering is not None:
                    self._gathering.cancel()
                    self._gathering = None
                await self._turn()
            await self._put_all_back()
        except asyncio.CancelledError:
            await asyncio.shield(self._put_all_back())
            raise
        finally:
            if self._makers:
                self._makers.shutdown(wait=False)

    async def _turn(self) -> None:
        """One commit, and meanwhile the next mails are made."""
        now = self._clock()
        paused = self._patience.waits(now)
        if paused:
            await self._put_all_back()
            self._answer(self._patience.until)
            return
        answered = sum(not one.parked for one in self._outcomes)  # recorded by the same commit as the marks that take their place
        jobs = [self._made.popleft() for _ in range(min(self._most_marked - self._marked + answered, len(self._made)))]
        most = STOCK if len(self._claimed) + len(self._made) < LOW and self._may_look() else 0
        if not (jobs or most or self._outcomes):
            await self._make()
            if self._made and self._marked < self._most_marked:
                self._news.set()
            else:
                self._answer(self._idle_until(now))
            return
        done, _ = await asyncio.gather(self._commit(jobs, most, now), self._make())
        self._take_in(jobs, done, most, now)
        if done.stopped:
            await self._put_all_back()
        if done.until is None and (self._made or self._claimed) and self._marked < self._most_marked and self._is_low():
            self._news.set()

    async def _commit(self, jobs: list[Job], most: int, now: datetime) -> Done:
        """What cannot be recorded stays in doubt: everything ends by it, and whoever comes next takes it up."""
        outcomes, self._outcomes = self._outcomes, []
        if most:
            await self._database.write(bulk_record.recover, self._terms, self._patience.orphaned, now)
        made = [Made(job.held, job.date, job.digest) for job in jobs]
        long_held = asyncio.get_running_loop().time() - self._claimed_at > LONG_HELD_SECONDS
        known = frozenset(self._letters)
        done = await self._database.write(bulk_record.turn, self._terms, outcomes, made, most, known, now, long_held=long_held)
        self._marked -= sum(not one.parked for one in outcomes)
        return done

    def _take_in(self, jobs: list[Job], done: Done, most: int, now: datetime) -> None:
        """What the database said of them."""
        since = asyncio.get_running_loop().time()
        for job in reversed(jobs):
            if job.held.id in done.marked:
                self._marked += 1
                self._ready.appendleft((job, since))
            elif job.held.id not in done.gone:
                self._made.appendleft(job)
        for row in done.letters:
            self._cut(row.id, letter_of(row))
        self._claimed.extend(done.claimed)
        if most:
            self._empty_at = None if done.claimed or done.until else since
        if done.claimed:
            self._claimed_at = since
        self._answer(done.until or self._idle_until(now))

    def _may_look(self) -> bool:
        """An empty queue is not asked again at once."""
        return self._empty_at is None or asyncio.get_running_loop().time() - self._empty_at >= LOOK_SECONDS / 2

    def _idle_until(self, now: datetime) -> datetime | None:
        """When to ask again where there is nothing in hand; None: something is on its way."""
        return None if self._claimed or self._made or self._marked or self._outcomes else now + timedelta(seconds=LOOK_SECONDS)

    def _answer(self, until: datetime | None) -> None:
        """Who waits gets a mail, or is told to look again then."""
        while self._waiting:
            if self._waiting[0].done():
                self._waiting.popleft()
            elif self._ready:
                self._waiting.popleft().set_result(self._ready.popleft()[0])
            elif until is not None:
                self._waiting.popleft().set_result(until)
            else:
                return

    def _cut(self, number: int, letter: Letter) -> None:
        if len(self._letters) >= LETTERS_KEPT:
            self._letters.pop(next(iter(self._letters)))
        try:
            self._letters[number] = (letter, cut(letter, self._sender))
        except outgoing.Unsendable as problem:
            self._letters[number] = (letter, problem)

    async def _make(self) -> None:
        """Mails for the next marks, signed in two threads where they are signed."""
        wanted = min(self._ahead - len(self._made), len(self._claimed))
        if wanted <= 0:
            return
        held = [self._claimed.popleft() for _ in range(wanted)]
        now = self._clock()
        batches = [held[at : at + BATCH] for at in range(0, wanted, BATCH)]
        if self._makers is None:
            made = [self._made_of(batch, now) for batch in batches]
        else:
            loop = asyncio.get_running_loop()
            made = await asyncio.gather(*(loop.run_in_executor(self._makers, self._made_of, batch, now) for batch in batches))
        for one in (one for batch in made for one in batch):
            if isinstance(one, Job):
                self._made.append(one)
            else:
                self._outcomes.append(one)
                self._news.set()

    def _made_of(self, batch: list[Held], now: datetime) -> list[Job | Outcome]:
        return [self._made_one(held, now) for held in batch]

    def _made_one(self, held: Held, now: datetime) -> Job | Outcome:
        """A mail, or why there is none: that one is parked, and the next one goes on."""
        try:
            letter, pieces = self._letters[held.letter]
            if isinstance(pieces, outgoing.Unsendable):
                raise pieces
            date = held.date or now
            values = self._values(held.recipient(letter.format, letter.waits_for))
            mail = splice(pieces, values, message_id=held.message_id, to=held.to, date=date)
            mail = self._signer.signed(mail, date) if self._signer else mail
            octets = mail.whole
        except outgoing.Unsendable as problem:
            return _parked(held, Fault.UNENCODABLE, str(problem), now)
        except Exception as problem:  # a fault in one person's values must not hold up the others
            log.exception("not-written", delivery=held.id)
            return _parked(held, Fault.UNENCODABLE, f"{type(problem).__name__} while it was written: see the log", now)
        digest = hashlib.sha256(mail.parts).hexdigest()  # of what the bytes are made of: sixteen times less to walk through
        if held.raw_hash and digest != held.raw_hash:
            return _parked(held, CHANGED, "It could not be written again as it was at its first try, so it did not leave.", now)
        return Job(held, octets, date, digest)

    def _give_up(self, job: Job) -> None:
        """Marked, and certainly not sent: as if it had not been tried."""
        reply = Reply(phase=Phase.CONNECT, fault=Fault.STOPPED, text="Sending was stopped; nothing has left.")
        self._outcomes.append(Outcome(job.held, RelayDown(self._clock(), Fault.STOPPED), reply, self._clock()))
        self._news.set()

    async def _put_all_back(self) -> None:
        """Nothing is kept that does not leave now."""
        while self._ready:
            self._give_up(self._ready.popleft()[0])
        unsent = [*self._claimed, *(job.held for job in self._made)]
        self._claimed.clear()
        self._made.clear()
        self._empty_at = None
        if self._outcomes or unsent:
            outcomes, self._outcomes = self._outcomes, []
            await self._database.write(bulk_record.settle, self._terms, outcomes, unsent, self._clock())
            self._marked -= sum(not one.parked for one in outcomes)


def _parked(held: Held, fault: str, text: str, now: datetime) -> Outcome:
    reply = Reply(phase=Phase.ENVELOPE_RCPT, fault=Fault.UNENCODABLE, text=text)
    return Outcome(held, Uncertain(f"{fault}-after-doubt") if held.doubts else Failed(fault), reply, now, parked=True)
