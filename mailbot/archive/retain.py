"""The flow that lets old things go: once a day over all workers, in small transactions, begun again where it was broken off."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import structlog

from mailbot.archive import retention_store, tally_store
from mailbot.archive.retention_store import STEPS, Step
from mailbot.archive.term import Ends, Terms, ends
from mailbot.database import flag, lease
from mailbot.database.engine import Database, Tx
from mailbot.database.scrub import scrub
from mailbot.rounds import every

log = structlog.get_logger()
LOOK_SECONDS = 600.0
LEASE_SECONDS = 300.0   # renewed with every transaction
PAUSE_SECONDS = 0.05    # between two: whoever else writes comes first
LEASE, DONE = "retention", "retention:day"


class Retainer:
    """Looks every ten minutes whether today's round is to be made."""

    def __init__(self, database: Database, terms: Terms, holder: str, clock: Callable[[], datetime]) -> None:
        self._database, self._terms, self._holder, self._clock = database, terms, holder, clock
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End after the transaction in hand."""
        self._stopping.set()

    async def run(self) -> None:
        """Until stop()."""
        await every(LOOK_SECONDS, self._stopping, "retain", self.once)

    async def once(self) -> None:
        """Today's round, where nobody has made it or is making it."""
        if await self._database.read(_is_done, self._day()):
            return
        done = await self.go()
        if done is not None:
            await self._database.write(flag.put, DONE, self._day(), self._clock())

    async def go(self) -> Counter[str] | None:
        """Let go whatever is due: how many rows by step. None where another is at it, or we were stopped."""
        now = self._clock()
        until, done = ends(self._terms, now), Counter[str]()
        # Before any transaction that writes: to read so many mails takes long, and nobody has to wait for it.
        terms = replace(self._terms, common=await self._database.read(tally_store.common_words, self._terms.noise))
        for step in STEPS:
            rows = 1
            while rows:
                if self._stopping.is_set():
                    return None
                taken = await self._database.write(self._some, step, until, terms, now)
                if taken is None:
                    return None
                rows = taken
                done[step.name] += rows
                if rows:
                    log.info("retention", what=step.name, rows=rows)
                    await asyncio.sleep(PAUSE_SECONDS)
        if done.total():
            await asyncio.to_thread(scrub, self._database, compact=False)
        await self._database.write(lease.release, LEASE, self._holder)
        return done

    def _some(self, tx: Tx, step: Step, until: Ends, terms: Terms, now: datetime) -> int | None:
        """None where somebody else has the lease."""
        if not lease.acquire(tx, LEASE, self._holder, self._clock(), LEASE_SECONDS):
            return None
        return retention_store.batch(tx, step, until, terms, now)

    def _day(self) -> str:
        return self._clock().astimezone(self._terms.zone).date().isoformat()


def _is_done(tx: Tx, day: str) -> bool:
    return flag.get(tx, DONE) == day


def last_round(tx: Tx) -> str:
    """The day of the last round; empty: there was none."""
    return flag.get(tx, DONE) or ""
