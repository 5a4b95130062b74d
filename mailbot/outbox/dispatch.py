"""The flow that sends: claim, fix the bytes, speak to the relay, judge, record.

In doubt: the attempt is on record before the dialogue, and "in doubt" before DATA, each in a transaction of its own. A
process that dies before DATA leaves a mail that certainly has not left; one that dies after it leaves one that may
have. The first is tried again by whoever comes next, the second is judged like a relay that never answered.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from mailbot.database import flag, lease
from mailbot.database.engine import Database, Tx
from mailbot.message import outgoing, token
from mailbot.message.address import Address
from mailbot.message.splice import Spliced
from mailbot.outbox import bulk_record, last_look, pace, recall_store, store
from mailbot.outbox.bulk_dispatch import Mailroom
from mailbot.outbox.bulk_store import Values
from mailbot.outbox.delivery import (
    DeliveryState,
    Failed,
    Fault,
    Phase,
    RelayDown,
    Reply,
    RetryAt,
    Sent,
    Verdict,
    login_was_refused,
)
from mailbot.outbox.enclose import NotMade, enclosure, has_file
from mailbot.outbox.own_headers import own_headers
from mailbot.outbox.patience import Patience
from mailbot.outbox.smtp import Relay, Server
from mailbot.pulse import Pulse

if TYPE_CHECKING:
    from mailbot.message.dkim import Signer  # needs the extra `dkim`, which an office whose relay signs does without

log = structlog.get_logger()
ORIGINAL_OCTETS = 10 << 20
STEP_SECONDS, DIALOGUE_SECONDS = 300.0, 3600.0  # without a dialogue nothing takes longer; one has deadlines that add up to less
CUT = "mailbot was stopped during the dialogue"
LOOK_SECONDS = 1.0  # other processes queue too, and cannot wake us

Aftermath = Callable[[Tx, store.Claimed, Verdict, Reply, datetime], None]
Original = Callable[[Tx, int, int], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How this office sends."""

    sender: Address
    return_path: str
    rate_per_minute: int
    rate_per_day: int
    connections: int
    mails_per_connection: int
    retry_seconds: tuple[float, ...]
    uncertain_retry_seconds: float
    signer: "Signer | None" = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing may leave now; look again then, or when woken, unless no mail may: then whatever is queued meanwhile waits too."""

    until: datetime
    no_mail: bool = False


class Dispatcher:
    """Holds the connections to the relay, and when it may be asked again after it failed."""

    def __init__(
        self, database: Database, server: Server, terms: Terms, holder: str, *,
        aftermath: Aftermath, original: Original, values: Values, clock: Callable[[], datetime],
    ) -> None:  # fmt: skip
        self.wake = asyncio.Event()
        self._database, self._server, self._terms, self._holder = database, server, terms, holder
        self._aftermath, self._original, self._clock = aftermath, original, clock
        self.pulses = tuple(Pulse() for _ in range(terms.connections))  # one each: who goes on must not hide who hangs
        self._stopping = asyncio.Event()
        self._patience = Patience(terms.retry_seconds, terms.uncertain_retry_seconds)
        announcing = bulk_record.Terms(
            holder=holder, rate_per_minute=terms.rate_per_minute, rate_per_day=terms.rate_per_day, aftermath=aftermath
        )
        self._mailroom = Mailroom(
            database, announcing, terms.connections, self._patience, sender=terms.sender, values=values, signer=terms.signer, clock=clock
        )

    def stop(self) -> None:
        """Claim no more; the mails in hand are finished."""
        self._stopping.set()
        self.wake.set()

    async def run(self) -> None:
        """Send what is due until stop()."""
        await self._with_all_connections(once=False)

    async def drain(self) -> None:
        """Send everything that is due now, and return."""
        await self._with_all_connections(once=True)

    async def _with_all_connections(self, *, once: bool) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._mailroom.run())
            async with asyncio.TaskGroup() as workers:
                for pulse in self.pulses:
                    workers.create_task(self._work(pulse, once=once))
            self._mailroom.end()

    async def _work(self, pulse: Pulse, *, once: bool) -> None:
        loop = asyncio.get_running_loop()
        relay = Relay(self._server, mails_per_connection=self._terms.mails_per_connection)
        try:
            while not self._stopping.is_set():
                self.wake.clear()
                pulse.beat(loop.time(), STEP_SECONDS)
                step = await self._next()
                if isinstance(step, store.Claimed):
                    pulse.beat(loop.time(), DIALOGUE_SECONDS)
                    await self._deliver(relay, step)
                    continue
                wait = step if step.no_mail else await self._announce(relay, pulse, step)
                if wait is not None and once:
                    return
                if wait is not None:
                    await self._rest(relay, wait)
        finally:
            relay.abort() if asyncio.current_task().cancelling() else await relay.close()  # type: ignore[union-attr]

    async def _announce(self, relay: Relay, pulse: Pulse, idle: Wait) -> Wait | None:
        """Mails of announcements for a while, as nothing else is due. None: some left, and it is time to look again."""
        loop = asyncio.get_running_loop()
        began, sent = loop.time(), 0
        while not self._stopping.is_set() and not self.wake.is_set() and loop.time() - began < LOOK_SECONDS:
            pulse.beat(loop.time(), DIALOGUE_SECONDS)
            job = await self._mailroom.job()
            if isinstance(job, datetime):
                return None if sent else Wait(min(idle.until, job))
            sent += 1
            try:
                reply = await relay.send(self._envelope_sender(job.held.message_id), job.held.address, job.octets, None)
            except asyncio.CancelledError:
                self._mailroom.heard(job, Reply(phase=relay.phase, fault=Fault.LOST, text=CUT))
                raise
            self._mailroom.heard(job, reply)
        return None

    async def _next(self) -> store.Claimed | Wait:
        now = self._clock()
        if self._patience.until is not None and self._patience.until > now:
            return Wait(self._patience.until, no_mail=True)
        orphaned, due = await self._database.read(self._look, now)
        if orphaned:
            await self._database.write(self._recover, now)
        if not orphaned and (due is None or due > now):
            return Wait(min(due or now + timedelta(hours=1), now + timedelta(hours=1)))
        while (step := await self._claimed(self._clock())) is None:
            continue  # that one will not leave; what is next? The note about it is due a moment later than it was
        return step

    async def _claimed(self, now: datetime) -> store.Claimed | Wait | None:
        """What is next, with its bytes. A file is made between two transactions: who dies there leaves a claim that is taken back."""
        step = await self._database.write(self._claim, now)
        if not isinstance(step, store.Claimed) or step.raw is not None:
            return step
        try:
            made: outgoing.File | NotMade = await enclosure(self._database, step.draft)
        except NotMade as problem:
            made = problem
        return await self._database.write(self._with_bytes, step, made, self._clock())

    def _look(self, tx: Tx, now: datetime) -> tuple[bool, datetime | None]:
        """Is there a mail whose worker is gone, and when is the next one due?"""
        return bool(store.orphans(tx, lease.living(tx, now) | {self._holder})), store.next_due(tx)

    def _claim(self, tx: Tx, now: datetime) -> store.Claimed | Wait | None:
        """One transaction: may anything leave, what is next, and which bytes are it. None: the next one will not leave at all."""
        if flag.get(tx, flag.SENDING_STOPPED):
            return Wait(now + timedelta(seconds=LOOK_SECONDS), no_mail=True)
        free = self._free_from(tx, now)
        if free > now:
            return Wait(free, no_mail=True)
        claimed = store.claim(tx, self._holder, now)
        if claimed is None:
            return Wait(now + timedelta(seconds=LOOK_SECONDS))
        return self._with_bytes(tx, claimed, None, now)

    def _with_bytes(self, tx: Tx, claimed: store.Claimed, made: outgoing.File | NotMade | None, now: datetime) -> store.Claimed | None:
        """The claim with the bytes that leave; without, where its file is to be made first. None: it will not leave."""
        if last_look.is_unwanted(tx, claimed.draft):
            store.cancel(tx, claimed, self._holder, "the address is suppressed", now, DeliveryState.SUPPRESSED)
            return None
        if why := last_look.hindrance(tx, claimed.draft, now):
            if store.cancel(tx, claimed, self._holder, why, now):
                self._aftermath(tx, claimed, Failed(why), Reply(phase=Phase.CONNECT, text=why), now)
            return None
        if claimed.raw is not None or (has_file(claimed.draft) and made is None):
            return claimed
        try:
            if isinstance(made, NotMade):
                raise outgoing.Unsendable(str(made))
            return self._frozen(tx, claimed, made, now)
        except outgoing.Unsendable as problem:  # one mail that cannot be written must not hold up the others
            reply = Reply(phase=Phase.ENVELOPE_RCPT, fault=Fault.UNENCODABLE, text=str(problem))
            self._record(tx, claimed, self._holder, Failed(Fault.UNENCODABLE), reply, now)
            return None

    def _free_from(self, tx: Tx, now: datetime) -> datetime:
        """When the pace lets the next mail go; attempts are read only where they count."""
        per_minute, per_day = self._terms.rate_per_minute, self._terms.rate_per_day
        if not per_minute and not per_day:
            return now
        started = store.started_since(tx, now - (timedelta(days=1) if per_day else timedelta(minutes=1)))
        return pace.next_free(started, now, per_minute=per_minute, per_day=per_day)

    def _frozen(self, tx: Tx, claimed: store.Claimed, made: outgoing.File | None, now: datetime) -> store.Claimed | None:
        """Date and bytes, fixed at the first claim: every retry sends exactly these."""
        draft = claimed.draft
        files: tuple[outgoing.File, ...] = ()
        if draft.attach_original and draft.mail is not None:
            original = self._original(tx, draft.mail, ORIGINAL_OCTETS + 1)
            if len(original) <= ORIGINAL_OCTETS:
                files = (outgoing.File("original.eml", "application/octet-stream", original),)
        if made is not None:
            files = (*files, made)
        raw = outgoing.build(
            outgoing.OutgoingMessage(
                message_id=claimed.message_id, sender=self._terms.sender, to=draft.recipient, subject=draft.subject,
                text=draft.text, html=draft.html, language=draft.language, date=now, in_reply_to=draft.in_reply_to,
                references=draft.references, headers=own_headers(draft, self._terms.sender), files=files,
            )
        )  # fmt: skip
        if self._terms.signer is not None:
            head, _, body = raw.partition(b"\r\n\r\n")
            raw = self._terms.signer.signed(Spliced(head + b"\r\n", body), now).whole
        return replace(claimed, date=now, raw=raw) if store.freeze(tx, claimed, self._holder, now, raw) else None

    def _envelope_sender(self, message_id: str) -> str:
        base = self._terms.return_path
        return token.return_path(base, message_id) if base else self._terms.sender.address

    async def _deliver(self, relay: Relay, claimed: store.Claimed) -> None:
        """One mail, one dialogue, one record."""
        assert claimed.raw is not None

        async def before_data() -> bool:
            return await self._database.write(self._enter_doubt, claimed, self._clock())

        try:
            reply = await relay.send(self._envelope_sender(claimed.message_id), claimed.draft.recipient.address, claimed.raw, before_data)
        except asyncio.CancelledError:
            # Asked to stop at once. What may have left is recorded as in doubt; what has not, goes back.
            cut = Reply(phase=relay.phase, fault=Fault.LOST, text=CUT)
            await asyncio.shield(self._conclude(claimed, cut))
            raise
        await asyncio.shield(self._conclude(claimed, reply))

    def _enter_doubt(self, tx: Tx, claimed: store.Claimed, now: datetime) -> bool:
        """The last moment at which it can be stopped. From here on a correction knows that it may have arrived."""
        last_look.hold_still(tx, claimed.draft)
        if flag.get(tx, flag.SENDING_STOPPED) or last_look.overtaken(tx, claimed.draft, now):
            return False
        return store.enter_doubt(tx, claimed, self._holder, now)

    async def _conclude(self, claimed: store.Claimed, reply: Reply) -> None:
        now = self._clock()
        if reply.fault is Fault.STOPPED:
            await self._database.write(store.put_back, claimed, self._holder)
            log.info("sending-stopped", delivery=claimed.id)
            return
        jitter = random.random()  # noqa: S311 - spreads retries, guards nothing
        verdict = self._patience.judged(reply, claimed.kind, claimed.attempts, claimed.doubts, now, jitter)
        await self._database.write(self._record, claimed, self._holder, verdict, reply, now)
        log.info("delivery", delivery=claimed.id, kind=claimed.kind, verdict=type(verdict).__name__, phase=reply.phase, code=reply.code)

    def _record(self, tx: Tx, claimed: store.Claimed, holder: str, verdict: Verdict, reply: Reply, now: datetime) -> None:
        """The outcome and what follows from it, together or not at all. What was corrected meanwhile does not wait in its old words."""
        if not isinstance(verdict, Failed):
            last_look.hold_still(tx, claimed.draft)
        if not store.outcome(tx, claimed, holder, reply, verdict, now):
            return
        if isinstance(verdict, RetryAt | RelayDown) and (why := last_look.overtaken(tx, claimed.draft, now)):
            recall_store.stop(tx, claimed.id, why, now)
            self._aftermath(tx, claimed, Failed(why), Reply(phase=Phase.CONNECT, text=why), now)
        if isinstance(verdict, RelayDown):
            flag.put(tx, flag.RELAY_TROUBLE, f"{verdict.why}: {reply.text}"[:500], now)
            if login_was_refused(reply):
                flag.put(tx, flag.RELAY_LOGIN_REFUSED, f"{verdict.why}: {reply.text}"[:500], now)
        else:
            flag.clear(tx, flag.RELAY_LOGIN_REFUSED)
        if isinstance(verdict, Sent):
            flag.put(tx, flag.RELAY_SUCCESS, now.isoformat(), now)
            flag.clear(tx, flag.RELAY_TROUBLE)
        self._aftermath(tx, claimed, verdict, reply, now)

    def _recover(self, tx: Tx, now: datetime) -> None:
        """Take up what a worker left that is gone."""
        for claimed, holder, in_doubt in store.orphans(tx, lease.living(tx, now) | {self._holder}):
            if not in_doubt:
                store.put_back(tx, claimed, holder)
                continue
            reply = Reply(phase=Phase.DATA, fault=Fault.LOST, text="mailbot died while it waited for the relay's answer")
            verdict = self._patience.orphaned(reply, claimed, now)
            self._record(tx, claimed, holder, verdict, reply, now)

    async def _rest(self, relay: Relay, step: Wait) -> None:
        """Wait until something may leave; a connection that nobody needs is not kept."""
        left = (step.until - self._clock()).total_seconds()
        try:
            async with asyncio.timeout(min(max(left, 0.0), LOOK_SECONDS)):
                await (self._stopping if step.no_mail else self.wake).wait()
        except TimeoutError:
            if left >= LOOK_SECONDS:
                await relay.close()
