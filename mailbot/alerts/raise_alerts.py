"""The flow that tells what is wrong: gather facts, see what begins or ends, record it with its messages in one transaction, deliver.

A message stays in its table until somebody has taken it. It goes by the second relay where there is one, then by the ordinary one; or
to a webhook. A doubt about a message is tried again: one copy too many does less harm than an alert that nobody got. What becomes of a
message is never itself an alert.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from mailbot.alerts import alert, store, webhook
from mailbot.alerts.alert import Change, Facts, Secret
from mailbot.database.engine import Database, Tx, free_octets
from mailbot.message import outgoing, token
from mailbot.message.address import Address
from mailbot.outbox import smtp
from mailbot.outbox.delivery import Fault, Reply
from mailbot.rendering import Words, render
from mailbot.rounds import every

log = structlog.get_logger()
LOOK_SECONDS = 60.0
SEND_SECONDS = 120.0        # one try at one relay or webhook
HELD_SECONDS = 600.0        # after that a message is anybody's again: whoever claimed it has died
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Who is told, by which way, in which words, and what counts as wrong."""

    targets: tuple[Address, ...]
    webhook: str                        # instead of the targets
    relays: tuple[smtp.Server, ...]     # tried in order
    sender: Address
    organisation: Mapping[str, str]
    words: Words
    language: str
    secret: bytes
    inbox_stale_after: timedelta
    relay_stale_after: timedelta
    rate_per_day: int
    tries: int                          # a mail that failed more often is parked
    secrets: tuple[Secret, ...]

    @property
    def told(self) -> tuple[str, ...]:
        """Who gets each message, as it is kept."""
        return (WEBHOOK,) if self.webhook else tuple(one.address for one in self.targets)


class Alerter:
    """Looks every so often; `once` is one look, and one try to deliver whatever has not arrived."""

    def __init__(
        self, database: Database, terms: Terms, holder: str, *, clock: Callable[[], datetime], new_id: Callable[[], str],
        every_seconds: float = LOOK_SECONDS,
    ) -> None:  # fmt: skip
        self._database, self._terms, self._holder = database, terms, holder
        self._clock, self._new_id, self._every_seconds = clock, new_id, every_seconds
        self._running_since = self._sending_since = clock()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End after the message in hand."""
        self._stopping.set()

    async def run(self) -> None:
        """Until stop()."""
        await every(self._every_seconds, self._stopping, "alerts", self.once)

    async def once(self) -> None:
        """One look, then every message that is due."""
        now = self._clock()
        free = await asyncio.to_thread(free_octets, self._database.url)
        if await self._database.read(self._changes, free, now):
            await self._database.write(self._tell, free, now)
        await self._deliver_all()

    def _changes(self, tx: Tx, free: int | None, now: datetime) -> tuple[Change, ...]:
        terms, seen = self._terms, store.gathered(tx, self._terms.tries, self._terms.rate_per_day, now)
        if seen["held"]:
            self._sending_since = now  # who lets mail leave again gives the relay its time
        facts = Facts(
            running_since=self._running_since, sending_since=self._sending_since,
            inbox_stale_after=terms.inbox_stale_after, relay_stale_after=terms.relay_stale_after,
            free_octets=free, secrets=terms.secrets, **seen,
        )  # fmt: skip
        return alert.changes(facts, store.known(tx, now), now)

    def _tell(self, tx: Tx, free: int | None, now: datetime) -> None:
        """One transaction: what begins and ends now, unless another process tells it, and one message about all of it to each."""
        taken = [change for change in self._changes(tx, free, now) if store.take(tx, change, now)]
        if not taken:
            return
        items = [alert.for_a_template(change) for change in taken]
        rendered = render(self._terms.words, self._terms.language, "alert", {"organisation": self._terms.organisation, "items": items})
        changed = [alert.for_programs(change, now) for change in taken]
        said = {"organisation": self._terms.organisation["name"], "alerts": changed}
        for target in self._terms.told:
            store.queue(tx, self._new_id(), target, rendered.subject, rendered.text, said, now)
        for one in changed:
            log.warning("alert", condition=one["condition"], told=one["event"])

    async def _deliver_all(self) -> None:
        """Whoever cannot be reached is tried once: of everything for him the oldest goes first, and the rest waits with it."""
        unreached: list[str] = []
        while not self._stopping.is_set():
            now = self._clock()
            notice = await self._database.write(store.claim, self._holder, now, HELD_SECONDS, unreached)
            if notice is None:
                return
            try:
                trouble = await self._deliver(notice)
            except asyncio.CancelledError:
                await asyncio.shield(self._database.write(store.give_back, self._holder))
                raise
            if not trouble:
                await self._database.write(store.arrived, notice, self._holder, self._clock())
                continue
            unreached.append(notice.target)
            wait = min(FIRST_WAIT * (1 << min(notice.attempts - 1, 10)), LONGEST_WAIT)
            await self._database.write(store.again, notice, self._holder, now + wait, trouble)
            log.warning("alert-not-delivered", what=trouble, again_in_seconds=wait.total_seconds())

    async def _deliver(self, notice: store.Notice) -> str:
        """Empty where it has arrived, else why it has not."""
        if notice.target == WEBHOOK:
            body = {"text": f"{notice.subject}\n\n{notice.text}", **notice.said}
            try:
                await webhook.post(self._terms.webhook, body, SEND_SECONDS)
            except webhook.WebhookRefused as refusal:
                return str(refusal)
            return ""
        trouble = "no relay is configured"
        for server in self._terms.relays:
            reply = await self._send(server, notice)
            if reply.accepted:
                return ""
            trouble = f"{reply.code or reply.fault} {reply.text}"
            if reply.in_doubt:
                break  # the next relay would bring it twice for sure
        return trouble

    async def _send(self, server: smtp.Server, notice: store.Notice) -> Reply:
        """One try by one relay, on a connection of its own: there may be months between two alerts."""
        terms = self._terms
        mail = outgoing.OutgoingMessage(
            message_id=token.message_id(terms.secret, notice.id, terms.sender.domain), sender=terms.sender, to=Address(notice.target),
            subject=notice.subject, text=notice.text, language=terms.language, date=notice.created_at,
            headers=(("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "All")),
        )  # fmt: skip
        relay = smtp.Relay(server)
        try:
            async with asyncio.timeout(SEND_SECONDS):
                return await relay.send(terms.sender.address, notice.target, outgoing.build(mail), _always)
        except TimeoutError:
            return Reply(phase=relay.phase, fault=Fault.TIMEOUT, text=f"not within {SEND_SECONDS:.0f} s")
        finally:
            await relay.close()


async def _always() -> bool:
    """Nothing stops an alert: `stop-sending` is for mail to others, and who stopped it wants to know how it stands."""
    return True
