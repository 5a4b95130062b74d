"""The flow that keeps a case from lying still: untouched too long it goes to the next name, and after a snooze it comes back."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import assert_never

import structlog

from mailbot.cases import store
from mailbot.cases.case import ComeBack, PassOn, StayWithLast, escalation
from mailbot.database.engine import Database, Tx
from mailbot.inbox.hand_over import Desk, hand_over, pass_on
from mailbot.outbox import store as outbox
from mailbot.outbox.delivery import Kind
from mailbot.rounds import every

log = structlog.get_logger()
LOOK_SECONDS = 60.0


class Escalator:
    """Looks once a minute which cases are due."""

    def __init__(self, database: Database, desk: Desk, *, queued: Callable[[], None], clock: Callable[[], datetime]) -> None:
        self._database, self._desk, self._queued, self._clock = database, desk, queued, clock
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End at the next look."""
        self._stopping.set()

    async def run(self) -> None:
        """Until stop()."""
        await every(LOOK_SECONDS, self._stopping, "escalate", self.once)

    async def once(self) -> None:
        """Deal with every case that is due. Nothing leaves in observe mode."""
        if self._desk.mode != "observe" and await self._database.write(self._all, self._clock()):
            self._queued()

    def _all(self, tx: Tx, now: datetime) -> bool:
        """One transaction. Past the hour's number of notes the others wait for a later look."""
        queued = False
        for case in store.due_for_escalation(tx, now):
            if outbox.count_since(tx, Kind.HAND_OFF, now - timedelta(hours=1)) >= self._desk.hand_offs_per_hour:
                break
            step = escalation(case, now, self._desk.office.colleagues)
            match step:
                case ComeBack(to=to):
                    queued = hand_over(tx, self._desk, case, to, "back", now) or queued
                case PassOn() | StayWithLast():
                    queued = pass_on(tx, self._desk, case, "untouched", now) or queued
                case None:
                    continue
                case _:
                    assert_never(step)
            log.info("case-goes-on", case=case.id, step=type(step).__name__)
        return queued
