"""How fast mail may leave: so many in any minute, so many in any 24 hours.

The windows slide: a relay that counts from its own minute's start never sees more than the limit in it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def next_free(started: Sequence[datetime], now: datetime, *, per_minute: int, per_day: int) -> datetime:
    """When the next mail may leave: `now`, or later. `started` are the instants of earlier attempts, oldest first; 0 is no limit."""
    return max(_free(started, now, per_minute, MINUTE), _free(started, now, per_day, DAY))


def _free(started: Sequence[datetime], now: datetime, limit: int, window: timedelta) -> datetime:
    if not limit or len(started) < limit:
        return now
    free = started[-limit] + window  # when the oldest that counts falls out of the window
    return min(max(free, now), now + window)  # at most one window ahead: the clock may have been set back
