"""The flow that writes one list instead of many notes: what waits beyond the hour's number, and what observe mode would have done.

A list names each mail once: the number of the last mail that it covers is kept, and moves in the transaction that
queues the list.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from typing import Any

from mailbot.database import flag
from mailbot.database.engine import Database, Tx
from mailbot.inbox import compose, store
from mailbot.inbox.reason import PROTECTED
from mailbot.message import token
from mailbot.office import Office
from mailbot.outbox import store as outbox
from mailbot.releases import store as releases
from mailbot.rounds import every

LOOK_SECONDS = 60.0
WAITING_EVERY = timedelta(hours=1)
MOST_ENTRIES = 200
OBSERVED, WAITING = "digest:observe", "digest:waiting"


class Summariser:
    """Looks once a minute whether a list is due."""

    def __init__(
        self, database: Database, office: Office, mode: str, secret: bytes, zone: tzinfo, *,
        queued: Callable[[], None], clock: Callable[[], datetime], new_id: Callable[[], str],
    ) -> None:  # fmt: skip
        self._database, self._office, self._mode, self._secret, self._zone = database, office, mode, secret, zone
        self._queued, self._clock, self._new_id = queued, clock, new_id
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End at the next look."""
        self._stopping.set()

    async def run(self) -> None:
        """Until stop()."""
        await every(LOOK_SECONDS, self._stopping, "summarise", self.once)

    async def once(self) -> None:
        """Queue the list that is due, if one is."""
        if await self._database.write(self._list, self._clock()):
            self._queued()

    def _list(self, tx: Tx, now: datetime) -> bool:
        """One transaction: is it time, what is on the list, queue it, remember how far it reached."""
        name = OBSERVED if self._mode == "observe" else WAITING
        since = datetime.fromisoformat(flag.put_first(tx, f"{name}:at", now.isoformat(), now))
        if not self._is_due(since, now):
            return False
        covered = int(flag.get(tx, f"{name}:mail") or 0)
        rows = store.observed_after(tx, covered) if self._mode == "observe" else store.unannounced_after(tx, covered)
        flag.put(tx, f"{name}:at", now.isoformat(), now)
        if not rows:
            return False
        rows = rows[:MOST_ENTRIES]  # the next list begins where this one ends
        flag.put(tx, f"{name}:mail", str(max(row["id"] for row in rows)), now)
        titles = {edition.slug: edition.title for release in releases.load_all(tx) for edition in release.editions}
        entries = [_entry(row, titles) for row in rows]
        draft = compose.digest(self._office, self._mode, since, now, entries, f"{name}:{now.isoformat()}")
        delivery_id = self._new_id()
        return outbox.enqueue(tx, draft, delivery_id, token.message_id(self._secret, delivery_id, self._office.address.domain), now)

    def _is_due(self, since: datetime, now: datetime) -> bool:
        if self._mode == "observe":  # once a day, after the office's midnight
            return now.astimezone(self._zone).date() > since.astimezone(self._zone).date()
        return now - since >= WAITING_EVERY


def name_again(tx: Tx, mail_id: int, now: datetime) -> None:
    """What was to tell a colleague of this mail has come to nothing: the next list begins at it again."""
    covered = int(flag.get(tx, f"{WAITING}:mail") or 0)
    flag.put(tx, f"{WAITING}:mail", str(min(covered, mail_id - 1)), now)


def _entry(row: dict[str, Any], titles: dict[str, str]) -> dict[str, Any]:
    actions = (row["explanation"] or {}).get("actions", ())
    slug = next((action["release"] for action in actions if action["type"] == "send_release"), "")
    protected = row["reason"] in PROTECTED  # then whoever may read the mail finds it by its number
    return {
        "mail": row["id"],
        "protected": protected,
        "answered": row["answered_at"],
        "sender": {"name": "", "address": "" if protected else row["sender"]},
        "subject": "" if protected else row["subject"],
        "when": row["received_at"],
        "reason": row["reason"],
        "action": row["outcome"],
        "title": titles.get(slug, ""),
    }
