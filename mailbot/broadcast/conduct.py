"""The flow that moves broadcasts on by the clock and by what becomes of their mails: start, next wave, hold, finish.

One process conducts at a time, by a lease; each broadcast is a transaction of its own, so that what is wrong with one keeps no other.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from mailbot.broadcast import store
from mailbot.broadcast.announce import NOT_YET
from mailbot.broadcast.broadcast import Act, Broadcast, Limits, State, turn
from mailbot.broadcast.tell import tell_colleagues
from mailbot.database import lease
from mailbot.database.engine import Database, Tx
from mailbot.office import Office
from mailbot.outbox import bulk_store
from mailbot.rounds import every

log = structlog.get_logger()
LOOK_SECONDS = 5.0
LEASE = "conductor"
UNDER_WAY = (State.APPROVED, State.SCHEDULED, State.SENDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Who is told, in whose name, and what this office allows."""

    office: Office
    secret: bytes
    new_id: Callable[[], str]
    limits: Limits
    lease_seconds: float


class Conductor:
    """Looks every few seconds which broadcasts are to go on. `started`: there is mail to send."""

    def __init__(
        self, database: Database, terms: Terms, holder: str, *, started: Callable[[], None], clock: Callable[[], datetime]
    ) -> None:
        self._database, self._terms, self._holder, self._started, self._clock = database, terms, holder, started, clock
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End at the next look."""
        self._stopping.set()

    async def run(self) -> None:
        """Until stop()."""
        await every(LOOK_SECONDS, self._stopping, "conduct", self.once)

    async def once(self) -> None:
        """Every broadcast that is under way."""
        if not await self._database.write(lease.acquire, LEASE, self._holder, self._clock(), self._terms.lease_seconds):
            return
        for one in await self._database.read(store.listed, UNDER_WAY):
            if await self._database.write(self._conduct, one.id, self._clock()):
                self._started()

    def _conduct(self, tx: Tx, broadcast_id: str, now: datetime) -> bool:
        """What is to happen to it now, all of it. True where mail may leave by it."""
        one = store.find(tx, broadcast_id, lock=True)
        if one is None or one.state not in UNDER_WAY:
            return False
        states = bulk_store.states_of(tx, one.id)
        judged, hard = store.judged(tx, one.id) if one.state is State.SENDING else (0, 0)
        step = turn(one, states, judged, hard, self._terms.limits, now)
        if step is None:
            return self._wave(tx, one, now)
        if not store.become(tx, one, step.act, step.why, now):
            return False
        log.info("broadcast", broadcast=one.id, act=step.act, why=step.why)
        if step.act is Act.HOLD:
            tell_colleagues(tx, self._terms.office, self._terms.secret, self._terms.new_id, one, "held", step.why, now)
        if step.act is Act.START:
            self._wave(tx, replace(one, state=State.SENDING), now)
        return step.act is Act.START

    def _wave(self, tx: Tx, one: Broadcast, now: datetime) -> bool:
        """The next of those who never had a mail of ours, once those before them have come to their end."""
        if not one.wave or one.state is not State.SENDING or store.waiting_now(tx, one.id, now):
            return False
        return store.next_wave(tx, one.id, one.wave, NOT_YET, now) > 0

