"""How fast mail may leave: so many in any minute, so many in any 24 hours.

The windows slide: a relay that counts from its own minute's start never sees more than the limit in it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
UNLIMITED = 1 << 30


def next_free(started: Sequence[datetime], now: datetime, *, per_minute: int, per_day: int) -> datetime:
    """When the next mail may leave: `now`, or later. `started` are the instants of earlier attempts, oldest first; 0 is no limit."""
    return max(_free(started, now, per_minute, MINUTE), _free(started, now, per_day, DAY))


def _free(started: Sequence[datetime], now: datetime, limit: int, window: timedelta) -> datetime:
    if not limit or len(started) < limit:
        return now
    free = started[-limit] + window  # when the oldest that counts falls out of the window
    return min(max(free, now), now + window)  # at most one window ahead: the clock may have been set back


def room_in_bulk(started: Sequence[datetime], now: datetime, *, per_minute: int, per_day: int) -> tuple[int, datetime]:
    """How many mails of an announcement may leave at `now`, and when to look again where none may.

    They are spread over the minute, and a tenth of the day is not theirs: a journalist who asks never waits behind a list."""
    per_spell = -(-per_minute // 60)  # as many as in a second, or one in a longer spell
    spell = MINUTE * per_spell / per_minute if per_minute else MINUTE
    rooms = [(per_spell, spell), (per_minute, MINUTE), (per_day - per_day // 10 if per_day > 1 else per_day, DAY)]
    limits = [(limit, window) for limit, window in rooms if limit]
    if not limits:
        return UNLIMITED, now
    room = min(limit - sum(now - window < one <= now for one in started) for limit, window in limits)
    return max(room, 0), max(_free(started, now, limit, window) for limit, window in limits)
